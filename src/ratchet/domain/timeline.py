"""The timeline: every event that can happen to an incident, each with the sentence a person reads."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Field

from ratchet.domain.alert import Alert
from ratchet.domain.escalation import Handoff
from ratchet.domain.gate import Approval, DecisionPacket, Grant
from ratchet.domain.hypothesis import Conclusion
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Plan
from ratchet.domain.spoken import Closed, EndProposed, FollowedUp, HandedBack, Noted, Rated, Taken


class Opened(Noun):
    """An alert became an incident."""

    label: ClassVar[str] = "alert_fired"
    kind: Literal["opened"] = "opened"
    number: int
    origin: Literal["production", "drill"] = "production"
    fault: str | None = None
    quiet: bool = False
    """A drill in which only the alert comes, and nothing is wrong."""
    alert: Alert
    target: str | None
    target_reason: str


class Joined(Noun):
    """Another alert was attached, or one was refreshed or resolved."""

    label: ClassVar[str] = "alert_joined"
    label_else: ClassVar[str] = "alert_resolved"
    kind: Literal["joined"] = "joined"
    alert: Alert


class Looked(Noun):
    """The probes of the candidate playbooks were run."""

    label: ClassVar[str] = "triage_started"
    kind: Literal["looked"] = "looked"
    candidates: tuple[str, ...]
    evidence: tuple[str, ...]
    answers: dict[str, str]
    elapsed_ms: float


class Concluded(Noun):
    """The hypotheses were judged."""

    label: ClassVar[str] = "triage_completed"
    kind: Literal["concluded"] = "concluded"
    conclusion: Conclusion


class Planned(Noun):
    """A playbook was bound to what exists here and now."""

    label: ClassVar[str] = "planned"
    kind: Literal["planned"] = "planned"
    plan: Plan
    evidence: tuple[str, ...] = ()


class Asked(Noun):
    """A decision packet waits for a person."""

    label: ClassVar[str] = "approval_requested"
    kind: Literal["asked"] = "asked"
    packet: DecisionPacket


class Granted(Noun):
    """A person approved exactly this packet."""

    label: ClassVar[str] = "approval_granted"
    kind: Literal["granted"] = "granted"
    approval: Approval


class Refused(Noun):
    """A person denied the packet."""

    label: ClassVar[str] = "approval_denied"
    kind: Literal["refused"] = "refused"
    decision: str
    digest: str
    by: str
    reason: str


class Covered(Noun):
    """A standing grant covers the packet; nobody has to be woken."""

    label: ClassVar[str] = "approval_standing"
    kind: Literal["covered"] = "covered"
    decision: str
    standing: str
    given_by: str


class Delayed(Noun):
    """An approved step waits: automation is paused, the target is locked or cools down, a freeze is on."""

    label: ClassVar[str] = "delayed"
    kind: Literal["delayed"] = "delayed"
    guard: str
    because: str


class Expired(Noun):
    """Nobody answered in time."""

    label: ClassVar[str] = "approval_expired"
    kind: Literal["expired"] = "expired"
    decision: str


class Superseded(Noun):
    """The world changed; the approved packet counts no longer."""

    label: ClassVar[str] = "approval_superseded"
    kind: Literal["superseded"] = "superseded"
    decision: str
    because: str


class Intended(Noun):
    """The intent is durable; only now may the act be sent."""

    label: ClassVar[str] = "fix_started"
    kind: Literal["intended"] = "intended"
    grant: Grant
    attempt: int
    action: str
    before: bool | None = None
    """What the criteria of recovery said just before: only what failed then can be credited with a recovery."""


class Acted(Noun):
    """The target answered the act."""

    label: ClassVar[str] = "fix_completed"
    kind: Literal["acted"] = "acted"
    op_id: str
    outcome: Literal["done", "failed_clean"]
    started_at: datetime
    ended_at: datetime
    return_code: str
    error_category: str = "none"
    touched: tuple[dict[str, Any], ...] = ()
    result: dict[str, Any] = {}
    stopped: str = ""
    """The reason of a stop rule that the result met, or empty."""


class Doubted(Noun):
    """The act was or may have been sent and no answer came: its outcome is unknown."""

    label: ClassVar[str] = "outcome_unknown"
    kind: Literal["doubted"] = "doubted"
    op_id: str
    because: str
    error_category: str


class Settled(Noun):
    """The target was looked at after the deadline to learn whether the act happened."""

    label: ClassVar[str] = "outcome_settled"
    kind: Literal["settled"] = "settled"
    op_id: str
    took: Literal["yes", "no", "cannot_tell"]
    because: str
    evidence: tuple[str, ...] = ()


class Sampled(Noun):
    """One sample of the verification window."""

    label: ClassVar[str] = "verification_sampled"
    kind: Literal["sampled"] = "sampled"
    at: datetime
    value: bool | None
    lines: dict[str, str]
    evidence: tuple[str, ...]


class RolledBack(Noun):
    """The undo of a step ran; `proved` says whether the state is again what it was before the step."""

    label: ClassVar[str] = "rollback_completed"
    kind: Literal["rolled_back"] = "rolled_back"
    op_id: str
    proved: bool | None
    because: str


class Verified(Noun):
    """The verification window closed."""

    label: ClassVar[str] = "verification_passed"
    label_else: ClassVar[str] = "verification_failed"
    kind: Literal["verified"] = "verified"
    passed: bool
    samples: int
    sustained_seconds: float
    because: str


class Resolved(Noun):
    """The incident is over, with proof or by a person's word."""

    label: ClassVar[str] = "resolved"
    kind: Literal["resolved"] = "resolved"
    by: str
    cause: str | None
    without_action: bool = False
    because: str


class Escalated(Noun):
    """Ratchet stopped and a person has it all."""

    label: ClassVar[str] = "escalated"
    kind: Literal["escalated"] = "escalated"
    handoff: Handoff


class Drafted(Noun):
    """What worked became a draft playbook, which a person may activate."""

    label: ClassVar[str] = "drafted"
    kind: Literal["drafted"] = "drafted"
    draft: str
    series: str
    version: str


Event = Annotated[
    Opened | Joined | Looked | Concluded | Planned | Asked | Granted | Refused | Covered | Delayed | Expired
    | Superseded | Intended | Acted | Doubted | Settled | Sampled | RolledBack | Verified | Resolved | Escalated
    | Drafted | Noted | Taken | HandedBack | EndProposed | Closed | Rated | FollowedUp,
    Field(discriminator="kind"),
]  # fmt: skip


E = TypeVar("E")


class Recorded(Noun, Generic[E]):
    """An event as it stands in the table: where in its stream, when, by whom."""

    seq: int
    at: datetime
    by: str
    event: E
