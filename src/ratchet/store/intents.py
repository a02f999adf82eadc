"""Intents: every guard asked over what stands in this transaction, then event, lock, cooldown and charge as one."""

from datetime import timedelta

from sqlalchemy import Connection, insert, select, update

from ratchet.domain.errors import conflict
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.house import StandingCharged
from ratchet.domain.incident import Incident
from ratchet.domain.protocol import Bid, Books, Declined, Demand, refuse_intent
from ratchet.domain.series import Series
from ratchet.domain.standing import StandingGrant, Use
from ratchet.store import certificates, switch
from ratchet.store import tables as t
from ratchet.store.encoding import moment, stamp
from ratchet.store.events import Ledger
from ratchet.store.house import note, registered_at
from ratchet.store.incidents import extend, refold
from ratchet.store.journal import Journal
from ratchet.store.standing import charge, one

_L = t.locks.c


class Intents:
    """The one way by which an intent enters the state."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def intend(self, seen: Incident, demand: Demand, by: str) -> Incident:
        """Write the intent, or raise Declined with the guard that refused; CONFLICT when the incident moved."""
        with self._journal.writing(by) as ledger:
            # From the events: what somebody wrote into the checkpoint, such as a yes never given, counts nothing here.
            incident = refold(ledger.connection, ledger.tenant, seen.id)
            if incident.seq != seen.seq or incident.packet is None:
                raise conflict(f"{seen.name} moved meanwhile.", "Read it again and decide anew.")
            books = _books(ledger, incident, incident.packet, demand)
            no = refuse_intent(Bid(incident, incident.packet, demand.reread, books))
            if no is not None:
                raise Declined(no)
            if books.standing is not None and incident.standing is not None:
                left = charge(ledger, books.standing)
                op_id = demand.intended.grant.op_id
                note(ledger, StandingCharged(id=books.standing.id, op_id=op_id, left=left))
            after = extend(ledger, incident, [demand.intended], demand.intended.grant.settle_after)
            _take(ledger, incident.packet.conflict_group, after, demand)
            return after


def _books(ledger: Ledger, incident: Incident, packet: DecisionPacket, demand: Demand) -> Books:
    standing = one(ledger.connection, ledger.tenant, incident.standing) if incident.standing else None
    holder, cool = _lock(ledger.connection, ledger.tenant, packet.conflict_group, incident)
    until = moment(cool) if cool else None
    return Books(
        now=ledger.at,
        high_water=moment(ledger.high_water) if ledger.high_water else ledger.at,
        paused=switch.paused(ledger.connection, ledger.tenant),
        freeze=demand.freeze,
        stored_packet=_stored(ledger, packet.id),
        holder=holder,
        cool_until=until,
        acted_until=until if until is not None and until <= ledger.at else None,
        playbook_active=_active(ledger, packet),
        standing=standing,
        standing_outside=_outside(standing, packet, demand, incident, ledger) if standing else "",
    )


def _outside(
    standing: StandingGrant, packet: DecisionPacket, demand: Demand, incident: Incident, ledger: Ledger
) -> str:
    """Judged by what stands in this transaction, and by the server as it was read again just before."""
    known = certificates.of_series(ledger.connection, ledger.tenant, standing.series) if standing.certificate else []
    target, since = demand.target, None
    if target is not None and not standing.knows(target):
        since = registered_at(ledger.connection, ledger.tenant, target.name)
    use = Use(
        target=target, registered_at=since, now=ledger.at, fault=incident.fault, incident=incident.id,
        cause=incident.conclusion.cause if incident.conclusion else None, certificates=tuple(known),
    )  # fmt: skip
    return standing.outside(packet.model_copy(update={"fingerprint": demand.reread.fingerprint}), use)


def _stored(ledger: Ledger, decision: str) -> DecisionPacket:
    """The packet from its own row: bytes that no fold and no memory stands between."""
    c = t.decisions.c
    query = select(c.packet).where(c.tenant == ledger.tenant, c.id == decision)
    body = ledger.connection.execute(query).scalar()
    if body is None:
        raise conflict(f"Decision {decision} has no stored packet.", "Ask anew.")
    return DecisionPacket.model_validate_json(body)


def _lock(connection: Connection, tenant: str, group: str, incident: Incident) -> tuple[str | None, str | None]:
    """Who holds the group (this incident's own absent attempt does not count), and until when it cools down."""
    row = connection.execute(select(t.locks).where(_L.tenant == tenant, _L.conflict_group == group)).one_or_none()
    if row is None:
        return None, None
    retry = incident.op is not None and incident.op.grant.op_id == row.op_id and incident.op.state == "absent"
    return (row.op_id if row.held else None), (None if retry else row.cool_until)


def _active(ledger: Ledger, packet: DecisionPacket) -> bool:
    """Whether the text that the packet was made from is the one a person, or the release, made active."""
    c = t.series.c
    series = packet.playbook.partition("@")[0]
    body = ledger.connection.execute(select(c.body).where(c.tenant == ledger.tenant, c.id == series)).scalar()
    if body is None:
        return False
    active = Series.model_validate_json(body).active
    return active is not None and active.digest == packet.playbook_digest


def _take(ledger: Ledger, group: str, incident: Incident, demand: Demand) -> None:
    """Lock the group for this operation; the fence counts every operation that ever held it."""
    grant = demand.intended.grant
    cool = grant.settle_after + timedelta(seconds=demand.cooldown) if demand.cooldown else None
    here = (_L.tenant == ledger.tenant, _L.conflict_group == group)
    fence = ledger.connection.execute(select(_L.fence).where(*here)).scalar()
    values = {
        "incident": incident.id, "op_id": grant.op_id, "held": 1, "fence": (fence or 0) + 1,
        "cool_until": stamp(cool) if cool else None,
    }  # fmt: skip
    if fence is None:
        row = {"tenant": ledger.tenant, "conflict_group": group, **values}
        ledger.connection.execute(insert(t.locks), row)
    else:
        ledger.connection.execute(update(t.locks).where(*here).values(values))
