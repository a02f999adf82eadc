"""Escalation: why Ratchet stopped, and the handoff that a person can act on."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from ratchet.domain.noun import Noun


class Stop(StrEnum):
    """Why the automation stopped and asks a person."""

    UNKNOWN_CAUSE = "unknown_cause"
    AMBIGUOUS_CAUSE = "ambiguous_cause"
    SECURITY = "security"
    FIX_FAILED = "fix_failed"
    HIGH_IMPACT = "high_impact"
    BY_PERSON = "by_person"
    NO_TARGET = "no_target"
    NO_SAFE_STEP = "no_safe_step"
    PRECONDITION = "precondition"
    DENIED = "denied"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"
    TARGET_CHANGED = "target_changed"
    LIMIT_REACHED = "limit_reached"
    UNKNOWN_VALUE = "unknown_value"
    BROKEN_PLAYBOOK = "broken_playbook"
    ERROR = "error"


SENTENCES: dict[Stop, str] = {
    Stop.UNKNOWN_CAUSE: "No hypothesis was confirmed; the cause is not known.",
    Stop.AMBIGUOUS_CAUSE: "More than one cause is confirmed and they are too close to choose between.",
    Stop.SECURITY: "A security hypothesis is confirmed; nothing may be changed before security has looked.",
    Stop.FIX_FAILED: "The approved step ran, but recovery was not proved.",
    Stop.HIGH_IMPACT: "The impact is above what may be handled without an incident commander.",
    Stop.BY_PERSON: "A person handed it over.",
    Stop.NO_TARGET: "The alert could not be matched to a registered target.",
    Stop.NO_SAFE_STEP: "The cause is known, but a person must decide what is done about it.",
    Stop.PRECONDITION: "A precondition of the playbook does not hold.",
    Stop.DENIED: "A person denied the proposed step.",
    Stop.EXPIRED: "The decision expired before its step was begun.",
    Stop.IN_DOUBT: "A step was sent and its outcome cannot be told.",
    Stop.TARGET_CHANGED: "The target changed between approval and act; nothing was sent.",
    Stop.LIMIT_REACHED: "A budget of this incident is used up.",
    Stop.UNKNOWN_VALUE: "A value that decides could not be read; no data is never a pass.",
    Stop.BROKEN_PLAYBOOK: "A playbook contradicts itself on this evidence.",
    Stop.ERROR: "Something in Ratchet or between it and the target broke.",
}


class Handoff(Noun):
    """Everything a stranger needs to go on. Keys follow the escalation packet of the field; ours come after."""

    incident_id: str
    escalated_at: datetime
    escalation_reason: Stop
    sentence: str
    detail: str
    to: str
    target: str | None
    symptom: str
    diagnostic_results: dict[str, dict[str, Any]]
    """`hypothesis_1`... in rank order: title, cause, verdict, confidence, objects, evidence, against."""
    attempted_fix: dict[str, Any] | None
    verification_result: dict[str, Any] | None
    human_action_required: str
    suggested_commands: tuple[str, ...] = ()
    in_flight: str = ""
