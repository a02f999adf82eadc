"""The probe `host.restore_point`: whether a base backup and archived WAL are there, and what a restore would lose."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ratchet.domain.evidence import Answer
from ratchet.domain.target import HostControl
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.control import read_control
from ratchet.tools.probe_columns import CodeProbe

RESTORE_POINT = CodeProbe(
    name="host.restore_point",
    summary="The base backup and the archived WAL that this target was registered with, and the plan of a restore",
    needs="host control with `--pg-backup` and `--pg-archive`",
    columns={
        "backup": "text: directory of the base backup",
        "backup_whole": "bool: label, manifest and control file are there",
        "backup_at": "timestamp: when it was begun",
        "backup_age_s": "float: seconds since then",
        "system_identifier": "text: cluster that it was taken of, null when it cannot be read",
        "first_wal": "text: first WAL segment that it needs",
        "archive": "text: directory of archived WAL",
        "newest_wal": "text: newest segment without a gap before it",
        "newest_wal_at": "timestamp: when it was archived",
        "segments": "int: segments from the first to the newest",
        "gap": "text: first segment that is missing although later ones are there, null when none is",
        "loss_s": "float: seconds since the newest usable segment was archived; later commits may be lost",
        "usable": "bool: a restore can begin: the backup is whole and the WAL that it needs is there",
        "plan": "text: the steps of a restore with these directories; a person takes them, Ratchet never does",
    },
)
SEGMENT = re.compile(r"[0-9A-F]{24}")
LABEL = re.compile(r"START WAL LOCATION: [0-9A-F/]+ \(file ([0-9A-F]{24})\)")
BEGUN = re.compile(r"START TIME: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (\S+)")
LARGEST_LABEL = 8192
PER_LOG = 256
"""Segments to a log file of 4 GB, with segments of 16 MB as they are unless initdb was told otherwise."""


def restore_point(host: HostControl) -> list[dict[str, Any]]:
    """One row; raises NoAnswer when neither directory is registered or the backup may not be read."""
    if not host.backup or not host.archive:
        raise NoAnswer(Answer.MISSING, "no backup or no archive is registered: ratchet target add ... --pg-backup")
    backup, now = Path(host.backup), datetime.now(UTC)
    label = _label(backup)
    first = LABEL.search(label)
    begun = _begun(label)
    identity = _identity(host)
    whole = first is not None and (backup / "backup_manifest").is_file() and identity is not None
    kept, gap = _chain(Path(host.archive), first.group(1) if first else None)
    newest_at = _written(Path(host.archive) / kept[-1]) if kept else None
    return [{
        "backup": host.backup, "backup_whole": whole, "backup_at": begun.isoformat() if begun else None,
        "backup_age_s": (now - begun).total_seconds() if begun else None, "system_identifier": identity,
        "first_wal": first.group(1) if first else None, "archive": host.archive,
        "newest_wal": kept[-1] if kept else None, "newest_wal_at": newest_at.isoformat() if newest_at else None,
        "segments": len(kept), "gap": gap, "loss_s": (now - newest_at).total_seconds() if newest_at else None,
        "usable": whole and bool(kept), "plan": _plan(host, kept[-1] if kept else None) if whole and kept else None,
    }]  # fmt: skip


def _label(backup: Path) -> str:
    try:
        with (backup / "backup_label").open("rb") as file:
            return file.read(LARGEST_LABEL).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise NoAnswer(Answer.PERMISSION, f"{backup}: {error.strerror}") from None


def _begun(label: str) -> datetime | None:
    """The time stands in the server's zone; only a zone that is UTC under some name is understood."""
    found = BEGUN.search(label)
    if found is None or found.group(2) not in ("UTC", "GMT", "Etc/UTC", "Z"):
        return None
    return datetime.strptime(found.group(1), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _identity(host: HostControl) -> str | None:
    try:
        return read_control(host.model_copy(update={"pg_data": host.backup})).system_identifier
    except NoAnswer:
        return None


def _chain(archive: Path, first: str | None) -> tuple[list[str], str | None]:
    """The unbroken run of segments from the first that is needed, and the first one missing before a later one."""
    try:
        there = {entry.name for entry in archive.iterdir() if SEGMENT.fullmatch(entry.name)}
    except OSError:
        return [], None
    kept: list[str] = []
    at = first
    while at is not None and at in there:
        kept.append(at)
        at = _after(at)
    later = at is not None and any(name > at and name[:8] == at[:8] for name in there)
    return kept, at if later else None


def _after(segment: str) -> str:
    log, part = int(segment[8:16], 16), int(segment[16:], 16) + 1
    log, part = (log + 1, 0) if part >= PER_LOG else (log, part)
    return f"{segment[:8]}{log:08X}{part:08X}"


def _written(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None


def _plan(host: HostControl, newest: str | None) -> str:
    return (
        f"1. Keep what is left of {host.pg_data}; stop writing to its volume. "
        f"2. Copy {host.backup} to a new directory, owned by {host.run_as}, mode 0700. "
        f"3. There set restore_command = 'cp {host.archive}/%f \"%p\"' and recovery_target_timeline = 'latest', and "
        f"create recovery.signal. 4. Start it with clients kept out; it replays WAL up to {newest}. "
        "5. Look at the last rows of the busiest tables; agree on the loss. 6. Let clients in, take a new base backup."
    )
