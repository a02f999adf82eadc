"""Monday morning's list: playbooks that failed, that nobody looked at in time, or that wait for a person."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

from ratchet import __version__
from ratchet.desk.vault_views import ReviewLine, What
from ratchet.domain.drill import Run
from ratchet.domain.playbook import Spec
from ratchet.domain.ports import Store
from ratchet.domain.series import Version
from ratchet.vault.files import PlaybookFiles

_ORDER: tuple[What, ...] = ("failed", "overdue", "environment", "draft", "unproved", "due")
SOON = timedelta(days=14)


def due_lines(store: Store, files: PlaybookFiles, now: datetime) -> list[ReviewLine]:
    """All of it, the most pressing first, oldest first within each."""
    runs = _last_runs(store)
    waiting = [v for series in store.all_series() for v in series.versions if v.state in ("draft", "active")]
    read = [(version, files.read(version.text, version.pin).spec) for version in waiting]
    lines = [line for version, spec in read for line in _of(version, spec, now)]
    lines += [line for version, spec in read if version.state == "active" for line in _proved(version, spec, runs)]
    return sorted(lines, key=lambda line: (_ORDER.index(line.what), str(line.since or ""), line.id))


def _last_runs(store: Store) -> Mapping[str, Run]:
    """The newest run of each fault that says something of the playbook, by series: the worst of them."""
    newest: dict[str, Run] = {}
    for run in store.runs():
        if run.verdict != "error":
            newest.setdefault(run.fault, run)
    by_series: dict[str, Run] = {}
    for run in newest.values():
        if _failed(run) or run.series not in by_series:
            by_series[run.series] = run
    return by_series


def _failed(run: Run) -> bool:
    """Whoever was to mend it and did not know the cause has failed as well."""
    return run.verdict == "fail" or (run.verdict == "abstained" and run.remediate)


def _of(version: Version, spec: Spec, now: datetime) -> Iterator[ReviewLine]:
    if version.state == "draft":
        origin = ", ".join(filter(None, (version.incident, version.fault)))
        because = f"waits since {version.created_at.date().isoformat()}{f': {origin}' if origin else ''}"
        blanks = f"; blank: {', '.join(version.blanks)}" if version.blanks else ""
        yield _line((version, spec), "draft", because + blanks, version.created_at)
        return
    last = _day(spec.review.last) or version.activated_at or version.created_at
    due = last + timedelta(seconds=spec.review.every)
    if due < now:
        yield _line((version, spec), "overdue", f"its review was due on {due.date().isoformat()}", due)
    elif due < now + SOON:
        yield _line((version, spec), "due", f"its review is due on {due.date().isoformat()}", due)


def _proved(version: Version, spec: Spec, runs: Mapping[str, Run]) -> Iterator[ReviewLine]:
    run = runs.get(version.series)
    if run is None:
        yield _line((version, spec), "unproved", "no fault was ever caused for it", None)
        return
    where = run.environment
    if _failed(run):
        how = "failed" if run.verdict == "fail" else "did not know the cause in"
        yield _line((version, spec), "failed", f"{how} its last run of {run.fault} on {run.target}", run.ended_at)
    elif where.playbook_digest and where.playbook_digest != version.digest:
        yield _line((version, spec), "environment", f"its text changed since {run.fault} was last caused", run.ended_at)
    elif where.ratchet_version and where.ratchet_version != __version__:
        because = f"last proved under Ratchet {where.ratchet_version}; this is {__version__}"
        yield _line((version, spec), "environment", because, run.ended_at)


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
