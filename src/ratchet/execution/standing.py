"""Whether somebody approved a packet in advance."""

from collections.abc import Sequence

from ratchet.domain.gate import DecisionPacket
from ratchet.domain.standing import StandingGrant, Use


def covering_grant(grants: Sequence[StandingGrant], packet: DecisionPacket, use: Use) -> StandingGrant | None:
    """The living standing grant that covers this packet and expires first, or None: then a person is asked."""
    covering = [g for g in grants if not g.outside(packet, use)]
    return min(covering, key=lambda g: g.expires_at, default=None)
