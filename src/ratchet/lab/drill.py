"""Runs one drill: causes the fault, hands its alert in, watches, grades without mercy, and takes it back, always."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ratchet.domain.drill import Drill, DrillRequest, Environment, Ground, Rejudged, Run
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.fault import Fault, Strength
from ratchet.domain.grading import Aftermath, Sight, grade, verdict_of
from ratchet.domain.observed import Observed
from ratchet.lab.ground import Caused, FaultGround

POLL_S = 0.05
TRIAGE_LIMIT_S = 60.0
REMEDY_LIMIT_S = 180.0
NOTICED_AFTER_S = 1.5
"""How long a fault is in effect before its alert comes, where it is to be mended. A monitor's rule waits longer;
without any wait the act may come before a criterion of recovery has failed, and is then not credited."""
LOOKING = frozenset({"open", "triaging"})
INTERRUPTED = "interrupted"
AT_WORK = frozenset({"triaging", "acting", "verifying"})
"""Where it hangs by its own fault; before it, nobody began, and beside it, somebody else keeps it waiting."""


class Drilling(Protocol):
    """What a drill asks of the desk."""

    def ground(self, target: str) -> Ground: ...

    def start(self, request: DrillRequest) -> Drill: ...

    def observed(self, reference: str) -> Observed: ...

    def rejudge(self, reference: str) -> Rejudged: ...

    def end(self, reference: str, reason: str) -> None: ...


@dataclass(frozen=True)
class Plan:
    """What all runs of one batch share."""

    batch: str
    ground: Ground
    remediate: bool
    approve: Callable[[str, str, str], object]
    """The answer of the person who drills, to a decision by id and digest, with a reason."""
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    judge: str = "no judge was asked for"
    unattended: bool = False
    """Nobody answers: what persons granted in advance is all the leave there is."""


class _Watch:
    """Adds up seconds; a context counts what passes within."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._since = 0.0

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_raised: object) -> None:
        self.seconds += time.monotonic() - self._since


@dataclass
class _Course:
    """How one run went so far."""

    fault: Fault
    seed: int
    strength: Strength
    began: datetime
    caused: Caused | None = None
    drill: Drill | None = None
    observed: Observed | None = None
    rejudged: Rejudged | None = None
    mended: bool | None = None
    untouched: bool | None = None
    left: str = ""
    late: str = ""
    note: str = ""
    bare: _Watch = field(default_factory=_Watch)
    waited: _Watch = field(default_factory=_Watch)

    def says(self, text: str) -> None:
        """One more thing that went wrong."""
        self.note = "; ".join(each for each in (self.note, text) if each)


