"""`ratchet resume`: acts may begin again."""

from typing import Annotated

import typer

from ratchet.cli.ask import reason_for
from ratchet.cli.commands.noun import single
from ratchet.cli.pages.automation import told
from ratchet.cli.road import road
from ratchet.cli.show import Form, FormOption

app = single()


@app.command("resume")
def resume(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why it may go on.")] = "",
    form: FormOption = Form.TABLE,
) -> None:
    """Let acts begin again; approved steps that waited go on by themselves."""
    because = reason_for("resume the automation", reason)
    with road(context) as here:
        view = here.desk.resume(because)
    told(view, form)
