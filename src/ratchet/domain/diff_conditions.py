"""Two conditions beside each other: whether they ask the same, and whether one provably holds less often."""

from dataclasses import fields
from typing import Any, Literal, TypeAlias, cast

from ratchet.domain.condition import Condition, ConditionError
from ratchet.domain.condition.grammar import parse
from ratchet.domain.condition.nodes import Expression, Join, Node

Joined: TypeAlias = Literal["and", "or"]
_PLACES = frozenset({"start", "end", "height"})


def same(before: str, after: str) -> bool:
    """Whether nothing but layout differs. What cannot be read is compared as it is written."""
    old, new = _read(before), _read(after)
    return before == after if old is None or new is None else _bare(old) == _bare(new)


def only_added(before: str, after: str, word: Joined) -> bool:
    """Whether `after` is `before` with more terms joined to it: with `and` it is true less often, with `or` more."""
    old, new = _read(before), _read(after)
    if old is None or new is None:
        return False
    kept = [_bare(term) for term in _terms(new, word)]
    return all(_bare(term) in kept for term in _terms(old, word))


def names_in(text: str) -> frozenset[str]:
    """The probes and other names that a condition reads; empty when it cannot be read, and then it is never true."""
    try:
        return Condition.parse(text).names
    except ConditionError:
        return frozenset()


def _read(text: str) -> Expression | None:
    try:
        return parse(text)
    except ConditionError:
        return None


def _terms(node: Expression, word: Joined) -> list[Expression]:
    if isinstance(node, Join) and node.word == word:
        return [term for item in node.items for term in _terms(item, word)]
    return [node]


def _bare(value: Any) -> Any:
    """A node without its place in the text; a literal with its type, since True is 1 and 1 is 1.0."""
    match value:
        case Node():
            inside = (_bare(getattr(value, one.name)) for one in fields(value) if one.name not in _PLACES)
            return (type(value).__name__, *inside)
        case tuple():
            return tuple(_bare(item) for item in cast(tuple[Any, ...], value))
        case _:
            return (type(value).__name__, value)
