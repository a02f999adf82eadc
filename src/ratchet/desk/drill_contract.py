"""What the desk answers about drills and certificates: one interface, in process and over HTTP."""

from datetime import datetime
from typing import Protocol

from ratchet.domain.certificate import Certificate, Certification, Proof
from ratchet.domain.drill import Drill, DrillRequest, Ground, Rejudged, Run
from ratchet.domain.observed import Observed


class Practice(Protocol):
    """What the desk answers about drills, for one principal. Every verb raises Refusal."""

    def ground(self, target: str) -> Ground:
        """A target as it is now, before anything is caused on it."""
        ...

    def start(self, request: DrillRequest) -> Drill:
        """Hand in the alert of a fault that is in effect; a person only, on a target tagged `chaos`."""
        ...

    def observed(self, reference: str) -> Observed:
        """What a grader sees of a drill's incident now."""
        ...

    def rejudge(self, reference: str) -> Rejudged:
        """Judge the kept evidence once more and compare with what was concluded."""
        ...

    def end(self, reference: str, reason: str) -> None:
        """The drill is over: its standing grants are dead, its incident is closed. May be repeated."""
        ...

    def keep(self, run: Run) -> None:
        """Keep a run for ever; refused where the incident of its drill does not bear it out."""
        ...

    def runs(self, *, since: datetime | None = None, fault: str = "", batch: str = "", limit: int = 1000) -> list[Run]:
        """Runs that were kept, newest first."""
        ...

    def fire_again(self, reference: str) -> str:
        """Hand in a drill's alert once more, and the same trouble from another group of alerts: the incident of that,
        which may act as the drill may. A person who may approve only."""
        ...

    def certify(self, found: Certification) -> Certificate:
        """Keep what a certification found, held against the kept runs; a failed one ends the earlier ones."""
        ...

    def certificates(self, series: str = "") -> list[Proof]:
        """All certificates of a series, or of every series, newest first, and whether they count now."""
        ...
