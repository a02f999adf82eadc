"""What one line of drills wishes for, and what came of it so far: enough for a later line to go on with it."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ratchet.domain.drill import Run
from ratchet.domain.errors import Refusal, not_found
from ratchet.domain.fault import Strength
from ratchet.domain.noun import Noun
from ratchet.security.private_file import replace_private

Key = tuple[str, int, str]
MOST_OF_ONE = 10_000
"""More runs than one fault has in a batch."""


class Kept(Protocol):
    """How the runs that are kept are asked for; newest first."""

    def __call__(self, *, batch: str, fault: str = "", limit: int) -> list[Run]: ...


class Wish(Noun):
    """What one line asks for; kept beside the store until all of it is done, so that it can be gone on with."""

    batch: str
    faults: tuple[str, ...]
    seeds: tuple[int, ...]
    strengths: tuple[Strength, ...]
    turns: bool = False
    """Each seed at the next strength, instead of each seed at every strength."""
    remediate: bool
    unattended: bool = False
    healthy: bool = False
    """Only the alerts come, and nothing is caused."""
    judge: str = "no judge was asked for"
    ground: str = ""
    """Where it was begun, as a `Stand` says it; it goes on nowhere else."""

    def trials(self) -> Sequence[tuple[int, Strength]]:
        """The seeds and strengths that each fault is caused with."""
        if self.turns:
            return [(seed, self.strengths[n % len(self.strengths)]) for n, seed in enumerate(self.seeds)]
        return [(seed, strength) for seed in self.seeds for strength in self.strengths]


@dataclass
class Batch:
    """What came of it so far."""

    wish: Wish
    latest: dict[Key, Run] = field(default_factory=dict[Key, Run])
    skipped: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    stays: list[str] = field(default_factory=list[str])
    """What could not be taken away from a server of others at the end."""

    @property
    def runs(self) -> list[Run]:
        """One of each fault, seed and strength: the latest, for what failed then may be right by now."""
        return list(self.latest.values())

    def done(self) -> set[Key]:
        """What needs not be run again; an error says nothing, and is."""
        return {key for key, run in self.latest.items() if run.verdict != "error"}

    def add(self, run: Run) -> None:
        """A run that ended after all that are here."""
        key = run.fault, run.seed, run.strength
        self.latest.pop(key, None)
        self.latest[key] = run

    def recall(self, kept: Kept, faults: Iterable[str]) -> None:
        """What earlier lines ran of these faults; asked for fault by fault, since an answer has an end."""
        if not kept(batch=self.wish.batch, limit=1):
            return
        for fault in faults:
            for run in reversed(kept(batch=self.wish.batch, fault=fault, limit=MOST_OF_ONE)):
                self.add(run)


def new_batch() -> str:
    """Eight hexadecimal characters."""
    return secrets.token_hex(4)


def read_wish(home: Path, batch: str) -> Wish:
    """What an interrupted batch was for; a refusal where none of that name is open."""
    try:
        return Wish.model_validate_json(_wish_path(home, batch).read_bytes())
    except (OSError, ValueError):
        remedy = "Only an interrupted batch can be gone on with; its name was printed when it was interrupted."
        raise not_found("open batch", batch, remedy) from None


def keep_wish(home: Path, wish: Wish) -> bool:
    """Keeps it until the batch is done; false where that cannot be."""
    place = _wish_path(home, wish.batch)
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_private(place, wish.model_dump_json().encode())
    except (OSError, Refusal):
        return False
    return True


def forget_wish(home: Path, wish: Wish) -> None:
    """All of it is done."""
    _wish_path(home, wish.batch).unlink(missing_ok=True)


def _wish_path(home: Path, batch: str) -> Path:
    name = batch if batch.isalnum() else "none"
    return home / "batches" / f"{name}.json"
