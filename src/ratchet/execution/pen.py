"""The pen: writes events of an incident down, and passes the named places at which a proof may stop the process."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from ratchet.domain.evidence import Evidence
from ratchet.domain.incident import Incident
from ratchet.domain.ports import Store
from ratchet.domain.timeline import Event

BY = "ratchet"
At: TypeAlias = Callable[[str], None]
"""Called with `before_x` and `after_x` around every commit (named after its last event, or `wake`), and around
`intent`, `anchor`, `send` and `took`, the look for a lost outcome. For proof only."""


def nowhere(_: str) -> None:
    """In use nothing happens at any place."""


class Pen:
    """Commits on behalf of the automation."""

    def __init__(self, store: Store, at: At = nowhere) -> None:
        self._store = store
        self.at = at

    def write(
        self, incident: Incident, *events: Event, evidence: Sequence[Evidence] = (), wake_at: datetime | None
    ) -> Incident:
        """As the store's `commit`."""
        place = events[-1].kind if events else "wake"
        self.at(f"before_{place}")
        after = self._store.commit(incident, *events, by=BY, evidence=evidence, wake_at=wake_at)
        self.at(f"after_{place}")
        return after
