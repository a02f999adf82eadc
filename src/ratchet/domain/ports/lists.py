"""What the store lists, and how intake decides where an alert belongs."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, Literal, TypeAlias, TypeVar

from ratchet.domain.alert import Alert
from ratchet.domain.noun import Noun

T = TypeVar("T")
DecisionState: TypeAlias = Literal["pending", "approved", "denied", "expired", "superseded"]


class DecisionRow(Noun):
    """A decision in the list of decisions."""

    id: str
    incident: str
    incident_name: str
    title: str
    target: str
    effect: str
    digest: str
    state: DecisionState
    expires_at: datetime
    created_at: datetime


class Due(Noun):
    """An incident whose time has come."""

    incident: str
    wake_at: datetime


class Tally(Noun):
    """How many incidents there are in each status, and how many decisions in each state; none is left out."""

    incidents: dict[str, int]
    decisions: dict[str, int]


class Page(Noun, Generic[T]):
    """A page of a list, with where the next begins."""

    items: tuple[T, ...]
    next_cursor: str | None = None


class ChainReport(Noun):
    """What the chain check found; `first_bad` is the index of the first bad event."""

    ok: bool
    events: int
    head: str
    first_bad: int | None = None
    because: str = ""


class Opening(Noun):
    """Open a new incident for an alert."""

    incident_id: str
    target: str | None
    target_reason: str
    origin: Literal["production", "drill"] = "production"
    fault: str | None = None
    quiet: bool = False


class Joining(Noun):
    """Attach an alert to an incident that is open."""

    incident_id: str


class Joinable(Noun):
    """An open incident that an alert may belong to; `holds`: it has an alert of that source and fingerprint."""

    incident_id: str
    target: str | None = None
    group_key: str = ""
    holds: bool = False


class Placed(Noun):
    """The incident to which an alert was found to belong."""

    id: str
    number: int

    @property
    def name(self) -> str:
        """`INC-1`."""
        return f"INC-{self.number}"


Correlate: TypeAlias = Callable[[Alert, Sequence[Joinable]], Opening | Joining | None]
"""Decides over an alert and the open incidents that hold an alert of its source and fingerprint or began with one of
its group, oldest first; None leaves the alert without an incident (a resolve of nothing)."""
