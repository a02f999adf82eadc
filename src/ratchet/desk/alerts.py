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
        groups = {key: self._redacts.identity(key) for key in {alert.group_key for alert in alerts}}
        clean = [self._without_secrets(alert, groups[alert.group_key]) for alert in alerts]
        placed = self._store.receive(clean, correlator(self._targets(), self._new_id), by)
        return [incident.name for incident in placed]

    def _without_secrets(self, alert: Alert, group: str) -> Alert:
        """What a monitor says may hold a credential. What an alert is known again by stays, or its print under the
        house's key stands for it."""
        said = {"labels": {**alert.labels}, "annotations": {**alert.annotations}, "generator_url": alert.generator_url}
        same = {"group_key": group, "fingerprint": self._redacts.identity(alert.fingerprint)}
        return alert.model_copy(update=cast("dict[str, Any]", self._redacts.redact(said)) | same)
