"""The file against the typed playbook: every misfit with its line, in words that say what to write."""

from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ratchet.domain.errors import Mistake
from ratchet.domain.playbook import Playbook
from ratchet.domain.sheet import Path, Sheet, nearest

_CODES = {"refute": "PB011", "preview": "PB016", "require": "PB016", "retries": "PB017", "rollback": "PB018"}
_FOREIGN = {
    "retries": "Remove it: a step is sent once, and only what was provably not sent is asked for again.",
    "argv": "Name a registered tool in `uses`; commands are not written into playbooks.",
    "command": "Name a registered tool in `uses`; commands are not written into playbooks.",
    "query": "Name a registered probe or tool in `uses`; SQL is not written into playbooks.",
}
_ADD = {
    "refute": "Add `refute:` with what a healthy server and the look-alikes show.",
    "confirm": "Add `confirm:` with what only this cause shows.",
    "preview": 'Add `preview: {require: "preview.rows >= 1"}`.',
    "rollback": "Add `rollback: {possible: false, plan: ...}` with what a person does when it went wrong.",
    "risk": "Add `risk: {blast_radius: ..., user_impact: ..., data_risk: ...}`.",
    "escalation": "Add `escalation: {to: ..., ask: ...}`.",
}
_SCHEMA: dict[str, Any] = Playbook.model_json_schema(by_alias=True)


def typed(sheet: Sheet) -> tuple[Playbook | None, list[Mistake]]:
    """The playbook in a sheet, or every place where it does not fit."""
    data = sheet.fields()
    if not data:
        return None, [sheet.mistake((), "PB001", "a playbook is a mapping of keys", "Start with `apiVersion:`.")]
    try:
        return Playbook.model_validate(dict(data)), []
    except ValidationError as error:
        return None, [_mistake(sheet, detail) for detail in error.errors(include_url=False)]


def _mistake(sheet: Sheet, detail: ErrorDetails) -> Mistake:
    path: Path = detail["loc"]
    key = str(path[-1]) if path else "file"
    code = _CODES.get(key, "PB001") if detail["type"] in ("missing", "extra_forbidden") else "PB001"
    message, remedy = _words(detail, path, key)
    return sheet.mistake(path, code, message, remedy)


def _words(detail: ErrorDetails, path: Path, key: str) -> tuple[str, str]:
    spelled = dotted(path)
    expected = str(detail.get("ctx", {}).get("expected", ""))
    match detail["type"]:
        case "extra_forbidden":
            known = _keys_at(path[:-1])
            return f"there is no key {key!r} in {dotted(path[:-1])}", _FOREIGN.get(key) or nearest(key, known)
        case "missing":
            return f"{dotted(path[:-1])} lacks {key!r}", _ADD.get(key, f"Add `{key}:` there.")
        case "literal_error":
            said = f"{spelled} is {detail['input']!r}"
            return said, f"Write one of {expected}."
        case "string_type":
            return f"{spelled} is {_kind(detail['input'])}, not a text", f'Write it in quotes: `{key}: "..."`.'
        case "string_pattern_mismatch":
            pattern = detail.get("ctx", {}).get("pattern", "")
            return f"{spelled} is {detail['input']!r}", f"Write it in the form {pattern}"
        case "too_short" | "string_too_short":
            return f"{spelled} is too short: {detail['msg']}", "Say it in full; an empty place helps nobody at night."
        case "model_type" | "dict_type" | "tuple_type":
            return f"{spelled} is {_kind(detail['input'])}", f"Write {_shape_wanted(detail['type'])} below `{key}:`."
        case "value_error":
            return (
                f"{spelled}: {detail['msg'].removeprefix('Value error, ')}",
                "Write a duration such as 90s, 5m or 2h.",
            )
        case _:
            return f"{spelled} is {repr(detail['input'])[:200]}: {detail['msg']}", "Write a value that fits."


def _shape_wanted(kind: str) -> str:
    return "a list" if kind == "tuple_type" else "keys and values"


def _kind(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int() | float():
            return f"the number {value}"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def dotted(path: Path) -> str:
    """`spec.triage.hypotheses[0].confirm`; `the file` for the root."""
    spelled = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return spelled.removeprefix(".") or "the file"


def _keys_at(path: Path) -> list[str]:
    node: dict[str, Any] = _SCHEMA
    for part in path:
        node = _resolved(node)
        inside = cast(dict[str, Any], node.get("properties", {})).get(str(part))
        node = cast(dict[str, Any], inside or node.get("items") or node.get("additionalProperties") or {})
    return list(cast(dict[str, Any], _resolved(node).get("properties", {})))


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    for option in cast(list[dict[str, Any]], node.get("anyOf", [])):
        if "$ref" in option:
            node = option
    if "$ref" in node:
        return cast(dict[str, Any], _SCHEMA["$defs"][str(node["$ref"]).rsplit("/", 1)[1]])
    return node
