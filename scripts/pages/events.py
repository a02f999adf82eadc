"""The event kinds, from the unions that the store reads and writes."""

from typing import Any, get_args

from ratchet.domain.house import HouseEvent
from ratchet.domain.series import SeriesEvent
from ratchet.domain.timeline import Event
from scripts.pages.marks import first_paragraph, head, table, text

STREAMS = (
    ("Of an incident", "Stream `incident/<ulid>`.", Event),
    ("Of a playbook's series", "Stream `series/<name>`.", SeriesEvent),
    ("Of the house", "Targets, tokens and seeding, recorded so that the audit is whole.", HouseEvent),
)


def page() -> str:
    lines = head(
        "Events",
        "Written by `make docs` from the code. `kind` stands in the event table and never changes its meaning; `label` "
        "is the word that timelines, handoffs and the API show as `event`. State is the fold of these alone.",
    )
    for title, said, union in STREAMS:
        lines += [f"## {title}", "", said, ""]
        rows = [row(kind) for kind in get_args(get_args(union)[0])]
        lines += table(("kind", "label", "what happened", "fields"), rows)
    return text(lines)


def row(event: Any) -> tuple[str, str, str, str]:
    fields = [name for name in event.model_fields if name != "kind"]
    kind = event.model_fields["kind"].default
    labels = [event.label, *([event.label_else] if hasattr(event, "label_else") else [])]
    return (
        f"`{kind}`",
        " or ".join(f"`{each}`" for each in labels),
        first_paragraph(event.__doc__),
        ", ".join(f"`{each}`" for each in fields),
    )
