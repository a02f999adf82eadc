"""The house's clock: takes the wall's time once per boot and then only counts, so that no jump of the wall decides.

An approval is never lengthened and a cooldown never shortened by whoever sets the machine's clock, not even with a
restart in between. A reboot, or removing the file `clock` from the state directory, takes the wall's time anew.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from ratchet.domain.noun import Noun
from ratchet.security.private_file import replace_private

SLACK = timedelta(seconds=2)
"""How far the wall may lie before the latest moment written down and still count as the same time."""


def _wall() -> datetime:
    return datetime.now(UTC)


def _steady() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


class Machine(NamedTuple):
    """What the machine knows of time."""

    wall: Callable[[], datetime] = _wall
    """UTC; anybody with the right may set it."""
    steady: Callable[[], float] = _steady
    """Seconds since boot, sleep included; nobody can set it."""
    boot: Callable[[], str] = _boot
    """The name of this boot; empty when it cannot be told."""


class Kept(Noun):
    """Which moment belonged to which steady second, in one boot."""

    boot: str
    moment: datetime
    steady: float


class SteadyClock:
    """The present moment. It neither jumps nor goes back."""

    def __init__(self, path: Path, machine: Machine | None = None) -> None:
        self._path, self._machine = path, machine or Machine()
        self._since = self._read() or Kept(
            boot=self._machine.boot(), moment=self._machine.wall(), steady=self._machine.steady()
        )

    def __call__(self) -> datetime:
        """The present moment."""
        return self._since.moment + timedelta(seconds=self._machine.steady() - self._since.steady)

    def never_before(self, latest: datetime) -> bool:
        """Go on from the latest moment ever written down if the wall is behind it; whether it had gone back.

        What was found is kept for later starts in the same boot. Raises Refusal when it cannot be kept.
        """
        behind = latest - self()
        if behind > timedelta(0):
            self._since = self._since.model_copy(update={"moment": self._since.moment + behind})
        if self._since.boot and self._since != self._read():
            replace_private(self._path, self._since.model_dump_json().encode("ascii"))
        return behind > SLACK

    def ahead(self) -> timedelta:
        """How far this clock is ahead of the wall (negative: behind), because one of them was set."""
        return self() - self._machine.wall()

    def _read(self) -> Kept | None:
        try:
            kept = Kept.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return None
        return kept if kept.boot and kept.boot == self._machine.boot() else None
