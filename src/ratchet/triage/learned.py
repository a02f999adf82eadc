"""The priors of an incident: people's words on causes, read once, and from then on only what was said since."""

import threading
from collections.abc import Sequence

from ratchet.domain.incident import Incident
from ratchet.domain.ports import Clock, Lives
from ratchet.domain.priors import Confirmed, Priors, priors_of
from ratchet.domain.target import Target


class Learned:
    """What people confirmed, kept in memory; safe for many threads."""

    def __init__(self, lives: Lives, clock: Clock) -> None:
        self._lives = lives
        self._clock = clock
        self._lock = threading.Lock()
        self._words: list[Confirmed] = []
        self._place = 0

    def priors(self, incident: Incident, targets: Sequence[Target]) -> Priors:
        """As people's words stood when it was looked at, so that judging the same evidence again says the same."""
        kinds: dict[str, str] = {each.name: each.kind for each in targets}
        service = incident.alert.labels.get("service") or incident.target or incident.alert.name
        where = (kinds.get(incident.target or "", ""), service)
        return priors_of(self._said(), kinds, where, incident.looked_at or self._clock())

    def _said(self) -> list[Confirmed]:
        with self._lock:
            more, self._place = self._lives.confirmed(self._place)
            self._words += more
            return list(self._words)
