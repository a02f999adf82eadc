"""Incidents: events appended at exactly the expected place, and the checkpoint that is their fold."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, update

from ratchet.domain.errors import conflict, invalid, not_found
from ratchet.domain.evidence import Evidence
from ratchet.domain.incident import Incident
from ratchet.domain.ports import Due, Page
from ratchet.domain.telling import after
from ratchet.domain.timeline import Asked, Event, Opened, Recorded
from ratchet.store import decisions, joinable, locks
from ratchet.store import evidence as captured
from ratchet.store import tables as t
from ratchet.store.encoding import EVENT, moment, stamp
from ratchet.store.events import Ledger, read_stream
from ratchet.store.journal import Journal
from ratchet.store.memo import Memo, write
from ratchet.store.pages import check_limit, cursor_of, place_of
from ratchet.store.prepared import Prepared, Value

_I = t.incidents.c
_NEWEST = Prepared(select(func.max(_I.number)).where(_I.tenant == bindparam("of")))
_HERE = (_I.tenant == bindparam("of"), _I.id == bindparam("this"))
_BODY = Prepared(select(_I.body).where(*_HERE))
_MOVING: dict[str, BindParameter[Any]] = {
    "status": bindparam("now"),
    "wake_at": bindparam("wake"),
    "seq": bindparam("told"),
    "body": bindparam("text"),
}
_MOVE = Prepared(update(t.incidents).where(*_HERE).values(_MOVING))
_WHOLE: dict[str, BindParameter[Any]] = {
    "tenant": bindparam("of"),
    "id": bindparam("this"),
    "number": bindparam("number"),
    "target": bindparam("target"),
    "opened_at": bindparam("opened_at"),
    **_MOVING,
}
_INSERT = Prepared(insert(t.incidents).values(_WHOLE))
Reader = Callable[[str, str], Incident]
"""Makes the incident of that id out of the text of its checkpoint."""
_NUMBER = re.compile(r"INC-(\d{1,12})", re.IGNORECASE)


def load(connection: Connection, memo: Memo, tenant: str, incident_id: str) -> Incident | None:
    """The incident's checkpoint, or None when there is no such incident."""
    row = _BODY.first(connection, {"of": tenant, "this": incident_id})
    return None if row is None else checkpoint(connection, memo.read, tenant, incident_id, row[0])


def checkpoint(connection: Connection, read: Reader, tenant: str, incident_id: str, body: str) -> Incident:
    """The incident in a checkpoint; folded anew when an earlier release wrote the checkpoint in another form."""
    try:
        return read(incident_id, body)
    except ValidationError:
        return refold(connection, tenant, incident_id)


def refold(connection: Connection, tenant: str, incident_id: str) -> Incident:
    """The incident as its events tell it, past the checkpoint."""
    stream = Incident(id=incident_id, tenant=tenant).stream
    return after(Incident(id=incident_id, tenant=tenant), read_stream(connection, tenant, stream, EVENT))


def extend(ledger: Ledger, incident: Incident, events: Sequence[Event], wake_at: datetime | None) -> Incident:
    """Append events to an incident, bring its projections up to them, and return it as folded from what was stored."""
    began = incident
    states = begun = decisions.states_of(ledger.connection, ledger.tenant, incident.id) if incident.revision else {}
    for event in events:
        told = incident.apply(ledger.append(incident.stream, incident.seq + 1, event, EVENT))
        states = decisions.after_event(states, incident, told, event)
        if isinstance(event, Asked):
            decisions.ask(ledger, told, event.packet)
        incident = told
    decisions.save(ledger, begun, states)
    locks.follow(ledger, incident)
    joinable.follow(ledger, began, incident)
    save(ledger, incident, wake_at, first=began.seq == 0)
    return incident


def begin(ledger: Ledger, incident_id: str, build: Callable[[int], Opened]) -> Incident:
    """Open an incident under the next number and wake it at once."""
    opened = under_next(newest(ledger), build)
    return extend(ledger, Incident(id=incident_id, tenant=ledger.tenant), [opened], ledger.at)


def newest(ledger: Ledger) -> int:
    """The highest number given so far."""
    found: int | None = _NEWEST.first(ledger.connection, {"of": ledger.tenant})[0]
    return found or 0


def under_next(newest: int, build: Callable[[int], Opened]) -> Opened:
    """What opens the incident of the next number; raises Refusal(INVALID) when it was built with another."""
    opened = build(newest + 1)
    if opened.number != newest + 1:
        raise invalid(f"The incident must be opened as number {newest + 1}.", "Use the number that was handed in.")
    return opened


def save(ledger: Ledger, incident: Incident, wake_at: datetime | None, *, first: bool) -> None:
    """Write the incident's row: its checkpoint, and the columns by which it is found."""
    written = write(incident, ledger.memo.last(incident.id))
    values: dict[str, Value] = {
        "of": ledger.tenant,
        "this": incident.id,
        "now": incident.status,
        "wake": stamp(wake_at) if wake_at else None,
        "told": incident.seq,
        "text": written.body,
    }
    if first or _MOVE.run(ledger.connection, values).rowcount == 0:
        _INSERT.run(ledger.connection, values | _lasting(incident))
    ledger.memo.keep(written)


