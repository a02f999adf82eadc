"""Text patterns that cannot run away: a small regular-expression grammar matched in time linear in the text.

Literals, `.`, classes `[a-z]` `[^...]`, `\\d \\w \\s` and their capitals, `^`, `$`, alternation, plain groups, and
`* + ?` on one character or class. A pattern is found anywhere in the text unless anchored. Letters and digits of
`\\w` and `\\d` are ASCII; `.` is any character but a line break.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ratchet.domain.condition.budget import Budget
from ratchet.domain.condition.errors import ConditionError

MAX_PATTERN = 200
MAX_SUBJECT = 10_000
MAX_GROUPS_DEEP = 8

_DIGITS = ("0", "9")
_WORD: tuple[tuple[str, str], ...] = (("a", "z"), ("A", "Z"), _DIGITS, ("_", "_"))
_SPACE: tuple[tuple[str, str], ...] = ((" ", " "), ("\t", "\r"))
_CLASSES = {"d": (_DIGITS,), "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Letters:
    """A set of characters as ranges, both ends inside."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False

    def holds(self, letter: str) -> bool:
        return any(low <= letter <= high for low, high in self.ranges) != self.negated


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; `ways` are the offsets where matching goes on without reading a character."""

    kind: Literal["read", "go", "start", "end"]
    letters: Letters | None = None
    ways: tuple[int, ...] = (1,)


Program = tuple[Instruction, ...]


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.place = 0

    def peek(self) -> str:
        return self.pattern[self.place : self.place + 1]

    def take(self) -> str:
        letter = self.peek()
        if not letter:
            raise self.refusal("ends too early", "complete it")
        self.place += 1
        return letter

    def refusal(self, problem: str, remedy: str) -> ConditionError:
        return ConditionError(f"the pattern {self.pattern[:40]!r} {problem}", None, remedy)

    def alternation(self, deep: int) -> Program:
        if deep > MAX_GROUPS_DEEP:
            raise self.refusal("nests its groups too deeply", "flatten them")
        branches = [self.sequence(deep)]
        while self.peek() == "|":
            self.take()
            branches.append(self.sequence(deep))
        program = branches.pop()
        for branch in reversed(branches):
            program = (_go(1, len(branch) + 2), *branch, _go(len(program) + 1), *program)
        return program

    def sequence(self, deep: int) -> Program:
        program: Program = ()
        while (letter := self.peek()) and letter not in "|)":
            program += self.repeated(self.atom(deep))
        if self.peek() == ")" and not deep:
            raise self.refusal("closes a group that was not opened", "write \\) for the character itself")
        return program

    def repeated(self, atom: Program) -> Program:
        sign = self.peek()
        if sign and sign == "{":
            raise self.refusal("counts repetitions with {}", "write the atom out, or use * + ?")
        if not sign or sign not in "*+?":
            return atom
        if len(atom) != 1 or atom[0].kind != "read":
            raise self.refusal(f"repeats with {sign} what is not one character or class", "repeat single characters")
        self.take()
        if (follower := self.peek()) and follower in "*+?{":
            raise self.refusal("repeats a repetition", "one of * + ? is enough; write \\ before a literal sign")
        match sign:
            case "*":
                return (_go(1, 3), *atom, _go(-2))
            case "+":
                return (*atom, _go(-1, 1))
            case _:
                return (_go(1, 2), *atom)

    def atom(self, deep: int) -> Program:
        letter = self.take()
        match letter:
            case "^":
                return (Instruction("start"),)
            case "$":
                return (Instruction("end"),)
            case ".":
                return (_read((("\n", "\n"),), negated=True),)
            case "[":
                return (self.letter_class(),)
            case "(":
                return self.group(deep)
            case "\\":
                return (_read(*self.escaped()),)
            case "*" | "+" | "?" | "{":
                raise self.refusal(f"has nothing before {letter}", f"write \\{letter} for the character itself")
            case _:
                return (_read(((letter, letter),)),)

    def group(self, deep: int) -> Program:
        if self.peek() == "?":
            raise self.refusal("uses (?...)", "use plain groups; lower() ignores case")
        inside = self.alternation(deep + 1)
        if self.take() != ")":
            raise self.refusal("leaves a group open", "close it with )")
        if (follower := self.peek()) and follower in "*+?{":
            raise self.refusal("repeats a group", "repeat single characters or classes only")
        return inside

    def escaped(self) -> tuple[tuple[tuple[str, str], ...], bool]:
        letter = self.take()
        if letter.lower() in _CLASSES:
            return _CLASSES[letter.lower()], letter.isupper()
        if letter in _CONTROLS:
            return ((_CONTROLS[letter], _CONTROLS[letter]),), False
        if letter.isalnum():
            raise self.refusal(
                f"uses \\{letter}", "only \\d \\w \\s \\D \\W \\S \\n \\t \\r and escaped signs are known"
            )
        return ((letter, letter),), False

    def letter_class(self) -> Instruction:
        negated = self.peek() == "^"
        if negated:
            self.take()
        ranges: list[tuple[str, str]] = []
        while (letter := self.take()) != "]" or not ranges:
            low, is_set = self.class_member(letter, ranges)
            if is_set or self.peek() != "-" or self.pattern[self.place + 1 : self.place + 2] == "]":
                continue
            self.take()
            high, is_set = self.class_member(self.take(), ranges)
            if is_set or high < low:
                raise self.refusal(f"has the range {low}-{high}, which holds nothing", "write the smaller end first")
            ranges.append((low, high))
        return _read(tuple(ranges), negated=negated)

    def class_member(self, letter: str, ranges: list[tuple[str, str]]) -> tuple[str, bool]:
        """Adds one member to the class; answers its character, and whether it was a whole set such as \\d."""
        if letter != "\\":
            ranges.append((letter, letter))
            return letter, False
        members, negated = self.escaped()
        low, high = members[0]
        if negated:
            raise self.refusal("has a negated set inside a class", "negate the class with [^...]")
        ranges.extend(members)
        return low, len(members) > 1 or low != high


def _go(*ways: int) -> Instruction:
    return Instruction("go", None, ways)


def _read(ranges: tuple[tuple[str, str], ...], negated: bool = False) -> Instruction:
    return Instruction("read", Letters(ranges, negated))


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Program:
    """Raises ConditionError (without a column) for a pattern outside the grammar."""
    if len(pattern) > MAX_PATTERN:
        raise ConditionError("the pattern is too long", None, f"keep it within {MAX_PATTERN} characters")
    reader = _Reader(pattern)
    return reader.alternation(0)


def found(program: Program, subject: str, budget: Budget) -> bool:
    """Whether the pattern occurs in the subject; the cost is charged to the budget."""
    accept = len(program)
    price = 1 + accept // 4
    budget.spend_reading(subject)
    budget.spend(price)
    here = _reachable(program, {0}, at_start=True, at_end=not subject)
    fresh = _reachable(program, {0}, at_start=False, at_end=False)
    known: dict[tuple[frozenset[int], str], frozenset[int]] = {}
    for letter in subject:
        if accept in here:
            return True
        step = (here, letter)
        if step not in known:
            budget.spend(price)
            after = _after(program, here, letter)
            known[step] = fresh | _reachable(program, after, at_start=False, at_end=False)
        here = known[step]
    return accept in _reachable(program, set(here), at_start=not subject, at_end=True)


def _after(program: Program, here: frozenset[int], letter: str) -> set[int]:
    after: set[int] = set()
    for place in here:
        letters = program[place].letters if place < len(program) else None
        if letters is not None and letters.holds(letter):
            after.add(place + 1)
    return after


def _reachable(program: Program, places: set[int], at_start: bool, at_end: bool) -> frozenset[int]:
    """Every place that can be reached without reading; places that wait for a character or the end stay inside."""
    passed: set[int] = set()
    waiting = list(places)
    while waiting:
        place = waiting.pop()
        if place in passed:
            continue
        passed.add(place)
        if place == len(program):
            continue
        step = program[place]
        if step.kind == "go" or (step.kind == "start" and at_start) or (step.kind == "end" and at_end):
            waiting.extend(place + way for way in step.ways)
    return frozenset(passed)
