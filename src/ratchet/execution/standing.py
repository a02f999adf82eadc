"""Whether somebody approved a packet in advance."""

from collections.abc import Sequence
from datetime import datetime

from ratchet.domain.gate import DecisionPacket
from ratchet.domain.incident import Incident
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import Target


def covering_grant(
    grants: Sequence[StandingGrant], incident: Incident, packet: DecisionPacket, at: tuple[Target | None, datetime]
) -> StandingGrant | None:
    """The living standing grant that covers this packet and expires first, or None: then a person is asked."""
    target, now = at
    covering = [g for g in grants if not g.outside(packet, target, now, incident.fault)]
    return min(covering, key=lambda g: g.expires_at, default=None)
