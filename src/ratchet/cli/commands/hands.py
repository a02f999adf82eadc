"""`ratchet incident take|handback|note|resolve|escalate|close|rate`: what a person does to an incident."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import ValidationError

from ratchet.cli.ask import reason_for
from ratchet.cli.commands.noun import noun
from ratchet.cli.road import road
from ratchet.cli.show import Form, FormOption, document, out, say
from ratchet.desk.contract import Desk
from ratchet.desk.hands_over import Criterion
from ratchet.desk.views import NOTHING, IncidentView
from ratchet.domain.errors import invalid
from ratchet.domain.rating import Rating
from ratchet.domain.spoken import spoken

app = noun("What a person does to an incident; these verbs stand under `ratchet incident`.")
Reference = Annotated[str, typer.Argument(metavar="INC", help="INC-1 or the ULID.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it stands in the timeline.")]


@app.command("take-over", hidden=True)
@app.command("take")
def take(
    context: typer.Context, reference: Reference, reason: ReasonOption = "", form: FormOption = Form.TABLE
) -> None:
    """Take an incident over: no new act is begun, approvals are void. Says what may still land."""
    because = reason_for(f"take {reference} over", reason)
    _do(context, lambda desk: desk.take(reference, because), form)


@app.command("hand-back", hidden=True)
@app.command("handback")
def handback(
    context: typer.Context, reference: Reference, reason: ReasonOption = "", form: FormOption = Form.TABLE
) -> None:
    """Give it back to Ratchet, which looks afresh."""
    because = reason_for(f"hand {reference} back", reason)
    _do(context, lambda desk: desk.hand_back(reference, because), form)


@app.command("note")
def note(
    context: typer.Context,
    reference: Reference,
    text: Annotated[str, typer.Argument(help="What is written into the timeline.")],
    form: FormOption = Form.TABLE,
) -> None:
    """Write something into the timeline."""
    said = spoken(text, "A text")
    _do(context, lambda desk: desk.note(reference, said), form)


@app.command("resolve")
def resolve(
    context: typer.Context,
    reference: Reference,
    cause: Annotated[str, typer.Option(help="What it was: a name of the cause vocabulary.")],
    reason: ReasonOption = "",
    form: FormOption = Form.TABLE,
) -> None:
    """Say that it is over, and what it was. No playbook is credited with it."""
    because = reason_for(f"resolve {reference}", reason)
    _do(context, lambda desk: desk.resolve(reference, cause, because), form)


@app.command("escalate")
def escalate(
    context: typer.Context,
    reference: Reference,
    reason: ReasonOption = "",
    high_impact: Annotated[bool, typer.Option("--high-impact", help="To the incident commander.")] = False,
    security: Annotated[bool, typer.Option("--security", help="To security.")] = False,
    form: FormOption = Form.TABLE,
) -> None:
    """Hand over to the owner on call, to the incident commander or to security, with everything that is known."""
    if high_impact and security:
        raise invalid("One criterion at a time.", "Give --security; its people call the commander themselves.")
    criterion: Criterion = "security" if security else "high_impact" if high_impact else "by_person"
    because = reason_for(f"escalate {reference}", reason)
    _do(context, lambda desk: desk.escalate(reference, because, criterion), form)


@app.command("close")
def close(
    context: typer.Context, reference: Reference, reason: ReasonOption = "", form: FormOption = Form.TABLE
) -> None:
    """Put away what is resolved, escalated or held."""
    because = reason_for(f"close {reference}", reason)
    _do(context, lambda desk: desk.close_incident(reference, because), form)


class YesNo(StrEnum):
    """An answer."""

    YES = "yes"
    NO = "no"


@app.command("rate")
def rate(
    context: typer.Context,
    reference: Reference,
    cause: Annotated[str, typer.Option(help="What it really was: a name of the cause vocabulary.")],
    about: Annotated[
        list[str] | None, typer.Option("--object", help="What it was about, KIND:NAME; may be repeated.")
    ] = None,
    helpful: Annotated[YesNo | None, typer.Option(help="Whether what Ratchet said and did helped.")] = None,
    reason: Annotated[str, typer.Option(help="More words on it.")] = "",
    form: FormOption = Form.TABLE,
) -> None:
    """Say what an incident really was, once it is over. Rankings learn from it; of several ratings the last counts."""
    said = None if helpful is None else helpful is YesNo.YES
    try:
        rating = Rating(cause=cause, objects=tuple(about or ()), helpful=said, reason=reason)
    except ValidationError:
        raise invalid(
            "This rating cannot be kept.", "Write objects as KIND:NAME, such as application:billing, and keep it short."
        ) from None
    if form in (Form.TABLE, Form.WIDE, Form.MD):
        with road(context) as here:
            view = here.desk.learning.rate(reference, rating)
        say(f"{view.id} was {view.cause}, as {view.rated_by} says. The next ranking knows it.")
        return
    _do(context, lambda desk: desk.learning.rate(reference, rating), form)


def _do(context: typer.Context, verb: Callable[[Desk], IncidentView], form: Form) -> None:
    with road(context) as here:
        view = verb(here.desk)
    if form in (Form.JSON, Form.JSONL, Form.YAML):
        document(view.model_dump(mode="json"), form)
    elif form is Form.NAME:
        out(f"incident/{view.id}")
    else:
        say(f"{view.id} is {view.status.replace('_', ' ')}. {_next(view)}".rstrip())


def _next(view: IncidentView) -> str:
    """What is needed now; where nothing is, what may be done with what a person ended."""
    if view.needs != NOTHING:
        return view.needs
    by_hand = view.status == "resolved" and (view.resolved_by or "ratchet") != "ratchet"
    return f"What was done by hand becomes a draft with: ratchet vault draft {view.id}" if by_hand else ""
