"""`{{ ... }}` in steps: every path must lead somewhere when the step is bound, and every filter must exist."""

import re
from collections.abc import Iterator
from typing import TypeAlias

from ratchet.domain.errors import Mistake
from ratchet.domain.sheet import Fields, Path, Sheet, names, nearest, texts_in
from ratchet.domain.substitute import FILTERS, filters_used, placeholders

Found: TypeAlias = dict[str, set[str]] | None
"""Kinds of objects with the values kept; None where objects cannot be spoken of."""
_OPEN = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_BOUND = ("args", "target", "title")
"""Filled when the plan is made: params, the objects found, the target."""
_SHOWN = ("approval", "risk", "rollback")
"""Filled when the packet is shown: params, the preview's row count, the target."""


def placeholder_mistakes(sheet: Sheet) -> Iterator[Mistake]:
    """Placeholders of steps that name nothing: params, objects of the hypotheses that lead here, target, preview."""
    for path, step in sheet.each("spec", "steps"):
        found = _objects(sheet, str(path[-1]))
        for key in (*_BOUND, *_SHOWN):
            for place, written in texts_in(step.get(key), (*path, key)):
                yield from _one(sheet, place, written, None if key in _SHOWN else found)


def _one(sheet: Sheet, place: Path, written: str, found: Found) -> Iterator[Mistake]:
    slots = _OPEN.findall(written)
    if written.count("{{") != len(slots) or sum(len(placeholders(slot)) for slot in slots) != len(slots):
        remedy = "Write `{{ params.name }}` or `{{ params.name | filter }}`; there is no other form."
        yield sheet.mistake(place, "PB010", f"a placeholder cannot be read: {written[:80]!r}", remedy)
    for name in sorted(filters_used(written) - set(FILTERS)):
        yield sheet.mistake(place, "PB010", f"there is no filter {name!r}", nearest(name, FILTERS))
    for spelled in sorted(placeholders(written)):
        wrong = _leads_nowhere(spelled.split("."), sheet, found)
        if wrong is not None:
            yield sheet.mistake(place, "PB010", f"{{{{ {spelled} }}}} leads nowhere", wrong)


def _leads_nowhere(parts: list[str], sheet: Sheet, found: Found) -> str | None:
    root, rest = parts[0], parts[1:]
    match root:
        case "params":
            params = sheet.fields("spec", "params")
            return None if rest and rest[0] in params else nearest(".".join(rest), params)
        case "objects" if found is not None:
            return _no_object(rest, found)
        case "target" if not rest:
            return None
        case "preview" if found is None and rest == ["rows"]:
            return None
        case _:
            return nearest(root, ["params", "target", "preview.rows" if found is None else "objects"])


def _no_object(rest: list[str], found: dict[str, set[str]]) -> str | None:
    kind = rest[0] if rest else ""
    if kind not in found:
        return f"Every hypothesis leading here must name objects of that kind. {nearest(kind, found)}"
    if rest[1:2] == ["values"] and rest[2:] and rest[2] not in found[kind]:
        return f"Add it to `keep:` of that object. {nearest(rest[2], found[kind])}"
    return None


def _objects(sheet: Sheet, step: str) -> dict[str, set[str]]:
    """The kinds that every hypothesis leading to `step` names, with the values that all of them keep."""
    leading = [rule for _, rule in sheet.each("spec", "triage", "hypotheses") if step in names(rule, "then")]
    common: dict[str, set[str]] | None = None
    for rule in leading:
        own = _kept(rule)
        common = own if common is None else {kind: common[kind] & own[kind] for kind in common.keys() & own.keys()}
    return common or {}


def _kept(rule: Fields) -> dict[str, set[str]]:
    sheet = Sheet("", rule, {})
    return {str(item.get("kind")): set(sheet.fields(*path, "keep")) for path, item in sheet.each("objects")}
