"""`ratchet quality report|suggest`: how good Ratchet was, what it missed, and what people's words should change."""

from math import ceil
from typing import Annotated

import typer

from ratchet.cli.commands.noun import noun
from ratchet.cli.exits import BAD_ANSWER
from ratchet.cli.pages.quality import quality_page
from ratchet.cli.road import road
from ratchet.cli.show import Form, FormOption, out, say, single
from ratchet.domain.duration import parse_duration
from ratchet.domain.errors import invalid
from ratchet.domain.quality import Origin

app = noun("How good Ratchet was against its objectives, and what would make it better.")
DAY = 86_400


@app.command("report")
def report(
    context: typer.Context,
    since: Annotated[str, typer.Option(help="How long is looked back, such as 30d.")] = "30d",
    drills: Annotated[bool, typer.Option("--drills", help="Count drills in place of production.")] = False,
    fail_on_violation: Annotated[
        bool, typer.Option("--fail-on-violation", help="Exit 5 when an objective was missed.")
    ] = False,
    form: FormOption = Form.TABLE,
) -> None:
    """Agreement, false actions, escalations, times and calibration; what missed its goal, and the draft that helps."""
    days = days_of(since)
    origin: Origin = "drill" if drills else "production"
    with road(context) as here:
        found = here.desk.learning.quality(days, origin)
    single(found, lambda: quality_page(found, days, wide=form is Form.WIDE), form, f"quality/{origin}")
    if found.violations and fail_on_violation:
        say(f"Missed: {', '.join(each.measure for each in found.violations)}.")
        raise typer.Exit(BAD_ANSWER)


@app.command("suggest")
def suggest(
    context: typer.Context,
    series: Annotated[str, typer.Argument(metavar="SERIES", help="Such as pbs_connection_triage.")],
    form: FormOption = Form.TABLE,
) -> None:
    """Draft a series whose likelihoods are corrected by the causes that people confirmed. A person activates it."""
    with road(context) as here:
        view = here.desk.learning.suggest(series)
    if form in (Form.TABLE, Form.WIDE, Form.MD):
        out(view.id)
        say(f"A draft of {view.series_id}, version {view.version}. Read it: ratchet vault diff {view.id}")
    else:
        single(view, list, form, f"playbook/{view.id}")


def days_of(said: str) -> int:
    """Whole days of a duration, rounded up."""
    try:
        return max(1, ceil(parse_duration(said) / DAY))
    except ValueError:
        raise invalid(f"--since {said[:40]!r} is not how long ago.", "Write it as 30d, 12h or 90d.") from None
