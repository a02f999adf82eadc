"""The worker: wakes when something is due or said, and lets each due incident advance."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.ports import Clock, Store
from ratchet.execution.engine import Engine

LOG = logging.getLogger("ratchet.worker")
IDLE = 0.5
"""Longest nap in seconds; another process may have written meanwhile."""
BUSY = 0.05
"""Nap while what is due is already being advanced; its end wakes the loop anyway."""


class Worker:
    """Advances due incidents, several at once, never one incident twice at a time."""

    def __init__(self, engine: Engine, store: Store, clock: Clock, lanes: int = 4) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self._lanes = lanes
        self._said = threading.Event()
        self._stopping = threading.Event()
        self._busy: set[str] = set()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def nudge(self) -> None:
        """Something was said: look at once."""
        self._said.set()

    def start(self) -> None:
        """Work in a thread of its own until stopped."""
        self._thread = threading.Thread(target=self._loop, name="ratchet-worker", daemon=True)
        self._thread.start()

    def working(self) -> bool:
        """Whether the thread that looks for what is due is alive."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Finish the moves under way, then stop."""
        self._stopping.set()
        self._said.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _loop(self) -> None:
        with ThreadPoolExecutor(self._lanes, thread_name_prefix="ratchet-lane") as pool:
            while not self._stopping.is_set():
                self._said.clear()
                self._said.wait(self._round(pool))

    def _round(self, pool: ThreadPoolExecutor) -> float:
        """Set what is due going; how long to nap afterwards, in seconds."""
        try:
            for incident in self._take_due():
                pool.submit(self._advance, incident)
            return self._nap()
        except Refusal as no:
            LOG.error("the state cannot be read: %s %s", no.message, no.remedy)
            return IDLE

    def _take_due(self) -> list[str]:
        due = [d.incident for d in self._store.due(self._clock())]
        with self._guard:
            fresh = [incident for incident in due if incident not in self._busy]
            self._busy.update(fresh)
        return fresh

    def _nap(self) -> float:
        wake = self._store.next_wake()
        if wake is None:
            return IDLE
        ahead = (wake - self._clock()).total_seconds()
        return min(IDLE, ahead) if ahead > 0 else BUSY

    def _advance(self, incident: str) -> None:
        try:
            self._engine.advance(incident)
        except Exception as broken:
            if isinstance(broken, Refusal) and broken.code is Code.UNAVAILABLE:
                LOG.error("incident %s waits: %s %s", incident, broken.message, broken.remedy)
                self._stopping.wait(IDLE)
            else:
                LOG.exception("incident %s: a move broke", incident)
                self._give_up(incident, broken)
        finally:
            with self._guard:
                self._busy.discard(incident)
            self._said.set()

    def _give_up(self, incident: str, broken: Exception) -> None:
        """Hand over. A refusal is written for people and says what to do; of anything else only the kind is told."""
        what = f"{type(broken).__name__} while making a move; the log of the server has the details."
        if isinstance(broken, Refusal):
            what = f"{broken.message} {broken.remedy}".strip()
        try:
            self._engine.fail(incident, what)
        except Refusal as no:
            LOG.error("incident %s could not be escalated: %s", incident, no.message)
