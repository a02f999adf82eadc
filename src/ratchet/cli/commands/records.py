"""What `ratchet incident` takes out of an incident: its recovery state, its resolution, its bundle."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ratchet.cli.ask import confirm
from ratchet.cli.road import road
from ratchet.cli.show import Form, FormOption, YesOption, document, json_line, out, say
from ratchet.desk.recovery import pick
from ratchet.desk.resolution import as_lines
from ratchet.domain.errors import invalid
from ratchet.domain.noun import Json

Reference = Annotated[str, typer.Argument(metavar="INC", help="INC-1 or the ULID.")]


class ExportForm(StrEnum):
    """How a resolution is written."""

    JSONL = "jsonl"
    JSON = "json"


def add_to(app: typer.Typer) -> None:
    """Give the noun `incident` these verbs."""
    app.command("kv")(show_kv)
    app.command("export")(export)
    app.command("bundle")(bundle)


def show_kv(
    context: typer.Context,
    reference: Reference,
    key: Annotated[str | None, typer.Argument(help="status, steps, checkpoint, timeline or owner.")] = None,
    form: FormOption = Form.TABLE,
) -> None:
    """The recovery state: one value by its key, or every key with its value."""
    with road(context) as here:
        found = here.desk.kv(reference)
    shown: Json = found if key is None else pick(found, key)
    if form in (Form.TABLE, Form.WIDE):
        for line in _lines(found) if key is None else [_text(shown)]:
            out(line)
    else:
        document(shown, form)


def _lines(found: dict[str, Json]) -> list[str]:
    return [f"{name}\t{_text(value)}" for name, value in found.items()]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)


def export(
    context: typer.Context,
    reference: Reference,
    form: Annotated[ExportForm, typer.Option("-o", "--output", help="An object a line, or one object.")] = (
        ExportForm.JSONL
    ),
) -> None:
    """How it ended: every event on a line of its own and then the summary, or all of it as one object."""
    with road(context) as here:
        found = here.desk.resolution(reference)
    if form is ExportForm.JSON:
        document(found.model_dump(mode="json"), Form.JSON)
        return
    for each in as_lines(found):
        json_line(each)


def bundle(
    context: typer.Context,
    reference: Reference,
    output: Annotated[Path | None, typer.Option("--output", help="Where to write it; - for stdout.")] = None,
    yes: YesOption = False,
) -> None:
    """Everything about it as one signed file, which `ratchet audit verify FILE` checks anywhere."""
    place = output or Path(f"{reference}.bundle.zip")
    with road(context) as here:
        content = here.desk.bundle(reference)
    if str(place) == "-":
        sys.stdout.buffer.write(content)
        return
    if place.exists():
        confirm(f"Write over {place}?", yes=yes)
    try:
        place.write_bytes(content)
    except OSError as error:
        raise invalid(f"{place} cannot be written: {error.strerror}.", "Name another file with --output.") from None
    out(str(place))
    say(f"{len(content)} bytes; check it with: ratchet audit verify {place}")
