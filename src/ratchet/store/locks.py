"""Locks follow the outcome of their operation: held while it is open, released in the commit that closes it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Text, bindparam, case, select, update

from ratchet.domain.incident import Incident
from ratchet.store import tables as t
from ratchet.store.encoding import moment_in, stamp
from ratchet.store.events import Ledger
from ratchet.store.prepared import Prepared

_L = t.locks.c
_HELD_BY = (_L.tenant == bindparam("of"), _L.incident == bindparam("by"), _L.held == 1)
_AT = bindparam("at", type_=Text())
_OVER = case((_L.cool_until > _AT, _L.cool_until), else_=_AT)
_RELEASE = Prepared(update(t.locks).where(*_HELD_BY).values({_L.held: 0, _L.cool_until: _OVER}))
"""What was read before the release tells nothing of the effect: `cool_until` is never earlier than that."""
OPEN = frozenset({"intended", "unknown", "unsure"})
"""States in which an operation may still have an effect that nobody has seen."""


def holds(incident: Incident) -> bool:
    """Whether an operation of this incident keeps its conflict group locked.

    A person who ends the incident ends doubt, but not an act that may still land: its lock goes when it is settled.
    """
    if incident.may_land is not None:
        return True
    ended = incident.status in ("resolved", "closed")
    return not ended and any(op.state in OPEN for op in incident.ops)


def follow(ledger: Ledger, incident: Incident) -> None:
    """Release this incident's locks once nothing of it holds them."""
    if not incident.ops or holds(incident):
        return
    _RELEASE.run(ledger.connection, {"of": ledger.tenant, "by": incident.id, "at": stamp(ledger.at)})


def holders(connection: Connection, tenant: str) -> list[str]:
    """The incidents that hold a conflict group now, each once."""
    c = t.locks.c
    query = select(c.incident).where(c.tenant == tenant, c.held == 1).distinct().order_by(c.incident)
    return list(connection.execute(query).scalars())


def as_told(connection: Connection, tenant: str, incident: Incident, cools: Mapping[str, datetime | None]) -> bool:
    """Whether the incident's rows say held as its operations do, and cool for as long as those asked, and no longer.

    `cools`: until when each operation asked for. The release never shortens that, and is no later than the last event.
    """
    rows = connection.execute(select(t.locks).where(_L.tenant == tenant, _L.incident == incident.id)).all()
    if not rows:
        return True
    if any(row.held for row in rows) != holds(incident) or any(row.op_id not in cools for row in rows):
        return False
    return all(_cools(row.cool_until, cools[row.op_id], incident.updated_at) for row in rows)


def _cools(stored: str | None, asked: datetime | None, last: datetime | None) -> bool:
    if stored is None:
        return asked is None
    until = moment_in(stored)
    if until is None:
        return False
    bounds = [each for each in (asked, last) if each is not None]
    return (asked is None or until >= asked) and until <= max(bounds, default=until)
