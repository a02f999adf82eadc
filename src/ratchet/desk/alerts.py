"""Receiving alerts: durable first, then the worker is woken."""

from collections.abc import Callable, Sequence

from ratchet.domain.alert import Alert
from ratchet.domain.ports import Store
from ratchet.domain.target import Target
from ratchet.triage.correlate import correlator


class Intake:
    """Alerts become incidents, or join the ones they belong to."""

    def __init__(self, store: Store, targets: Callable[[], Sequence[Target]], new_id: Callable[[], str]) -> None:
        self._store = store
        self._targets = targets
        self._new_id = new_id

    def receive(self, alerts: Sequence[Alert], by: str) -> list[str]:
        """The names of the incidents, in the order of the alerts, without repeats."""
        placed = self._store.receive(alerts, correlator(self._targets(), self._new_id), by)
        return [incident.name for incident in placed]
