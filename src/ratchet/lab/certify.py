"""Certifies a playbook text: its own faults, what resembles them, a healthy system, an alert that fires twice, and a
worker that dies after the send."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ratchet.domain.certificate import TrialPart, Tried
from ratchet.domain.drill import Drill, DrillRequest, Ground, Rejudged, Run
from ratchet.domain.errors import not_found
from ratchet.domain.fault import Fault, as_healthy
from ratchet.domain.observed import Observed
from ratchet.domain.trial import declined, repeated
from ratchet.lab.drill import Drilling, Drills, Interrupted, Plan
from ratchet.lab.ground import FaultGround
from ratchet.lab.quiet import quiet_drills

Heard = Callable[[TrialPart, Run], None]
STRENGTH = "named"


class Firing(Drilling, Protocol):
    """What a certification asks of the desk."""

    def fire_again(self, reference: str) -> str: ...


@dataclass(frozen=True)
class Cases:
    """What one series is tried with."""

    series: str
    own: tuple[Fault, ...]
    look_alikes: tuple[Fault, ...]

    @property
    def acting(self) -> Fault | None:
        """The first of its faults that it is to mend itself."""
        return next((each for each in self.own if each.spec.remedy == "acted"), None)


def cases_of(faults: Mapping[str, Fault], series: str, most: int) -> Cases:
    """Its own faults; every control; and faults of other series, `most` at most, whose symptom-only alert is called as
    that of an own one."""
    listed = [fault for _, fault in sorted(faults.items())]
    own = tuple(fault for fault in listed if fault.spec.series == series and not fault.spec.control)
    if not own:
        raise not_found("series with faults", series, "Look which series meets which fault: ratchet fault list")
    names = {_symptom(fault) for fault in own}
    controls = [fault for fault in listed if fault.spec.control]
    alike = [
        fault for fault in listed
        if not fault.spec.control and fault.spec.series != series and _symptom(fault) in names
    ]  # fmt: skip
    return Cases(series, own, (*controls, *alike[:most]))


def _symptom(fault: Fault) -> str:
    return fault.spec.alert.symptom.labels.get("alertname", "")


class Certifier:
    """Tries one series on one ground, part by part; every run is heard of as it ends."""

    def __init__(self, place: FaultGround, desk: Firing, plan: Plan, heard: Heard) -> None:
        self._place = place
        self._desk = desk
        self._plan = plan
        self._heard = heard

    def lacking(self, cases: Cases) -> dict[str, str]:
        """By fault, what this place does not have of what it needs: such a fault is not tried, and nothing of it is
        proved."""
        wanted = ((fault.id, self._place.lacking(fault)) for fault in (*cases.own, *cases.look_alikes))
        return {name: " and ".join(lacks) for name, lacks in wanted if lacks}

    def own_faults(self, cases: Cases, seeds: Sequence[int]) -> Tried | None:
        """Each is recovered, or handed over where a person must decide; under every seed."""
        drills = Drills(self._place, self._desk, self._plan)
        runs = [
            self._try("faults", drills, fault, seed) for fault in self._present(cases.own) for seed in seeds
        ]  # fmt: skip
        return tried("faults", runs, [_told(run) for run in runs if run.verdict != "pass"])

    def look_alikes(self, cases: Cases, seeds: Sequence[int]) -> Tried | None:
        """A control of its own is passed; with any other it claims nothing and does nothing."""
        runs: list[Run] = []
        wrong: list[str] = []
        for n, fault in enumerate(self._present(cases.look_alikes)):
            its_own = fault.spec.series == cases.series
            drills = Drills(self._place, self._desk, replace(self._plan, remediate=its_own))
            run = self._try("look_alikes", drills, fault, seeds[n % len(seeds)])
            runs.append(run)
            if not (run.verdict == "pass" if its_own else declined(run, cases.series)):
                wrong.append(_told(run))
        return tried("look_alikes", runs, wrong)

    def healthy(self, cases: Cases, seeds: Sequence[int]) -> Tried | None:
        """The alerts of its own faults, while nothing is wrong: nothing is confirmed and nothing is done."""
        runs = [
            self._try("healthy", self._alone(fault), as_healthy(fault), seeds[n % len(seeds)])
            for n, fault in enumerate(self._present(cases.own))
        ]
        return tried("healthy", runs, [_told(run) for run in runs if run.verdict != "pass"])

    def double_fire(self, cases: Cases, seeds: Sequence[int]) -> Tried | None:
        """The same alert twice, and another group of alerts beside it: each step takes effect once."""
        if cases.acting is None or self._place.lacking(cases.acting):
            return None
        runs: list[Run] = []
        wrong: list[str] = []
        for seed in seeds:
            twice = _Twice(self._desk)
            run = self._try("double_fire", Drills(self._place, twice, self._plan), cases.acting, seed)
            runs.append(run)
            why = repeated((*run.steps, *twice.steps))
            if why or not (run.verdict == "pass" or (run.verdict != "error" and twice.proved)):
                wrong.append(f"{_told(run)}{why}")
        return tried("double_fire", runs, wrong)

    def crash(self, cases: Cases, seed: int, died: Callable[[], bool]) -> Tried | None:
        """The desk's worker is killed after the send, once; when it is back, what happened is settled by looking."""
        if cases.acting is None or self._place.lacking(cases.acting):
            return None
        run = self._try("crash", Drills(self._place, self._desk, self._plan), cases.acting, seed)
        why = repeated(run.steps) or ("" if died() else ": the worker was not killed")
        return tried("crash", [run], [f"{_told(run)}{why}"] if why or run.verdict != "pass" else [])

    def _present(self, faults: Sequence[Fault]) -> list[Fault]:
        return [fault for fault in faults if not self._place.lacking(fault)]

    def _alone(self, fault: Fault) -> Drills:
        return quiet_drills(self._place, self._desk, self._plan, fault)

    def _try(self, part: TrialPart, drills: Drills, fault: Fault, seed: int) -> Run:
        """Heard of in any case, and after an interruption where something is left of it."""
        try:
            return self._hear(part, drills.run(fault, seed, STRENGTH))
        except Interrupted as stopped:
            if stopped.run.left:
                self._hear(part, stopped.run)
            raise

    def _hear(self, part: TrialPart, run: Run) -> Run:
        told = run.model_copy(update={"trial": part})
        self._heard(part, told)
        return told


