"""What is done again and again beside the worker, in one thread of its own."""

import logging
import threading
from collections.abc import Callable

from ratchet.domain.errors import Refusal

LOG = logging.getLogger("ratchet.rounds")


class Rounds:
    """Calls something every so many seconds, in a thread of its own; a refusal is logged, and tried again."""

    def __init__(self, name: str, each: Callable[[], None], every: float) -> None:
        self._name = name
        self._each = each
        self._every = every
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """The first call comes after one interval."""
        self._thread = threading.Thread(target=self._loop, name=f"ratchet-{self._name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no call any more and wait for the one under way."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _loop(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self._each()
            except Refusal as no:
                LOG.warning("%s %s", no.message, no.remedy)