class Interrupted(KeyboardInterrupt):
    """A drill was interrupted; `run` is what there is of it, with what was left behind."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.note)
        self.run = run


class Drills:
    """Runs drills one after the other over one ground and one desk."""

    def __init__(self, place: FaultGround, desk: Drilling, plan: Plan) -> None:
        self._place = place
        self._desk = desk
        self._plan = plan

    def run(self, fault: Fault, seed: int, strength: Strength) -> Run:
        """One run. What goes wrong on the way makes an `error`; an interruption takes everything back first, and is
        raised as Interrupted."""
        course = _Course(fault, seed, strength, self._plan.now())
        try:
            with course.waited:
                unwell = self._place.unwell(fault)
                # Whoever is on call was connected before anything broke: an earlier fault may have cut the sessions.
                self._desk.ground(self._plan.ground.target)
            if unwell:
                course.note = f"the baseline does not hold: {', '.join(unwell)}"
            else:
                self._play(course)
        except Refusal as refused:
            course.says(f"{refused.message} {refused.remedy}".strip())
        except KeyboardInterrupt:
            course.says(INTERRUPTED)
            raise Interrupted(self._kept(course)) from None
        return self._kept(course)

    def _play(self, course: _Course) -> None:
        try:
            with course.bare:
                course.caused = self._place.cause(course.fault, course.seed)
            if course.caused.took:
                self._watch(course, course.caused)
            else:
                course.note = "the fault did not take"
        finally:
            self._take_back(course)

    def _watch(self, course: _Course, caused: Caused) -> None:
        request = DrillRequest(
            fault=course.fault.id, target=self._plan.ground.target, strength=course.strength,
            remediate=self._plan.remediate, unattended=self._plan.unattended,
        )  # fmt: skip
        if self._plan.remediate:
            with course.waited:
                time.sleep(NOTICED_AFTER_S)
        course.drill = self._desk.start(request)
        course.observed = self._settled(course, course.drill)
        if course.observed.concluded_at is not None:
            course.rejudged = self._desk.rejudge(course.drill.incident)
        if course.observed.status == "resolved" and course.observed.steps:
            with course.waited:
                course.mended = self._place.mended(caused.label)
        if not course.fault.spec.ends_sessions:
            course.untouched = self._place.untouched(caused.label)

    def _settled(self, course: _Course, drill: Drill) -> Observed:
        """The incident once it rests, or is asked about; without remediation, once it is concluded. What hangs at its
        own work is graded as it stands, late."""
        fault, limit = course.fault, REMEDY_LIMIT_S if drill.remediate else TRIAGE_LIMIT_S
        deadline = time.monotonic() + limit
        answers = drill.remediate and not self._plan.unattended
        while True:
            seen = self._desk.observed(drill.incident)
            if answers and seen.asked is not None and seen.asked.writes and seen.cause == fault.spec.cause:
                self._plan.approve(seen.asked.decision, seen.asked.digest, f"drill of {fault.id}")
            elif seen.resting or seen.asked is not None or (not drill.remediate and seen.status not in LOOKING):
                return seen
            if time.monotonic() > deadline:
                message = f"{drill.incident} is still {seen.status.replace('_', ' ')} after {limit:.0f} s."
                if seen.status in AT_WORK:
                    course.late = message
                    return seen
                raise Refusal(Code.FAILED, message, "Look at it: is the server busy, the automation paused?")
            time.sleep(POLL_S)

    def _take_back(self, course: _Course) -> None:
        """All of it always: what an interruption cut off is done once more, for only one interruption is heard."""
        try:
            self._taken_back(course)
        except KeyboardInterrupt:
            self._taken_back(course)
            raise

    def _taken_back(self, course: _Course) -> None:
        """The fault, then the drill. Whoever does not answer has taken nothing back: that is told, and raises nothing,
        so that no interruption is lost by it."""
        try:
            with course.bare:
                course.left = self._place.undo(course.caused.label if course.caused else "")
        except Refusal as silent:
            course.left = f"nobody said that it was taken back: {silent.message}"
        try:
            if course.caused is not None and course.fault.spec.ends_sessions and not course.left:
                # A server that is down tells nothing of its innocents before it is back.
                course.untouched = self._place.untouched(course.caused.label)
        except Refusal as silent:
            course.says(silent.message)
        if course.drill is None:
            return
        try:
            self._desk.end(course.drill.incident, f"drill {self._plan.batch} is over")
        except Refusal as silent:
            again = f"ratchet fault teardown --incident {course.drill.incident}"
            course.says(f"{course.drill.incident} could not be ended: {silent.message} Do it: {again}")

    def _kept(self, course: _Course) -> Run:
        plan, fault, seen = self._plan, course.fault, course.observed
        told = Run(
            id="run_" + plan.new_id(), batch=plan.batch, fault=fault.id, title=fault.metadata.title,
            series=fault.spec.series, seed=course.seed, strength=course.strength, target=plan.ground.target,
            system_identifier=plan.ground.system_identifier, remediate=plan.remediate, unattended=plan.unattended,
            started_at=course.began, ended_at=plan.now(), verdict="error", expects=fault.spec.expects,
            remedy=fault.spec.remedy, expected_cause=fault.spec.cause,
            caused=course.caused.objects if course.caused else (),
            bare_seconds=round(course.bare.seconds, 3), waited_seconds=round(course.waited.seconds, 3),
            environment=plan.ground.environment, left=course.left, note=course.note,
        )  # fmt: skip
        if seen is None:
            return told
        if course.note:
            return told.model_copy(update=_seen(seen, told))
        sight = Sight(
            fault=fault, caused=told.caused, observed=seen, rejudged=course.rejudged, remediate=plan.remediate,
            aftermath=Aftermath(
                mended=course.mended, untouched=course.untouched, left=course.left, late=course.late, judge=plan.judge
            ),
        )  # fmt: skip
        score = grade(sight)
        return told.model_copy(update={"verdict": verdict_of(sight, score), "score": score, **_seen(seen, told)})


def _seen(seen: Observed, told: Run) -> dict[str, object]:
    environment = Environment(
        **{**told.environment.model_dump(), "playbook": seen.playbook, "playbook_digest": seen.playbook_digest}
    )
    return {
        "outcome": seen.outcome, "cause": seen.cause, "found": seen.found, "confidence": seen.confidence,
        "diagnosis": seen.diagnosis, "incident": seen.incident, "status": seen.status, "stop": seen.stop,
        "steps": seen.steps, "draft": seen.draft, "triage_seconds": _between(seen.received_at, seen.concluded_at),
        "recovered_seconds": _between(seen.granted_at, seen.good_at),
        "detection_seconds": _between(seen.received_at, seen.good_at),
        "sustained_seconds": seen.sustained_seconds, "environment": environment,
        "waited_seconds": round(told.waited_seconds + seen.waited_seconds, 3),
    }  # fmt: skip


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 3)
