"""`{{ path | filter }}`: values put into step arguments and texts, with a closed filter list and no logic."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from ratchet.domain.duration import parse_duration

_SLOT = re.compile(r"\{\{\s*(?P<path>[A-Za-z_][\w.]*)\s*(?P<filters>(?:\|\s*[a-z]+(?:\([^(){}|]*\))?\s*)*)\}\}")
_FILTER = re.compile(r"\|\s*([a-z]+)(?:\(([^()]*)\))?")
FILTERS = ("seconds", "default", "first", "last", "count", "join", "unique")


class Group(list[dict[str, Any]]):
    """The objects of one kind: as a whole a list of their values; a path into it (`.id`) reads the first one."""

    def __init__(self, items: Sequence[dict[str, Any]], head: Mapping[str, Any]) -> None:
        super().__init__(items)
        self.head = head


class Unresolved(ValueError):
    """A placeholder names something that is not there, or a filter that does not fit."""


def placeholders(value: Any) -> set[str]:
    """Every path that the placeholders of a value (text, list or mapping) name."""
    if isinstance(value, str):
        return {found["path"] for found in _SLOT.finditer(value)}
    if isinstance(value, Mapping):
        return {path for item in value.values() for path in placeholders(item)}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return {path for item in value for path in placeholders(item)}  # pyright: ignore[reportUnknownVariableType]
    return set()


def filters_used(value: str) -> set[str]:
    """The names of all filters in a text."""
    return {name for slot in _SLOT.finditer(value) for name, _ in _FILTER.findall(slot["filters"])}


def substitute(value: Any, scope: Mapping[str, Any]) -> Any:
    """`value` with its placeholders filled from `scope`; a text that is one placeholder keeps the value's type."""
    if isinstance(value, Mapping):
        return {str(key): substitute(item, scope) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list | tuple):
        return [substitute(item, scope) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, str):
        return value
    whole = _SLOT.fullmatch(value.strip())
    if whole is not None:
        return _fill(whole, scope)
    filled = _SLOT.sub(lambda slot: _as_text(_fill(slot, scope)), value)
    if "{{" in filled and "{{" in value and _SLOT.sub("", value).count("{{"):
        raise Unresolved(f"{value!r} holds a placeholder that cannot be read")
    return filled


def _fill(slot: re.Match[str], scope: Mapping[str, Any]) -> Any:
    found: Any = scope
    missing = False
    for part in slot["path"].split("."):
        found = found.head if isinstance(found, Group) else found
        if isinstance(found, Mapping) and part in found:
            found = cast("Mapping[str, Any]", found)[part]
        else:
            missing, found = True, None
            break
    if isinstance(found, Group):
        found = list(found)
    steps = _FILTER.findall(slot["filters"])
    if missing and "default" not in [name for name, _ in steps]:
        raise Unresolved(f"there is no value {slot['path']!r} here")
    for name, argument in steps:
        found = _apply(name, argument, found)
    return found


def _apply(name: str, argument: str, value: Any) -> Any:
    match name:
        case "seconds":
            return parse_duration(value)
        case "default":
            return (None if argument in ("none", "null", "") else argument) if value is None else value
        case "first":
            return value[0] if value else None
        case "last":
            return value[-1] if value else None
        case "count":
            return len(value or ())
        case "join":
            return ", ".join(_as_text(item) for item in value or ())
        case "unique":
            return list(dict.fromkeys(value or ()))
        case _:
            raise Unresolved(f"there is no filter {name!r}; use one of {', '.join(FILTERS)}")


def _as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
