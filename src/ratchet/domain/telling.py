"""Timelines told in steps: alerts that join one after another are one step, so that a storm folds in linear time."""

from collections.abc import Iterable, Iterator, Sequence

from ratchet.domain.alert import Alert
from ratchet.domain.incident import Incident
from ratchet.domain.timeline import Event, Joined, Recorded


def tell(incident: Incident, events: Iterable[Recorded[Event]]) -> Iterator[tuple[Recorded[Event], Incident]]:
    """The incident after each step, with the step's last event. Ends where applying one event after another does."""
    told = incident
    for step in _steps(events):
        joining = [recorded.event.alert for recorded in step if isinstance(recorded.event, Joined)]
        # The last event finds its own alert there already, and changes the rest as ever.
        holding = told.model_copy(update={"alerts": with_alerts(told.alerts, joining)}) if joining else told
        told = holding.apply(step[-1])
        yield step[-1], told


def after(incident: Incident, events: Iterable[Recorded[Event]]) -> Incident:
    """The incident after some events."""
    told = incident
    for _, now in tell(incident, events):
        told = now
    return told


def fold(incident_id: str, events: Iterable[Recorded[Event]], tenant: str = "main") -> Incident:
    """The incident that a timeline describes."""
    return after(Incident(id=incident_id, tenant=tenant), events)


def _steps(events: Iterable[Recorded[Event]]) -> Iterator[Sequence[Recorded[Event]]]:
    joining: list[Recorded[Event]] = []
    for recorded in events:
        if isinstance(recorded.event, Joined):
            joining.append(recorded)
            continue
        if joining:
            yield joining
            joining = []
        yield (recorded,)
    if joining:
        yield joining


def with_alerts(alerts: Sequence[Alert], joining: Sequence[Alert]) -> tuple[Alert, ...]:
    """The alerts after others joined: what is said of a known occurrence takes the place of what was said before."""
    fingerprints = {alert.fingerprint for alert in joining}
    every = list(alerts)
    places: dict[str, int] = {}
    for n, alert in enumerate(every):
        if alert.fingerprint in fingerprints:
            places.setdefault(alert.key, n)
    for alert in joining:
        n = places.setdefault(alert.key, len(every))
        every[n : n + 1] = [alert]
    return tuple(every)
