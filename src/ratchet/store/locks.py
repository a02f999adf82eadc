"""Locks follow the outcome of their operation: held while it is open, released in the commit that closes it."""

from sqlalchemy import update

from ratchet.domain.incident import Incident
from ratchet.store import tables as t
from ratchet.store.events import Ledger

OPEN = frozenset({"intended", "unknown", "unsure"})
"""States in which an operation may still have an effect that nobody has seen."""


def follow(ledger: Ledger, incident: Incident) -> None:
    """Release this incident's locks once none of its operations is open, or a person has ended it."""
    if not incident.ops:
        return
    ended = incident.status in ("resolved", "closed")
    if not ended and any(op.state in OPEN for op in incident.ops):
        return
    c = t.locks.c
    here = (c.tenant == ledger.tenant, c.incident == incident.id, c.held == 1)
    ledger.connection.execute(update(t.locks).where(*here).values(held=0))
