"""What the desk shows: the same nouns for every door, in the names that other programs rely on."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ratchet.domain.errors import Mistake
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.house import Role
from ratchet.domain.noun import Noun
from ratchet.domain.ports import DecisionState, Missing
from ratchet.domain.priors import Prior
from ratchet.domain.rating import Rating
from ratchet.domain.standing import Bound, StandingGrant
from ratchet.domain.target import SecretRef, Target

NOTHING = "Nothing."
"""What is needed of an incident that is over."""


class ObjectView(Noun):
    """An object concerned, as a person points at it."""

    kind: str
    id: str
    name: str


class HypothesisView(Noun):
    """A judged hypothesis: `evidence` and `against` are exact traces, their `_said` twins are lines for a person;
    `evidence_ids` open what was captured."""

    id: str
    title: str
    cause: str
    verdict: str
    confidence: float
    playbook: str
    objects: tuple[ObjectView, ...]
    evidence: tuple[str, ...]
    against: tuple[str, ...]
    evidence_ids: tuple[str, ...]
    evidence_said: tuple[str, ...] = ()
    against_said: tuple[str, ...] = ()
    prior: Prior | None = None
    """How its likelihood was moved by what people confirmed; None where nobody did."""


class DecisionView(Noun):
    """A decision as listed and shown; `packet` is whole on a single decision and absent in lists."""

    id: str
    incident: str
    title: str
    target: str
    effect: str
    digest: str
    state: DecisionState
    prompt: str = ""
    created_at: datetime
    expires_at: datetime
    answered_by: str | None = None
    reason: str | None = None
    packet: DecisionPacket | None = None


class EventView(Noun):
    """A line of the timeline: `event` is the field's name for it, `sentence` what a person reads."""

    time: datetime
    event: str
    sentence: str
    by: str
    seq: int
    details: dict[str, Any] = {}


class VerificationView(Noun):
    """What proved, or failed to prove, the recovery."""

    passed: bool | None
    samples: int
    sustained_seconds: float
    because: str


class DraftView(Noun):
    """The draft that an incident left in the vault."""

    id: str
    series: str
    version: str


class EndingView(Noun):
    """One person's word that an incident of high impact is over; `confirm` is what another person types to end it."""

    by: str
    verb: Literal["resolve", "close"]
    cause: str | None
    reason: str
    because: str
    confirm: str


class IncidentLine(Noun):
    """An incident in a list."""

    id: str
    ulid: str
    status: str
    origin: str
    symptom: str
    target: str | None
    cause: str | None
    confidence: float
    owner: str
    opened_at: datetime | None
    updated_at: datetime | None


class IncidentView(IncidentLine):
    """An incident, whole, as an on-call person reads it."""

    fault: str | None
    severity: str
    alerts: tuple[dict[str, Any], ...]
    target_reason: str
    outcome: str | None
    why: str
    hypotheses: tuple[HypothesisView, ...]
    suggested_action: str
    decision: DecisionView | None
    verification: VerificationView | None
    handoff: dict[str, Any] | None
    draft: DraftView | None
    timeline: tuple[EventView, ...]
    in_flight: str = ""
    """What was sent and may still land, in one sentence; empty when nothing can."""
    ending: EndingView | None = None
    """Waits for a second person; whatever happens meanwhile, but for notes, withdraws it."""
    needs: str
    """The next thing needed from a person, or what the automation is doing."""
    triage_seconds: float | None
    grant_to_effect_seconds: float | None
    resolved_by: str | None
    rating: Rating | None = None
    """What a person said of it afterwards."""
    rated_by: str | None = None


class InFlightView(Noun):
    """An act under way: until when, on the target's clock, it may still take effect."""

    incident: str
    op: str
    step: str
    target: str
    may_land_until: datetime


class AutomationView(Noun):
    """Whether acts may begin; `because` says who paused it and why."""

    paused: bool
    because: str
    in_flight: tuple[InFlightView, ...]


class GrantRequest(Noun):
    """A standing grant to be given: a step of a series' active text, where, how often and until when."""

    series: str = Field(min_length=1, max_length=100)
    step: str = Field(min_length=1, max_length=100)
    reason: str = Field(min_length=4, max_length=4000)
    targets: tuple[str, ...] = ()
    tag: str | None = None
    bounds: dict[str, Bound] = {}
    cap: int = Field(default=100, ge=1, le=1000)
    uses: int = Field(default=1, ge=1, le=1000)
    days: int = Field(default=30, ge=1, le=90)
    fault: str | None = None
    certificate: str | None = Field(default=None, min_length=1, max_length=100)
    """Only while this certificate of the text counts."""


class GrantView(Noun):
    """A standing grant; `counts` says whether it covers anything now, `because` why not."""

    grant: StandingGrant
    playbook: str
    left: int
    counts: bool
    because: str


class PlaybookView(Noun):
    """A version of a playbook, in the seed's names."""

    id: str
    name: str
    series_id: str
    version: str
    source: str
    is_active: bool
    state: str
    title: str
    guidance: str
    created_at: datetime
    created_by: str
    digest: str
    revision: int
    incident: str | None
    fault: str | None
    blanks: tuple[str, ...]
    text: str = ""
    """The canonical YAML; empty in lists."""


class TargetView(Noun):
    """A registered target; credentials appear as references only."""

    name: str
    kind: str
    tags: tuple[str, ...]
    owner: str
    replica_of: str | None
    pooler_of: str | None
    address: str
    system_identifier: str
    diag: str
    act: str
    canary: str


class TargetRequest(Noun):
    """What `target add` asks for. With `admin`, both roles are created with the least rights (provision)."""

    target: Target
    admin: SecretRef | None = None
    allow: tuple[str, ...] = ()
    """Further rights asked for with provision: `log`, `slots`, `role_settings`."""


class TargetReport(Noun):
    """What a target lacks, and which playbooks that disables."""

    target: TargetView
    reachable: bool
    answer: str
    server: str
    missing: tuple[Missing, ...]
    started: str = ""
    """When the server was started, by its own word to the microsecond; empty where it did not say."""
    data_directory: str = ""
    """Where its files lie on its own machine; empty where this login is not told."""


class TokenView(Noun):
    """A token without its text."""

    id: str
    name: str
    person: bool
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked: bool


class NewToken(Noun):
    """A token just made; `text` is shown once and never kept."""

    token: TokenView
    text: str


class CheckView(Noun):
    """A line of the doctor."""

    name: str
    ok: bool | None
    detail: str
    remedy: str = ""


class LintView(Noun):
    """What is wrong with a playbook text; empty when nothing is."""

    where: str
    mistakes: tuple[Mistake, ...]
