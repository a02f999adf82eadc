"""The probe `host.volumes`: room on every volume that the server writes to, and what else lies on a full one."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from ratchet.domain.evidence import Answer
from ratchet.domain.target import HostControl
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.control import read_pid_file
from ratchet.tools.host.status import find_log
from ratchet.tools.probe_columns import CodeProbe

VOLUMES = CodeProbe(
    name="host.volumes",
    summary="Room on the volumes of data, WAL, log and tablespaces; when one is nearly full, the largest foreign file",
    needs="host control (`--pg-data`) on the host that Ratchet runs on",
    columns={
        "mount": "text: where the volume is mounted",
        "holds": "list: data, wal, log or the names of tablespace directories",
        "total_bytes": "int: its size",
        "free_bytes": "int: room for an account that is not root",
        "free_ratio": "float: the same as a part of its size, 0 to 1",
        "inodes_free_ratio": "float: room for new files, 0 to 1, null where the volume does not count them",
        "full": "bool: less than two percent free",
        "read_only": "bool: nothing can be written to it",
        "wal_bytes": "int: WAL on it; null unless it is nearly full",
        "log_bytes": "int: the server's log directory on it; null unless it is nearly full",
        "temp_bytes": "int: temporary files of statements on it; null unless it is nearly full",
        "foreign_file": "text: largest file that is not the server's; null unless it is nearly full and one was found",
        "foreign_bytes": "int: its size",
        "foreign_share": "float: its size as a part of the volume, 0 to 1",
        "looked_through": "bool: all of the volume was looked at for foreign files, null unless it is nearly full",
    },
)
NEARLY_FULL = 0.10
FULL = 0.02
MOST_ENTRIES = 20_000
LOOK_LIMIT = 0.3
"""Seconds that the search for foreign files may take on one volume."""


@dataclass
class _Volume:
    """One volume with the server's directories on it, by what they hold."""

    mount: Path
    device: int
    places: dict[str, Path] = field(default_factory=dict[str, Path])


@dataclass
class _Found:
    """The largest foreign file so far."""

    path: Path | None = None
    size: int = 0
    whole: bool = True


def volumes(host: HostControl) -> list[dict[str, Any]]:
    """One row for each volume, the fullest first; raises NoAnswer when the data directory cannot be looked at."""
    found: dict[int, _Volume] = {}
    places = _places(host)
    for holds, place in places.items():
        try:
            device = place.stat().st_dev
        except OSError:
            continue
        found.setdefault(device, _Volume(_mount(place), device)).places[holds] = place
    if not found:
        raise NoAnswer(Answer.MISSING, f"{host.pg_data} and what belongs to it are not there or may not be read")
    rows = [_row(volume, list(places.values())) for volume in found.values()]
    return sorted(rows, key=lambda row: row["free_ratio"])


def _places(host: HostControl) -> dict[str, Path]:
    """The server's directories; a lost data directory still has a volume, that of its parent."""
    data = Path(host.pg_data)
    places = {"data": data if data.exists() else data.parent, "wal": (data / "pg_wal").resolve()}
    log = find_log(host, read_pid_file(host))
    if log is not None:
        places["log"] = log.parent
    try:
        links = sorted((data / "pg_tblspc").iterdir())
    except OSError:
        links = []
    return places | {link.name: link.resolve() for link in links}


def _mount(place: Path) -> Path:
    here = place.resolve()
    while not here.is_mount():
        here = here.parent
    return here


def _row(volume: _Volume, own: list[Path]) -> dict[str, Any]:
    room = os.statvfs(volume.mount)
    total, free = room.f_blocks * room.f_frsize, room.f_bavail * room.f_frsize
    ratio = round(free / total, 4) if total else 0.0
    inodes = round(room.f_favail / room.f_files, 4) if room.f_files else None
    row = dict.fromkeys(VOLUMES.columns) | {
        "mount": str(volume.mount), "holds": sorted(volume.places), "total_bytes": total, "free_bytes": free,
        "free_ratio": ratio, "inodes_free_ratio": inodes, "full": ratio < FULL,
        "read_only": bool(room.f_flag & os.ST_RDONLY),
    }  # fmt: skip
    if ratio < NEARLY_FULL or (inodes is not None and inodes < NEARLY_FULL):
        row |= _who(volume, own, total)
    return row


def _who(volume: _Volume, own: list[Path], total: int) -> dict[str, Any]:
    foreign = _largest_foreign(volume, own)
    temporary = [place / "base" / "pgsql_tmp" if name == "data" else place for name, place in volume.places.items()]
    return {
        "wal_bytes": _size(volume.places.get("wal")), "log_bytes": _size(volume.places.get("log")),
        "temp_bytes": sum(_temporary(place) for place in temporary),
        "foreign_file": str(foreign.path) if foreign.path else None, "foreign_bytes": foreign.size,
        "foreign_share": round(foreign.size / total, 4) if total else None, "looked_through": foreign.whole,
    }  # fmt: skip


def _largest_foreign(volume: _Volume, own: list[Path]) -> _Found:
    """Walks the volume, and nothing but it, leaving the server's directories out."""
    found, until = _Found(), monotonic() + LOOK_LIMIT
    for count, entry in enumerate(_files(volume.mount, volume.device, {str(place) for place in own})):
        if count >= MOST_ENTRIES or monotonic() > until:
            found.whole = False
            break
        try:
            used = entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
        if used > found.size:
            found.path, found.size = Path(entry.path), used
    return found


def _files(root: Path, device: int, without: set[str]) -> Iterator[os.DirEntry[str]]:
    waiting = [str(root)]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield entry
            elif entry.is_dir(follow_symlinks=False) and entry.path not in without and _on(entry, device):
                waiting.append(entry.path)


def _on(entry: os.DirEntry[str], device: int) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_dev == device
    except OSError:
        return False


def _size(place: Path | None) -> int | None:
    """Bytes of the files right in a directory."""
    if place is None:
        return None
    try:
        return sum(entry.stat(follow_symlinks=False).st_blocks * 512 for entry in os.scandir(place) if entry.is_file())
    except OSError:
        return None


def _temporary(place: Path) -> int:
    found = [place] if place.name == "pgsql_tmp" else list(place.glob("*/pgsql_tmp"))
    return sum(_size(each) or 0 for each in found)
