"""`ratchet decision`: what waits for a person, whole, and the person's answer bound to exactly that."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from ratchet.cli.ask import confirm, confirm_name, reason_for, someone_is_there
from ratchet.cli.commands.noun import noun
from ratchet.cli.exits import DECLINED
from ratchet.cli.pages.decision import decision_page, question
from ratchet.cli.refused import Stopped
from ratchet.cli.road import road
from ratchet.cli.show import (
    Column,
    Form,
    FormOption,
    HeaderOption,
    How,
    QuietOption,
    YesOption,
    listing,
    more,
    say,
    single,
)
from ratchet.cli.table import TERMINAL, load
from ratchet.cli.words import clean, clock, short_digest, until
from ratchet.desk.views import AutomationView, DecisionView
from ratchet.domain.errors import conflict, invalid

app = noun("Answer what waits for a person. An answer names the digest of the packet that was read.")
LEAST_PREFIX = 12
SCHEME = "sha256:"


def _now() -> datetime:
    return datetime.now(UTC)


COLUMNS = (
    Column[DecisionView]("DECISION", lambda each: each.id),
    Column[DecisionView]("STATE", lambda each: each.state),
    Column[DecisionView]("INCIDENT", lambda each: each.incident),
    Column[DecisionView]("EFFECT", lambda each: each.effect),
    Column[DecisionView]("EXPIRES", lambda each: until(each.expires_at, _now()) if each.state == "pending" else "-"),
    Column[DecisionView]("ACTION", lambda each: f"{each.title} on {each.target}"),
    Column[DecisionView]("DIGEST", lambda each: short_digest(each.digest), wide=True),
)
Reference = Annotated[str, typer.Argument(metavar="ID", help="The decision's id.")]
DigestOption = Annotated[
    str | None, typer.Option(help="Digest of the packet that you read, or its first 12 or more hex characters.")
]
ReasonOption = Annotated[str, typer.Option(help="Why; it stands in the timeline.")]


@app.command("list")
def list_decisions(
    context: typer.Context,
    state: Annotated[list[str] | None, typer.Option(help="Only in this state, such as denied.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="In every state.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    form: FormOption = Form.TABLE,
    quiet: QuietOption = False,
    header: HeaderOption = False,
) -> None:
    """What waits for an answer, soonest to expire first; with --all or --state also the others, newest first."""
    if everything and state:
        raise invalid("--all and --state exclude each other.", "Give one of them, or neither for what is pending.")
    with road(context) as here:
        found = here.desk.decisions(state=() if everything else state or ("pending",), limit=limit)
    listing(found.items, COLUMNS, How(form, quiet, header), found.model_dump(mode="json"))
    more(len(found.items), found.next_cursor, "--state")


@app.command("show")
def show(context: typer.Context, reference: Reference, form: FormOption = Form.TABLE) -> None:
    """One decision with its packet."""
    with road(context) as here:
        view = here.desk.decision(reference)
    single(view, lambda: decision_page(view, _now()), form, f"decision/{view.id}")


@app.command("approve")
def approve(
    context: typer.Context,
    reference: Reference,
    digest: DigestOption = None,
    reason: ReasonOption = "",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask, for you read the packet that --digest names.")
    ] = False,
    confirm_target: Annotated[
        str | None, typer.Option(help="Name of the target; needed for a destructive act where nobody can be asked.")
    ] = None,
    form: FormOption = Form.TABLE,
) -> None:
    """Say yes to exactly this packet. Without --digest it is shown first, on a terminal, and you are asked."""
    _read_first(reference, digest, yes=yes)
    with road(context) as here:
        view = here.desk.decision(reference)
        named = _named(view, digest, "approve")
        if not yes:
            _ask(view)
        if view.effect == "destructive":
            confirm_name(view.target, confirm_target)
        automation = here.desk.automation()
        answered = here.desk.approve(view.id, named, reason)
    _told(answered, form)
    if automation.paused:
        say(paused_meanwhile(answered, automation))


@app.command("deny")
def deny(
    context: typer.Context,
    reference: Reference,
    digest: DigestOption = None,
    reason: ReasonOption = "",
    yes: YesOption = False,
    form: FormOption = Form.TABLE,
) -> None:
    """Say no to this packet; the incident is escalated with your reason."""
    with road(context) as here:
        view = here.desk.decision(reference)
        named = _named(view, digest, "deny")
        if digest is None:
            _show(view)
        because = reason_for("deny this", reason)
        confirm(f"Deny: {view.title} on {view.target}?", yes=yes)
        answered = here.desk.deny(view.id, named, because)
    _told(answered, form)


def _read_first(reference: str, digest: str | None, *, yes: bool) -> None:
    """Refuse a yes that was given before the packet was read, on a terminal as in a script."""
    if yes and digest is None:
        raise Stopped(
            DECLINED,
            "--yes says that you read the packet, and nothing says which one.",
            f"Leave --yes out to read it and be asked, or read `ratchet decision show {clean(reference)}` and name its"
            " digest: --yes --digest sha256:...",
        )


def _ask(view: DecisionView) -> None:
    """Show the packet and ask."""
    if view.state == "pending" and someone_is_there():
        _show(view)
        say("")
    confirm(question(view), yes=False, remedy="Repeat with --yes and the --digest that you read.")


def _show(view: DecisionView) -> None:
    load(TERMINAL)(sys.stderr).page(decision_page(view, _now()))


def _named(view: DecisionView, digest: str | None, what: str) -> str:
    """The digest that the answer names: the one given, completed from a prefix, or the present one on a terminal."""
    if digest is None:
        if not someone_is_there():
            raise Stopped(
                DECLINED,
                f"To {what} without a terminal, name the digest of the packet that you read.",
                f"Read `ratchet decision show {view.id}` and repeat with --digest and --yes.",
            )
        return view.digest
    number = digest.removeprefix(SCHEME).casefold()
    if not number or any(character not in "0123456789abcdef" for character in number):
        raise invalid("This is not a digest.", "Copy it from the packet: sha256: and hex characters.")
    if len(number) >= len(view.digest.removeprefix(SCHEME)):
        return SCHEME + number
    if len(number) < LEAST_PREFIX:
        raise invalid(f"{len(number)} characters are too few to name a packet by.", f"Give {LEAST_PREFIX} or more.")
    if not view.digest.removeprefix(SCHEME).startswith(number):
        raise conflict(
            "The packet changed since it was shown; this digest names another one.",
            f"Read `ratchet decision show {view.id}` again.",
        )
    return view.digest


def paused_meanwhile(view: DecisionView, automation: AutomationView) -> str:
    """What becomes of a yes while nothing may begin, and how long."""
    until_then = f"This waits for `ratchet resume`, until {clock(view.expires_at)} UTC at most."
    return f"Automation is paused. {automation.because}. {until_then}"


def _told(view: DecisionView, form: Form) -> None:
    if form in (Form.TABLE, Form.WIDE):
        say(f"{view.id} is {view.state}. Follow it: ratchet incident watch {view.incident}")
        return
    single(view, lambda: decision_page(view, _now()), form, f"decision/{view.id}")