def tried(part: TrialPart, runs: Sequence[Run], wrong: Sequence[str]) -> Tried | None:
    """What a part found; None where nothing of it could be run, which is neither passed nor failed."""
    if not runs:
        return None
    because = "; ".join(wrong)[:4000] or f"{len(runs)} of {len(runs)} runs"
    return Tried(part=part, passed=not wrong, because=because, runs=tuple(run.id for run in runs))


def _told(run: Run) -> str:
    broken = ", ".join(f"{part.name}: {part.because}" for part in run.score.broken)
    return f"{run.fault} seed {run.seed}: {run.verdict} ({run.note or broken or run.cause or run.outcome})"


class _Twice:
    """A desk on which every alert fires again at once; an incident rests when what the other group opened rests too."""

    def __init__(self, desk: Firing) -> None:
        self._desk = desk
        self._other = ""
        self._seen: Observed | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """What took effect in the other incident."""
        return self._seen.steps if self._seen is not None else ()

    @property
    def proved(self) -> bool:
        """Whether the other incident is the one that proved the recovery."""
        return self._seen is not None and self._seen.verified is True

    def ground(self, target: str) -> Ground:
        return self._desk.ground(target)

    def start(self, request: DrillRequest) -> Drill:
        drill = self._desk.start(request)
        self._other = self._desk.fire_again(drill.incident)
        return drill

    def observed(self, reference: str) -> Observed:
        seen = self._desk.observed(reference)
        if not seen.resting or self._other in ("", reference):
            return seen
        self._seen = self._desk.observed(self._other)
        return seen.model_copy(update={"resting": self._seen.resting or self._seen.asked is not None})

    def rejudge(self, reference: str) -> Rejudged:
        return self._desk.rejudge(reference)

    def end(self, reference: str, reason: str) -> None:
        try:
            self._desk.end(reference, reason)
        finally:
            if self._other not in ("", reference):
                self._desk.end(self._other, reason)
