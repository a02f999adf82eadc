"""`ratchet pause`: no act is begun on any target."""

from typing import Annotated

import typer

from ratchet.cli.ask import reason_for
from ratchet.cli.commands.noun import single
from ratchet.cli.pages.automation import told
from ratchet.cli.road import road
from ratchet.cli.show import Form, FormOption

app = single()


@app.command("pause")
def pause(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; everybody who waits will read it.")] = "",
    form: FormOption = Form.TABLE,
) -> None:
    """Begin no act on any target until `ratchet resume`. Looking, asking and settling go on."""
    because = reason_for("pause the automation", reason)
    with road(context) as here:
        view = here.desk.pause(because)
    told(view, form)
