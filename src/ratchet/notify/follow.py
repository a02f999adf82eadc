"""Follows the audit trail into a sink: at its own pace, in a thread of its own, from where it stopped the last time."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from ratchet.domain.audit import AuditEntry, Trail
from ratchet.domain.errors import Refusal

AT_ONCE = 200
"""Entries per delivery."""
LOOK_EVERY_S = 1.0
LONGEST_PAUSE_S = 60.0
FIRST_LOOK_BACK = 10_000
"""Entries that a new sink is told of the past; what lies before them is what `audit export` is for."""
_log = logging.getLogger(__name__)


class Unreached(Exception):
    """Nobody took the delivery; it is made again, so that an entry may arrive twice and is never left out."""


class Unwanted(Exception):
    """The other side answered that it will never take this, such as an entry that is too old or too long for it."""


class Sink(Protocol):
    """Somewhere to append to."""

    @property
    def name(self) -> str:
        """Under which its place is kept; without credentials."""
        ...

    def send(self, entries: Sequence[AuditEntry]) -> None:
        """Deliver, in order; raises Unreached or Unwanted. It may block: nothing waits for it."""
        ...

    def close(self) -> None:
        """Give its connection back."""
        ...


class Follower:
    """One sink and its place. `start` begins, `stop` ends; `step` does one round, for whoever has no thread."""

    def __init__(self, trail: Trail, sink: Sink) -> None:
        self._trail = trail
        self._sink = sink
        self._place: int | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ratchet-sink-{sink.name}", daemon=True)
        self.left_out = 0
        """Entries that the other side does not want."""

    def start(self) -> None:
        """Follow from now on."""
        self._thread.start()

    def stop(self, limit: float = 5.0) -> None:
        """End after the delivery under way; one that hangs longer than `limit` seconds is left to its thread."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(limit)
        self._sink.close()

    def step(self) -> int:
        """Deliver what is there, at most `AT_ONCE` entries, and give their number.

        Raises Unreached when the sink, and Refusal when the store does not answer.
        """
        place = self._begin() if self._place is None else self._place
        entries = self._trail.entries(place, AT_ONCE)
        if not entries:
            self._place = place
            return 0
        self._deliver(entries)
        self._place = entries[-1].position
        self._trail.keep_place(self._sink.name, self._place)
        return len(entries)

    def _begin(self) -> int:
        kept = self._trail.place(self._sink.name)
        last = self._trail.head().position
        if kept is not None and kept <= last:
            return kept
        return max(0, last - FIRST_LOOK_BACK)

    def _deliver(self, entries: Sequence[AuditEntry]) -> None:
        """All at once; where the other side does not want them, the half that it does want, and so on."""
        try:
            self._sink.send(entries)
        except Unwanted as no:
            if len(entries) == 1:
                self.left_out += 1
                _log.warning("%s does not take event %d: %s", self._sink.name, entries[0].position, no)
                return
            middle = len(entries) // 2
            self._deliver(entries[:middle])
            self._deliver(entries[middle:])

    def _run(self) -> None:
        pause, told = LOOK_EVERY_S, False
        while not self._stopped.is_set():
            try:
                found = self.step()
            except (Unreached, Refusal) as trouble:
                pause = min(LONGEST_PAUSE_S, pause * 2)
                if not told:
                    _log.warning("%s is not reached; its events wait in the record: %s", self._sink.name, trouble)
                told = True
            else:
                pause, told = LOOK_EVERY_S, False
                if found == AT_ONCE:
                    continue
            self._stopped.wait(pause)


def follow_all(trail: Trail, sinks: Sequence[Sink]) -> Callable[[], None]:
    """Start a follower for each sink; what is returned stops them."""
    followers = [Follower(trail, sink) for sink in sinks]
    for follower in followers:
        follower.start()

    def stop() -> None:
        for follower in followers:
            follower.stop()

    return stop
