"""Alerts gathered in one transaction: every alert has its event, every incident is folded and written once, at the end.

The work is in proportion to the alerts, also when thousands of them join one incident.
"""

from collections.abc import Callable
from datetime import datetime

from ratchet.domain.alert import QUIET, Alert
from ratchet.domain.errors import invalid
from ratchet.domain.incident import Incident
from ratchet.domain.ports import Correlate, Joinable, Opening, Placed
from ratchet.domain.telling import after
from ratchet.domain.timeline import Event, Joined, Opened, Recorded
from ratchet.store import joinable, occurrences
from ratchet.store.encoding import EVENT
from ratchet.store.events import Ledger
from ratchet.store.incidents import ended_at, load, newest, save, under_next
from ratchet.store.occurrences import Known


class Gathering:
    """One incident, what joins it in this transaction, and by what it is found meanwhile."""

    def __init__(self, ledger: Ledger, incident: Incident, *, first: bool) -> None:
        self.incident = incident
        self._ledger = ledger
        self._first = first
        self._told: list[Recorded[Event]] = []
        self._firing = {alert.key: alert for alert in incident.alerts if alert.status == "firing"}
        self._latest = incident.alerts[-1]
        self._group = incident.alert.group_key
        self._first_key = incident.alert.key
        self._takes = self._takes_more()
        self._holds = {(alert.source, alert.fingerprint) for alert in incident.alerts}
        self._found_by: set[joinable.Key] = set()
        self.placed = Placed(id=incident.id, number=incident.number)
        """The incident by name."""
        self._shown: dict[tuple[str, bool], Joinable] = {}
        if first:
            self._index(joinable.keys(incident))
        else:
            self._found_by.update(joinable.keys(incident))

    def shown_to(self, alert: Alert) -> Joinable | None:
        """What the alert may know of it; None when they have nothing in common, or when it takes no more alerts."""
        holds = (alert.source, alert.fingerprint) in self._holds
        if not self._takes or not (holds or (alert.group_key and alert.group_key == self._group)):
            return None
        return self._shown.get((self._group, holds)) or self._show(holds)

    def _show(self, holds: bool) -> Joinable:
        shown = Joinable(
            incident_id=self.incident.id, target=self.incident.target, group_key=self._group, holds=holds
        )  # fmt: skip
        self._shown[self._group, holds] = shown
        return shown

    def _takes_more(self) -> bool:
        """That depends on its status, which no alert changes, and on whether any of its alerts still fires."""
        one = next(iter(self._firing.values()), self._latest)
        return self.incident.model_copy(update={"alerts": (one,)}).joinable

    def join(self, alert: Alert) -> None:
        """One more alert, or more said of one: its event now, the rest at the end."""
        seq = self.incident.seq + len(self._told) + 1
        self._told.append(self._ledger.append(self.incident.stream, seq, Joined(alert=alert), EVENT))
        self._count(alert, alert.key)
        self._holds.add((alert.source, alert.fingerprint))
        self._index({joinable.same(alert)})

    def _count(self, alert: Alert, key: str) -> None:
        """Keep what the next alerts ask about: what still fires, and the group, which is that of the first alert."""
        fired = bool(self._firing)
        self._latest = alert
        if alert.status == "firing":
            self._firing[key] = alert
        else:
            self._firing.pop(key, None)
        if fired != bool(self._firing):
            self._takes = self._takes_more()
        if key == self._first_key:
            self._group = alert.group_key
            self._index({(joinable.GROUP, alert.group_key)} if alert.group_key else set())

    def close(self) -> None:
        """Write the incident with all that joined it; nothing when nothing happened to it."""
        if not self._told and not self._first:
            return
        whole = after(self.incident, self._told)
        joinable.bring(self._ledger, frozenset(self._found_by), whole)
        save(self._ledger, whole, self._ledger.at, first=self._first)

    def _index(self, keys: set[joinable.Key] | frozenset[joinable.Key]) -> None:
        """Let the alerts that come later in this transaction find it."""
        for key in sorted(keys - self._found_by):
            joinable.add(self._ledger, key, self.incident.id)
        self._found_by |= keys


class Batch:
    """The incidents of one transaction, for all its callers."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._now: dict[str, Gathering] = {}
        self._newest: int | None = None
        self._ended: dict[str, datetime | None] = {}

    def take(self, alert: Alert, correlate: Correlate) -> Placed | None:
        """Where the alert belongs, with all that it changes there; None when it belongs nowhere."""
        known = occurrences.known(self._ledger, alert)
        if known is None or known.fires_again(alert, self._ledger.at) or self._outlasts(known, alert):
            return self._place(alert, correlate, known)
        if known.is_news(alert):
            incident = self._gathering(known.incident)
            if incident.incident.status != "closed":
                incident.join(alert)
            occurrences.remember(self._ledger, alert, known.incident, known)
        return known.placed or self._gathering(known.incident).placed

    def close(self) -> None:
        """Write every incident that changed."""
        for incident in self._now.values():
            incident.close()

    def _outlasts(self, known: Known, alert: Alert) -> bool:
        """Whether it fires on so long after the end of its incident that it was not mended, or not for good."""
        if not known.fires_on(alert):
            return False
        if known.incident not in self._ended:
            self._ended[known.incident] = ended_at(self._ledger.connection, self._ledger.tenant, known.incident)
        end = self._ended[known.incident]
        return end is None or self._ledger.at - end >= QUIET

    def _place(self, alert: Alert, correlate: Correlate, known: Known | None) -> Placed | None:
        """A new occurrence, or trouble anew: where it belongs is decided over the open incidents that it may concern.

        What an occurrence belonged to before keeps its own story.
        """
        decided = correlate(alert, self._candidates(alert))
        if decided is None:
            return None
        if isinstance(decided, Opening):
            incident = self._open(decided.incident_id, lambda number: _opened(alert, decided, number))
        else:
            incident = self._gathering(decided.incident_id)
            incident.join(alert)
        occurrences.remember(self._ledger, alert, incident.incident.id, known)
        return incident.placed

    def _open(self, incident_id: str, build: Callable[[int], Opened]) -> Gathering:
        self._newest = newest(self._ledger) if self._newest is None else self._newest
        opened = under_next(self._newest, build)
        self._newest += 1
        blank = Incident(id=incident_id, tenant=self._ledger.tenant)
        incident = blank.apply(self._ledger.append(blank.stream, 1, opened, EVENT))
        self._now[incident_id] = Gathering(self._ledger, incident, first=True)
        return self._now[incident_id]

    def _candidates(self, alert: Alert) -> list[Joinable]:
        """The open incidents that the alert may belong to; the others are not even read."""
        ids = joinable.candidates(self._ledger.connection, self._ledger.tenant, alert)
        found = sorted((self._gathering(one) for one in ids), key=lambda each: each.incident.number)
        shown = (each.shown_to(alert) for each in found)
        return [each for each in shown if each is not None]

    def _gathering(self, incident_id: str) -> Gathering:
        if incident_id not in self._now:
            found = load(self._ledger.connection, self._ledger.memo, self._ledger.tenant, incident_id)
            if found is None:
                raise invalid(f"An alert was sent to {incident_id!r}, which does not exist.", "Correlate it anew.")
            self._now[incident_id] = Gathering(self._ledger, found, first=False)
        return self._now[incident_id]


def _opened(alert: Alert, opening: Opening, number: int) -> Opened:
    return Opened(
        number=number,
        origin=opening.origin,
        fault=opening.fault,
        quiet=opening.quiet,
        alert=alert,
        target=opening.target,
        target_reason=opening.target_reason,
    )
