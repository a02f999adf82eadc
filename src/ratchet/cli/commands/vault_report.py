"""`ratchet vault list | status | drift`: what is covered, how each batch went, and what slipped back."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel

from ratchet.cli.commands.noun import noun
from ratchet.cli.exits import BAD_ANSWER
from ratchet.cli.plots.files import Paint, painter, write
from ratchet.cli.plots.picture import Picture, buckets, drift_picture, sparkline, status_picture
from ratchet.cli.road import road
from ratchet.cli.ruled import Row, show_ruled
from ratchet.cli.show import (
    Column,
    Form,
    FormOption,
    HeaderOption,
    How,
    QuietOption,
    listing,
    out,
    say,
)
from ratchet.cli.words import clean, counted
from ratchet.domain.drift import Drift, Factor, Share
from ratchet.vault.coverage import CoverageLine
from ratchet.vault.report import BatchLine, VaultDrift, VaultStatus

app = noun("Which faults are covered, and what slipped back; drafts and their review; files in and out.")
T = TypeVar("T", bound=BaseModel)
NEVER = "(never)"
SPARK = 20
"""Characters of a sparkline at most."""
TargetOption = Annotated[str, typer.Option(help="Count the runs on this target only.")]
DaysOption = Annotated[int, typer.Option("--since-days", min=1, max=3650, help="How many days are looked back.")]
PlotOption = Annotated[Path | None, typer.Option("--plot", help="Write a picture there too: FILE.svg or FILE.png.")]


def _day(moment: datetime | None) -> str:
    return NEVER if moment is None else moment.date().isoformat()


def percent(share: Share) -> str:
    """`70%`; 0 and 100 stand only where they are exact, `n/a` where there is no sample."""
    exact = share.percentage
    if exact is None:
        return "n/a"
    return f"{round(exact) if share.passed in (0, share.samples) else min(99, max(1, round(exact)))}%"


def moved(points: float | None) -> str:
    """`▼ -50%`, `▲ +10%`, `0%`, or `n/a` where a half is empty."""
    if points is None:
        return "n/a"
    glyph = "▼ " if points < 0 else "▲ " if points > 0 else ""
    return f"{glyph}{points:+.{0 if abs(points) >= 1 else 1}f}%" if glyph else "0%"


def _test(each: Drift) -> str:
    if each.p_value is None:
        return "-"
    return f"p {each.p_value:.2g} significant" if each.significant else f"p {each.p_value:.2g}"


def _rate(each: BatchLine) -> str:
    return f"{percent(_share(each))} ({each.passed}/{each.samples})"


def _share(each: BatchLine) -> Share:
    return Share(passed=each.passed, samples=each.samples)


COVERAGE = (
    Column[CoverageLine]("FAULT", lambda each: each.fault),
    Column[CoverageLine]("PLAYBOOK", lambda each: each.playbook or "-"),
    Column[CoverageLine]("LAST RUN", lambda each: _day(each.last_run)),
    Column[CoverageLine]("STATUS", lambda each: each.status),
    Column[CoverageLine]("CERTIFICATE", lambda each: each.certificate),
    Column[CoverageLine]("SERIES VERSION", lambda each: each.version),
    Column[CoverageLine]("CHANGED SINCE", lambda each: ", ".join(each.changed)),
    Column[CoverageLine]("RUN ID", lambda each: each.batch, wide=True),
    Column[CoverageLine]("INCIDENT", lambda each: each.incident, wide=True),
    Column[CoverageLine]("TARGET", lambda each: each.target, wide=True),
    Column[CoverageLine]("NEWEST", lambda each: each.newest, wide=True),
    Column[CoverageLine]("ALIASES", lambda each: ",".join(each.aliases), wide=True),
)
STATUS = (
    Column[BatchLine]("DATE", lambda each: _day(each.ended_at)),
    Column[BatchLine]("RUN ID", lambda each: each.run_id),
    Column[BatchLine]("PASS RATE", _rate),
    Column[BatchLine]("ERRORS", lambda each: each.errors),
    Column[BatchLine]("DIAGNOSED", lambda each: f"{each.diagnosed}/{each.diagnoses}" if each.diagnoses else "-"),
    Column[BatchLine]("TARGET", lambda each: ",".join(each.targets), wide=True),
)
DRIFT = (
    Column[Drift]("FAULT", lambda each: each.fault),
    Column[Drift]("FIRST HALF", lambda each: percent(each.first)),
    Column[Drift]("SECOND HALF", lambda each: percent(each.second)),
    Column[Drift]("DRIFT", lambda each: moved(each.points)),
    Column[Drift]("SAMPLES", lambda each: f"{each.first.samples}+{each.second.samples}"),
    Column[Drift]("TEST", _test),
    Column[Drift]("TREND", lambda each: sparkline(buckets(each.outcomes, SPARK))),
)


@app.command("list")
def list_vault(
    context: typer.Context, target: TargetOption = "", form: FormOption = Form.TABLE, quiet: QuietOption = False,
    header: HeaderOption = False,
) -> None:  # fmt: skip
    """Every fault of the catalogue, its playbook, its last run that decides, and whether that was a proved pass."""
    with road(context) as here:
        found = here.desk.vault.coverage(target)
    how = How(form, quiet, header)
    if _for_programs(how):
        listing(found.items, COVERAGE, how, found.model_dump(mode="json"))
    else:
        _ruled(found.items, COVERAGE, how)
    _say_whole(whole=found.whole)


@app.command("status")
def status(
    context: typer.Context, since_days: DaysOption = 30, target: TargetOption = "", plot: PlotOption = None,
    form: FormOption = Form.TABLE, quiet: QuietOption = False, header: HeaderOption = False,
) -> None:  # fmt: skip
    """The pass rate of every batch of runs, oldest first."""
    paint = painter(plot) if plot is not None else None
    with road(context) as here:
        found = here.desk.vault.status(since_days, target)
    runs = f", {counted(len(found.batches), 'run')}"
    title = _title("Status", target or _place(found.targets), since_days, runs)
    how = How(form, quiet, header)
    if _for_programs(how):
        by_id = (STATUS[1], STATUS[0], *STATUS[2:]) if quiet or form is Form.NAME else STATUS
        listing(found.batches, by_id, how, found.model_dump(mode="json"))
    else:
        out(f"=== {title} ===")
        _ruled(found.batches, STATUS, how)
        _trend(found)
        _say_none(found.batches)
    _say_whole(whole=found.whole)
    _plot(plot, paint, status_picture(title, found.batches))


@app.command("drift")
def drift(
    context: typer.Context, since_days: DaysOption = 90, target: TargetOption = "",
    fail_on_drift: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="Exit 5 when a fault fell by more percentage points, or none is comparable."),
    ] = None,
    significant_only: Annotated[
        bool, typer.Option("--significant-only", help="Show and judge only what an exact test calls significant.")
    ] = False,
    plot: PlotOption = None, form: FormOption = Form.TABLE, quiet: QuietOption = False, header: HeaderOption = False,
) -> None:  # fmt: skip
    """How the pass rate of each fault moved between the halves of its samples, and what else moved with it."""
    paint = painter(plot) if plot is not None else None
    with road(context) as here:
        found = here.desk.vault.drift(since_days, target)
    comparable = sum(each.points is not None for each in found.faults)
    shown = [each for each in found.faults if each.significant or not significant_only]
    found = found.model_copy(update={"faults": tuple(shown)})
    title = _title("Drift", target or _place(found.targets), since_days, "")
    how = How(form, quiet, header)
    if _for_programs(how):
        listing(shown, DRIFT, how, found.model_dump(mode="json"))
    else:
        out(f"=== {title} ===")
        rows = [Row([_text(column.read(each)) for column in DRIFT], list(_notes(each))) for each in shown]
        show_ruled([column.name for column in DRIFT], rows, whole=form is Form.WIDE)
        _left_out(found)
        _say_none(found.faults)
    _say_whole(whole=found.whole)
    _plot(plot, paint, drift_picture(title, shown))
    if fail_on_drift is not None:
        _judge(shown, fail_on_drift, comparable)


def _judge(shown: Sequence[Drift], limit: float, comparable: int) -> None:
    """Exit 5 beyond the limit, and where nothing could be compared: what is not known is not a pass."""
    beyond = [each.fault for each in shown if each.points is not None and -each.points > limit]
    if beyond:
        say(f"Fell by more than {limit:g} points: {', '.join(beyond)}.")
    elif not comparable:
        say("No fault has samples in both halves, so that nothing is known: run drills with --remediate first.")
    if beyond or not comparable:
        raise typer.Exit(BAD_ANSWER)


def _for_programs(how: How) -> bool:
    return how.quiet or how.form not in (Form.TABLE, Form.WIDE)


def _ruled(items: Sequence[T], columns: Sequence[Column[T]], how: How) -> None:
    shown = [column for column in columns if how.form is Form.WIDE or not column.wide]
    rows = [Row([_text(column.read(each)) for column in shown]) for each in items]
    show_ruled([column.name for column in shown], rows, whole=how.form is Form.WIDE)


def _text(value: object) -> str:
    return "-" if value is None else str(value)


def _title(what: str, place: str, days: int, more: str) -> str:
    return f"Vault {what} - {clean(place)} (last {counted(days, 'day')}{more})"


def _place(targets: Sequence[str]) -> str:
    return ", ".join(targets[:3]) + (f" and {len(targets) - 3} more" if len(targets) > 3 else "") or "no target"


def _notes(each: Drift) -> Iterator[str]:
    """What differed between the halves, one line per factor, the best explanation first."""
    for factor in each.factors:
        yield f"{factor.name}: {_values(factor.first)} -> {_values(factor.second)}{_chance(factor)}"
    if each.points and not each.factors:
        yield "nothing that a run records differed between the halves"


def _values(shares: Sequence[Share]) -> str:
    return ", ".join(f"{clean(share.value)} ({share.passed}/{share.samples})" for share in shares)


def _chance(factor: Factor) -> str:
    return "" if factor.p_value is None else f"  p {factor.p_value:.2g}"


def _trend(found: VaultStatus) -> None:
    shares = [each.passed / each.samples for each in found.batches if each.samples]
    if len(shares) > 1:
        out(f"Trend {sparkline(shares[-60:])}")


def _left_out(found: VaultDrift) -> None:
    parts = [f"{counted(found.errors, 'run')} in which the drill itself did not work"] if found.errors else []
    parts += [f"{counted(found.diagnoses, 'run')} without remediation"] if found.diagnoses else []
    if parts:
        out(f"Not counted: {'; '.join(parts)}.")


def _say_none(found: Sequence[object]) -> None:
    if not found:
        say("No run counts here yet: ratchet fault run --remediate --id db-max-connections")


def _say_whole(*, whole: bool) -> None:
    if not whole:
        say("There are more runs than one report counts; the oldest were left out.")


def _plot(path: Path | None, paint: Paint | None, picture: Picture) -> None:
    if path is not None and paint is not None:
        write(path, paint, picture)
        say(f"The picture is in {path}.")
