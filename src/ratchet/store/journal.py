"""One tenant's way to the tables: reads that see one moment, and write transactions that end in the chain's head."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from ratchet.domain.ports import Clock
from ratchet.store.events import Ledger, Shared
from ratchet.store.memo import Memo
from ratchet.store.sqlite import Connections

SEAL_EVERY = 10_000
"""Events after which the chain is sealed again; a start after a crash walks at most about so many."""


class Journal:
    """What every part of the store holds: connections, the chain's key, the tenant and the clock."""

    def __init__(self, connections: Connections, key: bytes, tenant: str, clock: Clock) -> None:
        self.connections = connections
        self.key = key
        self.tenant = tenant
        self._clock = clock
        self.memo = Memo()
        self._shared = Shared(key, tenant, self.memo)
        self.wrote = False
        """Whether an event was appended through this journal."""
        self.at_boundary: Callable[[], None] = _nothing
        """Called after a commit that crossed a multiple of `SEAL_EVERY`."""

    def now(self) -> datetime:
        """The present moment by the clock that events are written with."""
        return self._clock()

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A connection whose reads all see one moment; raises Refusal(UNAVAILABLE) when the database cannot answer."""
        with self.connections.read() as connection:
            yield connection

    @contextmanager
    def writing(self, by: str) -> Generator[Ledger]:
        """A ledger in one transaction; raises Refusal(CONFLICT) for a place taken and Refusal(UNAVAILABLE) else."""
        with self.connections.write() as connection:
            ledger = Ledger(connection, self._shared, self._clock(), by)
            yield ledger
            ledger.close()
        self.wrote = True
        if ledger.began // SEAL_EVERY != ledger.position // SEAL_EVERY:
            self.at_boundary()


def _nothing() -> None:
    """Before anybody seals."""
