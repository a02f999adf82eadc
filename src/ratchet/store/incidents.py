"""Incidents: events appended at exactly the expected place, and the checkpoint that is their fold."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Connection, bindparam, func, insert, select, update

from ratchet.domain.errors import conflict, invalid, not_found
from ratchet.domain.evidence import Evidence
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.incident import Incident, fold
from ratchet.domain.ports import Due, Page
from ratchet.domain.timeline import Asked, Event, Opened, Recorded
from ratchet.store import decisions, joinable, locks
from ratchet.store import evidence as captured
from ratchet.store import tables as t
from ratchet.store.encoding import EVENT, moment, stamp
from ratchet.store.events import Ledger, read_stream
from ratchet.store.journal import Journal
from ratchet.store.pages import check_limit, cursor_of, place_of

_I = t.incidents.c
_NEWEST = select(func.max(_I.number)).where(_I.tenant == bindparam("of"))
_NUMBER = re.compile(r"INC-(\d{1,12})", re.IGNORECASE)


def load(connection: Connection, tenant: str, incident_id: str) -> Incident | None:
    """The incident's checkpoint, or None when there is no such incident."""
    body = connection.execute(select(_I.body).where(_I.tenant == tenant, _I.id == incident_id)).scalar()
    return None if body is None else checkpoint(connection, tenant, incident_id, body)


def checkpoint(connection: Connection, tenant: str, incident_id: str, body: str) -> Incident:
    """The incident in a checkpoint; folded anew when an earlier release wrote the checkpoint in another form."""
    try:
        return Incident.model_validate_json(body)
    except ValidationError:
        return refold(connection, tenant, incident_id)


def refold(connection: Connection, tenant: str, incident_id: str) -> Incident:
    """The incident as its events tell it, past the checkpoint."""
    stream = Incident(id=incident_id, tenant=tenant).stream
    return fold(incident_id, read_stream(connection, tenant, stream, EVENT), tenant)


def retell(connection: Connection, tenant: str, incident_id: str) -> tuple[Incident, decisions.States]:
    """The incident and the states of its decisions as its events tell them, past every projection."""
    incident, states = Incident(id=incident_id, tenant=tenant), decisions.States()
    for event in read_stream(connection, tenant, incident.stream, EVENT):
        after = incident.apply(event)
        states = decisions.after_event(states, incident, after, event.event)
        incident = after
    return incident, states


def extend(ledger: Ledger, incident: Incident, events: Sequence[Event], wake_at: datetime | None) -> Incident:
    """Append events to an incident, bring its projections up to them, and return it as folded from what was stored."""
    first = incident.seq == 0
    states = begun = {} if first else decisions.states_of(ledger.connection, ledger.tenant, incident.id)
    found_by = joinable.keys(incident)
    for event in events:
        after = incident.apply(ledger.append(incident.stream, incident.seq + 1, event, EVENT))
        states = decisions.after_event(states, incident, after, event)
        if isinstance(event, Asked):
            decisions.ask(ledger, after, event.packet)
        incident = after
    decisions.save(ledger, begun, states)
    locks.follow(ledger, incident)
    joinable.follow(ledger, found_by, incident)
    row = _columns(ledger.tenant, incident, wake_at)
    here = (_I.tenant == ledger.tenant, _I.id == incident.id)
    if first or ledger.connection.execute(update(t.incidents).where(*here).values(row)).rowcount == 0:
        ledger.connection.execute(insert(t.incidents), row)
    return incident


def begin(ledger: Ledger, incident_id: str, build: Callable[[int], Opened]) -> Incident:
    """Open an incident under the next number and wake it at once."""
    newest = ledger.connection.execute(_NEWEST, {"of": ledger.tenant}).scalar() or 0
    opened = build(newest + 1)
    if opened.number != newest + 1:
        raise invalid(f"The incident must be opened as number {newest + 1}.", "Use the number that was handed in.")
    return extend(ledger, Incident(id=incident_id, tenant=ledger.tenant), [opened], ledger.at)


def _columns(tenant: str, incident: Incident, wake_at: datetime | None) -> dict[str, str | int | None]:
    return {
        "tenant": tenant,
        "id": incident.id,
        "number": incident.number,
        "status": incident.status,
        "target": incident.target,
        "opened_at": stamp(incident.opened_at) if incident.opened_at else "",
        "wake_at": stamp(wake_at) if wake_at else None,
        "seq": incident.seq,
        "body": incident.model_dump_json(),
    }


def packets(connection: Connection, tenant: str, incident_id: str) -> list[DecisionPacket]:
    """Every packet that was asked about, as its event holds it."""
    told = read_stream(connection, tenant, Incident(id=incident_id, tenant=tenant).stream, EVENT)
    return [recorded.event.packet for recorded in told if isinstance(recorded.event, Asked)]


class Incidents:
    """What the store answers about incidents."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def commit(
        self, seen: Incident, events: Sequence[Event], by: str, evidence: Sequence[Evidence], wake_at: datetime | None
    ) -> Incident:
        """Append at exactly `seen.seq`; raises Refusal(CONFLICT) when the incident moved meanwhile."""
        with self._journal.writing(by) as ledger:
            incident = load(ledger.connection, ledger.tenant, seen.id)
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
            return checkpoint(connection, self._journal.tenant, row.id, row.body)

    def holding(self) -> list[Incident]:
        """The incidents that hold a conflict group: an act of theirs is under way, or its outcome in doubt."""
        with self._journal.reading() as connection:
            ids = locks.holders(connection, self._journal.tenant)
            found = [load(connection, self._journal.tenant, one) for one in ids]
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
            items = tuple(checkpoint(connection, tenant, row.id, row.body) for row in rows[:limit])
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
