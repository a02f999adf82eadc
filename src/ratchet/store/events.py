"""Appending to the event table: every event gets its place in its stream and its link in the chain."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, func, insert, select, update

from ratchet.domain.noun import Noun
from ratchet.domain.timeline import Recorded
from ratchet.security.chain import link
from ratchet.store import tables as t
from ratchet.store.encoding import VERSION, Entry, recorded, stamp, write_event
from ratchet.store.memo import Memo
from ratchet.store.prepared import Prepared

_HEAD = Prepared(select(t.head.c.position, t.head.c.mac, t.head.c.high_water))
_APPEND = Prepared(insert(t.events))
_MOVE_HEAD = Prepared(update(t.head).values({name: bindparam(name) for name in ("position", "mac", "high_water")}))


class Shared(NamedTuple):
    """What all transactions of one tenant have in common."""

    key: bytes
    tenant: str
    memo: Memo


class Ledger:
    """The events of one write transaction, all of one moment, each by the principal in `by`. `close` moves the head."""

    def __init__(self, connection: Connection, shared: Shared, at: datetime, by: str) -> None:
        self.connection = connection
        self.tenant = shared.tenant
        self.memo = shared.memo
        self.at = at
        self.by = by
        self._key = shared.key
        self._at = stamp(at)
        self.position: int
        self._mac: bytes
        self.high_water: str
        """The latest wall time written down before this transaction, as stamped; empty at first."""
        self.position, self._mac, self.high_water = _HEAD.first(connection, {})
        self.began = self.position

    def append(self, stream: str, seq: int, event: Noun, events: TypeAdapter[Any]) -> Recorded[Any]:
        """Write one event as number `seq` of its stream; what is returned was read back from the stored bytes."""
        entry = Entry(self.tenant, stream, seq, self._at, self.by, _kind(event), VERSION)
        stored = write_event(entry, event)
        self._mac = link(self._key, self._mac, stored)
        self.position += 1
        row = {**entry._asdict(), "position": self.position, "stored": stored, "mac": self._mac}
        _APPEND.run(self.connection, row)
        return recorded(stored, events)

    def close(self) -> None:
        """Write the head behind the last event; nothing when nothing was appended."""
        if self.position != self.began:
            latest = max(self.high_water, self._at)
            _MOVE_HEAD.run(self.connection, {"position": self.position, "mac": self._mac, "high_water": latest})


def _kind(event: Noun) -> str:
    return str(getattr(event, "kind", type(event).__name__))


def last_seq(connection: Connection, tenant: str, stream: str) -> int:
    """How many events a stream has."""
    query = select(func.max(t.events.c.seq)).where(t.events.c.tenant == tenant, t.events.c.stream == stream)
    return connection.execute(query).scalar() or 0


def read_stream(connection: Connection, tenant: str, stream: str, events: TypeAdapter[Any]) -> Iterable[Recorded[Any]]:
    """All events of a stream, oldest first."""
    query = select(t.events.c.stored).where(t.events.c.tenant == tenant, t.events.c.stream == stream)
    for stored in connection.execute(query.order_by(t.events.c.seq)).scalars():
        yield recorded(stored, events)
