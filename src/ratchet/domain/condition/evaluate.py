"""Evaluates a condition over evidence: three-valued, never raising, within a budget, keeping what it saw."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ratchet.domain.condition import operations
from ratchet.domain.condition.budget import Budget, BudgetSpent
from ratchet.domain.condition.functions import FUNCTIONS
from ratchet.domain.condition.nodes import (
    Arithmetic,
    Call,
    Choice,
    Compare,
    Each,
    Expression,
    Items,
    Join,
    Key,
    Literal,
    Name,
    Negative,
    Not,
    Place,
    fragment,
)
from ratchet.domain.condition.operations import Truth
from ratchet.domain.condition.seen import Row, Seen, Tally
from ratchet.domain.condition.values import Datum, Missing, Scope, Unknown, admit, called, kind_of

ALWAYS_READABLE = ("answer", "available", "age_s")


def look(node: Expression, source: str, scope: Scope, steps: int) -> Seen:
    """Never raises; an exhausted budget makes the whole unknown."""
    try:
        return _Look(source, scope, Budget(steps)).see(node)
    except BudgetSpent:
        return Seen(node, Unknown(f"the budget of {steps} steps was spent before the answer was known"))


class _Look:
    def __init__(self, source: str, scope: Scope, budget: Budget) -> None:
        self.source = source
        self.scope = scope
        self.budget = budget
        self.rows: Mapping[str, Datum] = {}

    def see(self, node: Expression) -> Seen:
        self.budget.spend()
        match node:
            case Literal():
                return Seen(node, node.value)
            case Name():
                return Seen(node, self.named(node, ""))
            case Key() | Place():
                return self.path(node)
            case Items():
                inside = tuple(map(self.see, node.items))
                return Seen(node, [one.value for one in inside], inside)
            case Call():
                return self.call(node)
            case Each():
                return Seen(node, Unknown("a generator is not a value"))
            case _:
                return self.operation(node)

    def operation(self, node: Not | Negative | Join | Compare | Arithmetic | Choice) -> Seen:
        match node:
            case Not():
                inside = self.see(node.of)
                return Seen(node, operations.negation(self.truth(inside)), (inside,))
            case Negative():
                inside = self.see(node.of)
                return Seen(node, operations.arithmetic("-", 0, inside.value, self.budget), (inside,))
            case Join():
                return self.join(node)
            case Compare():
                return self.compare(node)
            case Arithmetic():
                left, right = self.see(node.left), self.see(node.right)
                value = operations.arithmetic(node.sign, left.value, right.value, self.budget)
                return Seen(node, self.explained(value, left, right), (left, right))
            case Choice():
                return self.choice(node)

    def truth(self, seen: Seen) -> Truth:
        return operations.truth(seen.value, fragment(self.source, seen.node))

    def explained(self, value: Datum, *operands: Seen) -> Datum:
        """A null among the operands is the likely reason of a doubt: say which expression was null."""
        if not isinstance(value, Unknown) or any(isinstance(one.value, Unknown) for one in operands):
            return value
        empty = next((one for one in operands if one.value is None), None)
        return value if empty is None else Unknown(f"{fragment(self.source, empty.node)} is null")

    def named(self, node: Name, key: str) -> Datum:
        """The value of a name on the way to `key` ("" for the value itself)."""
        if node.name in self.rows:
            return admit(self.rows[node.name], node.name)
        if node.name not in self.scope:
            return Unknown(f"there is no evidence named {node.name}")
        value = admit(self.scope[node.name], node.name)
        if not isinstance(value, Mapping) or key in ALWAYS_READABLE:
            return value
        available = value.get("available")
        if available is not False and not isinstance(available, Unknown):
            return value
        # A probe that could not look may still carry zero rows; they must not pass for an observation.
        said = value.get(key, value.get("rows"))
        return Unknown(f"{node.name} is not available" + (f": {said.reason}" if isinstance(said, Unknown) else ""))

    def path(self, node: Key | Place) -> Seen:
        inside: tuple[Seen, ...] = ()
        if isinstance(node.of, Name):
            self.budget.spend()
            below = self.named(node.of, node.key if isinstance(node, Key) else "")
        else:
            seen = self.see(node.of)
            below, inside = seen.value, seen.inside if isinstance(node.of, Key | Place) else (seen,)
        return Seen(node, self.step(node, below), inside)

    def step(self, node: Key | Place, below: Datum) -> Datum:
        if isinstance(below, Unknown):
            return below
        label, base = fragment(self.source, node), fragment(self.source, node.of)
        if below is None:
            return Missing(f"{base} is null, so there is no {label}")
        if isinstance(node, Key) and isinstance(below, Mapping):
            return admit(below[node.key], label) if node.key in below else Missing(f"{base} has no key {node.key!r}")
        if isinstance(node, Place) and isinstance(below, list | tuple):
            there = -len(below) <= node.place < len(below)
            return admit(below[node.place], label) if there else Missing(f"{base} has only {len(below)} elements")
        return Missing(f"{base} is {kind_of(below)}, so there is no {label}")

    def join(self, node: Join) -> Seen:
        settles = node.word == "or"
        inside: list[Seen] = []
        answers: list[Truth] = []
        for item in node.items:
            inside.append(self.see(item))
            answers.append(self.truth(inside[-1]))
            if answers[-1] is settles:
                break
        value = operations.some(answers) if settles else operations.every(answers)
        return Seen(node, value, tuple(inside), len(node.items) - len(inside))

    def compare(self, node: Compare) -> Seen:
        inside = [self.see(node.items[0])]
        answers: list[Truth] = []
        for sign, item in zip(node.signs, node.items[1:], strict=True):
            left, right = inside[-1], self.see(item)
            inside.append(right)
            answer = operations.compare(sign, left.value, right.value, self.budget)
            if isinstance(answer, Unknown) and None in (left.value, right.value) and sign not in ("==", "!="):
                answer = self.null_doubt(answer, left, right)
            answers.append(answer)
            if answer is False:
                break
        return Seen(node, operations.every(answers), tuple(inside), len(node.items) - len(inside))

    def null_doubt(self, answer: Unknown, left: Seen, right: Seen) -> Unknown:
        explained = self.explained(answer, left, right)
        return explained if isinstance(explained, Unknown) else answer

    def choice(self, node: Choice) -> Seen:
        when = self.see(node.when)
        decided = self.truth(when)
        if isinstance(decided, Unknown):
            return Seen(node, decided, (when,))
        taken = self.see(node.then if decided else node.otherwise)
        return Seen(node, taken.value, (when, taken))

    def call(self, node: Call) -> Seen:
        function = FUNCTIONS[node.name]
        match node.name:
            case "any" | "all":
                return self.quantify(node)
            case "coalesce":
                return self.coalesce(node)
            case "exists":
                return self.exists(node)
            case "len" if isinstance(node.arguments[0], Each):
                return self.gather(node)
            case _ if function.takes != "values" and len(node.arguments) == 1:
                return self.gather(node)
            case _:
                inside = tuple(map(self.see, node.arguments))
        doubt = next((one.value for one in inside if isinstance(one.value, Unknown)), None)
        empty = next((one for one in inside if one.value is None), None)
        if doubt is None and empty is not None:
            doubt = Unknown(f"{fragment(self.source, empty.node)} is null")
        value = doubt or function.apply([one.value for one in inside], self.budget)
        return Seen(node, value, inside)

    def exists(self, node: Call) -> Seen:
        inside = self.see(node.arguments[0])
        if isinstance(inside.value, Unknown) and not isinstance(inside.value, Missing):
            return Seen(node, inside.value, (inside,))
        return Seen(node, not (inside.value is None or isinstance(inside.value, Missing)), (inside,))

    def coalesce(self, node: Call) -> Seen:
        inside: list[Seen] = []
        for argument in node.arguments:
            inside.append(self.see(argument))
            if inside[-1].value is not None and not isinstance(inside[-1].value, Unknown):
                return Seen(node, inside[-1].value, tuple(inside))
        doubt = next((one.value for one in inside if isinstance(one.value, Unknown)), None)
        return Seen(node, doubt, tuple(inside))

    def quantify(self, node: Call) -> Seen:
        """any() and all(): every row is looked at, so that the count can be told; the first deciding row is kept."""
        source, rows = self.elements(node.arguments[0])
        if isinstance(rows, Unknown):
            return Seen(node, rows, (source,))
        wanted = node.name == "any"
        answers: list[Truth] = []
        deciding: Row | None = None
        outside, name = 0, ""
        for item, row in rows:
            outside += row.kept is False and not wanted
            held = operations.truth(row.value, "an element")
            filtered = row.kept if wanted else operations.negation(row.kept)
            answers.append((operations.every if wanted else operations.some)((filtered, held)))
            if deciding is None and answers[-1] is wanted:
                deciding, name = row, called(item)
        value = operations.some(answers) if wanted else operations.every(answers)
        unclear = sum(isinstance(answer, Unknown) for answer in answers)
        tally = Tally(len(answers) - outside, sum(answer is True for answer in answers) - outside, unclear, name)
        return Seen(node, value, (source, *(deciding.inside if deciding else ())), tally=tally)

    def gather(self, node: Call) -> Seen:
        """sum, min, max, first and len over one list or generator: one doubtful row makes the whole unknown."""
        source, rows = self.elements(node.arguments[0])
        if isinstance(rows, Unknown):
            return Seen(node, rows, (source,))
        kept: list[Datum] = []
        for _, row in rows:
            if isinstance(row.kept, Unknown):
                return Seen(node, row.kept, (source,))
            if row.kept and node.name == "first":
                return Seen(node, row.value, (source, *row.inside))
            if row.kept and isinstance(row.value, Unknown):
                return Seen(node, row.value, (source,))
            kept.extend([row.value] if row.kept else [])
        given = [kept] if node.name == "len" else kept
        return Seen(node, FUNCTIONS[node.name].apply(given, self.budget), (source,))

    def elements(self, node: Expression) -> tuple[Seen, Iterator[tuple[Datum, Row]] | Unknown]:
        """The list that is gone through, and its elements with their rows, evaluated as they are asked for."""
        source = self.see(node.source if isinstance(node, Each) else node)
        label = fragment(self.source, source.node)
        if isinstance(source.value, Unknown):
            return source, source.value
        if not isinstance(source.value, list | tuple):
            said = "null" if source.value is None else kind_of(source.value)
            return source, Unknown(f"{label} is {said}, not a list")
        items = [*source.value]
        if isinstance(node, Each):
            return replace(source, inside=()), ((item, self.row(node, item)) for item in items)
        return source, ((item, self.plain_row(item, label)) for item in items)

    def plain_row(self, item: Datum, label: str) -> Row:
        self.budget.spend()
        return Row(kept=True, value=admit(item, f"an element of {label}"))

    def row(self, node: Each, item: Datum) -> Row:
        self.rows = {node.variable: item}
        filters: list[Seen] = []
        kept: Truth = True
        for condition in node.filters:
            filters.append(self.see(condition))
            kept = operations.every((kept, self.truth(filters[-1])))
            if kept is False:
                self.rows = {}
                return Row(kept=False, value=None, inside=tuple(filters))
        element = self.see(node.element)
        self.rows = {}
        return Row(kept, element.value, (*filters, element))
