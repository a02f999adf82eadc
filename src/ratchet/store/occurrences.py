"""The occurrences already received: which incident each belongs to, and what was last said of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import BindParameter, Connection, Row, and_, bindparam, insert, select, update

from ratchet.domain.alert import LATE, Alert
from ratchet.domain.ports import Placed
from ratchet.store import tables as t
from ratchet.store.encoding import moment, stamp
from ratchet.store.events import Ledger
from ratchet.store.prepared import Prepared, Value

_A = t.alerts.c
_I = t.incidents.c
_HERE = (
    _A.tenant == bindparam("of"),
    _A.source == bindparam("from"),
    _A.fingerprint == bindparam("print"),
    _A.starts_at == bindparam("since"),
)
_ITS_INCIDENT = and_(_I.tenant == _A.tenant, _I.id == _A.incident)
_WORDS = (_A.incident, _A.body, _I.number, _I.status, _A.heard_at, _A.ended_at)
_KNOWN = Prepared(select(*_WORDS).select_from(t.alerts.outerjoin(t.incidents, _ITS_INCIDENT)).where(*_HERE))
_SAID: dict[str, BindParameter[Any]] = {
    "incident": bindparam("now_in"),
    "body": bindparam("now_says"),
    "heard_at": bindparam("now"),
    "ended_at": bindparam("end"),
}
_SAID_ANEW = Prepared(update(t.alerts).where(*_HERE).values(_SAID))
_WHOLE: dict[str, BindParameter[Any]] = {
    "tenant": bindparam("of"),
    "source": bindparam("from"),
    "fingerprint": bindparam("print"),
    "starts_at": bindparam("since"),
    **_SAID,
}
_ADD = Prepared(insert(t.alerts).values(_WHOLE))
_AT_ONCE = 2000
"""Rows that are read at a time when all are."""


class Known(NamedTuple):
    """An occurrence that was received before."""

    incident: str
    said: Alert
    number: int | None = None
    """Of its incident; None while that one is not written yet, which is in the transaction that opens it."""
    status: str | None = None
    """Of its incident; None as well while that one is not written yet."""
    heard_at: datetime | None = None
    """When `said` was received; None when an earlier release received it."""
    ended_at: str | None = None
    """The end that the last `resolved` named, as stamped."""

    @property
    def placed(self) -> Placed | None:
        """Where it belongs, as far as the table says."""
        return None if self.number is None else Placed(id=self.incident, number=self.number)

    def is_news(self, alert: Alert) -> bool:
        """Whether this says something else of it. A `firing` soon after `resolved` does not, nor does the same end
        told once more: two monitors tell of it, and the slower one is heard last."""
        if self.said.status == "resolved":
            return False
        if alert.status == "resolved" and self.ended_at is not None and self.ended_at == _end(alert):
            return False
        said = (self.said.status, self.said.labels, self.said.annotations)
        return said != (alert.status, alert.labels, alert.annotations)

    def fires_again(self, alert: Alert, at: datetime) -> bool:
        """Whether it was over and this is no late word from before."""
        over = self.said.status == "resolved" and alert.status == "firing"
        return over and (self.heard_at is None or at - self.heard_at >= LATE)

    def fires_on(self, alert: Alert) -> bool:
        """Whether it never was over for its monitor, while its incident is."""
        firing = self.said.status == alert.status == "firing"
        return firing and self.status in ("resolved", "closed")


def known(ledger: Ledger, alert: Alert) -> Known | None:
    """What is known of an occurrence."""
    row = _KNOWN.first(ledger.connection, _key(ledger, alert))
    if row is None:
        return None
    incident, body, number, status, heard_at, ended_at = row
    heard = None if heard_at is None else moment(heard_at)
    return Known(incident, Alert.model_validate_json(body), number, status, heard, ended_at)


def remember(ledger: Ledger, alert: Alert, incident_id: str, before: Known | None = None) -> None:
    """The occurrence belongs to this incident from now on, and this is what is said of it; `before`: what was."""
    end = before.ended_at if before is not None else None
    said: dict[str, Value] = {
        "now_in": incident_id,
        "now_says": alert.model_dump_json(),
        "now": stamp(ledger.at),
        "end": _end(alert) if alert.status == "resolved" else end,
    }
    statement = _ADD if before is None else _SAID_ANEW
    statement.run(ledger.connection, {**_key(ledger, alert), **said})


class Told(NamedTuple):
    """What the events of an incident say of its alerts; once it is closed, more may be said than they tell."""

    incident: str
    alerts: Sequence[Alert]
    heard: Mapping[str, datetime]
    """When the last word on each was received, by its key."""
    closed: bool


class Rows:
    """The rows of one tenant, an incident after the other: `are` is asked in the order of their ids, of all of them."""

    def __init__(self, connection: Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant
        query = select(t.alerts).where(_A.tenant == tenant).order_by(_A.incident)
        rows = connection.execute(query.execution_options(yield_per=_AT_ONCE))
        self._groups = groupby(rows, key=lambda row: str(row.incident))
        self._ahead = next(self._groups, None)

    def are(self, told: Told) -> bool:
        """Whether the rows are those of the alerts that the events tell of. An alert may have gone to another incident
        since; the row says so, and is held against that one."""
        rows: list[Row[Any]] = []
        if self._ahead is not None and self._ahead[0] == told.incident:
            rows = list(self._ahead[1])
            self._ahead = next(self._groups, None)
        alerts = {_place(alert): alert for alert in told.alerts}
        mine = {(row.source, row.fingerprint, row.starts_at): row for row in rows}
        gone = (place for place in alerts if place not in mine)
        return (
            all(place in alerts and _as_told(row, alerts[place], told) for place, row in mine.items())
            and all(self._is_there(place) for place in gone)
            and not (self._ahead is not None and self._ahead[0] <= told.incident)
        )

    def is_over(self) -> bool:
        """Whether no row is left that belongs to an incident nobody asked about."""
        return self._ahead is None

    def _is_there(self, place: tuple[str, str, str]) -> bool:
        source, fingerprint, since = place
        values: dict[str, Value] = {"of": self._tenant, "from": source, "print": fingerprint, "since": since}
        return _KNOWN.first(self._connection, values) is not None


def _as_told(row: Row[Any], alert: Alert, told: Told) -> bool:
    if told.closed:
        return True
    try:
        says = Alert.model_validate_json(row.body)
    except ValidationError:
        return False
    return says == alert and row.heard_at in (None, stamp(told.heard[alert.key]))


def _place(alert: Alert) -> tuple[str, str, str]:
    return alert.source, alert.fingerprint, stamp(alert.starts_at)


def _end(alert: Alert) -> str | None:
    return None if alert.ends_at is None else stamp(alert.ends_at)


def _key(ledger: Ledger, alert: Alert) -> dict[str, str]:
    since = stamp(alert.starts_at)
    return {"of": ledger.tenant, "from": alert.source, "print": alert.fingerprint, "since": since}
