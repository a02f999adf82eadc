"""Monday morning's list: playbooks that failed, that nobody looked at in time, or that wait for a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from ratchet import __version__
from ratchet.desk.vault_views import ReviewLine, What
from ratchet.domain.drill import Run
from ratchet.domain.errors import Refusal
from ratchet.domain.evidence import Answer
from ratchet.domain.playbook import Spec
from ratchet.domain.ports import Store
from ratchet.domain.series import Version
from ratchet.vault.activation import check_text
from ratchet.vault.coverage import CoverageLine
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.report import MOST, Reports

_ORDER: tuple[What, ...] = ("failed", "overdue", "environment", "draft", "unproved", "due")
SOON = timedelta(days=14)


LOOKED_BACK = 200
"""Incidents that are searched for what was last seen of a server."""


@dataclass(frozen=True)
class Here:
    """What a proof is held against: the digest of the tools, the coverage of the faults, and each server's version."""

    tools: str = ""
    rows: Sequence[CoverageLine] = ()
    servers: Mapping[str, str] = field(default_factory=dict[str, str])


def here_of(store: Store, reports: Reports | None) -> Here:
    """As it is now. A server's version is that which was seen in the newest incident on it; nothing is looked at."""
    if reports is None:
        return Here()
    servers: dict[str, str] = {}
    for incident in store.incidents(limit=LOOKED_BACK).items:
        if incident.target and incident.target not in servers:
            seen = [e for e in store.evidence(incident.evidence) if e.probe == "postgres.ping"]
            rows = [row for e in seen if e.target == incident.target and e.answer is Answer.OK for row in e.rows]
            if rows and rows[0].get("version_num"):
                servers[incident.target] = str(rows[0]["version_num"])
    return Here(reports.tools(), reports.coverage().items, servers)


def due_lines(store: Store, files: PlaybookFiles, now: datetime, here: Here | None = None) -> list[ReviewLine]:
    """All of it, the most pressing first, oldest first within each. Whether a text failed is what the rows of `here`
    say, which are those of `vault list`."""
    against, lines = here or Here(), list[ReviewLine]()
    for version in (v for series in store.all_series() for v in series.versions if v.state in ("draft", "active")):
        try:
            check_text(version)
            spec = files.read(version.text, version.pin).spec
        except Refusal as no:
            lines.append(_unread(version, no))
            continue
        lines += _of(version, spec, now)
        if version.state == "active":
            lines += _proved((version, spec), store, against)
    return sorted(lines, key=lambda line: (_ORDER.index(line.what), str(line.since or ""), line.id))


def _of(version: Version, spec: Spec, now: datetime) -> Iterator[ReviewLine]:
    if version.state == "draft":
        origin = ", ".join(filter(None, (version.incident, version.fault)))
        because = f"waits since {version.created_at.date().isoformat()}{f': {origin}' if origin else ''}"
        blanks = f"; blank: {', '.join(version.blanks)}" if version.blanks else ""
        yield _line((version, spec), "draft", because + blanks, version.created_at)
        return
    last = _read_here(version, spec) or version.activated_at or version.created_at
    due = last + timedelta(seconds=spec.review.every)
    if due < now:
        yield _line((version, spec), "overdue", f"its review was due on {due.date().isoformat()}", due)
    elif due < now + SOON:
        yield _line((version, spec), "due", f"its review is due on {due.date().isoformat()}", due)


def _read_here(version: Version, spec: Spec) -> datetime | None:
    """The day of the last review; one before the text came in was read elsewhere, if at all."""
    last = _day(spec.review.last)
    elsewhere = version.source == "imported" and last is not None and last.date() < version.created_at.date()
    return None if elsewhere else last


def _proved(of: tuple[Version, Spec], store: Store, here: Here) -> Iterator[ReviewLine]:
    """One line at most: the newest failure; else what is not as it was at a proof, the newest first; else that there
    is no proof."""
    rows = [row for row in here.rows if row.playbook == of[0].series]
    rows.sort(key=lambda row: (row.last_run is not None, row.last_run), reverse=True)
    failed = next((row for row in rows if row.status == "FAIL"), None)
    proofs = [row for row in rows if row.status == "PASS"]
    if failed is not None:
        yield _line(of, "failed", _how(failed, _run_of(store, failed)), failed.last_run)
    elif not proofs:
        met = any(row.newest is not None for row in rows)
        because = "no fault that was caused for it was to be mended" if met else "no fault was ever caused for it"
        yield _line(of, "unproved", because, None)
    else:
        found = ((row, _other(of[0], _run_of(store, row), here)) for row in proofs)
        changed = next(((row, because) for row, because in found if because), None)
        if changed is not None:
            yield _line(of, "environment", changed[1], changed[0].last_run)


def _how(row: CoverageLine, run: Run | None) -> str:
    """In what it failed; a drill that nobody graded has no run."""
    if run is None:
        return f"failed the drill {row.incident} of {row.fault}"
    how = "did not know the cause in" if run.verdict == "abstained" else "failed"
    return f"{how} its last run of {row.fault} on {run.target}"


def _run_of(store: Store, row: CoverageLine) -> Run | None:
    """The run that decides a row; None where a drill that nobody graded does."""
    kept = store.runs(fault=row.fault, batch=row.batch, limit=MOST) if row.run else []
    return next((run for run in kept if run.id == row.run), None)


def _other(version: Version, run: Run | None, here: Here) -> str:
    """What is not as it was when the text was last proved; empty when all that is known is. Settings are left to the
    certificates, which keep those that a text reads."""
    if run is None:
        return ""
    where, server = run.environment, here.servers.get(run.target, "")
    if where.playbook_digest and where.playbook_digest != version.digest:
        return f"its text changed since {run.fault} was last caused"
    if where.ratchet_version and where.ratchet_version != __version__:
        return f"last proved under Ratchet {where.ratchet_version}; this is {__version__}"
    if server and where.server_version and _major(server) != _major(where.server_version):
        return f"last proved on PostgreSQL {_major(where.server_version)}; {run.target} has {_major(server)}"
    if here.tools and where.tools_digest and where.tools_digest != here.tools:
        return f"its probes or tools changed since {run.fault} was last caused"
    return ""


def _major(version: str) -> str:
    """`17` of `170002`; what is no number stays as it is."""
    return str(int(version) // 10_000) if version.isdecimal() else version


def _unread(version: Version, no: Refusal) -> ReviewLine:
    return ReviewLine(
        id=version.id, series=version.series, version=version.version, what="failed", because=no.message, owner="",
        since=None,
    )  # fmt: skip


def _line(of: tuple[Version, Spec], what: What, because: str, since: datetime | None) -> ReviewLine:
    version, spec = of
    return ReviewLine(
        id=version.id, series=version.series, version=version.version, what=what, because=because, owner=spec.owner,
        since=since,
    )  # fmt: skip


def _day(text: str | None) -> datetime | None:
    """A review date as the start of that day; None without one."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return datetime.combine(day, time(), UTC)
