"""The history file: every run in one JSON file that other programs read; merged, written whole, never lost."""

import fcntl
import json
import os
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from ratchet.domain.drill import Run

Entries = list[dict[str, Any]]


def export(path: Path, runs: Sequence[Run], now: datetime) -> Path | None:
    """Add runs to the file; what is there stays. A file that cannot be read is kept aside: its new place, else None.

    Raises OSError where nothing can be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(path):
        entries, aside = _read(path, now)
        fresh = {run.id: entry_of(run) for run in runs}
        kept = [each for each in entries if each.get("id") not in fresh]
        _write(path, [*kept, *fresh.values()])
    return aside


def entry_of(run: Run) -> dict[str, Any]:
    """A run in the names of the file: `run_id` is the batch, `id` the run's own."""
    return {
        "id": run.id, "run_id": run.batch, "timestamp": run.ended_at.astimezone(UTC).isoformat(),
        "fault_id": run.fault, "name": run.title, "playbook": run.series, "target": run.target,
        "status": run.verdict.upper(), "passed": run.verdict == "pass", "score": run.score.percentage,
        "diagnosis": run.diagnosis, "cause": run.cause, "remediated": run.score.holds("recovery"),
        "recovery_seconds": run.recovered_seconds, "draft": run.draft or None, "seed": run.seed,
        "strength": run.strength, "environment": run.environment.model_dump(mode="json"),
    }  # fmt: skip


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """Two programs that end at the same time write one after the other."""
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(path: Path, now: datetime) -> tuple[Entries, Path | None]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return [], None
    except UnicodeDecodeError:
        return [], _aside(path, now)
    entries = _entries(text)
    return ([], _aside(path, now)) if entries is None else (entries, None)


def _entries(text: str) -> Entries | None:
    """The entries of a file that is one; a list of objects, or an object with such a list as `runs`."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        return None
    listed: Any = cast("dict[str, Any]", found).get("runs") if isinstance(found, dict) else found
    if not isinstance(listed, list):
        return None
    items = cast("list[Any]", listed)
    return cast("Entries", items) if all(isinstance(each, dict) for each in items) else None


def _aside(path: Path, now: datetime) -> Path:
    place = path.with_name(f"{path.name}.corrupt-{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}")
    path.rename(place)
    return place


def _write(path: Path, entries: Entries) -> None:
    """Whole or not at all, on the disk before it takes the old one's place."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    beside.touch(mode=0o600)
    try:
        with beside.open("w", encoding="utf-8") as file:
            json.dump(entries, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
