"""A batch: the faults, seeds and strengths of one line, run one after the other and told as they end."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import typer
from ulid import ULID

from ratchet.cli.faults.stand import Stand, groups, stand
from ratchet.cli.faults.told import line_of, run_lines, summary
from ratchet.cli.show import Form, json_line, out, say
from ratchet.domain.accuracy import accuracy
from ratchet.domain.drill import Run
from ratchet.domain.fault import Fault, Strength
from ratchet.lab.drill import Drills, Plan


@dataclass(frozen=True)
class Wish:
    """What one line asks for."""

    faults: tuple[Fault, ...]
    seeds: tuple[int, ...]
    strengths: tuple[Strength, ...]
    remediate: bool


@dataclass
class Batch:
    """What came of it so far."""

    id: str
    remediate: bool
    runs: list[Run] = field(default_factory=list[Run])
    skipped: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def run_batch(context: typer.Context, wish: Wish, now: Callable[[], datetime], form: Form) -> Batch:
    """Every run of the wish; each is kept and told when it ends."""
    batch = Batch(secrets.token_hex(4), wish.remediate)
    for group in groups(wish.faults):
        with stand(context, group, say) as here:
            for run in _runs(here, group, wish, (batch, now)):
                batch.runs.append(run)
                here.desk.drills.keep(run)
                _tell(run, form)
    if form in (Form.TABLE, Form.WIDE):
        for name, why in batch.skipped:
            out(f"[SKIP] {name}: needs {why}")
        for line in summary(accuracy(batch.runs)):
            out(line)
    return batch


def _runs(here: Stand, group: list[Fault], wish: Wish, beside: tuple[Batch, Callable[[], datetime]]) -> Iterator[Run]:
    batch, now = beside
    ground = here.desk.drills.ground(here.target)
    plan = Plan(
        batch=batch.id, ground=ground, remediate=wish.remediate, approve=here.desk.approve, now=now, new_id=_new_id
    )
    drills = Drills(here.place, here.desk.drills, plan)
    for fault in group:
        lacking = here.place.lacking(fault)
        if lacking:
            batch.skipped.append((fault.id, " and ".join(lacking)))
            continue
        for seed in wish.seeds:
            for strength in wish.strengths:
                yield drills.run(fault, seed, strength)


def _tell(run: Run, form: Form) -> None:
    match form:
        case Form.JSON | Form.YAML:
            say(line_of(run))
        case Form.JSONL:
            json_line(run.model_dump(mode="json"))
        case _ if run.remediate:
            for line in run_lines(run):
                out(line)
        case _:
            out(line_of(run))


def _new_id() -> str:
    return str(ULID())
