"""The probe `postgres.log_signs`: the end of a server's log, sorted by a closed list of messages that matter."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ratchet.domain.evidence import Evidence, ProbeCall
from ratchet.tools.probe_columns import CodeProbe

LOG_SIGNS = CodeProbe(
    name="postgres.log_signs",
    summary="What the end of the server's log says that matters, by kind, the latest first; no row means none of it",
    needs="pg_read_file, or host control on the host that Ratchet runs on",
    columns={
        "sign": "text: kind of message, out of a closed list",
        "count": "int: how many there are",
        "recent": "int: how many of the last ten minutes; all of them where the log tells no time",
        "age_s": "float: seconds since the latest, null where the log tells no time",
        "gap_s": "float: seconds between the latest two, null for one alone or where the log tells no time",
        "said": "text: the part of the latest that names what it is about, null when the kind has none",
        "line": "text: the latest message, 400 characters",
        "newest": "bool: nothing else about a replica's connection to its primary was said later",
    },
)
RECENT = 600.0
LONGEST_LINE = 400
LOST = r"could not connect to the primary server.*"
REFUSED = r"(not permitted to log in|authentication failed|pg_hba\.conf|no password supplied)"
SILENT = r"(refused|timed? ?out|timeout expired|No route|unreachable|translate host|closed)"
SIGNS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.ASCII)
    for name, pattern in (
        ("crash", r"was terminated by signal (?:4|6|7|9|11)\b"),
        ("panic", r"\bPANIC:"),
        ("bad_page", r"invalid page in block|page verification failed|missing chunk number|unexpected data beyond EOF"),
        ("io_error", r"Input/output error|read only \d+ of \d+ bytes"),
        ("no_space", r"No space left on device"),
        ("quota", r"Disk quota exceeded"),
        ("read_only_files", r"Read-only file system"),
        ("checkpoints", r"checkpoints are occurring too frequently"),
        ("archive_failed", r"archive command failed"),
        ("cancelled_by_replay", r"due to conflict with recovery"),
        ("receiver_refused", LOST + REFUSED),
        ("slots_used_up", r"exceeds max_wal_senders|(replication slot \S+) (?:does not exist|is active for)"
                          r"|replication slots are in use"),
        ("slot_invalidated", r"can no longer (?:get changes from|access) replication slot \"([^\"]+)\""
                             r"|invalidating (?:obsolete replication )?slot \"([^\"]+)\""),
        ("primary_not_open", LOST + r"(starting up|shutting down|in recovery mode|not accepting)"),
        ("primary_unreachable", LOST + SILENT),
        ("receiver_timeout", r"terminating wal(?:receiver|sender process) due to (?:replication )?timeout"),
        ("wal_gone", r"requested WAL segment ([0-9A-F]{24}) has already been removed"),
        ("other_history", r"behind recovery timeline|forked off current|not a child of this|identifier differs"),
        ("publisher_lost", r"could not connect to the publisher.*|could not receive data from WAL stream:.*"),
        ("publisher_slot", r"could not start WAL streaming:.*(?:replication slot (\S+) does not exist"
                           r"|can no longer (?:get changes from|access) replication slot (\S+))"),
        ("subscription_disabled", r'subscription "([^"]+)" (?:has been disabled because|will stop because the '
                                  r"subscription was disabled)"),
        ("apply_failed", r"processing remote data for replication origin.*?(?:finished at ([0-9A-F]+/[0-9A-F]+))?$"),
        ("apply_conflict", r"conflict detected on relation|duplicate key value violates unique constraint"),
        ("row_in_the_way", r"DETAIL:\s+(?:Key )?(\(.*?\)=\(.*?\)) already exists|DETAIL:\s+Key already exists"),
        ("hba_rejects", r'pg_hba\.conf rejects connection.*?user "([^"]*)"'),
        ("smart_shutdown", r"received smart shutdown request"),
        ("fast_shutdown", r"received (?:fast|immediate) shutdown request"),
        ("address_in_use", r"Address already in use"),
        ("started", r"database system is ready to accept"),
        ("lock_table_full", r"out of shared memory|need to increase \"?max_locks_per_transaction"),
        ("crash_recovery", r"database system was (?:not properly shut down|interrupted)"),
        ("tls_expired", r"certificate has expired|alert certificate expired"),
    )
}  # fmt: skip
"""Messages by kind, in the words of PostgreSQL 14 to 18; a group is what the message is about."""
SPOKEN = frozenset({"LOG", "WARNING", "ERROR", "FATAL", "PANIC", "HINT"})
LEVELS: Mapping[str, frozenset[str]] = {
    "apply_failed": frozenset({"CONTEXT"}), "row_in_the_way": frozenset({"DETAIL"}),
}  # fmt: skip
"""Levels that a sign may stand under, SPOKEN if not said; a statement that is quoted is nobody's message."""
CONNECTION = frozenset({
    "receiver_refused", "wal_gone", "slot_invalidated", "other_history", "slots_used_up", "primary_unreachable",
    "primary_not_open", "receiver_timeout",
})  # fmt: skip
"""What a replica says of its connection: the latest tells how it stands."""
STAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? (\S+)", re.ASCII)


