"""`ratchet incident`: what is going on, why, and what is needed from a person."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from ratchet.cli.commands import hands, records
from ratchet.cli.commands.noun import noun
from ratchet.cli.exits import BY_STATUS, PENDING, TIMEOUT
from ratchet.cli.page import Block
from ratchet.cli.pages.incident import incident_page, timeline
from ratchet.cli.refused import Stopped
from ratchet.cli.road import road
from ratchet.cli.show import (
    Column,
    Form,
    FormOption,
    HeaderOption,
    How,
    QuietOption,
    document,
    json_line,
    listing,
    more,
    page_of,
    show_page,
    single,
)
from ratchet.cli.words import ago, clean, clock, share
from ratchet.desk.contract import Desk
from ratchet.desk.views import EventView, IncidentLine, IncidentView
from ratchet.domain.duration import parse_duration
from ratchet.domain.errors import Code, invalid

app = noun("Look at incidents: what is going on, why, and what is needed from a person.")
POLL_S = 0.5
WATCH_LIST_S = 2.0


def _now() -> datetime:
    return datetime.now(UTC)


COLUMNS = (
    Column[IncidentLine]("INCIDENT", lambda each: each.id),
    Column[IncidentLine]("STATUS", lambda each: each.status),
    Column[IncidentLine]("AGE", lambda each: ago(each.opened_at, _now())),
    Column[IncidentLine]("TARGET", lambda each: each.target),
    Column[IncidentLine]("CAUSE", lambda each: each.cause),
    Column[IncidentLine]("SURE", lambda each: share(each.confidence) if each.cause and each.confidence else "-"),
    Column[IncidentLine]("SYMPTOM", lambda each: each.symptom),
    Column[IncidentLine]("ORIGIN", lambda each: each.origin, wide=True),
    Column[IncidentLine]("OWNER", lambda each: each.owner, wide=True),
    Column[IncidentLine]("ULID", lambda each: each.ulid, wide=True),
)
EVENTS = (
    Column[EventView]("TIME", lambda each: clock(each.time)),
    Column[EventView]("EVENT", lambda each: each.event),
    Column[EventView]("BY", lambda each: each.by),
    Column[EventView]("SENTENCE", lambda each: each.sentence),
)
Reference = Annotated[str, typer.Argument(metavar="INC", help="INC-1 or the ULID.")]
TimeoutOption = Annotated[str | None, typer.Option(help="Give up after this long, such as 10m (exit 124).")]


@app.command("list")
def list_incidents(
    context: typer.Context,
    status: Annotated[list[str] | None, typer.Option(help="Only in this status; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many, newest first.")] = 50,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on and show every change.")] = False,
    form: FormOption = Form.TABLE,
    quiet: QuietOption = False,
    header: HeaderOption = False,
) -> None:
    """Incidents, newest first."""
    how = How(form, quiet, header)
    with road(context) as here:
        found = here.desk.incidents(status=status or (), limit=limit)
        listing(found.items, COLUMNS, how, found.model_dump(mode="json"))
        more(len(found.items), found.next_cursor, "--status")
        seen = {each.id: each.updated_at for each in found.items}
        while watch:
            time.sleep(WATCH_LIST_S)
            items = here.desk.incidents(status=status or (), limit=limit).items
            changed = [each for each in items if seen.get(each.id) != each.updated_at]
            seen.update({each.id: each.updated_at for each in changed})
            if changed:
                listing(changed, COLUMNS, how._replace(header=False), page_of(changed))


@app.command("show")
def show(context: typer.Context, reference: Reference, form: FormOption = Form.TABLE) -> None:
    """One incident, whole: ten seconds first, then hypotheses with their evidence, decision, handoff and timeline."""
    with road(context) as here:
        view = here.desk.incident(reference)
    single(view, lambda: incident_page(view, _now(), wide=form is Form.WIDE), form, f"incident/{view.id}")


@app.command("timeline")
def show_timeline(
    context: typer.Context,
    reference: Reference,
    form: FormOption = Form.TABLE,
    header: HeaderOption = False,
) -> None:
    """Every event of an incident, oldest first."""
    with road(context) as here:
        view = here.desk.incident(reference)
    if form in (Form.TABLE, Form.WIDE) and not header:
        show_page(timeline(view.timeline))
    else:
        listing(view.timeline, EVENTS, How(form, header=header), page_of(view.timeline))


@app.command("watch")
def watch(
    context: typer.Context,
    reference: Reference,
    timeout: TimeoutOption = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Stop at an open decision (exit 8).")] = False,
    form: FormOption = Form.TABLE,
) -> None:
    """Follow an incident until it rests: exit 0 resolved, 6 escalated, 124 when --timeout was reached."""
    limit = None if timeout is None else _seconds(timeout)
    with road(context) as here:
        view = follow(here.desk, reference, limit, _teller(form), stop_at_decision=no_wait)
    if form in (Form.JSON, Form.YAML):
        document(view.model_dump(mode="json"), form)
    raise typer.Exit(BY_STATUS.get(view.status, PENDING))


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError:
        raise invalid(f"{text!r} is not a duration.", "Write it as 90s, 10m or 2h.") from None


def follow(
    desk: Desk, reference: str, limit: float | None, tell: Callable[[EventView], None], *, stop_at_decision: bool
) -> IncidentView:
    """Look until the incident rests (or asks, when that is to end it), telling every new event once."""
    deadline = None if limit is None else time.monotonic() + limit
    told = 0
    while True:
        view = desk.incident(reference)
        for event in view.timeline:
            if event.seq > told:
                tell(event)
                told = event.seq
        waits = stop_at_decision and view.status == "awaiting_approval"
        if waits or rests(view):
            return view
        if deadline is not None and time.monotonic() >= deadline:
            raise Stopped(TIMEOUT, f"{view.id} is still {view.status.replace('_', ' ')}.", view.needs, Code.UNAVAILABLE)
        time.sleep(POLL_S)


def rests(view: IncidentView) -> bool:
    """Whether nothing more happens by itself: a resolved incident rests once its draft is written, or was tried."""
    return view.status in BY_STATUS and not (view.status == "resolved" and view.draft is None and _just(view))


def _just(view: IncidentView) -> bool:
    return view.updated_at is not None and (_now() - view.updated_at).total_seconds() < 2


def _teller(form: Form) -> Callable[[EventView], None]:
    def tell(event: EventView) -> None:
        match form:
            case Form.JSON | Form.YAML:
                return
            case Form.JSONL:
                json_line(event.model_dump(mode="json"))
            case _:
                show_page(_one(event))

    return tell


def _one(event: EventView) -> list[Block]:
    return list(timeline((event.model_copy(update={"sentence": clean(event.sentence)}),)))


records.add_to(app)


app.registered_commands += hands.app.registered_commands
