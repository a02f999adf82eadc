"""What the kept runs say of the library: which faults are covered, how each batch went, and what drifted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from ratchet.domain.drift import Drift, drift_of, is_sample, share_of
from ratchet.domain.drill import Run
from ratchet.domain.fault import Fault
from ratchet.domain.incident import Incident
from ratchet.domain.noun import Noun
from ratchet.domain.ports import Clock, Store
from ratchet.vault.coverage import Coverage, Now, covered

MOST = 50_000
"""Runs that a report counts at most, the newest."""
LOOKED_BACK = 200
"""Incidents that are searched for drills which nobody graded."""
DAY = timedelta(days=1)


class BatchLine(Noun):
    """The runs of one line that was typed. `passed` of `samples` is the pass rate; only runs with remediation count."""

    run_id: str
    ended_at: datetime
    passed: int
    samples: int
    errors: int = 0
    diagnosed: int = 0
    """Of the runs without remediation, those that were right as far as such a run goes."""
    diagnoses: int = 0
    targets: tuple[str, ...] = ()


class VaultStatus(Noun):
    """Batches that ended in the last `days`, oldest first."""

    days: int
    targets: tuple[str, ...]
    batches: tuple[BatchLine, ...]
    whole: bool = True


class VaultDrift(Noun):
    """The drift of every fault with a sample in the last `days`, the largest drop first."""

    days: int
    targets: tuple[str, ...]
    faults: tuple[Drift, ...]
    errors: int = 0
    """Runs that say nothing, because the drill itself did not work."""
    diagnoses: int = 0
    """Runs without remediation; they count in no pass rate."""
    whole: bool = True


@dataclass(frozen=True)
class Reports:
    """The reports over a store; `tools` gives the digest of all probes and write tools as they are now."""

    store: Store
    faults: Mapping[str, Fault]
    tools: Callable[[], str]
    clock: Clock

    def coverage(self, target: str = "") -> Coverage:
        """Every fault with its status; with a target, by the runs on it alone."""
        runs, whole = self._runs(None, target)
        series = {each.id: each for each in self.store.all_series()}
        by_fault: dict[str, list[Run]] = {}
        for run in runs:
            by_fault.setdefault(run.fault, []).append(run)
        now = Now(self.clock(), self.tools(), self.store.certificates(), self._ungraded(runs, target))
        rows = [
            covered(fault, series.get(fault.spec.series), by_fault.get(fault.id, []), now)
            for _, fault in sorted(self.faults.items())
        ]
        return Coverage(items=tuple(rows), whole=whole)

    def status(self, days: int, target: str = "") -> VaultStatus:
        """A line per batch that ended in the last `days`; each is counted whole."""
        since = self.clock() - days * DAY
        runs, whole = self._runs(since, target)
        # A batch may have begun before the window did.
        cut = {run.batch for run in runs if run.ended_at < since + DAY}
        runs = [run for run in runs if run.batch not in cut]
        runs += [run for batch in sorted(cut) for run in _of(self.store.runs(batch=batch, limit=MOST), target)]
        by_batch = groupby(sorted(runs, key=lambda run: run.batch), key=lambda run: run.batch)
        lines = [_line(batch, list(each)) for batch, each in by_batch]
        lines.sort(key=lambda line: (line.ended_at, line.run_id))
        return VaultStatus(days=days, targets=_targets(runs), batches=tuple(lines), whole=whole)

    def drift(self, days: int, target: str = "") -> VaultDrift:
        """The drift of every fault that was caused in the last `days`."""
        runs, whole = self._runs(self.clock() - days * DAY, target)
        found = [drift_of(fault, runs) for fault in sorted({run.fault for run in runs})]
        moved = sorted((each for each in found if each is not None), key=lambda each: (each.points or 0.0, each.fault))
        good = [run for run in runs if run.verdict != "error"]
        return VaultDrift(
            days=days, targets=_targets(runs), faults=tuple(moved), errors=len(runs) - len(good),
            diagnoses=sum(not run.remediate for run in good), whole=whole,
        )  # fmt: skip

    def _ungraded(self, runs: Sequence[Run], target: str) -> dict[str, Incident]:
        graded = {run.incident for run in runs}
        found: dict[str, Incident] = {}
        for each in self.store.incidents(status=("resolved", "escalated"), limit=LOOKED_BACK).items:
            told = each.name in graded or each.id in graded or target not in ("", each.target)
            if each.origin == "drill" and each.fault and not told:
                found.setdefault(each.fault, each)
        return found

    def _runs(self, since: datetime | None, target: str) -> tuple[list[Run], bool]:
        found = self.store.runs(since=since, limit=MOST)
        return _of(found, target), len(found) < MOST


def _of(runs: Sequence[Run], target: str) -> list[Run]:
    return [run for run in runs if target in ("", run.target)]


def _targets(runs: Sequence[Run]) -> tuple[str, ...]:
    return tuple(sorted({run.target for run in runs}))


def _line(batch: str, runs: Sequence[Run]) -> BatchLine:
    counted = share_of([run for run in runs if is_sample(run)])
    looked = [run for run in runs if not run.remediate and run.verdict != "error"]
    return BatchLine(
        run_id=batch, ended_at=max(run.ended_at for run in runs), passed=counted.passed, samples=counted.samples,
        errors=sum(run.verdict == "error" for run in runs), diagnosed=sum(run.verdict == "diagnosed" for run in looked),
        diagnoses=len(looked), targets=_targets(runs),
    )  # fmt: skip
