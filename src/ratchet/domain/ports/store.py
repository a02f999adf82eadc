"""The event table and its projections, as the workshops and the desk know them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from ratchet.domain.alert import Alert
from ratchet.domain.certificate import Certificate
from ratchet.domain.drill import Run
from ratchet.domain.evidence import Evidence
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.house import HouseEvent, Token
from ratchet.domain.incident import Incident
from ratchet.domain.past import Past
from ratchet.domain.ports.lists import ChainReport, Correlate, DecisionRow, Due, Page, Placed, Tally
from ratchet.domain.protocol import Demand
from ratchet.domain.series import Series, SeriesEvent
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import Target
from ratchet.domain.timeline import Event, Opened, Recorded


class Store(Protocol):
    """The event table and its projections. `commit` is the one write verb for aggregates."""

    def open(self, incident_id: str, build: Callable[[int], Opened], by: str) -> Incident:
        """Open an incident under the next number; raises Refusal(UNAVAILABLE) when it cannot be made durable."""
        ...

    def receive(self, alerts: Sequence[Alert], correlate: Correlate, by: str) -> list[Placed]:
        """Attach or open for each alert, in one transaction; the same occurrence twice gives the same incident.

        The incidents that the alerts belong to, each once, in the order in which they were met.
        """
        ...

    def commit(
        self, incident: Incident, *events: Event, by: str, evidence: Sequence[Evidence] = (), wake_at: datetime | None
    ) -> Incident:
        """Append events at exactly `incident.seq`; raises Refusal(CONFLICT) when the incident moved meanwhile.

        Without events only `wake_at` moves. `wake_at=None`: nothing is to be done until somebody says something.
        """
        ...

    def incident(self, reference: str) -> Incident:
        """By `INC-1` or by id; raises Refusal(NOT_FOUND)."""
        ...

    def incidents(self, *, status: Sequence[str] = (), limit: int = 50, cursor: str | None = None) -> Page[Incident]:
        """Newest first."""
        ...

    def timeline(self, incident_id: str) -> list[Recorded[Event]]:
        """All events of an incident, oldest first."""
        ...

    def evidence(self, ids: Sequence[str]) -> list[Evidence]:
        """Captured evidence by id, in the order asked; unknown ids are left out."""
        ...

    def past(self, since: datetime | None = None) -> Iterator[Past]:
        """Every incident that was looked at and opened at `since` or later, to be judged again."""
        ...

    def decisions(self, *, state: Sequence[str] = (), limit: int = 50, cursor: str | None = None) -> Page[DecisionRow]:
        """Newest first; pending ones by expiry when only `pending` is asked."""
        ...

    def decision(self, decision_id: str) -> tuple[DecisionRow, DecisionPacket]:
        """A decision and its packet; raises Refusal(NOT_FOUND)."""
        ...

    def tally(self) -> Tally:
        """How many incidents and decisions there are of each kind."""
        ...

    def due(self, now: datetime, limit: int = 20) -> list[Due]:
        """Incidents whose `wake_at` has come, earliest first."""
        ...

    def next_wake(self) -> datetime | None:
        """The earliest `wake_at`, if any incident waits for the clock."""
        ...

    def anchor(self) -> None:
        """Write the chain's head to the second file and fsync it; raises Refusal(UNAVAILABLE) when it cannot."""
        ...

    def verify(self) -> ChainReport:
        """Check the whole chain against the stored bytes and the anchor."""
        ...

    def series(self, series_id: str) -> Series:
        """The fold of a series; empty when nothing is recorded under that id."""
        ...

    def all_series(self) -> list[Series]:
        """Every series, by id."""
        ...

    def series_of(self, version_id: str) -> Series:
        """The series that holds a version; raises Refusal(NOT_FOUND)."""
        ...

    def series_timeline(self, series_id: str) -> list[Recorded[SeriesEvent]]:
        """All events of a series, oldest first, with every text that was ever kept."""
        ...

    def commit_series(self, series: Series, *events: SeriesEvent, by: str) -> Series:
        """Append to a series at exactly `series.seq`; raises Refusal(CONFLICT) when it moved meanwhile."""
        ...

    def record(self, event: HouseEvent, by: str) -> None:
        """Append an event of the house."""
        ...

    def put_target(self, target: Target, by: str) -> None:
        """Register a target or replace its registration, with its event."""
        ...

    def targets(self) -> list[Target]:
        """All registered targets, by name."""
        ...

    def registered_at(self, name: str) -> datetime | None:
        """When a target got its present registration; None for one that was never registered."""
        ...

    def put_token(self, token: Token, by: str) -> None:
        """Keep a token's hash, with its event."""
        ...

    def token(self, hashed: str) -> Token | None:
        """The token of that hash, revoked and expired ones included."""
        ...

    def tokens(self) -> list[Token]:
        """All tokens, newest first."""
        ...

    def revoke_token(self, token_id: str, by: str) -> None:
        """Revoke a token; raises Refusal(NOT_FOUND)."""
        ...

    def intend(self, incident: Incident, demand: Demand, by: str) -> Incident:
        """Write the intent if every guard of `domain.protocol` agrees, in one transaction with lock and charge.

        Raises Declined with the guard that said no, or Refusal(CONFLICT) when the incident moved meanwhile.
        """
        ...

    def holding(self) -> list[Incident]:
        """The incidents that hold a conflict group: an act of theirs is under way, or its outcome in doubt."""
        ...

    def pause(self, by: str, reason: str) -> None:
        """Pull the kill switch: from this commit on no intent is written."""
        ...

    def resume(self, by: str, reason: str) -> None:
        """Let the automation act again and wake what waits."""
        ...

    def paused(self) -> str:
        """Who paused the automation and why, or an empty text."""
        ...

    def put_standing(self, standing: StandingGrant, by: str) -> None:
        """Keep a standing grant."""
        ...

    def standing_grants(self) -> list[StandingGrant]:
        """All standing grants, newest first, dead ones included."""
        ...

    def put_certificate(self, certificate: Certificate, by: str) -> None:
        """Keep what a certification found, passed or failed, with its event; raises Refusal(CONFLICT) for an id that
        is there already. See `Certificate` for what its issuer must fill in, and how."""
        ...

    def certificates(self, series: str = "") -> list[Certificate]:
        """All certificates of a series, or of every series, newest first; expired, failed and revoked ones included."""
        ...

    def revoke_certificate(self, certificate_id: str, because: str, by: str) -> None:
        """A certificate proves nothing from now on, nor a standing grant that rests on it; Refusal(NOT_FOUND)."""
        ...

    def put_run(self, run: Run, by: str) -> None:
        """Keep what a drill found, with its event; raises Refusal(CONFLICT) for an id that is there already."""
        ...

    def runs(self, *, since: datetime | None = None, fault: str = "", batch: str = "", limit: int = 1000) -> list[Run]:
        """Runs of drills, newest first; narrowed by when they ended, by fault, by batch."""
        ...

    def revoke_standing(self, standing_id: str, because: str, by: str) -> None:
        """A standing grant counts no longer; raises Refusal(NOT_FOUND)."""
        ...
