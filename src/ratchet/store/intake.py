"""Alerts in: each occurrence belongs to one incident, and a call is durable as a whole or not at all."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, insert, select, update

from ratchet.domain.alert import Alert
from ratchet.domain.errors import invalid
from ratchet.domain.incident import Incident
from ratchet.domain.ports import Correlate, Joining, Opening
from ratchet.domain.timeline import Joined, Opened
from ratchet.store import joinable
from ratchet.store import tables as t
from ratchet.store.encoding import stamp
from ratchet.store.events import Ledger
from ratchet.store.incidents import begin, extend, load
from ratchet.store.journal import Journal
from ratchet.store.shared_turn import SharedTurn

_A = t.alerts.c


class _Call(NamedTuple):
    """What one caller brings."""

    alerts: Sequence[Alert]
    correlate: Correlate
    by: str


class Intake:
    """The two ways in which an incident begins."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._turn = SharedTurn[_Call, list[Incident]](self._write)

    def open(self, incident_id: str, build: Callable[[int], Opened], by: str) -> Incident:
        """Open an incident under the next number; its alert is known from then on."""
        with self._journal.writing(by) as ledger:
            incident = begin(ledger, incident_id, lambda number: _build_in_utc(build, number))
            if _known(ledger, incident.alert) is None:
                _remember(ledger, incident.alert, incident.id)
            return incident

    def receive(self, alerts: Sequence[Alert], correlate: Correlate, by: str) -> list[Incident]:
        """The incidents that the alerts belong to, each once, as they stand after the whole call.

        Calls that wait for each other share a transaction; each is answered when its own alerts are durable.
        """
        return self._turn.take(_Call([_in_utc(alert) for alert in alerts], correlate, by))

    def _write(self, calls: Sequence[_Call]) -> list[list[Incident]]:
        with self._journal.writing(calls[0].by) as ledger:
            now: dict[str, Incident] = {}
            found: list[list[Incident]] = []
            for call in calls:
                ledger.by = call.by
                batch = _Batch(ledger, call.correlate, now)
                for alert in call.alerts:
                    batch.take(alert)
                found.append(batch.touched())
            return found


class _Batch:
    """The alerts of one caller. `now` holds the incidents of the transaction as they stand, for all its callers."""

    def __init__(self, ledger: Ledger, correlate: Correlate, now: dict[str, Incident]) -> None:
        self._ledger = ledger
        self._correlate = correlate
        self._now = now
        self._touched: dict[str, None] = {}

    def touched(self) -> list[Incident]:
        return [self._now[incident_id] for incident_id in self._touched]

    def take(self, alert: Alert) -> None:
        row = _known(self._ledger, alert)
        if row is None:
            self._place(alert)
            return
        self._touched[row.incident] = None
        incident = self._incident(row.incident)
        before = Alert.model_validate_json(row.body)
        if not _news(before, alert):
            return
        if incident.status != "closed":
            self._join(incident, alert)
        _refresh(self._ledger, alert)

    def _place(self, alert: Alert) -> None:
        """A new occurrence: where it belongs is decided over the open incidents that it may concern."""
        match self._correlate(alert, self._candidates(alert)):
            case Opening() as opening:
                incident = begin(self._ledger, opening.incident_id, lambda number: _opened(alert, opening, number))
                self._now[incident.id] = incident
            case Joining(incident_id=incident_id):
                incident = self._join(self._incident(incident_id), alert)
            case None:
                return
        self._touched[incident.id] = None
        _remember(self._ledger, alert, incident.id)

    def _join(self, incident: Incident, alert: Alert) -> Incident:
        joined = extend(self._ledger, incident, [Joined(alert=alert)], self._ledger.at)
        self._now[incident.id] = joined
        return joined

    def _incident(self, incident_id: str) -> Incident:
        if incident_id not in self._now:
            found = load(self._ledger.connection, self._ledger.memo, self._ledger.tenant, incident_id)
            if found is None:
                raise invalid(f"An alert was sent to {incident_id!r}, which does not exist.", "Correlate it anew.")
            self._now[incident_id] = found
        return self._now[incident_id]

    def _candidates(self, alert: Alert) -> list[Incident]:
        """The open incidents that the alert may belong to; the others are not even read."""
        found = joinable.candidates(self._ledger.connection, self._ledger.tenant, alert)
        return sorted((self._incident(incident_id) for incident_id in found), key=lambda incident: incident.number)


def _news(before: Alert, after: Alert) -> bool:
    """Whether a known occurrence says something new. Late repeats of `firing` after `resolved` do not."""
    if before.status == "resolved":
        return False
    said = (before.status, before.labels, before.annotations)
    return said != (after.status, after.labels, after.annotations)


def _opened(alert: Alert, opening: Opening, number: int) -> Opened:
    return Opened(
        number=number,
        origin=opening.origin,
        fault=opening.fault,
        alert=alert,
        target=opening.target,
        target_reason=opening.target_reason,
    )


def _build_in_utc(build: Callable[[int], Opened], number: int) -> Opened:
    opened = build(number)
    return opened.model_copy(update={"alert": _in_utc(opened.alert)})


def _in_utc(alert: Alert) -> Alert:
    """One spelling of every moment, because an occurrence is found again by the text of its start."""
    return alert.model_copy(
        update={"starts_at": _utc(alert.starts_at), "ends_at": alert.ends_at and _utc(alert.ends_at)}
    )


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise invalid("An alert's time has no time zone.", "Send RFC 3339 times, such as 2026-01-31T02:00:00Z.")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise invalid("An alert's time lies outside of all years.", "Send the time at which it began.") from None


_HERE = (
    _A.tenant == bindparam("of"),
    _A.source == bindparam("from"),
    _A.fingerprint == bindparam("print"),
    _A.starts_at == bindparam("since"),
)
_KNOWN = select(t.alerts.c.incident, t.alerts.c.body).where(*_HERE)
_SAID_ANEW = update(t.alerts).where(*_HERE).values(body=bindparam("now_says"))


def _key(ledger: Ledger, alert: Alert) -> dict[str, str]:
    since = stamp(alert.starts_at)
    return {"of": ledger.tenant, "from": alert.source, "print": alert.fingerprint, "since": since}


def _known(ledger: Ledger, alert: Alert) -> Row[Any, Any] | None:
    return ledger.connection.execute(_KNOWN, _key(ledger, alert)).one_or_none()


def _remember(ledger: Ledger, alert: Alert, incident_id: str) -> None:
    row = {
        "tenant": ledger.tenant,
        "source": alert.source,
        "fingerprint": alert.fingerprint,
        "starts_at": stamp(alert.starts_at),
        "incident": incident_id,
        "body": alert.model_dump_json(),
    }
    ledger.connection.execute(insert(t.alerts), row)


def _refresh(ledger: Ledger, alert: Alert) -> None:
    ledger.connection.execute(_SAID_ANEW, {**_key(ledger, alert), "now_says": alert.model_dump_json()})
