"""The alert: what a monitor said, as it said it."""

from datetime import datetime, timedelta
from typing import Literal

from ratchet.domain.noun import Noun

LATE = timedelta(seconds=30)
"""How long after `resolved` a `firing` of the same occurrence may be one that another of a pair of monitors sent before
it. The second of a pair waits 15 s for the first, and no monitor tells of a new group before its `group_wait`, commonly
30 s. What comes later fires again: a monitor that was starved or cut off tells of the old start."""
QUIET = timedelta(minutes=10)
"""How long after an incident's end its alert may still be told as `firing` before that is taken for trouble that goes
on: a rule looks back some minutes, and its monitor tells of a change once in five."""


class Alert(Noun):
    """One occurrence of an alert. Identity is (source, fingerprint, starts_at); the fingerprint alone recurs."""

    source: str
    fingerprint: str
    starts_at: datetime
    ends_at: datetime | None = None
    status: Literal["firing", "resolved"] = "firing"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    generator_url: str = ""
    group_key: str = ""

    @property
    def key(self) -> str:
        """The occurrence's identity as one string."""
        return f"{self.source}|{self.fingerprint}|{self.starts_at.isoformat()}"

    @property
    def name(self) -> str:
        """The alert's name as its source labels it, or `alert`."""
        return self.labels.get("alertname", "alert")

    @property
    def title(self) -> str:
        """The line a person reads first: the summary, else the name."""
        return self.annotations.get("summary") or self.annotations.get("description") or self.name

    def text(self) -> str:
        """All words of the alert, for literal symptom search. Untrusted: compared, never obeyed."""
        return "\n".join([*self.labels.values(), *self.annotations.values()])
