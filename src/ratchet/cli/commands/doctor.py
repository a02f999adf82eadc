"""`ratchet doctor`: whether everything that Ratchet stands on is well."""

import typer

from ratchet.cli.commands.noun import single
from ratchet.cli.exits import BAD_ANSWER
from ratchet.cli.road import road
from ratchet.cli.show import Column, Form, FormOption, HeaderOption, How, QuietOption, listing, page_of, say
from ratchet.desk.views import CheckView

app = single()
_WORDS = {True: "ok", False: "not ok", None: "unknown"}
COLUMNS = (
    Column[CheckView]("CHECK", lambda each: each.name),
    Column[CheckView]("STATE", lambda each: _WORDS[each.ok]),
    Column[CheckView]("DETAIL", lambda each: each.detail),
    Column[CheckView]("REMEDY", lambda each: each.remedy),
)


@app.command("doctor")
def doctor(
    context: typer.Context, form: FormOption = Form.TABLE, quiet: QuietOption = False, header: HeaderOption = False
) -> None:
    """Check everything that Ratchet stands on; exit 5 when something is not well."""
    with road(context) as here:
        say(f"Asked {here.url}" if here.url else f"Asked in this process, state in {here.settings.home}")
        found = here.desk.doctor()
    listing(found, COLUMNS, How(form, quiet, header), page_of(found))
    if any(each.ok is False for each in found):
        raise typer.Exit(BAD_ANSWER)
