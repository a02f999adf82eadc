"""What the workshops and the desk need from the outside world; wiring fills these in."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from ratchet.domain.alert import Alert
from ratchet.domain.errors import Mistake
from ratchet.domain.evidence import Evidence, ProbeCall
from ratchet.domain.gate import DecisionPacket, Grant
from ratchet.domain.house import HouseEvent, Token
from ratchet.domain.incident import Incident
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, ToolSpec
from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Series, SeriesEvent, Version
from ratchet.domain.target import Fingerprint, Target
from ratchet.domain.timeline import Event, Opened, Recorded

T = TypeVar("T")

Clock: TypeAlias = Callable[[], datetime]
"""The present moment, aware, in UTC."""


class ProbeSpec(Protocol):
    """What is known of a registered read probe."""

    @property
    def name(self) -> str: ...
    @property
    def summary(self) -> str: ...


class Sent(Noun):
    """How a target answered an act. `unknown` covers every case in which it may have happened unseen."""

    outcome: Literal["done", "failed_clean", "unknown"]
    started_at: datetime
    ended_at: datetime
    return_code: str
    error_category: str = "none"
    touched: tuple[dict[str, Any], ...] = ()
    result: dict[str, Any] = {}
    because: str = ""


class Took(Noun):
    """Whether an act happened, as far as the target can tell."""

    verdict: Literal["yes", "no", "cannot_tell"]
    because: str


class Missing(Noun):
    """A right, extension or version that a target lacks, and which playbooks that disables."""

    what: str
    remedy: str
    probes: tuple[str, ...] = ()
    playbooks: tuple[str, ...] = ()


class Toolbox(Protocol):
    """The hands: read probes, and write tools that act only with a grant."""

    def look(self, calls: Sequence[ProbeCall]) -> list[Evidence]:
        """Answer every call, in parallel within the read budget; never raises for what a target does."""
        ...

    def fingerprint(self, target: str) -> Fingerprint | Evidence:
        """Who stands behind the target's address now, or the evidence of why it cannot be told."""
        ...

    def spec(self, tool: str) -> ToolSpec | None:
        """What a write tool declares, or None when no such tool is registered."""
        ...

    def tools(self) -> list[ToolSpec]:
        """All write tools."""
        ...

    def probes(self) -> Mapping[str, frozenset[str]]:
        """Registered probe names and the columns that each may yield."""
        ...

    def preview(self, target: str, tool: str, args: Mapping[str, Any]) -> Preview | Evidence:
        """A dry run, or the evidence of why it cannot be made. Raises Refusal for arguments that do not fit."""
        ...

    def credential(self, target: str) -> str:
        """The reference of the target's act credential."""
        ...

    def act(self, act: Act, grant: Grant) -> Sent:
        """Send an act once. Refuses (Refusal) when the grant is not for exactly this act."""
        ...

    def took(self, act: Act, grant: Grant) -> Took:
        """Whether an act of unknown outcome happened; asked only after its deadline."""
        ...

    def check(self, target: str) -> list[Missing]:
        """What the target's credentials lack."""
        ...

    def pointed(self, name: str) -> str:
        """Register, warm up or refresh a target's sessions; returns the server's system identifier or an empty text."""
        ...


class DecisionRow(Noun):
    """A decision in the list of decisions."""

    id: str
    incident: str
    incident_name: str
    title: str
    target: str
    effect: str
    digest: str
    state: Literal["pending", "approved", "denied", "expired", "superseded"]
    expires_at: datetime
    created_at: datetime


class Due(Noun):
    """An incident whose time has come."""

    incident: str
    wake_at: datetime


class Store(Protocol):
    """The event table and its projections. `commit` is the one write verb for aggregates."""

    def open(self, incident_id: str, build: Callable[[int], Opened], by: str) -> Incident:
        """Open an incident under the next number; raises Refusal(UNAVAILABLE) when it cannot be made durable."""
        ...

    def receive(self, alerts: Sequence[Alert], correlate: "Correlate", by: str) -> list[Incident]:
        """Attach or open for each alert, in one transaction; the same occurrence twice gives the same incident."""
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

    def incidents(self, *, status: Sequence[str] = (), limit: int = 50, cursor: str | None = None) -> "Page[Incident]":
        """Newest first."""
        ...

    def timeline(self, incident_id: str) -> list[Recorded[Event]]:
        """All events of an incident, oldest first."""
        ...

    def evidence(self, ids: Sequence[str]) -> list[Evidence]:
        """Captured evidence by id, in the order asked; unknown ids are left out."""
        ...

    def decisions(
        self, *, state: Sequence[str] = (), limit: int = 50, cursor: str | None = None
    ) -> "Page[DecisionRow]":
        """Newest first; pending ones by expiry when only `pending` is asked."""
        ...

    def decision(self, decision_id: str) -> tuple[DecisionRow, DecisionPacket]:
        """A decision and its packet; raises Refusal(NOT_FOUND)."""
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

    def verify(self) -> "ChainReport":
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


class Opening(Noun):
    """Open a new incident for an alert."""

    incident_id: str
    target: str | None
    target_reason: str
    origin: Literal["production", "drill"] = "production"
    fault: str | None = None


class Joining(Noun):
    """Attach an alert to an incident that is open."""

    incident_id: str


Correlate: TypeAlias = Callable[[Alert, Sequence[Incident]], Opening | Joining | None]
"""Decides over an alert and the open incidents; None leaves the alert without an incident (a resolve of nothing)."""


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


class Shelf(Protocol):
    """The active playbooks, as typed values with the version they come from."""

    def candidates(self, kind: str) -> list[tuple[Version, Playbook]]:
        """Every active playbook for a target kind, by series."""
        ...

    def version(self, version_id: str) -> tuple[Version, Playbook]:
        """One version, whatever its state; raises Refusal(NOT_FOUND)."""
        ...


class Files(Protocol):
    """Reads playbook texts; every mistake at once."""

    def load(self, text: str, where: str) -> Playbook:
        """The playbook in a text; raises Refusal(INVALID) with all mistakes."""
        ...

    def lint(self, playbook: Playbook, text: str, where: str) -> list[Mistake]:
        """What a reviewer would send back."""
        ...
