"""A batch: the faults, seeds and strengths of one line, run one after the other, kept and told as they end."""

import secrets
import signal
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import typer
from ulid import ULID

from ratchet.cli.exits import LEFT_OVER
from ratchet.cli.faults.history import export
from ratchet.cli.faults.stand import Stand, groups, stand
from ratchet.cli.faults.told import costs, line_of, run_lines, summary
from ratchet.cli.road import given_by, settings_of
from ratchet.cli.show import Form, json_line, out, say
from ratchet.config import Settings
from ratchet.domain.accuracy import accuracy
from ratchet.domain.drill import Run
from ratchet.domain.errors import Refusal, not_found
from ratchet.domain.fault import Fault, Strength
from ratchet.domain.noun import Noun
from ratchet.lab.drill import INTERRUPTED, Drills, Interrupted, Plan
from ratchet.lab.quiet import as_healthy, quiet_drills
from ratchet.security.private_file import replace_private

Key = tuple[str, int, str]


class Wish(Noun):
    """What one line asks for; kept beside the store until all of it is done, so that it can be gone on with."""

    batch: str
    faults: tuple[str, ...]
    seeds: tuple[int, ...]
    strengths: tuple[Strength, ...]
    turns: bool = False
    """Each seed at the next strength, instead of each seed at every strength."""
    remediate: bool
    unattended: bool = False
    healthy: bool = False
    """Only the alerts come, and nothing is caused."""
    judge: str = "no judge was asked for"

    def trials(self) -> Sequence[tuple[int, Strength]]:
        """The seeds and strengths that each fault is caused with."""
        if self.turns:
            return [(seed, self.strengths[n % len(self.strengths)]) for n, seed in enumerate(self.seeds)]
        return [(seed, strength) for seed in self.seeds for strength in self.strengths]


@dataclass
class Batch:
    """What came of it so far."""

    wish: Wish
    runs: list[Run] = field(default_factory=list[Run])
    skipped: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def done(self) -> set[Key]:
        """What needs not be run again; an error says nothing, and is."""
        return {(run.fault, run.seed, run.strength) for run in self.runs if run.verdict != "error"}


@dataclass(frozen=True)
class Line:
    """The line that was typed: its context, the clock, how it is told, and where its faults are caused."""

    context: typer.Context
    now: Callable[[], datetime]
    form: Form
    conn: str | None = None


def new_batch() -> str:
    """Eight hexadecimal characters."""
    return secrets.token_hex(4)


def run_batch(line: Line, wish: Wish, faults: list[Fault]) -> Batch:
    """Every run of the wish that is not there yet. Ctrl-C takes back what is caused, and says how to go on; exit 70
    where something stays, whatever ended the line."""
    batch = Batch(wish)
    began = time.monotonic()
    home = settings_of(given_by(line.context)).home
    _keep_wish(home, wish)
    try:
        with interruptible():
            for group in groups(faults):
                _stand_and_run(line, batch, group)
    except KeyboardInterrupt:
        go_on = f"Go on: ratchet fault run --resume {wish.batch}"
        stopped_with_left(batch.runs, f"Interrupted. {go_on}")
        say(f"Interrupted; what was caused is taken back. {go_on}")
        raise
    except Refusal as refused:
        stopped_with_left(batch.runs, str(refused))
        raise
    _wish_path(home, wish.batch).unlink(missing_ok=True)
    if line.form in (Form.TABLE, Form.WIDE):
        for text in (*summary(accuracy(batch.runs)), *costs(batch.runs, time.monotonic() - began)):
            out(text)
    return batch


def _stand_and_run(line: Line, batch: Batch, group: list[Fault]) -> None:
    with stand(line.context, group, line.conn, say) as here:
        known = {run.id for run in batch.runs}
        batch.runs += [run for run in here.desk.drills.runs(batch=batch.wish.batch) if run.id not in known]
        _run_group(here, group, batch, line)


def _run_group(here: Stand, group: list[Fault], batch: Batch, line: Line) -> None:
    total = len(group) * len(batch.wish.trials())
    try:
        for count, run in enumerate(_runs(here, group, batch, line), 1):
            _hear(here, run, batch, line)
            if count < total and line.form is not Form.JSONL:
                say(f"  ({count} of {total})")
    except Interrupted as stopped:
        if stopped.run.note != INTERRUPTED:
            say(f"warning: {stopped.run.note}")
        if stopped.run.left:
            _hear(here, stopped.run, batch, line)
        raise


