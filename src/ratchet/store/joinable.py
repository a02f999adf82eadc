"""The index by which an alert finds the open incidents that it may belong to, without reading all of them."""

from sqlalchemy import Connection, bindparam, delete, insert, select, union

from ratchet.domain.alert import Alert
from ratchet.domain.incident import Incident
from ratchet.store import tables as t
from ratchet.store.events import Ledger

_J = t.joinable.c
_Key = tuple[str, str]
GROUP = "group"
"""The kind of a row that carries the first alert's group key; every other row is of kind `SAME`."""
SAME = "same"
_CANDIDATES = union(
    *(
        select(_J.incident).where(_J.tenant == bindparam("of"), _J.kind == kind, _J.key == bindparam(kind))
        for kind in (SAME, GROUP)
    )
)
"""An empty group finds nothing: no row is written for it."""


def keys(incident: Incident) -> frozenset[_Key]:
    """By what an incident is found: each of its alerts, and the group of its first. Nothing once it takes no more."""
    if not incident.alerts or not incident.joinable:
        return frozenset()
    same = {(SAME, _same(alert)) for alert in incident.alerts}
    return frozenset(same | ({(GROUP, incident.alert.group_key)} if incident.alert.group_key else set()))


def follow(ledger: Ledger, before: frozenset[_Key], incident: Incident) -> None:
    """Bring the index to an incident that just moved."""
    after = keys(incident)
    here = (_J.tenant == ledger.tenant, _J.incident == incident.id)
    for kind, key in sorted(before - after):
        ledger.connection.execute(delete(t.joinable).where(*here, _J.kind == kind, _J.key == key))
    added = sorted(after - before)
    if added:
        rows = [{"tenant": ledger.tenant, "kind": kind, "key": key, "incident": incident.id} for kind, key in added]
        ledger.connection.execute(insert(t.joinable), rows)


def candidates(connection: Connection, tenant: str, alert: Alert) -> list[str]:
    """The incidents that hold this alert already or began with one of its group, in no order."""
    asked = {"of": tenant, SAME: _same(alert), GROUP: alert.group_key}
    return list(connection.execute(_CANDIDATES, asked).scalars())


def stored(connection: Connection, tenant: str, incident: str) -> frozenset[_Key]:
    """What the index says of one incident."""
    rows = connection.execute(select(_J.kind, _J.key).where(_J.tenant == tenant, _J.incident == incident))
    return frozenset((row.kind, row.key) for row in rows)


def _same(alert: Alert) -> str:
    return f"{alert.source}|{alert.fingerprint}"
