"""A batch: the faults, seeds and strengths of one line, run one after the other, kept and told as they end."""

import signal
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from ratchet.cli.faults.wish import Batch, Wish, forget_wish, keep_wish
from ratchet.cli.road import given_by, settings_of
from ratchet.cli.show import Form, json_line, out, say
from ratchet.config import Settings
from ratchet.domain.accuracy import accuracy
from ratchet.domain.drill import Run
from ratchet.domain.errors import Refusal
from ratchet.domain.fault import Fault, as_healthy
from ratchet.lab.drill import INTERRUPTED, Drills, Interrupted, Plan
from ratchet.lab.quiet import quiet_drills


@dataclass(frozen=True)
class Line:
    """The line that was typed: its context, the clock, how it is told, and where its faults are caused."""

    context: typer.Context
    now: Callable[[], datetime]
    form: Form
    conn: str | None = None


def run_batch(line: Line, wish: Wish, faults: list[Fault]) -> Batch:
    """Every run of the wish that is not there yet. Ctrl-C takes back what is caused, and says how to go on; exit 70
    where something stays, whatever ended the line."""
    batch = Batch(wish)
    began = time.monotonic()
    home = settings_of(given_by(line.context)).home
    _keep(home, wish)
    try:
        with interruptible():
            for group in groups(faults):
                _stand_and_run(line, batch, group)
    except KeyboardInterrupt:
        there = "" if line.conn is None else ", with the same --conn"
        go_on = f"Go on{there}: ratchet fault run --resume {wish.batch}"
        stopped_with_left(batch.runs, f"Interrupted. {go_on}", batch.stays)
        say(f"Interrupted; what was caused is taken back. {go_on}")
        raise
    except Refusal as refused:
        stopped_with_left(batch.runs, str(refused), batch.stays)
        raise
    forget_wish(home, wish)
    if line.form in (Form.TABLE, Form.WIDE):
        for text in (*summary(accuracy(batch.runs)), *costs(batch.runs, time.monotonic() - began)):
            out(text)
    return batch


def _keep(home: Path, wish: Wish) -> None:
    if not keep_wish(home, wish):
        say("warning: this batch cannot be gone on with after an interruption, because its wish cannot be kept")


def _stand_and_run(line: Line, batch: Batch, group: list[Fault]) -> None:
    stays: list[str] = []
    try:
        with stand(line.context, group, line.conn, say, batch.wish.ground) as here:
            stays = here.left
            if not batch.wish.ground:
                batch.wish = batch.wish.model_copy(update={"ground": here.ground})
                _keep(here.settings.home, batch.wish)
            names = [as_healthy(fault).id if batch.wish.healthy else fault.id for fault in group]
            batch.recall(here.desk.drills.runs, names)
            _run_group(here, group, batch, line)
    finally:
        batch.stays += stays


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
    batch.add(run)
    exported(here.settings, run, line.now())
    _tell(run, line.form)
    here.desk.drills.keep(run)


def left_behind(runs: Sequence[Run], stays: Sequence[str] = ()) -> str:
    """What the taking back of these runs left, and what else stays, for a person to look at; empty without either."""
    left = [*(f"{each.fault}: {each.left}" for each in runs if each.left), *stays]
    return f"LEFT BEHIND, a person must look: {'; '.join(left)}" if left else ""


def stopped_with_left(runs: Sequence[Run], why: str, stays: Sequence[str] = ()) -> None:
    """Exit 70 for a line that is stopped while something of its runs is left, or stays; where nothing is, nothing."""
    if left := left_behind(runs, stays):
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
