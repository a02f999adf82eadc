"""One incident as its events tell it, past every projection, with what the tables beside it should say."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from ratchet.domain.gate import DecisionPacket
from ratchet.domain.incident import LIVE, MARGIN, Incident
from ratchet.domain.telling import tell
from ratchet.domain.timeline import Asked, Event, Intended, Joined, Looked, Opened, Planned, Recorded, Sampled, Settled
from ratchet.store import decisions
from ratchet.store import tables as t
from ratchet.store.encoding import EVENT, recorded

SPARE = timedelta(hours=1)
"""How far a wake-up may lie behind everything that the incident waits for: clocks are set, and a try is repeated."""
_EVIDENCE = re.compile(rb'"(ev_[0-9a-f]{24})"')


@dataclass
class Retold:
    """What the events of one incident tell."""

    incident: Incident
    states: decisions.States = field(default_factory=dict[str, decisions.State])
    packets: list[DecisionPacket] = field(default_factory=list[DecisionPacket])
    heard: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """When the last word on each of its alerts was received, by the occurrence's key."""
    cools: dict[str, datetime | None] = field(default_factory=dict[str, "datetime | None"])
    """Until when each operation asked that its conflict group cool down."""
    captured: set[str] = field(default_factory=set[str])
    """The evidence that must be there: what was seen and stored with its event."""
    named: set[str] = field(default_factory=set[str])
    """Everything that has the form of an evidence id, in whatever text: a label may have it, too."""

    def wakes_by(self, now: datetime) -> datetime | None:
        """The latest moment at which it may be due, at this moment; None when nothing has to be done."""
        told = self.incident
        if told.status not in LIVE and told.may_land is None:
            return None
        waits = [now, told.updated_at or now, *(packet.expires_at for packet in self.packets[-1:])]
        waits += [op.grant.settle_after + MARGIN for op in told.ops[-1:]]
        window = timedelta(seconds=told.plan.verification.give_up_after) if told.plan is not None else timedelta()
        return max(waits) + window + SPARE

    def hear(self, one: Recorded[Event]) -> None:
        """What an event says by itself."""
        match one.event:
            case Opened() | Joined():
                self.heard[one.event.alert.key] = one.at
            case Asked():
                self.packets.append(one.event.packet)
            case Looked() | Planned() | Sampled() | Settled():
                self.captured.update(one.event.evidence)
            case _:
                pass

    def follow(self, before: Incident, event: Event) -> None:
        """What it says of the incident as that stood before."""
        if not isinstance(event, Intended):
            return
        undo = before.packet is not None and before.packet.undo_of is not None
        cooldown = 0.0 if undo or before.plan is None else before.plan.steps[before.cursor].cooldown
        grant = event.grant
        self.cools[grant.op_id] = grant.settle_after + timedelta(seconds=cooldown) if cooldown else None


def retell(connection: Connection, tenant: str, incident_id: str) -> Retold:
    """Everything that the events of one incident tell, in one reading of them."""
    blank = Incident(id=incident_id, tenant=tenant)
    told = Retold(blank)
    e = t.events.c
    query = select(e.stored).where(e.tenant == tenant, e.stream == blank.stream).order_by(e.seq)
    for last, after in tell(blank, _heard(told, connection.execute(query).scalars())):
        told.follow(told.incident, last.event)
        told.states = decisions.after_event(told.states, told.incident, after, last.event)
        told.incident = after
    return told


def _heard(told: Retold, stream: Iterable[bytes]) -> Iterator[Recorded[Any]]:
    for stored in stream:
        told.named.update(name.decode("ascii") for name in _EVIDENCE.findall(stored))
        one = recorded(stored, EVENT)
        told.hear(one)
        yield one
