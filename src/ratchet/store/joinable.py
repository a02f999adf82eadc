"""The index by which an alert finds the open incidents that it may belong to, without reading all of them."""

from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, union

from ratchet.domain.alert import Alert
from ratchet.domain.incident import Incident
from ratchet.store import tables as t
from ratchet.store.events import Ledger
from ratchet.store.prepared import Prepared, Value

_J = t.joinable.c
Key = tuple[str, str]
GROUP = "group"
"""The kind of a row that carries the first alert's group key; every other row is of kind `SAME`."""
SAME = "same"
FINDS = union(
    *(
        select(_J.incident).where(_J.tenant == bindparam("of"), _J.kind == kind, _J.key == bindparam(kind))
        for kind in (SAME, GROUP)
    )
)
"""An empty group finds nothing: no row is written for it."""
_CANDIDATES = Prepared(FINDS)
_ROW: dict[str, BindParameter[Any]] = {
    "tenant": bindparam("of"),
    "kind": bindparam("sort"),
    "key": bindparam("name"),
    "incident": bindparam("this"),
}
_ADD = Prepared(insert(t.joinable).values(_ROW))
_TAKE = Prepared(delete(t.joinable).where(*(_J[name] == value for name, value in _ROW.items())))


def keys(incident: Incident) -> frozenset[Key]:
    """By what an incident is found: each of its alerts, and the group of its first. Nothing once it takes no more."""
    if not incident.alerts or not incident.joinable:
        return frozenset()
    each = {same(alert) for alert in incident.alerts}
    return frozenset(each | ({(GROUP, incident.alert.group_key)} if incident.alert.group_key else set()))


def follow(ledger: Ledger, before: Incident, after: Incident) -> None:
    """Bring the index to an incident that just moved; most moves leave it where it is."""
    if before.alerts is not after.alerts or before.joinable != after.joinable:
        bring(ledger, keys(before), after)


def bring(ledger: Ledger, indexed: frozenset[Key], incident: Incident) -> None:
    """Bring the index of one incident from what it holds to what it should."""
    after = keys(incident)
    for key in sorted(indexed - after):
        _TAKE.run(ledger.connection, _row(ledger.tenant, key, incident.id))
    for key in sorted(after - indexed):
        add(ledger, key, incident.id)


def add(ledger: Ledger, key: Key, incident_id: str) -> None:
    """One more key by which an incident is found."""
    _ADD.run(ledger.connection, _row(ledger.tenant, key, incident_id))


def candidates(connection: Connection, tenant: str, alert: Alert) -> list[str]:
    """The incidents that hold this alert already or began with one of its group, in no order."""
    return _CANDIDATES.scalars(connection, {"of": tenant, SAME: same(alert)[1], GROUP: alert.group_key})


def stored(connection: Connection, tenant: str, incident: str) -> frozenset[Key]:
    """What the index says of one incident."""
    rows = connection.execute(select(_J.kind, _J.key).where(_J.tenant == tenant, _J.incident == incident))
    return frozenset((row.kind, row.key) for row in rows)


def same(alert: Alert) -> Key:
    """The key of one alert, whenever it fires."""
    return SAME, f"{alert.source}|{alert.fingerprint}"


def _row(tenant: str, key: Key, incident_id: str) -> dict[str, Value]:
    return {"of": tenant, "sort": key[0], "name": key[1], "this": incident_id}
