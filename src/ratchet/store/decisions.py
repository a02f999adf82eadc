"""The list of decisions: a projection that follows what happens to each packet."""

from collections.abc import Sequence

from sqlalchemy import Select, and_, insert, or_, select, update

from ratchet.domain import timeline as e
from ratchet.domain.errors import not_found
from ratchet.domain.gate import DecisionPacket, quorum_met
from ratchet.domain.incident import Incident
from ratchet.domain.ports import DecisionRow, Page
from ratchet.store import tables as t
from ratchet.store.encoding import stamp
from ratchet.store.events import Ledger
from ratchet.store.journal import Journal
from ratchet.store.pages import check_limit, cursor_of, place_of

_D = t.decisions.c
OPEN = ("pending", "approved")


def follow(ledger: Ledger, before: Incident, after: Incident, event: e.Event) -> None:
    """Bring the decisions up to one more event of an incident."""
    match event:
        case e.Asked():
            _void(ledger, after.id)
            _ask(ledger, after, event.packet)
        case e.Granted():
            if after.packet is not None and quorum_met(after.packet, after.approvals):
                _move(ledger, after.packet.id, "approved", ("pending",))
        case e.Refused():
            _move(ledger, event.decision, "denied", OPEN)
        case e.Expired():
            _move(ledger, event.decision, "expired", OPEN)
        case e.Superseded():
            _move(ledger, event.decision, "superseded", OPEN)
        case e.Intended():
            _move(ledger, event.grant.decision, "approved", OPEN)
        case _:
            if before.status == "awaiting_approval" and after.status != "awaiting_approval":
                _void(ledger, after.id, before.packet)


def _ask(ledger: Ledger, incident: Incident, packet: DecisionPacket) -> None:
    row = DecisionRow(
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
    columns = {"tenant": ledger.tenant, "id": packet.id, "incident": incident.id, "state": row.state}
    times = {"created_at": stamp(packet.created_at), "expires_at": stamp(packet.expires_at)}
    bodies = {"row": row.model_dump_json(), "packet": packet.model_dump_json()}
    ledger.connection.execute(insert(t.decisions), {**columns, **times, **bodies})


def _move(ledger: Ledger, decision: str, state: str, states: tuple[str, ...]) -> None:
    here = (_D.tenant == ledger.tenant, _D.id == decision, _D.state.in_(states))
    ledger.connection.execute(update(t.decisions).where(*here).values(state=state))


def _void(ledger: Ledger, incident: str, packet: DecisionPacket | None = None) -> None:
    """Nobody can answer any more, and an approval that was not used counts no longer."""
    here = (_D.tenant == ledger.tenant, _D.incident == incident)
    ledger.connection.execute(update(t.decisions).where(*here, _D.state == "pending").values(state="superseded"))
    if packet is not None:
        _move(ledger, packet.id, "superseded", ("approved",))


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
