"""Keeps the sessions of every target open while its server lets them be opened: a full one refuses both logins."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ratchet.domain.errors import Refusal
from ratchet.wiring.rounds import Rounds

LOG = logging.getLogger("ratchet.warmth")
EVERY = 2.0
"""Seconds between two rounds. An open session costs a round no byte; a server that is away has its own backoff."""
LANES = 4


class Warmth:
    """Looks after the warm sessions of all targets: what a restart closed is open again before the next alert."""

    def __init__(self, names: Callable[[], Sequence[str]], keep_warm: Callable[[str], None]) -> None:
        self._names = names
        self._keep_warm = keep_warm
        self._rounds = Rounds("warmth", self._round, EVERY)
        self._lanes = ThreadPoolExecutor(LANES, thread_name_prefix="ratchet-warmth")
        self._busy: set[str] = set()
        self._guard = threading.Lock()

    def start(self) -> None:
        """Look after them in a thread of its own until stopped."""
        self._rounds.start()

    def stop(self) -> None:
        """Begin no round any more and wait for the logins under way; each has its own limit."""
        self._rounds.stop()
        self._lanes.shutdown()

    def _round(self) -> None:
        for name in self._free():
            self._lanes.submit(self._look_after, name)

    def _free(self) -> list[str]:
        """The targets that no lane looks after now: a hung server holds one lane and never a second."""
        try:
            names = self._names()
        except Refusal as no:
            LOG.error("the targets cannot be read: %s %s", no.message, no.remedy)
            return []
        with self._guard:
            fresh = [name for name in names if name not in self._busy]
            self._busy.update(fresh)
        return fresh

    def _look_after(self, name: str) -> None:
        try:
            self._keep_warm(name)
        except Refusal as no:
            LOG.debug("target %s was not looked after: %s", name, no.message)
        finally:
            with self._guard:
                self._busy.discard(name)
