"""`ratchet grant`: yes in advance, within bounds."""

from typing import Annotated

import typer

from ratchet.cli.ask import confirm, reason_for
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
from ratchet.cli.words import day, short_digest
from ratchet.desk.views import GrantRequest, GrantView
from ratchet.domain.errors import invalid
from ratchet.domain.standing import Bound

app = noun("Approve a step in advance, within bounds: it is charged per use and dies at the first false action.")


def _where(each: GrantView) -> str:
    tag = (f"tag {each.grant.tag}",) if each.grant.tag else ()
    return ", ".join((*each.grant.targets, *tag))


COLUMNS = (
    Column[GrantView]("GRANT", lambda each: each.grant.id),
    Column[GrantView]("COUNTS", lambda each: "yes" if each.counts else f"no: {each.because}"),
    Column[GrantView]("PLAYBOOK", lambda each: each.playbook),
    Column[GrantView]("STEP", lambda each: each.grant.step),
    Column[GrantView]("WHERE", _where),
    Column[GrantView]("LEFT", lambda each: f"{each.left}/{each.grant.uses}"),
    Column[GrantView]("EXPIRES", lambda each: day(each.grant.expires_at)),
    Column[GrantView]("BY", lambda each: each.grant.given_by),
    Column[GrantView]("DIGEST", lambda each: short_digest(each.grant.playbook_digest), wide=True),
    Column[GrantView]("CERTIFICATE", lambda each: each.grant.certificate or "", wide=True),
    Column[GrantView]("REASON", lambda each: each.grant.reason, wide=True),
)


@app.command("list")
def list_grants(
    context: typer.Context, form: FormOption = Form.TABLE, quiet: QuietOption = False, header: HeaderOption = False
) -> None:
    """All standing grants, newest first, dead ones included."""
    with road(context) as here:
        found = here.desk.grants()
    listing(found, COLUMNS, How(form, quiet, header), page_of(found))


@app.command("create")
def create(
    context: typer.Context,
    series: Annotated[str, typer.Option(help="The playbook's series, such as pbs_connection_triage.")],
    step: Annotated[str, typer.Option(help="The step that is approved.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit.")] = "",
    target: Annotated[list[str] | None, typer.Option(help="On this target; may be repeated.")] = None,
    tag: Annotated[str | None, typer.Option(help="On targets with this tag.")] = None,
    uses: Annotated[int, typer.Option(min=1, max=1000, help="So many times.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=90, help="For so many days.")] = 30,
    cap: Annotated[int, typer.Option(min=1, max=1000, help="Most objects that one use may touch.")] = 100,
    bound: Annotated[
        list[str] | None, typer.Option(help="An argument's bound: NAME=a|b, or NAME=1..5; may be repeated.")
    ] = None,
    fault: Annotated[str | None, typer.Option(help="Only for drills of this fault.")] = None,
    certificate: Annotated[str | None, typer.Option(help="Only while this certificate of the text counts.")] = None,
    yes: YesOption = False,
    form: FormOption = Form.TABLE,
) -> None:
    """Say yes in advance to a step of the active text. A changed text, a false action or the last use ends it."""
    request = GrantRequest(
        series=series, step=step, reason=_reason(reason), targets=tuple(target or ()), tag=tag, uses=uses, days=days,
        cap=cap, bounds=dict(_bound(text) for text in bound or ()), fault=fault,
        certificate=certificate,
    )  # fmt: skip
    where = ", ".join([*request.targets, *([f"tag {tag}"] if tag else [])]) or "no target"
    confirm(f"Let Ratchet do {step} of {series} on {where} {uses} time(s) without asking?", yes=yes)
    with road(context) as here:
        made = here.desk.give_grant(request)
    if form in (Form.JSON, Form.JSONL, Form.YAML):
        document(made.model_dump(mode="json"), form)
        return
    out(made.grant.id)
    say(f"For {made.playbook}, text {made.grant.playbook_digest}, until {day(made.grant.expires_at)}.")


@app.command("revoke")
def revoke(
    context: typer.Context,
    grant_id: Annotated[str, typer.Argument(metavar="ID", help="The grant's id.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    yes: YesOption = False,
) -> None:
    """From now on it covers nothing."""
    confirm(f"Revoke {grant_id}?", yes=yes)
    with road(context) as here:
        gone = here.desk.revoke_grant(grant_id, reason)
    say(f"{gone.grant.id} covers nothing any more: {gone.because}.")


def _reason(given: str) -> str:
    reason = reason_for("grant this in advance", given)
    if len(reason) < 4:
        raise invalid("The reason says too little.", "Say why nobody needs to be asked each time.")
    return reason


def _bound(text: str) -> tuple[str, Bound]:
    """`application=api|web` or `limit=1..5`."""
    name, equals, value = text.partition("=")
    least, dots, most = value.partition("..")
    if not name or not equals or not value:
        raise invalid(f"{text[:80]!r} is not a bound.", "Write NAME=a|b or NAME=1..5.")
    if not dots:
        return name, Bound(among=tuple(value.split("|")))
    try:
        return name, Bound(least=float(least) if least else None, most=float(most) if most else None)
    except ValueError:
        raise invalid(
            f"{text[:80]!r} has an end that is not a number.", "Write NAME=1..5, NAME=..5 or NAME=1..."
        ) from None
