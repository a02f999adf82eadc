"""The list of decisions: a projection that follows what happens to each packet."""

import json
from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import Connection, Select, and_, bindparam, insert, or_, select, update

from ratchet.domain import timeline as e
from ratchet.domain.errors import not_found
from ratchet.domain.gate import DecisionPacket, quorum_met
from ratchet.domain.incident import Incident
from ratchet.domain.noun import Noun
from ratchet.domain.ports import DecisionRow, DecisionState, Page
from ratchet.store import tables as t
from ratchet.store.encoding import stamp
from ratchet.store.events import Ledger
from ratchet.store.journal import Journal
from ratchet.store.pages import check_limit, cursor_of, place_of
from ratchet.store.prepared import Prepared

_D = t.decisions.c
State: TypeAlias = DecisionState
States: TypeAlias = dict[str, State]
"""The state of every decision of one incident, by decision."""
OPEN = ("pending", "approved")
_STATES = Prepared(select(_D.id, _D.state).where(_D.tenant == bindparam("of"), _D.incident == bindparam("on")))
_HERE = (_D.tenant == bindparam("of"), _D.id == bindparam("this"))
_CHANGE = Prepared(update(t.decisions).where(*_HERE).values({_D.state: bindparam("now")}))
_ASK = Prepared(insert(t.decisions))


def after_event(states: States, before: Incident, after: Incident, event: e.Event) -> States:
    """The states after one more event; pure. What was denied, expired or superseded stays so."""
    match event:
        case e.Asked():
            return {**_moved(states, tuple(states), "superseded", ("pending",)), event.packet.id: "pending"}
        case e.Granted():
            asked = after.packet
            met = asked is not None and quorum_met(asked, after.approvals)
            return _moved(states, (event.approval.decision,), "approved", ("pending",)) if met else states
        case e.Refused():
            return _moved(states, (event.decision,), "denied")
        case e.Expired():
            return _moved(states, (event.decision,), "expired")
        case e.Superseded():
            return _moved(states, (event.decision,), "superseded")
        case e.Intended():
            return _moved(states, (event.grant.decision,), "approved")
        case _:
            return _left(states, before, after)


def _left(states: States, before: Incident, after: Incident) -> States:
    """Nobody can answer any more once an incident waits no longer, and an approval that was not used is void."""
    if before.status != "awaiting_approval" or after.status == "awaiting_approval":
        return states
    unused = () if before.packet is None else (before.packet.id,)
    return _moved(_moved(states, tuple(states), "superseded", ("pending",)), unused, "superseded", ("approved",))


def _moved(states: States, named: tuple[str, ...], to: State, come_from: tuple[str, ...] = OPEN) -> States:
    return {name: to if name in named and state in come_from else state for name, state in states.items()}


def states_of(connection: Connection, tenant: str, incident: str) -> States:
    """As they stand in the table."""
    rows = _STATES.run(connection, {"of": tenant, "on": incident}).fetchall()
    return {row[0]: row[1] for row in rows}


def save(ledger: Ledger, before: States, after: States) -> None:
    """Write the states that changed; the rows are there since they were asked."""
    for decision, state in after.items():
        if before.get(decision) != state:
            _CHANGE.run(ledger.connection, {"of": ledger.tenant, "this": decision, "now": state})


def as_asked(connection: Connection, tenant: str, incident: Incident, asked: Sequence[DecisionPacket]) -> bool:
    """Whether rows and packets in the table are exactly those that the events asked about."""
    query = select(_D.id, _D.row, _D.packet).where(_D.tenant == tenant, _D.incident == incident.id)
    kept = {found.id: (found.row, found.packet) for found in connection.execute(query)}
    return set(kept) == {one.id for one in asked} and all(
        _says(kept[one.id][0], _row_of(incident, one)) and _says(kept[one.id][1], one) for one in asked
    )


def _says(text: str, noun: Noun) -> bool:
    """Whether a text holds exactly this value; the order of keys is no part of it."""
    try:
        return bool(json.loads(text) == noun.model_dump(mode="json"))
    except ValueError:
        return False


def ask(ledger: Ledger, incident: Incident, packet: DecisionPacket) -> None:
    """Make the row of a decision that was just asked."""
    row = _row_of(incident, packet)
    columns = {"tenant": ledger.tenant, "id": packet.id, "incident": incident.id, "state": row.state}
    times = {"created_at": stamp(packet.created_at), "expires_at": stamp(packet.expires_at)}
    bodies = {"row": row.model_dump_json(), "packet": packet.model_dump_json()}
    _ASK.run(ledger.connection, {**columns, **times, **bodies})


def _row_of(incident: Incident, packet: DecisionPacket) -> DecisionRow:
    return DecisionRow(
        id=packet.id,
        incident=incident.id,
        incident_name=incident.name,
        title=packet.title,
        target=packet.act.target,
        effect=packet.act.effect,
        digest=packet.digest,
        state="pending",
        expires_at=packet.expires_at,
        created_at=packet.created_at,
    )


class Decisions:
    """Reads over the projection."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def page(self, state: Sequence[str], limit: int, cursor: str | None) -> Page[DecisionRow]:
        """Newest first; pending ones by expiry when only `pending` is asked."""
        by_expiry = list(state) == ["pending"]
        query = select(t.decisions).where(_D.tenant == self._journal.tenant).limit(check_limit(limit) + 1)
        query = query.where(_D.state.in_(state)) if state else query
        query = _soonest(query, cursor) if by_expiry else _newest(query, cursor)
        with self._journal.reading() as connection:
            rows = connection.execute(query).all()
        items = tuple(_row(row.row, row.state) for row in rows[:limit])
        if len(rows) <= limit:
            return Page[DecisionRow](items=items)
        last = rows[limit - 1]
        following = cursor_of(last.expires_at if by_expiry else last.created_at, last.id)
        return Page[DecisionRow](items=items, next_cursor=following)

    def one(self, decision: str) -> tuple[DecisionRow, DecisionPacket]:
        """A decision and its packet; raises Refusal(NOT_FOUND)."""
        with self._journal.reading() as connection:
            row = connection.execute(
                select(t.decisions).where(_D.tenant == self._journal.tenant, _D.id == decision)
            ).one_or_none()
        if row is None:
            raise not_found("decision", decision, "List them: ratchet decision list")
        return _row(row.row, row.state), DecisionPacket.model_validate_json(row.packet)


def _newest(query: Select[tuple[str, ...]], cursor: str | None) -> Select[tuple[str, ...]]:
    if cursor is not None:
        at, last = place_of(cursor, (str, str))
        query = query.where(or_(_D.created_at < at, and_(_D.created_at == at, _D.id < last)))
    return query.order_by(_D.created_at.desc(), _D.id.desc())


def _soonest(query: Select[tuple[str, ...]], cursor: str | None) -> Select[tuple[str, ...]]:
    if cursor is not None:
        at, last = place_of(cursor, (str, str))
        query = query.where(or_(_D.expires_at > at, and_(_D.expires_at == at, _D.id > last)))
    return query.order_by(_D.expires_at, _D.id)


def _row(body: str, state: str) -> DecisionRow:
    return DecisionRow.model_validate({**DecisionRow.model_validate_json(body).model_dump(), "state": state})