def _lasting(incident: Incident) -> dict[str, Value]:
    """The columns that no event changes after the first."""
    opened_at = stamp(incident.opened_at) if incident.opened_at else ""
    return {"number": incident.number, "target": incident.target, "opened_at": opened_at}


def ended_at(connection: Connection, tenant: str, incident_id: str) -> datetime | None:
    """When an incident was resolved or closed, whichever came first; None while it was neither."""
    e, stream = t.events.c, Incident(id=incident_id, tenant=tenant).stream
    query = select(func.min(e.at)).where(e.tenant == tenant, e.stream == stream, e.kind.in_(("resolved", "closed")))
    first: str | None = connection.execute(query).scalar()
    return None if first is None else moment(first)


class Incidents:
    """What the store answers about incidents."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def commit(
        self, seen: Incident, events: Sequence[Event], by: str, evidence: Sequence[Evidence], wake_at: datetime | None
    ) -> Incident:
        """Append at exactly `seen.seq`; raises Refusal(CONFLICT) when the incident moved meanwhile."""
        with self._journal.writing(by) as ledger:
            incident = load(ledger.connection, ledger.memo, ledger.tenant, seen.id)
            if incident is None:
                raise _missing(seen.id)
            if incident.seq != seen.seq:
                raise conflict(
                    f"{incident.name} moved from event {seen.seq} to {incident.seq} meanwhile.",
                    "Read it again and decide anew.",
                )
            captured.keep(ledger, evidence)
            return extend(ledger, incident, events, wake_at)

    def one(self, reference: str) -> Incident:
        """By `INC-1` or by id; raises Refusal(NOT_FOUND)."""
        number = _NUMBER.fullmatch(reference)
        match = _I.number == int(number[1]) if number else _I.id == reference
        with self._journal.reading() as connection:
            row = connection.execute(
                select(_I.id, _I.body).where(_I.tenant == self._journal.tenant, match)
            ).one_or_none()
            if row is None:
                raise _missing(reference)
            return checkpoint(connection, self._journal.memo.read, self._journal.tenant, row.id, row.body)

    def holding(self) -> list[Incident]:
        """The incidents that hold a conflict group: an act of theirs is under way, or its outcome in doubt."""
        with self._journal.reading() as connection:
            ids = locks.holders(connection, self._journal.tenant)
            found = [load(connection, self._journal.memo, self._journal.tenant, one) for one in ids]
        return [incident for incident in found if incident is not None]

    def refold(self, incident_id: str) -> Incident:
        """The fold of an incident's events, past its checkpoint."""
        with self._journal.reading() as connection:
            return refold(connection, self._journal.tenant, incident_id)

    def page(self, status: Sequence[str], limit: int, cursor: str | None) -> Page[Incident]:
        """Newest first."""
        tenant = self._journal.tenant
        query = select(_I.id, _I.number, _I.body).where(_I.tenant == tenant).order_by(_I.number.desc())
        query = query.where(_I.status.in_(status)) if status else query
        query = query.where(_I.number < place_of(cursor, (int,))[0]) if cursor is not None else query
        with self._journal.reading() as connection:
            rows = connection.execute(query.limit(check_limit(limit) + 1)).all()
            items = tuple(
                checkpoint(connection, self._journal.memo.glance, tenant, row.id, row.body) for row in rows[:limit]
            )
        following = cursor_of(rows[limit - 1].number) if len(rows) > limit else None
        return Page[Incident](items=items, next_cursor=following)

    def timeline(self, incident_id: str) -> list[Recorded[Event]]:
        """All events, oldest first; raises Refusal(NOT_FOUND) when there are none."""
        stream = Incident(id=incident_id, tenant=self._journal.tenant).stream
        with self._journal.reading() as connection:
            found = list(read_stream(connection, self._journal.tenant, stream, EVENT))
        if not found:
            raise _missing(incident_id)
        return found

    def due(self, now: datetime, limit: int) -> list[Due]:
        """Incidents whose `wake_at` has come, earliest first."""
        query = select(_I.id, _I.wake_at).where(_I.tenant == self._journal.tenant, _I.wake_at <= stamp(now))
        with self._journal.reading() as connection:
            rows = connection.execute(query.order_by(_I.wake_at, _I.number).limit(limit)).all()
        return [Due(incident=row.id, wake_at=moment(row.wake_at)) for row in rows]

    def next_wake(self) -> datetime | None:
        """The earliest `wake_at`, if any."""
        query = select(func.min(_I.wake_at)).where(_I.tenant == self._journal.tenant, _I.wake_at.is_not(None))
        with self._journal.reading() as connection:
            earliest = connection.execute(query).scalar()
        return moment(earliest) if earliest else None


def _missing(reference: str) -> Exception:
    return not_found("incident", reference, "List them: ratchet incident list")
