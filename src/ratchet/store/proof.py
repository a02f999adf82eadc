"""Proves that nothing in the record was changed, taken out, swapped, cut off or rolled back."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from ratchet.domain.audit import AuditReport, Head
from ratchet.security.chain import GENESIS, link, same
from ratchet.store import tables as t
from ratchet.store.encoding import Entry, read_entry

_E = t.events.c
_AT_ONCE = 2000


class Broken(Exception):
    """The record does not hold: the first bad event, counted from 1, and why."""

    def __init__(self, position: int, because: str) -> None:
        super().__init__(because)
        self.position = position
        self.because = because


class Sealed(NamedTuple):
    """A place up to which the chain was found whole before; a walk begins behind it."""

    position: int
    mac: bytes
    high_water: str


BEGINNING = Sealed(0, GENESIS, "")


def read_head(connection: Connection) -> Head:
    """Where the chain says that it ends; a head of another shape says that it is empty, and fits no event."""
    row = connection.execute(select(t.head)).one()
    if not isinstance(row.position, int) or row.position < 0 or not _is_link(row.mac):
        return Head(chain=str(row.chain), position=0, mac=GENESIS.hex())
    return Head(chain=str(row.chain), position=row.position, mac=row.mac.hex())


def _is_link(value: object) -> bool:
    """A database keeps whatever type was put into a column."""
    return isinstance(value, bytes) and len(value) == len(GENESIS)


def prove(connection: Connection, key: bytes, anchor: Head | None, since: Sealed = BEGINNING) -> AuditReport:
    """Every link and index column behind `since`, the head, the key, and the event that was anchored."""
    count = since.position
    try:
        head = read_head(connection)
        if anchor is None:
            raise Broken(1, "the anchor is missing")
        _check_seal(connection, since)
        for count, mac in _links(connection, key, since):
            if count == anchor.position and mac.hex() != anchor.mac:
                raise Broken(count, "this is not the event that was anchored here")
        _check_end(connection, head, anchor, count)
        _check_last_link(connection, key, head.position)
    except Broken as broken:
        words = f"event {broken.position}: {broken.because}"
        return AuditReport(
            ok=False, events=count, head="", first_bad=broken.position, because=words, sealed=since.position
        )
    return AuditReport(ok=True, events=count, head=head.mac, sealed=since.position)


def _check_seal(connection: Connection, since: Sealed) -> None:
    if not since.position:
        return
    newest = connection.execute(select(func.max(_E.position))).scalar() or 0
    if newest < since.position:
        raise Broken(newest + 1, f"{since.position} events were sealed and {newest} are left")
    there = _mac_at(connection, since.position)
    if there is None or not same(there, since.mac):
        raise Broken(since.position, "this is not the event that was sealed here")


def _check_end(connection: Connection, head: Head, anchor: Head, count: int) -> None:
    if anchor.chain != head.chain:
        raise Broken(1, "the anchor belongs to another database")
    if anchor.position > count:
        raise Broken(count + 1, f"{anchor.position} events were anchored and {count} are left")
    at_anchor = _mac_at(connection, anchor.position)
    if anchor.position and (at_anchor is None or at_anchor.hex() != anchor.mac):
        raise Broken(anchor.position, "this is not the event that was anchored here")
    last = _mac_at(connection, head.position) if head.position else GENESIS
    if last is None or last.hex() != head.mac:
        raise Broken(count + 1, "the head does not name the last event")
    if connection.execute(select(_E.position).where(_E.position > head.position).limit(1)).first() is not None:
        raise Broken(head.position + 1, "there is an event behind the head")


def _check_last_link(connection: Connection, key: bytes, position: int) -> None:
    """A seal does not say with which key the chain was made; its last link does."""
    if not position:
        return
    stored = connection.execute(select(_E.stored).where(_E.position == position)).scalar()
    before = _mac_at(connection, position - 1) if position > 1 else GENESIS
    last = _mac_at(connection, position)
    if not isinstance(stored, bytes) or before is None or last is None or not same(link(key, before, stored), last):
        raise Broken(position, "the last link was not made with this key")


def _links(connection: Connection, key: bytes, since: Sealed) -> Iterator[tuple[int, bytes]]:
    """Every event's position and link behind `since`, each proved; raises Broken at the first that does not hold."""
    previous = since.mac
    query: Select[Any] = select(*(_E[name] for name in ("position", *Entry._fields, "stored", "mac")))
    query = query.where(_E.position > since.position).order_by(_E.position)
    rows = connection.execute(query.execution_options(yield_per=_AT_ONCE))
    for expected, row in enumerate(rows, start=since.position + 1):
        stored, mac = row.stored, row.mac
        if row[0] != expected:
            raise Broken(expected, "this event is missing")
        if not _is_link(mac) or not isinstance(stored, bytes) or not same(link(key, previous, stored), mac):
            raise Broken(expected, "its link does not fit its bytes and the event before it")
        _check_columns(expected, Entry._make(row[1:-2]), stored)
        previous = mac
        yield expected, mac


def _check_columns(position: int, columns: Entry, stored: bytes) -> None:
    try:
        entry, body = read_entry(stored)
    except (ValueError, KeyError):
        raise Broken(position, "its bytes cannot be read") from None
    if entry == columns and body.get("kind", entry.kind) == entry.kind:
        return
    changed = [name for name in Entry._fields if getattr(columns, name) != getattr(entry, name)]
    raise Broken(position, f"its column {', '.join(changed) or 'kind'} is not what its bytes say")


def _mac_at(connection: Connection, position: int) -> bytes | None:
    found = connection.execute(select(_E.mac).where(_E.position == position)).scalar()
    return found if isinstance(found, bytes) and _is_link(found) else None


def last_positions(connection: Connection, tenant: str) -> Iterator[tuple[str, int]]:
    """Every stream with the position of its last event."""
    query = select(_E.stream, func.max(_E.position)).where(_E.tenant == tenant)
    rows = connection.execute(query.group_by(_E.stream).order_by(_E.stream))
    yield from ((str(stream), int(position)) for stream, position in rows)
