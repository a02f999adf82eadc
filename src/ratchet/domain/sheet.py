"""A playbook file as read: plain values with the line each stands on, well formed or not."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from ratchet.domain.duration import parse_duration
from ratchet.domain.errors import Mistake

Path: TypeAlias = tuple[str | int, ...]
Fields: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Sheet:
    """Rules read a sheet rather than a playbook, so that one broken place never hides the faults of another."""

    where: str
    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int | None:
        """The line of the nearest written ancestor of `path`, 1 first; None for an empty file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def at(self, path: Path) -> Any:
        """The value under `path`, or None."""
        value = self.data
        for part in path:
            if isinstance(value, Mapping) and part in value:
                value = cast(Mapping[str | int, Any], value)[part]
            elif isinstance(value, list) and isinstance(part, int) and part < len(cast(list[Any], value)):
                value = cast(list[Any], value)[part]
            else:
                return None
        return value

    def fields(self, *path: str | int) -> Fields:
        """The mapping under `path`; empty when there is none."""
        value = self.at(path)
        return cast(Fields, value) if isinstance(value, Mapping) else {}

    def each(self, *path: str | int) -> Iterator[tuple[Path, Fields]]:
        """The mappings directly inside the list or mapping under `path`."""
        for key, item in _inside(self.at(path)):
            if isinstance(item, Mapping):
                yield (*path, key), cast(Fields, item)

    def texts(self) -> Iterator[tuple[Path, str]]:
        """Every text in the file."""
        yield from texts_in(self.data, ())

    def mistake(self, path: Path, code: str, message: str, remedy: str) -> Mistake:
        return Mistake(where=self.where, line=self.line(path), code=code, message=message, remedy=remedy)


def texts_in(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text below `value`, with its path."""
    if isinstance(value, str):
        yield path, value
    for key, item in _inside(value):
        yield from texts_in(item, (*path, key))


def keys_in(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every key below `value`, with its own path."""
    for key, item in _inside(value):
        if isinstance(key, str):
            yield (*path, key), key
        yield from keys_in(item, (*path, key))


def _inside(value: Any) -> Iterable[tuple[str | int, Any]]:
    """What stands directly in a mapping or a list, by key or place; nothing in a plain value."""
    if isinstance(value, Mapping):
        return cast(Mapping[str | int, Any], value).items()
    return enumerate(cast(list[Any], value)) if isinstance(value, list) else ()


def text(fields: Fields, key: str) -> str:
    """The text under `key`, or an empty one."""
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def names(fields: Fields, key: str) -> tuple[str, ...]:
    """One text or a list of texts under `key`."""
    value = fields.get(key)
    if isinstance(value, str):
        return (value,)
    return tuple(x for x in cast(list[Any], value) if isinstance(x, str)) if isinstance(value, list) else ()


def number(fields: Fields, key: str, default: float) -> float:
    """The number under `key`, or the default when it is none."""
    value = fields.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def seconds(fields: Fields, key: str, default: float) -> float:
    """The duration under `key`, or the default when it cannot be read."""
    try:
        return parse_duration(fields[key]) if key in fields else default
    except ValueError:
        return default


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean x?`, or the known words when none is near."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, 1, 0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    if not words:
        return "Nothing of that kind is known here."
    shown = ", ".join(words[:12]) + (", ..." if len(words) > 12 else "")
    return f"Known here: {shown}."
