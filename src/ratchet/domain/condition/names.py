"""Which names and columns a condition uses, and which of them were never declared."""

import difflib
from collections.abc import Iterator, Mapping

from ratchet.domain.condition.errors import ConditionError
from ratchet.domain.condition.nodes import Call, Each, Expression, Key, Name, Place, parts

STRUCTURE = frozenset({"rows", "first", "rows_data", "answer", "available", "age_s"})

Declared = Mapping[str, frozenset[str] | None]
Bound = Mapping[str, str | None]


def free_paths(node: Expression, bound: frozenset[str] = frozenset()) -> Iterator[tuple[str, ...]]:
    """Every path below a free name, the name first, as far as keys are written out (a place such as [0] ends it)."""
    if isinstance(node, Each):
        yield from free_paths(node.source, bound)
        for part in (*node.filters, node.element):
            yield from free_paths(part, bound | {node.variable})
        return
    keys: list[str] = []
    below = node
    while isinstance(below, Key | Place):
        keys = [below.key, *keys] if isinstance(below, Key) else []
        below = below.of
    if isinstance(below, Name):
        if below.name not in bound:
            yield (below.name, *keys)
        return
    for part in parts(below):
        yield from free_paths(part, bound)


def undeclared(node: Expression, declared: Declared) -> list[ConditionError]:
    """Every unknown name and column once, where it is first written, in source order."""
    found = sorted(_faults(node, declared, {}), key=lambda fault: fault.column or 0)
    once = {fault.message: fault for fault in reversed(found)}
    return sorted(once.values(), key=lambda fault: fault.column or 0)


def _faults(node: Expression, declared: Declared, bound: Bound) -> Iterator[ConditionError]:
    if isinstance(node, Each):
        yield from _faults(node.source, declared, bound)
        inner = {**bound, node.variable: _rows_of(node.source, bound)}
        for part in (*node.filters, node.element):
            yield from _faults(part, declared, inner)
        return
    if isinstance(node, Name) and node.name not in bound and node.name not in declared:
        yield _unknown_name(node, declared)
    if isinstance(node, Key):
        yield from _key_faults(node, declared, bound)
    for part in parts(node):
        yield from _faults(part, declared, bound)


def _key_faults(node: Key, declared: Declared, bound: Bound) -> Iterator[ConditionError]:
    probe = _row_of(node.of, bound)
    columns = declared.get(probe) if probe else None
    if columns is not None and node.key not in columns:
        yield _fault(node, f"{probe} has no column {node.key[:60]!r}", _nearest(node.key, columns))
    if not isinstance(node.of, Name) or node.of.name in bound:
        return
    name, columns = node.of.name, declared.get(node.of.name)
    if columns is not None and node.key not in STRUCTURE:
        remedy = f"write {name}.first.{node.key}" if node.key in columns else _nearest(node.key, STRUCTURE)
        yield _fault(node, f"{name} has no part {node.key[:60]!r}", remedy)


def _rows_of(node: Expression, bound: Bound) -> str | None:
    """The probe whose rows this list holds, where that can be read off the text."""
    if isinstance(node, Key) and node.key == "rows_data" and isinstance(node.of, Name) and node.of.name not in bound:
        return node.of.name
    return None


def _row_of(node: Expression, bound: Bound) -> str | None:
    """The probe of which this is one row, where that can be read off the text."""
    match node:
        case Name():
            return bound.get(node.name)
        case Key(key="first", of=Name() as probe) if probe.name not in bound:
            return probe.name
        case Place():
            return _rows_of(node.of, bound)
        case Call(name="first", arguments=(Each() as each,)):
            inner = {**bound, each.variable: _rows_of(each.source, bound)}
            return _row_of(each.element, inner)
        case Call(name="first", arguments=(rows,)):
            return _rows_of(rows, bound)
        case _:
            return None


def _unknown_name(node: Name, declared: Declared) -> ConditionError:
    return ConditionError(f"nothing here is named {node.name[:60]!r}", node.start + 1, _nearest(node.name, declared))


def _fault(node: Key, message: str, remedy: str) -> ConditionError:
    return ConditionError(message, max(node.start, node.end - len(node.key)) + 1, remedy)


def _nearest(word: str, known: Mapping[str, object] | frozenset[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"known here: {', '.join(sorted(known))}" if known else "nothing is declared here"
