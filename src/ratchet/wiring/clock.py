"""The house's clock: begins at the wall's time and then only counts, so that a jump of the wall decides nothing."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

SLACK = timedelta(seconds=2)
"""How far the wall may lie before the latest moment written down and still count as the same time."""


def wall() -> datetime:
    """The wall clock in UTC, which an administrator or a time server may set at any moment."""
    return datetime.now(UTC)


def steady() -> float:
    """Seconds since boot, sleep included, which nobody can set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SteadyClock:
    """A moment that neither jumps nor goes back while the process lives; the next start takes the wall's time again."""

    def __init__(self, read_wall: Callable[[], datetime] = wall, read_steady: Callable[[], float] = steady) -> None:
        self._wall, self._steady = read_wall, read_steady
        self._began, self._mark = read_wall(), read_steady()

    def __call__(self) -> datetime:
        """The present moment."""
        return self._began + timedelta(seconds=self._steady() - self._mark)

    def never_before(self, latest: datetime) -> bool:
        """Go on from the latest moment that was ever written down if the wall is behind it; whether it went back."""
        behind = latest - self()
        if behind > timedelta(0):
            self._began += behind
        return behind > SLACK

    def ahead(self) -> timedelta:
        """How far this clock is ahead of the wall (negative: behind), since one of them was set."""
        return self() - self._wall()