def signs_of(seen: Evidence, call: ProbeCall, now: datetime) -> Evidence:
    """The tail of a log as signs; a log that could not be read stays unread."""
    unread = next((row["reason"] for row in seen.rows if row.get("reason")), "")
    told: dict[str, Any] = {"answer": seen.answer, "detail": seen.detail, "query": seen.query}
    if unread:
        told |= {"answer": "missing", "detail": unread}
    elif seen.answer == "ok":
        told |= {"columns": tuple(LOG_SIGNS.columns), "rows": tuple(found_in(seen.rows, now))}
    return Evidence.of(call, seen.taken_at, seen.elapsed_ms, **told)


def found_in(rows: Sequence[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """A row for each sign that the lines show, the latest first."""
    lines = [str(row.get("line") or "") for row in rows]
    levels = [str(row.get("level") or "") for row in rows]
    stamps = _times(lines)
    newest = _present(lines, stamps, now)
    found: dict[str, dict[str, Any]] = {}
    for line, level, stamp in zip(lines, levels, stamps, strict=True):
        for name, pattern in SIGNS.items():
            hit = pattern.search(line) if level in LEVELS.get(name, SPOKEN) else None
            if hit is None:
                continue
            age = max(0.0, (newest - stamp).total_seconds()) if newest and stamp else None
            before = found.pop(name, {"count": 0, "recent": 0})
            found[name] = {
                "sign": name, "count": before["count"] + 1,
                "recent": before["recent"] + (1 if age is None or age <= RECENT else 0), "age_s": age,
                "gap_s": before["age_s"] - age if before.get("age_s") is not None and age is not None else None,
                "said": next((part for part in hit.groups() if part), None), "line": line[:LONGEST_LINE],
            }  # fmt: skip
    latest = next((name for name in reversed(found) if name in CONNECTION), None)
    return [{**row, "newest": name not in CONNECTION or name == latest} for name, row in reversed(found.items())]


def _times(lines: Sequence[str]) -> list[datetime | None]:
    """When each line was written, in the log's own zone; a continued line has the time of the one before."""
    times: list[datetime | None] = []
    for line in lines:
        stamp = STAMP.match(line)
        told = datetime.strptime(stamp.group(1), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if stamp else None
        times.append(told or (times[-1] if times else None))
    return times


def _present(lines: Sequence[str], times: Sequence[datetime | None], now: datetime) -> datetime | None:
    """Now in the log's zone: this moment where that is UTC, else the newest line's."""
    zones = {stamp.group(2) for line in lines if (stamp := STAMP.match(line)) is not None}
    newest = max((time for time in times if time is not None), default=None)
    return max(now, newest) if newest and zones <= {"UTC", "GMT", "Etc/UTC"} else newest
