"""One certification as a line leads it: a ground, the parts one after the other, and what the desk makes of them."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import typer

from ratchet.cli import lab_life, server_file
from ratchet.cli.faults.batch import exported, interruptible, new_id, stopped_with_left
from ratchet.cli.faults.mortal import mortal
from ratchet.cli.faults.stand import ALONE, LOOK, Stand, catalog_of, lab_for_now, lease, stand
from ratchet.cli.faults.told import line_of
from ratchet.cli.faults.wish import new_batch
from ratchet.cli.road import given_by, road, settings_of
from ratchet.cli.show import say
from ratchet.config import Settings
from ratchet.desk.contract import Desk
from ratchet.domain.certificate import Certificate, Certification, TrialPart, Tried
from ratchet.domain.drill import Run
from ratchet.domain.errors import Refusal, conflict
from ratchet.domain.fault import Fault
from ratchet.lab.certify import Cases, Certifier, Heard, cases_of
from ratchet.lab.drill import Plan
from ratchet.lab.ground import KeptGround


@dataclass
class Course:
    """How far it is."""

    cases: Cases
    seeds: tuple[int, ...]
    digest: str = ""
    target: str = ""
    batch: str = field(default_factory=new_batch)
    tried: list[Tried] = field(default_factory=list[Tried])
    runs: list[Run] = field(default_factory=list[Run])
    unkept: list[Run] = field(default_factory=list[Run])
    """Runs that the store does not have yet, because no desk was there that keeps them."""
    stays: list[str] = field(default_factory=list[str])
    """What could not be taken away from a server of others at the end."""
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    """Parts and faults that were not run, and why."""

    @property
    def untried(self) -> tuple[str, ...]:
        """Its own faults that were not tried: the certificate says nothing of them."""
        return tuple(fault.id for fault in self.cases.own if fault.id in self.left_out)

    def heard(self, part: TrialPart, run: Run) -> None:
        """A run ended."""
        self.runs.append(run)
        say(f"{part:<12}{line_of(run)}")

    def found(self, part: TrialPart, one: Tried | None) -> None:
        """A part ended; None where nothing of it could be run."""
        if one is None:
            self.left_out[part] = "nothing here that it could be tried with"
        else:
            self.tried.append(one)


def course_of(settings: Settings, series: str, seeds: tuple[int, ...], most: int) -> Course:
    """What a series is to be tried with; `most` faults of other series beside the controls."""
    return Course(cases_of(catalog_of(settings).faults, series, most), seeds)


def certify(context: typer.Context, course: Course, conn: str | None) -> Certificate:
    """Every part that can be tried here, then the certificate of it. Each run is kept as it ends. An interruption takes
    back what is caused; exit 70 where something stays, whatever ended the line."""
    settings = settings_of(given_by(context))
    try:
        return _certified(context, settings, course, conn)
    except (KeyboardInterrupt, Refusal) as stopped:
        _keep_rest(context, course)
        why = str(stopped) if isinstance(stopped, Refusal) else "Interrupted."
        stopped_with_left(course.runs, why, course.stays)
        raise


def _certified(context: typer.Context, settings: Settings, course: Course, conn: str | None) -> Certificate:
    faults = [each for each in (*course.cases.own, *course.cases.look_alikes) if ALONE not in each.spec.needs]
    with interruptible(), ExitStack() as last:
        if conn is None:
            _lab_up(context, faults, last)
        with stand(context, faults, conn, say) as here:
            course.stays = here.left
            plan = _parts(here, course)
            hindered = _hindered(here, settings, conn)
        if course.stays:
            raise conflict("Where something stays, nothing is certified.", LOOK)
        if hindered:
            course.left_out["crash"] = hindered
        else:
            _crash(settings, course, plan)
        with road(context) as there:
            _keep(there.desk, course)
            return there.desk.drills.certify(_found(course))


def _lab_up(context: typer.Context, faults: list[Fault], last: ExitStack) -> None:
    """A lab that outlives the parts, since one of them ends the desk between them."""
    if lab_life.living(settings_of(given_by(context)).home) is None:
        say("no lab is up; starting one for this certification")
        lab_for_now(context, faults, last)


def _parts(here: Stand, course: Course) -> Plan:
    """All parts but the crash."""
    course.digest, course.target = here.desk.playbook(course.cases.series).digest, here.target
    drills = here.desk.drills
    plan = Plan(
        batch=course.batch, ground=drills.ground(here.target), remediate=True, approve=here.desk.approve,
        now=lambda: datetime.now(UTC), new_id=new_id,
    )  # fmt: skip
    certifier = Certifier(here.place, drills, plan, _hearing(course, here.settings, here.desk))
    for fault, why in certifier.lacking(course.cases).items():
        course.left_out[fault] = f"needs {why}"
        say(f"{'NOT RUN':<12}{fault}: needs {why}")
    course.found("faults", certifier.own_faults(course.cases, course.seeds))
    course.found("look_alikes", certifier.look_alikes(course.cases, course.seeds))
    course.found("healthy", certifier.healthy(course.cases, course.seeds))
    course.found("double_fire", certifier.double_fire(course.cases, course.seeds))
    return plan


def _hindered(here: Stand, settings: Settings, conn: str | None) -> str:
    """Why no server may be killed here, or empty."""
    if conn is not None:
        return "servers of Ratchet are killed beside its own lab only; leave out --conn"
    if settings.url is not None or server_file.running(settings.home) is not None:
        return "a server serves this home, and it is not ours to kill; use another home, or stop it"
    ordinary = sorted(target.name for target in here.desk.targets() if "chaos" not in target.tags)
    return f"{', '.join(ordinary)} is not tagged chaos; use another home" if ordinary else ""


def _crash(settings: Settings, course: Course, plan: Plan) -> None:
    state = lab_life.living(settings.home)
    if state is None:
        raise conflict("The lab went down meanwhile.", "Certify again: ratchet lab up")
    try:
        with lease(settings), mortal(settings) as desk:
            heard = _hearing(course, settings, None)
            certifier = Certifier(KeptGround(state), desk, replace(plan, approve=desk.approve), heard)
            course.found("crash", certifier.crash(course.cases, course.seeds[0], lambda: desk.killed))
    except Refusal as failed:
        course.left_out["crash"] = failed.message


def _hearing(course: Course, settings: Settings, desk: Desk | None) -> Heard:
    """Whoever hears of a run keeps it at once, the file first; without a desk it is kept when there is one."""

    def hear(part: TrialPart, run: Run) -> None:
        course.heard(part, run)
        exported(settings, run, run.ended_at)
        course.unkept.append(run)
        if desk is not None:
            _keep(desk, course)

    return hear


def _keep(desk: Desk, course: Course) -> None:
    """All that the store does not have yet."""
    while course.unkept:
        desk.drills.keep(course.unkept[0])
        course.unkept.pop(0)


def _keep_rest(context: typer.Context, course: Course) -> None:
    """The same for a line that is stopped; what cannot be kept now stands in the history file."""
    if not course.unkept:
        return
    try:
        with road(context) as there:
            _keep(there.desk, course)
    except Refusal as refused:
        say(f"warning: {len(course.unkept)} of the runs stand in the history file alone: {refused.message}")


def _found(course: Course) -> Certification:
    known = {run.fault for run in course.runs}
    faults = tuple(each.id for each in course.cases.own if each.id in known)
    if not course.tried or not faults:
        raise conflict("Nothing could be tried here.", "Use the lab with all its parts: ratchet lab up")
    return Certification(
        series=course.cases.series, playbook_digest=course.digest, target=course.target, batch=course.batch,
        faults=faults, seeds=course.seeds, tried=tuple(course.tried),
    )  # fmt: skip
