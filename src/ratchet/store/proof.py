"""Proves that nothing in the record was changed, taken out, swapped, cut off or rolled back."""

from collections.abc import Iterator
from itertools import pairwise

from sqlalchemy import Connection, Row, select

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.ports import ChainReport
from ratchet.security.chain import GENESIS, link, same
from ratchet.store import tables as t
from ratchet.store.anchor import Head
from ratchet.store.encoding import Entry, read_entry

_E = t.events.c
_AT_ONCE = 2000


class Broken(Exception):
    """The record does not hold: the first bad event, counted from 1, and why."""

    def __init__(self, position: int, because: str) -> None:
        super().__init__(because)
        self.position = position
        self.because = because


def read_head(connection: Connection) -> Head:
    """Where the chain says that it ends."""
    row = connection.execute(select(t.head)).one()
    return Head(chain=row.chain, position=row.position, mac=bytes(row.mac).hex())


def prove(connection: Connection, key: bytes, anchor: Head | None) -> ChainReport:
    """Every link from the first event on, every index column, the head, and the anchor on the way."""
    count = 0
    try:
        head = read_head(connection)
        if anchor is None:
            raise Broken(1, "the anchor is missing")
        for count, mac in _links(connection, key):
            if count == anchor.position and mac.hex() != anchor.mac:
                raise Broken(count, "this is not the event that was anchored here")
        _check_end(connection, head, anchor, count)
    except Broken as broken:
        words = f"event {broken.position}: {broken.because}"
        return ChainReport(ok=False, events=count, head="", first_bad=broken.position, because=words)
    return ChainReport(ok=True, events=count, head=head.mac)


def check_end(connection: Connection, key: bytes, anchor: Head) -> None:
    """The cheap check at start: the end of the chain, the event that was anchored, and the key.

    Raises Refusal(FAILED) when the database was rolled back behind its anchor, cut, or belongs to another key.
    """
    try:
        head = read_head(connection)
        _check_end(connection, head, anchor, head.position)
        at_anchor = _mac_at(connection, anchor.position)
        if anchor.position and (at_anchor is None or at_anchor.hex() != anchor.mac):
            raise Broken(anchor.position, "this is not the event that was anchored here")
        _check_last_link(connection, key, head.position)
    except Broken as broken:
        raise Refusal(
            Code.FAILED,
            f"The state database does not fit its anchor at event {broken.position}: {broken.because}.",
            "Stop, keep a copy, and restore ratchet.db, key and anchor together from one backup.",
        ) from None


def _check_end(connection: Connection, head: Head, anchor: Head, count: int) -> None:
    if anchor.chain != head.chain:
        raise Broken(1, "the anchor belongs to another database")
    if anchor.position > count:
        raise Broken(count + 1, f"{anchor.position} events were anchored and {count} are left")
    last = _mac_at(connection, head.position) if head.position else GENESIS
    if last is None or last.hex() != head.mac:
        raise Broken(count + 1, "the head does not name the last event")
    if connection.execute(select(_E.position).where(_E.position > head.position).limit(1)).first() is not None:
        raise Broken(head.position + 1, "there is an event behind the head")


def _check_last_link(connection: Connection, key: bytes, position: int) -> None:
    if not position:
        return
    stored = connection.execute(select(_E.stored).where(_E.position == position)).scalar()
    before = _mac_at(connection, position - 1) if position > 1 else GENESIS
    last = _mac_at(connection, position)
    if stored is None or before is None or last is None or not same(link(key, before, stored), last):
        raise Broken(position, "the last link was not made with this key")


def _links(connection: Connection, key: bytes) -> Iterator[tuple[int, bytes]]:
    """Every event's position and link, each proved; raises Broken at the first that does not hold."""
    previous = GENESIS
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(select(t.events).order_by(_E.position))
    for expected, row in enumerate(rows, start=1):
        if row.position != expected:
            raise Broken(expected, "this event is missing")
        if not same(link(key, previous, row.stored), row.mac):
            raise Broken(expected, "its link does not fit its bytes and the event before it")
        _check_columns(expected, row)
        previous = row.mac
        yield expected, row.mac


def _check_columns(position: int, row: Row[tuple[object, ...]]) -> None:
    try:
        entry, body = read_entry(row.stored)
    except (ValueError, KeyError):
        raise Broken(position, "its bytes cannot be read") from None
    columns = Entry(row.tenant, row.stream, row.seq, row.at, row.by, row.kind, row.version)
    changed = [name for name in Entry._fields if getattr(columns, name) != getattr(entry, name)]
    if changed or body.get("kind", entry.kind) != entry.kind:
        raise Broken(position, f"its column {', '.join(changed) or 'kind'} is not what its bytes say")


def _mac_at(connection: Connection, position: int) -> bytes | None:
    found = connection.execute(select(_E.mac).where(_E.position == position)).scalar()
    return None if found is None else bytes(found)


def last_positions(connection: Connection, tenant: str) -> Iterator[tuple[str, int]]:
    """Every stream with the position of its last event."""
    query = select(_E.stream, _E.position).where(_E.tenant == tenant).order_by(_E.stream, _E.seq)
    rows = [(row.stream, row.position) for row in connection.execute(query)]
    yield from (one for one, following in pairwise([*rows, ("", 0)]) if one[0] != following[0])
