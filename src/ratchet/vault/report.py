"""What the kept runs say of the library: which faults are covered, how each batch went, and what drifted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal, TypeAlias

from ratchet import __version__
from ratchet.domain.certificate import Certificate, environment_of, no_proof
from ratchet.domain.drift import Drift, drift_of, is_sample, share_of
from ratchet.domain.drill import Remedy, Run, Verdict
from ratchet.domain.fault import Fault
from ratchet.domain.noun import Noun
from ratchet.domain.ports import Clock, Store
from ratchet.domain.series import Series, Version

Status: TypeAlias = Literal["PASS", "FAIL", "-", "NO PLAYBOOK", "PLAYBOOK NOT FOUND"]
Word: TypeAlias = Literal["valid", "expired", "none"]
MOST = 50_000
"""Runs that a report counts at most, the newest."""
DAY = timedelta(days=1)


class CoverageLine(Noun):
    """A fault, the series that is to meet it, and whether that was proved.

    `status` is that of the newest run that decides: one with remediation, or one that went wrong without; `-` where
    there is none. A diagnosis alone never makes a PASS, and takes none away.
    """

    fault: str
    title: str
    aliases: tuple[str, ...] = ()
    playbook: str
    """The series; empty where the fault names none."""
    last_run: datetime | None
    """When the deciding run ended."""
    status: Status
    certificate: Word
    certificate_because: str = ""
    version: str = ""
    """The active one of the series."""
    changed: tuple[str, ...] = ()
    """What is not as it was in the deciding run: `playbook`, `tools`, `ratchet`."""
    run: str = ""
    batch: str = ""
    incident: str = ""
    target: str = ""
    remedy: Remedy
    """What the fault asks for: `acted` passes by a proved recovery, the others by the right stop."""
    newest: Verdict | None = None
    """How the newest run of any kind ended, errors included."""
    newest_at: datetime | None = None


class Coverage(Noun):
    """Every fault of the catalogue, by id."""

    items: tuple[CoverageLine, ...]
    whole: bool = True
    """Whether every run that is kept was counted."""


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
        certificates, tools = self.store.certificates(), self.tools()
        rows = [
            _covered(
                fault,
                series.get(fault.spec.series),
                [run for run in runs if run.fault == fault.id],
                Now(self.clock(), tools, certificates),
            )
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

    def _runs(self, since: datetime | None, target: str) -> tuple[list[Run], bool]:
        found = self.store.runs(since=since, limit=MOST)
        return _of(found, target), len(found) < MOST


@dataclass(frozen=True)
class Now:
    """What a row is held against."""

    at: datetime
    tools: str
    certificates: Sequence[Certificate]


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


def _covered(fault: Fault, series: Series | None, runs: Sequence[Run], now: Now) -> CoverageLine:
    """One row; `runs` are this fault's, newest first."""
    deciding = next((run for run in runs if _decides(run)), None)
    active = series.active if series is not None else None
    word, because = _certificate(fault, active, next((r for r in runs if r.environment.server_version), None), now)
    return CoverageLine(
        fault=fault.id, title=fault.metadata.title, aliases=fault.metadata.aliases, playbook=fault.spec.series,
        status=_status(fault, series, deciding), certificate=word, certificate_because=because,
        version=active.version if active else "", changed=_changed(deciding, active, now), remedy=fault.spec.remedy,
        newest=runs[0].verdict if runs else None, newest_at=runs[0].ended_at if runs else None,
        last_run=deciding.ended_at if deciding else None, run=deciding.id if deciding else "",
        batch=deciding.batch if deciding else "", incident=deciding.incident if deciding else "",
        target=deciding.target if deciding else "",
    )  # fmt: skip


def _decides(run: Run) -> bool:
    return is_sample(run) or run.verdict in ("fail", "abstained")


def _status(fault: Fault, series: Series | None, run: Run | None) -> Status:
    if not fault.spec.series:
        return "NO PLAYBOOK"
    if series is None or not series.versions:
        return "PLAYBOOK NOT FOUND"
    if series.active is None:
        return "NO PLAYBOOK"
    if run is None:
        return "-"
    return "PASS" if _proved(run) else "FAIL"


def _proved(run: Run) -> bool:
    """A pass with remediation; where the remedy is to be carried out, with the recovery proved."""
    recovered = run.remedy != "acted" or run.score.holds("recovery") is True
    return run.remediate and run.verdict == "pass" and recovered


def _changed(run: Run | None, active: Version | None, now: Now) -> tuple[str, ...]:
    if run is None:
        return ()
    then = run.environment
    series = then.playbook.partition("@")[0]
    pairs = (
        # The text that concluded may be another series' own; only this one's is compared.
        ("playbook", then.playbook_digest if active and series == active.series else "", active and active.digest),
        ("tools", then.tools_digest, now.tools),
        ("ratchet", then.ratchet_version, __version__),
    )
    return tuple(name for name, before, after in pairs if before and after and before != after)


def _certificate(fault: Fault, active: Version | None, last: Run | None, now: Now) -> tuple[Word, str]:
    """Whether a certificate proves this fault for the active text, in the environment of its last run."""
    known = [one for one in now.certificates if one.series == fault.spec.series]
    given = [one for one in known if fault.id in one.faults and one.passed and not one.failed]
    reasons = [_void(one, known, (active, last, now.at)) for one in given]
    if not reasons:
        return "none", ""
    return ("valid", "") if "" in reasons else ("expired", reasons[0])


def _void(one: Certificate, known: Sequence[Certificate], present: tuple[Version | None, Run | None, datetime]) -> str:
    active, last, at = present
    dead = no_proof(one.id, known, at)
    if dead:
        return dead
    if active is None or active.digest != one.playbook_digest:
        return f"it is for the text {one.playbook_digest[:19]}, which is not the active one"
    version = last.environment.server_version if last is not None else ""
    here = environment_of(int(version)) if version.isdecimal() else ""
    if (here and here != one.environment) or not one.environment.endswith(f"ratchet {__version__}"):
        return f"it holds for {one.environment}; here it is {here or f'ratchet {__version__}'}"
    return ""
