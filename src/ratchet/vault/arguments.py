"""Arguments in a file against a tool's JSON Schema, before anything is filled in: placeholders fit every type."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ratchet.domain.sheet import Path, nearest
from ratchet.domain.substitute import placeholders

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip

Misfit = tuple[Path, str, str]


def misfits(value: Any, schema: Mapping[str, Any], path: Path) -> Iterator[Misfit]:
    """Place, message and remedy of everything that cannot fit `schema`."""
    if isinstance(value, str) and placeholders(value):
        return
    options = cast(list[Mapping[str, Any]], schema.get("anyOf") or schema.get("oneOf") or [])
    if options:
        if not any(_fits(value, option, path) for option in options):
            yield path, f"{_key(path)} fits none of the forms the tool takes", "Look at the tool's arguments."
        return
    wanted = schema.get("type")
    kinds = [wanted] if isinstance(wanted, str) else cast(list[str], wanted or [])
    if kinds and not _is(value, kinds):
        yield path, f"{_key(path)} is {value!r}", f"Write {' or '.join(kinds)}."
        return
    choices = cast(list[Any], schema.get("enum", []))
    if choices and value not in choices:
        yield path, f"{_key(path)} is {value!r}", nearest(str(value), [str(choice) for choice in choices])
    if isinstance(value, Mapping):
        yield from _object(cast(Mapping[str, Any], value), schema, path)
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for number, item in enumerate(cast(list[Any], value)):
            yield from misfits(item, schema["items"], (*path, number))


def _object(value: Mapping[str, Any], schema: Mapping[str, Any], path: Path) -> Iterator[Misfit]:
    known = cast(Mapping[str, Mapping[str, Any]], schema.get("properties", {}))
    for key, item in value.items():
        if key in known:
            yield from misfits(item, known[key], (*path, key))
        elif known or schema.get("additionalProperties") is False:
            yield (*path, key), f"there is no argument {key!r}", nearest(key, known)
    for key in cast(list[str], schema.get("required", [])):
        if key not in value:
            yield path, f"the argument {key!r} is missing", f"Add `{key}:` below `args:`."


def _fits(value: Any, schema: Mapping[str, Any], path: Path) -> bool:
    return next(misfits(value, schema, path), None) is None


def _is(value: Any, kinds: list[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _TYPES.get(kind, (object,))) for kind in kinds)


def _key(path: Path) -> str:
    return f"the argument {path[-1]!r}" if path and path[-1] != "args" else "args"
