"""`ratchet alert`: handing in what a monitor said."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from ratchet.cli.commands.noun import noun
from ratchet.cli.road import road
from ratchet.cli.show import Form, FormOption, document, out, say
from ratchet.domain.errors import invalid
from ratchet.gateway.sources import alertmanager

app = noun("Hand in alerts.")


@app.command("ingest")
def ingest(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="File with the body, or - for stdin.")] = "-",
    source: Annotated[Literal["alertmanager"], typer.Option("--format", help="Whose body it is.")] = "alertmanager",
    form: FormOption = Form.TABLE,
) -> None:
    """Hand in a webhook body as its sender would have; prints the incidents it belongs to."""
    parse = {"alertmanager": alertmanager.parse}[source]
    alerts = parse(_body(file))
    with road(context) as here:
        incidents = here.desk.receive(alerts)
        alone = here.url is None
    if form in (Form.JSON, Form.JSONL, Form.YAML):
        document({"incidents": incidents}, form)
    else:
        for name in incidents:
            out(f"incident/{name}" if form is Form.NAME else name)
    if alone:
        say("Kept. No server of this home runs, so nothing looks at it before `ratchet serve` does.")


def _body(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise invalid(f"{file} cannot be read: {error.strerror}.", "Name a file with a webhook body, or -.") from None
