"""Alerts in: each occurrence belongs to one incident, and a call is durable as a whole or not at all."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ratchet.domain.alert import Alert
from ratchet.domain.errors import invalid
from ratchet.domain.incident import Incident
from ratchet.domain.ports import Correlate, Placed
from ratchet.domain.timeline import Opened
from ratchet.store import occurrences
from ratchet.store.gathering import Batch
from ratchet.store.incidents import begin
from ratchet.store.journal import Journal
from ratchet.store.shared_turn import SharedTurn


class _Call(NamedTuple):
    """What one caller brings."""

    alerts: Sequence[Alert]
    correlate: Correlate
    by: str


class Intake:
    """The two ways in which an incident begins."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._turn = SharedTurn[_Call, list[Placed]](self._write)

    def open(self, incident_id: str, build: Callable[[int], Opened], by: str) -> Incident:
        """Open an incident under the next number; its alert is known from then on."""
        with self._journal.writing(by) as ledger:
            incident = begin(ledger, incident_id, lambda number: _build_in_utc(build, number))
            if occurrences.known(ledger, incident.alert) is None:
                occurrences.remember(ledger, incident.alert, incident.id)
            return incident

    def receive(self, alerts: Sequence[Alert], correlate: Correlate, by: str) -> list[Placed]:
        """The incidents that the alerts belong to, each once, in the order in which they were met.

        Calls that wait for each other share a transaction; each is answered when its own alerts are durable.
        """
        return self._turn.take(_Call([_in_utc(alert) for alert in alerts], correlate, by))

    def _write(self, calls: Sequence[_Call]) -> list[list[Placed]]:
        with self._journal.writing(calls[0].by) as ledger:
            batch = Batch(ledger)
            found: list[list[Placed]] = []
            for call in calls:
                ledger.by = call.by
                placed = (batch.take(alert, call.correlate) for alert in call.alerts)
                found.append(list({each.id: each for each in placed if each is not None}.values()))
            batch.close()
            return found


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
