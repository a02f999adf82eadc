"""Whether Ratchet may act, in a line or two."""

from collections.abc import Iterator

from ratchet.cli.page import Block, Heading, Line, field
from ratchet.cli.show import Form, say, single
from ratchet.desk.views import AutomationView, InFlightView


def told(view: AutomationView, form: Form) -> None:
    """The answer to pause and resume: remarks for a person, the view for a program."""
    if form not in (Form.TABLE, Form.WIDE):
        single(view, lambda: automation_page(view), form, "automation")
        return
    say(f"Automation is paused. {view.because} (ends with: ratchet resume)" if view.paused else "Automation runs.")
    for each in view.in_flight:
        say(landing(each))


def automation_page(view: AutomationView) -> Iterator[Block]:
    """How it stands."""
    yield Heading("Automation", "paused" if view.paused else "runs")
    if view.because:
        yield field("BECAUSE", view.because)
    yield field("IN FLIGHT", *(Line(landing(each), "warn") for each in view.in_flight))


def landing(each: InFlightView) -> str:
    """An act under way, as a person reads it."""
    return f"{each.incident}: {each.step} on {each.target} may still land until {each.may_land_until:%H:%M:%S} UTC."
