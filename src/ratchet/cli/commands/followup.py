"""`ratchet followup list|done|wont|reopen`: what keeps incidents from coming again, and who signed it."""

from typing import Annotated

import typer

from ratchet.cli.ask import reason_for
from ratchet.cli.commands.noun import noun
from ratchet.cli.commands.quality import days_of
from ratchet.cli.road import road
from ratchet.cli.show import Column, Form, FormOption, HeaderOption, How, QuietOption, document, listing, page_of, say
from ratchet.cli.words import day
from ratchet.desk.learning_contract import SignState
from ratchet.domain.prevention import Owed

app = noun("What keeps incidents from coming again: list, and sign what is done or will not be done.")
COLUMNS = (
    Column[Owed]("FOLLOWUP", lambda each: each.id),
    Column[Owed]("STATE", lambda each: each.state),
    Column[Owed]("TIMES", lambda each: len(each.incidents)),
    Column[Owed]("TARGET", lambda each: each.target),
    Column[Owed]("KIND", lambda each: each.kind),
    Column[Owed]("TITLE", lambda each: each.title),
    Column[Owed]("SIGNED BY", lambda each: each.by),
    Column[Owed]("CALLED OUT", lambda each: each.called_out),
    Column[Owed]("TYPE", lambda each: each.type, wide=True),
    Column[Owed]("SERIES", lambda each: each.series, wide=True),
    Column[Owed]("INCIDENTS", lambda each: ",".join(each.incidents), wide=True),
    Column[Owed]("SIGNED AT", lambda each: day(each.at), wide=True),
    Column[Owed]("REASON", lambda each: each.reason, wide=True),
    Column[Owed]("LINK", lambda each: each.link, wide=True),
)
Id = Annotated[str, typer.Argument(metavar="ID", help="Such as INC-4.1.")]
ReasonOption = Annotated[str, typer.Option(help="Why, or where it was done; it stands in the timeline.")]


@app.command("list")
def list_owed(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="What is signed too.")] = False,
    since: Annotated[str, typer.Option(help="Of incidents opened since, such as 30d.")] = "365d",
    form: FormOption = Form.TABLE,
    quiet: QuietOption = False,
    header: HeaderOption = False,
) -> None:
    """What is still to be done after incidents, newest first; what came again meanwhile is called out."""
    with road(context) as here:
        found = here.desk.learning.follow_ups(None if every else "open", days_of(since))
    listing(found, COLUMNS, How(form, quiet, header), page_of(found))


@app.command("done")
def done(context: typer.Context, owed: Id, reason: ReasonOption = "", form: FormOption = Form.TABLE) -> None:
    """Sign that it is done."""
    _sign(context, (owed, "done", reason_for(f"sign {owed} as done", reason)), form)


@app.command("wont")
def wont(context: typer.Context, owed: Id, reason: ReasonOption = "", form: FormOption = Form.TABLE) -> None:
    """Sign that it will not be done."""
    _sign(context, (owed, "wont", reason_for(f"give {owed} up", reason)), form)


@app.command("reopen")
def reopen(context: typer.Context, owed: Id, reason: ReasonOption = "", form: FormOption = Form.TABLE) -> None:
    """Take a sign-off back: it is to be done again."""
    _sign(context, (owed, "open", reason_for(f"open {owed} again", reason)), form)


def _sign(context: typer.Context, word: tuple[str, SignState, str], form: Form) -> None:
    with road(context) as here:
        found = here.desk.learning.sign(*word)
    if form in (Form.TABLE, Form.WIDE):
        signed = f", signed by {found.by}" if found.by else ""
        say(f"{found.id} is {found.state}{signed}: {found.title}")
    elif form is Form.NAME:
        say(f"followup/{found.id}")
    else:
        document(found.model_dump(mode="json"), form)
