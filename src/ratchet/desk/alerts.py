"""Receiving alerts: durable first, then the worker is woken."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from ratchet.domain.alert import Alert
from ratchet.domain.ports import Store
from ratchet.domain.target import Target
from ratchet.security.redact import Redacts
from ratchet.triage.correlate import correlator


class Intake:
    """Alerts become incidents, or join the ones they belong to. No secret of theirs is made durable."""

    def __init__(
        self, store: Store, targets: Callable[[], Sequence[Target]], new_id: Callable[[], str], redacts: Redacts
    ) -> None:
        self._store = store
        self._targets = targets
        self._new_id = new_id
        self._redacts = redacts

    def receive(self, alerts: Sequence[Alert], by: str) -> list[str]:
        """The names of the incidents, in the order of the alerts, without repeats."""
        clean = [self._without_secrets(alert) for alert in alerts]
        placed = self._store.receive(clean, correlator(self._targets(), self._new_id), by)
        return [incident.name for incident in placed]

    def _without_secrets(self, alert: Alert) -> Alert:
        """What a monitor says may hold a credential; what identifies the occurrence is left as it is."""
        said = {"labels": {**alert.labels}, "annotations": {**alert.annotations}, "generator_url": alert.generator_url}
        return alert.model_copy(update=cast("dict[str, Any]", self._redacts.redact(said)))
