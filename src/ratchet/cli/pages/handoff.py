"""A handoff as a page that a stranger can act on: what is asked, why, what was tried, where to begin."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, cast

from ratchet.cli.page import Block, Heading, Line, field
from ratchet.cli.words import bound, clean_lines, values


def handoff_page(handoff: Mapping[str, Any], typed: str = "") -> Iterator[Block]:
    """The handoff of an escalated incident, from its JSON object; `typed` is the command that led here.

    Its diagnostic results are the hypotheses, which stand above it wherever it is shown.
    """
    yield Heading("Handoff", str(handoff.get("escalation_reason", "")), level=2)
    asked, detail = str(handoff.get("human_action_required", "-")), str(handoff.get("detail", ""))
    yield field("ASKED OF", Line(str(handoff.get("to", "-")), "strong"))
    yield field("TO DO", Line(asked, "strong"))
    yield field("WHY", str(handoff.get("sentence", "")), *([] if detail.strip() in asked else [detail]))
    if handoff.get("in_flight"):
        yield field("IN FLIGHT", Line(str(handoff["in_flight"]), "warn"))
    for label, key in (("TRIED", "attempted_fix"), ("RECOVERY", "verification_result")):
        found = handoff.get(key)
        yield field(label, *_lines(_told(cast("Mapping[str, Any]", found))) if found else (Line("nothing", "dim"),))
    commands = [each for each in cast("list[str]", handoff.get("suggested_commands") or []) if each != typed]
    if commands:
        yield field("BEGIN WITH", *(Line(line, "code") for line in commands))


def _told(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a step that was never sent only what it would have been: statements and a way back say nothing then."""
    if found.get("sent") is not False or "result" not in found:
        return found
    shown = {key: found[key] for key in ("action", "decision", "result", "performed") if key in found}
    return {**shown, "result": f"{found['result']}; nothing was sent"}


def _lines(found: Mapping[str, Any]) -> Iterator[Line]:
    for key, value in found.items():
        if key in ("statements", "way_back"):
            parameters = cast("list[Mapping[str, Any]]", found.get("parameters") or [])
            for text, bound_to in zip_longest(cast("list[Any]", value), parameters, fillvalue=None):
                yield from _folded(str(text or ""), bound_to or {})
        elif key != "parameters":
            yield Line(f"{key.replace('_', ' ')}: {_text(value)}")


def _folded(text: str, parameters: Mapping[str, Any]) -> Iterator[Line]:
    """A statement by its first line and what was bound to it."""
    first, *more = clean_lines(text.strip())
    yield Line(f"{first} ... (-o json shows all)" if more else first, "code")
    for name, value in parameters.items():
        yield Line(f"  {name} = {bound(value)}", "dim")


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        row = cast("dict[str, object]", value)
        return str(row["text"]) if "text" in row else values(row)
    if isinstance(value, list):
        return "; ".join(_text(each) for each in cast("list[Any]", value)[:5])
    return str(value)
