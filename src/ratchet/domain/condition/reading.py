"""A judged condition as a person reads it at night: what was seen, against what it was held, and nothing else.

`slots.first.used >= slots.first.max * 0.85 → 37 >= 34 → true` becomes `slots: used 37 (>= 34 = max * 0.85)`.
The exact trace stays what is kept; these lines are written from it whenever they are shown.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ratchet.domain.condition.errors import ConditionError
from ratchet.domain.condition.grammar import parse
from ratchet.domain.condition.nodes import (
    Arithmetic,
    Call,
    Compare,
    Each,
    Expression,
    Items,
    Literal,
    Not,
    fragment,
    is_path,
)
from ratchet.domain.condition.trace import Trace
from ratchet.domain.condition.wording import root_of, unit_of, worded, worded_value

_TESTS = {
    "startswith": "begins with", "endswith": "ends with", "contains": "contains", "icontains": "contains",
    "matches": "matches",
}  # fmt: skip


class _Fact(NamedTuple):
    """One thing seen: under which name it was looked up, what it was, and the limits it was held against."""

    root: str
    seen: str
    limits: tuple[str, ...] = ()
    alone: bool = False


def read(trace: Trace) -> tuple[str, ...]:
    """Lines for a person, those parts first that decided; never empty, never raises."""
    return tuple(dict.fromkeys(_lines(trace, trace.value is not False)))


def _lines(trace: Trace, held: bool) -> Iterator[str]:
    """`held` says in which sense the parts are told: as what holds, or as what does not."""
    if trace.kind in ("and", "or"):
        facts: list[_Fact] = []
        for each in _deciding(trace):
            inner = each.value is not False
            if _is_plain(each):
                facts += _facts(each, inner)
                continue
            yield from _joined(facts)
            facts = []
            yield from _lines(each, inner)
        yield from _joined(facts)
    elif trace.kind == "not" and trace.unknown is None:
        yield from _lines(trace.children[0], not held)
    else:
        yield from _joined([*_facts(trace, held)])


def _deciding(trace: Trace) -> Sequence[Trace]:
    """The parts because of which the whole is what it is."""
    if trace.unknown is not None:
        return [each for each in trace.children if each.unknown is not None] or trace.children
    settled = trace.kind == "or"
    if trace.value is settled:
        return [each for each in trace.children if each.value is settled]
    return trace.children


def _is_plain(trace: Trace) -> bool:
    return trace.kind == "other" or (trace.kind == "not" and trace.children[0].kind == "other")


def _joined(facts: Sequence[_Fact]) -> Iterator[str]:
    """Facts about one name on one line, unless they stand alone; limits of the same thing in one pair of brackets."""
    grouped: dict[tuple[str, str], dict[str, list[str]]] = {}
    for fact in facts:
        key = (fact.root, fact.seen if fact.alone else "")
        grouped.setdefault(key, {}).setdefault(fact.seen, []).extend(fact.limits)
    for (root, _), seen in grouped.items():
        told = [f"{each} ({', '.join(dict.fromkeys(limits))})" if limits else each for each, limits in seen.items()]
        yield f"{root}: {', '.join(told)}" if root else ", ".join(told)


def _facts(trace: Trace, held: bool) -> Iterator[_Fact]:
    if trace.kind == "not" and trace.unknown is None:
        yield from _facts(trace.children[0], not held)
        return
    try:
        node = parse(trace.text)
    except ConditionError:
        yield _Fact("", trace.render())
        return
    root = root_of(node)
    yield _Fact(root, f"unknown ({trace.unknown})") if trace.unknown is not None else _fact(trace, node, root)


def _fact(trace: Trace, node: Expression, root: str) -> _Fact:
    match node:
        case Compare(items=(first, other)) if not isinstance(first, Literal):
            return _compared(trace, (first, node.signs[0], other), root)
        case Compare():
            subject = next((each for each in node.items if not isinstance(each, Literal)), node.items[0])
            seen = f"{worded(subject)} {_seen(trace, subject, unit_of(subject))}"
            return _Fact(root, seen, (f"{'' if trace.value else 'not '}{worded(node)}",))
        case Call(name="any" | "all", arguments=(Each() as each,)):
            return _over_rows(trace, node.name, each)
        case Call(arguments=(subject, against, *_)) if node.name in _TESTS:
            return _tested(trace, _TESTS[node.name], (subject, against))
        case Call(name="exists", arguments=(path,)):
            return _Fact(root, f"{worded(path)} is {'there' if trace.value else 'not there'}")
        case Not(of=of) if is_path(of):
            return _Fact(root, f"{'not ' if trace.value is True else ''}{worded(of)}")
        case _ if is_path(node):
            return _Fact(root, f"{'' if trace.value is True else 'not '}{worded(node)}")
        case _:
            return _Fact("", trace.render())


def _compared(trace: Trace, parts: tuple[Expression, str, Expression], root: str) -> _Fact:
    """`used 37 (>= 31.45 = usable * 0.85)`; an equality that holds needs no brackets."""
    first, sign, other = parts
    unit = unit_of(first) or unit_of(other)
    subject = f"{worded(first)}{' =' if isinstance(first, Arithmetic) else ''} {_seen(trace, first, unit)}"
    limit = worded(other) if isinstance(other, Items) else _seen(trace, other, unit)
    if sign in ("==", "!="):
        return _Fact(root, subject) if (sign == "==") is trace.value else _Fact(root, subject, (f"not {limit}",))
    computed = "" if isinstance(other, Literal | Items) else f" = {worded(other)}"
    return _Fact(root, subject, (f"{'' if trace.value else 'not '}{sign} {limit}{computed}",))


def _seen(trace: Trace, node: Expression, unit: str) -> str:
    """What a part came to; null for one that was not needed any more."""
    if isinstance(node, Literal):
        return worded_value(node.value, unit)
    wanted = fragment(trace.text, node)
    return worded_value(next((each.value for each in trace.children if each.text == wanted), None), unit)


def _tested(trace: Trace, word: str, parts: tuple[Expression, Expression]) -> _Fact:
    subject, against = parts
    seen, wanted = _seen(trace, subject, ""), _seen(trace, against, "")
    limits = () if seen == wanted and trace.value else (f"{'' if trace.value else 'not '}{word} {wanted}",)
    return _Fact(root_of(subject), f"{worded(subject)} {seen}", limits)


def _over_rows(trace: Trace, name: str, each: Each) -> _Fact:
    """The row that decided with what was read of it, or that there is none."""
    source, is_any = root_of(each.source), name == "any"
    tally = trace.steps[0].partition(",")[0] if trace.steps else ""
    number = tally.partition(" of ")[2].partition(" ")[0]
    if number == "0":
        return _Fact(source, "no rows")
    if bool(trace.value) is not is_any:
        return _Fact(source, f"{'none' if is_any else 'each'} of {number or 'the'} rows: {worded(each)}", alone=True)
    of_row = [fact._replace(root="row") for part in trace.children[1:] for fact in _row_facts(part)]
    told = [line.removeprefix("row: ") for line in _joined(of_row)]
    said = f"{trace.row} {', '.join(told) or worded(each)}".strip()
    return _Fact(source, f"{said}; {tally}" if tally else said, alone=True)


def _row_facts(trace: Trace) -> Iterator[_Fact]:
    if trace.kind in ("and", "or"):
        for each in _deciding(trace):
            yield from _row_facts(each)
    elif trace.kind == "not" and not _is_plain(trace):
        yield from _row_facts(trace.children[0])
    else:
        yield from _facts(trace, trace.value is not False)
