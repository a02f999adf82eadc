"""The history file: every run in one JSON file that other programs read; merged, written whole, never lost."""

import fcntl
import json
import os
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from ratchet.domain.drill import Run

Entries = list[dict[str, Any]]


@dataclass(frozen=True)
class History:
    """What a file says: its entries, and what stands beside them where they are the `runs` of an object."""

    entries: Entries = field(default_factory=Entries)
    around: dict[str, Any] | None = None

    def whole(self, entries: Entries) -> Any:
        """The file with these entries, in the form that it has."""
        return entries if self.around is None else {**self.around, "runs": entries}


def export(path: Path, runs: Sequence[Run], now: datetime) -> Path | None:
    """Add runs to the file; what is there stays. A file that cannot be read is kept aside: its new place, else None.

    Raises OSError where nothing can be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(path):
        history, aside = _read(path, now)
        fresh = {run.id: entry_of(run) for run in runs}
        kept = [each for each in history.entries if each.get("id") not in fresh]
        _write(path, history.whole([*kept, *fresh.values()]))
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


def _read(path: Path, now: datetime) -> tuple[History, Path | None]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return History(), None
    except UnicodeDecodeError:
        return History(), _aside(path, now)
    history = _history(text)
    return (History(), _aside(path, now)) if history is None else (history, None)


def _history(text: str) -> History | None:
    """What a file that is one says; a list of objects, or an object with such a list as `runs`."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        return None
    around: dict[str, Any] | None = cast("dict[str, Any]", found) if isinstance(found, dict) else None
    listed: Any = around.get("runs") if around is not None else cast("Any", found)
    if not isinstance(listed, list):
        return None
    items = cast("list[Any]", listed)
    return History(cast("Entries", items), around) if all(isinstance(each, dict) for each in items) else None


def _aside(path: Path, now: datetime) -> Path:
    place = path.with_name(f"{path.name}.corrupt-{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}")
    path.rename(place)
    return place


def _write(path: Path, whole: Any) -> None:
    """Whole or not at all, on the disk before it takes the old one's place."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    beside.touch(mode=0o600)
    try:
        with beside.open("w", encoding="utf-8") as file:
            json.dump(whole, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
