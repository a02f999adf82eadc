"""`ratchet token`: who may come in."""

import re
import sys
from typing import Annotated

import typer

from ratchet.cli.ask import confirm
from ratchet.cli.commands.noun import noun
from ratchet.cli.road import road
from ratchet.cli.show import (
    Column,
    Form,
    FormOption,
    HeaderOption,
    How,
    QuietOption,
    YesOption,
    document,
    listing,
    out,
    page_of,
    say,
)
from ratchet.cli.words import day
from ratchet.desk.views import TokenView
from ratchet.domain.errors import invalid
from ratchet.domain.house import Role

app = noun("Let people and programs in.")
COLUMNS = (
    Column[TokenView]("TOKEN", lambda each: each.id),
    Column[TokenView]("HOLDER", lambda each: f"{'user' if each.person else 'service'}:{each.name}"),
    Column[TokenView]("ROLE", lambda each: each.role),
    Column[TokenView]("STATE", lambda each: "revoked" if each.revoked else "active"),
    Column[TokenView]("CREATED", lambda each: day(each.created_at), wide=True),
    Column[TokenView]("EXPIRES", lambda each: day(each.expires_at) if each.expires_at else "never"),
)
_DAYS = {"d": 1, "w": 7, "y": 365}


@app.command("create")
def create(
    context: typer.Context,
    role: Annotated[Role, typer.Option(help="What its holder may do.")],
    person: Annotated[str | None, typer.Option(help="A person's name, such as ana.")] = None,
    service: Annotated[str | None, typer.Option(help="A program's name; programs never approve.")] = None,
    expires: Annotated[str | None, typer.Option(help="After how long it ends, such as 90d, 12w, 1y.")] = None,
    form: FormOption = Form.TABLE,
) -> None:
    """Make a token. Its text is printed once, alone on stdout, and kept nowhere."""
    if (person is None) == (service is None):
        raise invalid("A token belongs to one person or one service.", "Give --person NAME or --service NAME.")
    with road(context) as here:
        made = here.desk.make_token(person or service or "", person=person is not None, role=role, days=_days(expires))
    if form in (Form.JSON, Form.JSONL, Form.YAML):
        document(made.model_dump(mode="json"), form)
        return
    out(made.text)
    if sys.stderr.isatty():
        say(f"{made.token.id} for {person or service} as {role}. It is shown only now; give it by file or variable.")


@app.command("list")
def list_tokens(
    context: typer.Context, form: FormOption = Form.TABLE, quiet: QuietOption = False, header: HeaderOption = False
) -> None:
    """All tokens, without their texts."""
    with road(context) as here:
        found = here.desk.tokens()
    listing(found, COLUMNS, How(form, quiet, header), page_of(found))


@app.command("revoke")
def revoke(context: typer.Context, token_id: str, yes: YesOption = False) -> None:
    """From now on the token is not known."""
    confirm(f"Revoke {token_id}?", yes=yes)
    with road(context) as here:
        here.desk.revoke_token(token_id)
    say(f"{token_id} is revoked.")


def _days(text: str | None) -> int | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,4})([dwy]?)", text)
    if found is None or int(found[1]) == 0:
        raise invalid(f"{text!r} is not a time to live.", "Write it in days, weeks or years: 90d, 12w, 1y.")
    return int(found[1]) * _DAYS[found[2] or "d"]