def _hear(here: Stand, run: Run, batch: Batch, line: Line) -> None:
    """The file first: a desk that is away just now loses it from the store alone."""
    batch.runs.append(run)
    exported(here.settings, run, line.now())
    _tell(run, line.form)
    here.desk.drills.keep(run)


def left_behind(runs: Sequence[Run]) -> str:
    """What the taking back of these runs left, for a person to look at; empty where nothing is left."""
    left = [f"{each.fault}: {each.left}" for each in runs if each.left]
    return f"LEFT BEHIND, a person must look: {'; '.join(left)}" if left else ""


def stopped_with_left(runs: Sequence[Run], why: str) -> None:
    """Exit 70 for a line that is stopped while something of its runs is left; where nothing is, nothing."""
    if left := left_behind(runs):
        say(left)
        say(why)
        raise typer.Exit(LEFT_OVER) from None


def _runs(here: Stand, group: list[Fault], batch: Batch, line: Line) -> Iterator[Run]:
    wish, done = batch.wish, batch.done()
    plan = Plan(
        batch=wish.batch, ground=here.desk.drills.ground(here.target), remediate=wish.remediate,
        approve=here.desk.approve, now=line.now, new_id=new_id, judge=wish.judge,
        unattended=wish.unattended,
    )  # fmt: skip
    for fault in group:
        lacking = here.place.lacking(fault)
        if lacking:
            batch.skipped.append((fault.id, " and ".join(lacking)))
            _skip(fault, lacking, line.form)
            continue
        graded, drills = _as_wished(wish, fault, here, plan)
        for seed, strength in wish.trials():
            if (graded.id, seed, strength) not in done:
                run = drills.run(graded, seed, strength)
                yield run.model_copy(update={"trial": "healthy"}) if wish.healthy else run


def _as_wished(wish: Wish, fault: Fault, here: Stand, plan: Plan) -> tuple[Fault, Drills]:
    """The fault as it is graded, and what runs it."""
    if wish.healthy:
        return as_healthy(fault), quiet_drills(here.place, here.desk.drills, plan, fault)
    return fault, Drills(here.place, here.desk.drills, plan)


def exported(settings: Settings, run: Run, now: datetime) -> None:
    """The store has the run; a history file that cannot be written is said, and stops nothing."""
    path = settings.fault_history
    try:
        aside = export(path, [run], now)
    except OSError as failed:
        say(f"warning: the history {path} cannot be written: {failed.strerror}")
        return
    if aside is not None:
        say(f"warning: the history {path} could not be read; it is kept as {aside}, and a new one was begun")


def _skip(fault: Fault, lacking: tuple[str, ...], form: Form) -> None:
    text = f"[SKIP] {fault.metadata.title} ({fault.id}): {' and '.join(lacking)}"
    (out if form in (Form.TABLE, Form.WIDE) else say)(text)


def _tell(run: Run, form: Form) -> None:
    match form:
        case Form.JSON | Form.YAML:
            say(line_of(run))
        case Form.JSONL:
            json_line(run.model_dump(mode="json"))
        case _ if run.remediate:
            for text in run_lines(run):
                out(text)
        case _:
            out(line_of(run))


def read_wish(home: Path, batch: str) -> Wish:
    """What an interrupted batch was for; a refusal where none of that name is open."""
    try:
        return Wish.model_validate_json(_wish_path(home, batch).read_bytes())
    except (OSError, ValueError):
        remedy = "Only an interrupted batch can be gone on with; its name was printed when it was interrupted."
        raise not_found("open batch", batch, remedy) from None


def _keep_wish(home: Path, wish: Wish) -> None:
    place = _wish_path(home, wish.batch)
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_private(place, wish.model_dump_json().encode())
    except (OSError, Refusal):
        say("warning: this batch cannot be gone on with after an interruption, because its wish cannot be kept")


def _wish_path(home: Path, batch: str) -> Path:
    name = batch if batch.isalnum() else "none"
    return home / "batches" / f"{name}.json"


@contextmanager
def interruptible() -> Generator[None]:
    """The first Ctrl-C, SIGTERM or lost terminal interrupts; while what was caused is taken back, further ones are not
    heard. Under nohup a lost terminal goes on unheard."""
    before: dict[signal.Signals, Any] = {}
    told = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        told.append(signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        for number in told:
            before[number] = signal.signal(number, interrupt)
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


def new_id() -> str:
    """A ULID."""
    return str(ULID())
