"""Coverage: which series is to meet each fault of the catalogue, and whether that was proved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from ratchet import __version__
from ratchet.domain.certificate import Certificate, environment_of, no_proof
from ratchet.domain.drift import PECULIAR, is_sample
from ratchet.domain.drill import Remedy, Run, Verdict
from ratchet.domain.fault import Fault
from ratchet.domain.incident import Incident
from ratchet.domain.noun import Noun
from ratchet.domain.series import Series, Version

Status: TypeAlias = Literal["PASS", "FAIL", "-", "NO PLAYBOOK", "PLAYBOOK NOT FOUND"]
Word: TypeAlias = Literal["valid", "expired", "none"]


class CoverageLine(Noun):
    """A fault, the series that is to meet it, and whether that was proved.

    `status` is that of the newest run that decides: one with remediation, or one that went wrong without, or one after
    which something stayed behind and in which more was wrong than that; `-` where there is none. A diagnosis alone
    never makes a PASS, and takes none away. Where no run decides, the newest drill that nobody graded does.
    """

    fault: str
    title: str
    aliases: tuple[str, ...] = ()
    playbook: str
    """The series; empty where the fault names none."""
    last_run: datetime | None
    """When the deciding run ended, or a drill that nobody graded where there is none."""
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


@dataclass(frozen=True)
class Now:
    """What a row is held against."""

    at: datetime
    tools: str
    certificates: Sequence[Certificate]
    drills: Mapping[str, Incident]
    """By fault, the newest drill that ended and that no run tells of, such as the demo's."""


def covered(fault: Fault, series: Series | None, runs: Sequence[Run], now: Now) -> CoverageLine:
    """One row; `runs` are this fault's, newest first."""
    deciding = next((run for run in runs if _decides(run)), None)
    drill = now.drills.get(fault.id) if deciding is None else None
    active = series.active if series is not None else None
    word, because = _certificate(fault, active, next((r for r in runs if r.environment.server_version), None), now)
    line = CoverageLine(
        fault=fault.id, title=fault.metadata.title, aliases=fault.metadata.aliases, playbook=fault.spec.series,
        last_run=None, status="-", certificate=word, certificate_because=because,
        version=active.version if active else "", remedy=fault.spec.remedy, newest=runs[0].verdict if runs else None,
        newest_at=runs[0].ended_at if runs else None,
    )  # fmt: skip
    told = _of_run(deciding, active, now) if deciding is not None else _of_drill(fault, drill)
    lack = _lack(fault, series)
    return line.model_copy(update={**told, **({"status": lack} if lack else {})})


def _of_run(run: Run, active: Version | None, now: Now) -> dict[str, Any]:
    """What the deciding run says of its row."""
    return {
        "status": "PASS" if _proved(run) else "FAIL", "last_run": run.ended_at, "changed": _changed(run, active, now),
        "run": run.id, "batch": run.batch, "incident": run.incident, "target": run.target,
    }  # fmt: skip


def _of_drill(fault: Fault, drill: Incident | None) -> dict[str, Any]:
    """The same of a drill that nobody graded: a recovery that an act brought is proved by its verification; a handoff
    is a failure where the remedy was to be carried out, and else nobody knows whether it was the right one."""
    if drill is None or (drill.status == "escalated" and fault.spec.remedy != "acted"):
        return {}
    leading = drill.conclusion.leading if drill.conclusion else None
    right = leading is not None and leading.cause == fault.spec.cause
    proved = drill.status == "resolved" and drill.verified is not None and drill.verified.passed and drill.turned
    return {
        "status": "PASS" if proved and right else "FAIL", "last_run": drill.updated_at, "incident": drill.name,
        "target": drill.target or "",
    }  # fmt: skip


def _lack(fault: Fault, series: Series | None) -> Status | None:
    """Why nothing could be proved of it."""
    if fault.spec.series and (series is None or not series.versions):
        return "PLAYBOOK NOT FOUND"
    return "NO PLAYBOOK" if series is None or series.active is None else None


def _decides(run: Run) -> bool:
    """An error proves nothing; where more than the taking back was wrong in it, an older proof stands no longer."""
    spoiled = run.verdict == "error" and run.trial not in PECULIAR and run.wrong_besides
    return is_sample(run) or spoiled or (run.verdict in ("fail", "abstained") and not run.remediate)


def _proved(run: Run) -> bool:
    """A pass with remediation; where the remedy is to be carried out, with the recovery proved."""
    recovered = run.remedy != "acted" or run.score.holds("recovery") is True
    return run.remediate and run.verdict == "pass" and recovered


def _changed(run: Run, active: Version | None, now: Now) -> tuple[str, ...]:
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
