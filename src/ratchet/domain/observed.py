"""What a grader sees of an incident: how it stands, what was claimed, done and proved, and when; pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ratchet.domain import timeline as t
from ratchet.domain.drill import Found
from ratchet.domain.hypothesis import Conclusion
from ratchet.domain.incident import Incident
from ratchet.domain.move import SECOND_LOOK, next_move
from ratchet.domain.moves import Rest
from ratchet.domain.noun import Noun

EFFECTIVE = frozenset({"done", "took"})


class Pending(Noun):
    """A decision that waits for a person."""

    decision: str
    digest: str
    step: str
    title: str
    writes: bool
    """Whether a session with uncommitted writes would be touched: that is never approved in advance."""
    author: str = ""
    """Who wrote what the playbook does: their yes never counts, in advance or not."""


class Observed(Noun):
    """An incident as a grader needs it. Moments are on Ratchet's clock, durations in seconds."""

    incident: str
    status: str
    resting: bool
    """Whether nothing more happens by itself."""
    outcome: str = ""
    cause: str | None = None
    confidence: float = 0.0
    found: tuple[Found, ...] = ()
    """The objects of the leading hypothesis, in its order."""
    confirmed: tuple[str, ...] = ()
    """The causes of every confirmed hypothesis."""
    playbook: str = ""
    playbook_digest: str = ""
    diagnosis: str = ""
    stop: str = ""
    human_action: str = ""
    asked: Pending | None = None
    steps: tuple[str, ...] = ()
    """The steps that took effect, in order."""
    doubt: bool = False
    """Whether anything was sent of which nobody knows whether it happened."""
    verified: bool | None = None
    resolved_by: str = ""
    sustained_seconds: float | None = None
    waited_seconds: float = 0.0
    """Before a second look, until a doubt could be settled, and while the verification window was open."""
    draft: str = ""
    received_at: datetime | None = None
    concluded_at: datetime | None = None
    granted_at: datetime | None = None
    good_at: datetime | None = None
    """The first good sample of the window that passed."""


def observe(incident: Incident, timeline: Sequence[t.Recorded[t.Event]], now: datetime) -> Observed:
    """The incident as it stands."""
    conclusion, verified = incident.conclusion, incident.verified
    streak = incident.streak() if verified is not None and verified.passed else ()
    return Observed(
        incident=incident.name,
        status=incident.status,
        resting=isinstance(next_move(incident, now), Rest),
        **_claimed(conclusion),
        playbook=_pin(incident),
        playbook_digest=incident.plan.playbook_digest if incident.plan else "",
        stop=incident.handoff.escalation_reason.value if incident.handoff else "",
        human_action=incident.handoff.human_action_required if incident.handoff else "",
        asked=_asked(incident),
        steps=tuple(op.step for op in incident.ops if op.state in EFFECTIVE),
        doubt=any(op.state in ("unknown", "unsure", "intended") for op in incident.ops),
        verified=verified.passed if verified else None,
        resolved_by=incident.resolved.by if incident.resolved else "",
        sustained_seconds=verified.sustained_seconds if verified else None,
        waited_seconds=_waited(incident, timeline),
        draft=incident.draft.draft if incident.draft else "",
        received_at=incident.opened_at,
        concluded_at=incident.concluded_at,
        granted_at=_granted(timeline),
        good_at=streak[0].at if streak else None,
    )


def _claimed(conclusion: Conclusion | None) -> dict[str, Any]:
    if conclusion is None:
        return {}
    leading = conclusion.leading
    return {
        "outcome": conclusion.outcome,
        "cause": conclusion.cause,
        "confidence": conclusion.confidence,
        "found": tuple(Found(kind=o.kind, id=o.id) for o in leading.objects) if leading else (),
        "confirmed": tuple(h.cause for h in conclusion.hypotheses if h.verdict == "confirmed"),
        "diagnosis": _sentence(conclusion),
    }


def _sentence(conclusion: Conclusion) -> str:
    """The hypothesis that leads, with what it points at; where none may, why not."""
    leading = conclusion.leading
    if leading is None or conclusion.outcome != "cause":
        return conclusion.why
    named = ", ".join(f"{each.kind} {each.name or each.id}" for each in leading.objects[:3])
    return f"{leading.title}: {named}" if named else leading.title


def _pin(incident: Incident) -> str:
    if incident.plan is not None:
        return incident.plan.playbook
    leading = incident.conclusion.leading if incident.conclusion else None
    return leading.playbook if leading else ""


def _asked(incident: Incident) -> Pending | None:
    """What waits for an answer; None where it was answered or is covered in advance."""
    packet = incident.packet
    covered = incident.standing is not None or bool(incident.approvals) or bool(incident.answered)
    if incident.status != "awaiting_approval" or packet is None or covered:
        return None
    return Pending(
        decision=packet.id, digest=packet.digest, step=packet.step, title=packet.title, writes=packet.preview.writes,
        author=packet.author,
    )  # fmt: skip


def _waited(incident: Incident, timeline: Sequence[t.Recorded[t.Event]]) -> float:
    window = [r.at for r in timeline if isinstance(r.event, t.Verified)]
    began = incident.effect_at()
    watched = (window[-1] - began).total_seconds() if window and began is not None else 0.0
    doubts = {r.event.op_id: r.at for r in timeline if isinstance(r.event, t.Doubted)}
    settled = [(r.at, r.event.op_id) for r in timeline if isinstance(r.event, t.Settled) and r.event.op_id in doubts]
    doubted = sum((at - doubts[op]).total_seconds() for at, op in settled)
    return round(watched + doubted + SECOND_LOOK.total_seconds() * max(0, incident.looks - 1), 3)


def _granted(timeline: Sequence[t.Recorded[t.Event]]) -> datetime | None:
    """When the act that came first was granted, by a person or in advance."""
    acts = [r.at for r in timeline if isinstance(r.event, t.Intended)]
    given = [r.at for r in timeline if isinstance(r.event, t.Granted | t.Covered) and (not acts or r.at <= acts[0])]
    return given[-1] if given else None
