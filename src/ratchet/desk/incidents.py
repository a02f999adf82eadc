"""Incidents as the desk shows them."""

from collections.abc import Sequence
from typing import Any

from ratchet.desk.sentences import event_view, in_flight
from ratchet.desk.views import (
    NOTHING,
    DecisionView,
    DraftView,
    EndingView,
    HypothesisView,
    IncidentLine,
    IncidentView,
    ObjectView,
    VerificationView,
)
from ratchet.domain.escalation import Handoff
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.hypothesis import Hypothesis, said
from ratchet.domain.incident import Incident
from ratchet.domain.ports import DecisionRow
from ratchet.domain.rating import Rating
from ratchet.domain.timeline import Acted, Event, Granted, Recorded, Refused, Settled


def incident_line(i: Incident) -> IncidentLine:
    """An incident in a list."""
    return IncidentLine(**_line(i))


def _line(i: Incident) -> dict[str, Any]:
    return {
        "id": i.name, "ulid": i.id, "status": i.status, "origin": i.origin, "symptom": i.alert.title,
        "target": i.target, "cause": _cause(i),
        "confidence": i.conclusion.confidence if i.conclusion else 0.0, "owner": i.owner, "opened_at": i.opened_at,
        "updated_at": i.updated_at,
    }  # fmt: skip


def _cause(i: Incident) -> str | None:
    """What a person said that it was, else what was concluded."""
    said = i.rated.cause if i.rated else i.resolved.cause if i.resolved else None
    return said or (i.conclusion.cause if i.conclusion else None)


def incident_view(i: Incident, timeline: Sequence[Recorded[Event]], decision: DecisionView | None) -> IncidentView:
    """An incident, whole."""
    conclusion = i.conclusion
    events = tuple(event_view(r) for r in timeline)
    return IncidentView(
        **_line(i),
        fault=i.fault,
        severity=i.alert.labels.get("severity", ""),
        alerts=tuple(a.model_dump(mode="json") for a in i.alerts),
        target_reason=i.target_reason,
        outcome=conclusion.outcome if conclusion else None,
        why=conclusion.why if conclusion else "",
        hypotheses=tuple(hypothesis_view(h) for h in conclusion.hypotheses) if conclusion else (),
        suggested_action=conclusion.suggested_action if conclusion else "",
        decision=decision,
        verification=_verification(i),
        handoff=_handoff(i.handoff, events),
        draft=DraftView(id=i.draft.draft, series=i.draft.series, version=i.draft.version) if i.draft else None,
        timeline=events,
        ending=_ending(i),
        needs=needs(i),
        in_flight=in_flight(i.may_land),
        triage_seconds=_seconds(i.opened_at, i.concluded_at),
        grant_to_effect_seconds=_grant_to_effect(timeline),
        resolved_by=i.resolved.by if i.resolved else None,
        rating=Rating(**i.rated.model_dump(exclude={"kind", "by"})) if i.rated else None,
        rated_by=i.rated.by if i.rated else None,
    )


def hypothesis_view(h: Hypothesis) -> HypothesisView:
    """A judged hypothesis with its lines of evidence."""
    ids = dict.fromkeys(e for r in (*h.evidence, *h.against) for e in r.evidence)
    return HypothesisView(
        id=h.id, title=h.title, cause=h.cause, verdict=h.verdict, confidence=h.confidence, playbook=h.playbook,
        objects=tuple(ObjectView(kind=o.kind, id=o.id, name=o.name) for o in h.objects),
        evidence=tuple(r.text for r in h.evidence), against=tuple(r.text for r in h.against),
        evidence_ids=tuple(ids), evidence_said=said(h.evidence), against_said=said(h.against),
        prior=h.learned,
    )  # fmt: skip


def decision_view(
    row: DecisionRow, packet: DecisionPacket | None, timeline: Sequence[Recorded[Event]] = ()
) -> DecisionView:
    """A decision; with its timeline it also says who answered and why."""
    by, reason = _answer(row.id, timeline)
    return DecisionView(
        id=row.id, incident=row.incident_name, title=row.title, target=row.target, effect=row.effect,
        digest=row.digest, state=row.state, prompt=packet.approval_prompt if packet else "",
        created_at=row.created_at, expires_at=row.expires_at, answered_by=by, reason=reason, packet=packet,
    )  # fmt: skip


def _answer(decision: str, timeline: Sequence[Recorded[Event]]) -> tuple[str | None, str | None]:
    """A no stands over a yes that came before it."""
    events = [recorded.event for recorded in timeline]
    for event in events:
        if isinstance(event, Refused) and event.decision == decision:
            return event.by, event.reason
    for event in events:
        if isinstance(event, Granted) and event.approval.decision == decision:
            return event.approval.by, event.approval.reason
    return None, None


def _verification(i: Incident) -> VerificationView | None:
    if i.verified is not None:
        v = i.verified
        return VerificationView(
            passed=v.passed, samples=v.samples, sustained_seconds=v.sustained_seconds, because=v.because
        )
    if i.status != "verifying":
        return None
    streak = i.streak()
    held = (streak[-1].at - streak[0].at).total_seconds() if streak else 0.0
    return VerificationView(passed=None, samples=len(streak), sustained_seconds=held, because="The window is open.")


def _ending(i: Incident) -> EndingView | None:
    if i.ending is None:
        return None
    cause = f" --cause {i.ending.cause}" if i.ending.cause else ""
    confirm = f"ratchet incident {i.ending.verb} {i.name}{cause}"
    return EndingView(**i.ending.model_dump(exclude={"kind", "channel"}), confirm=confirm)


def _handoff(handoff: Handoff | None, events: Sequence[Any]) -> dict[str, Any] | None:
    if handoff is None:
        return None
    lines = [{"time": e.time.isoformat(), "event": e.event, "sentence": e.sentence} for e in events]
    return {**handoff.model_dump(mode="json"), "timeline": lines}


def _seconds(start: Any, end: Any) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 4)


def _grant_to_effect(timeline: Sequence[Recorded[Event]]) -> float | None:
    granted = [r.at for r in timeline if isinstance(r.event, Granted)]
    done = [r for r in timeline if isinstance(r.event, Acted | Settled)]
    if not granted or not done:
        return None
    first = done[0]
    ended = first.event.ended_at if isinstance(first.event, Acted) else first.at
    return _seconds(granted[-1], ended)


_NEEDS = {
    "open": "Ratchet is about to look.",
    "triaging": "Ratchet is looking and judging.",
    "acting": "Ratchet is performing the approved step.",
    "verifying": "Ratchet is watching whether the recovery holds.",
    "closed": NOTHING,
}


def needs(i: Incident) -> str:
    """The next thing needed from a person, or what the automation is doing."""
    ending = _ending(i)
    if ending is not None:
        return f"Another person than {ending.by} confirms that it is over: {ending.confirm}"
    match i.status:
        case "awaiting_approval":
            packet = i.packet
            if i.delayed and not i.answered:
                until = f"{i.packet.expires_at:%H:%M:%S} UTC" if i.packet else "its end"
                return f"Nothing now; the approved step waits, until {until} at most. {i.delayed}"
            return f"A person answers {packet.id}: {packet.approval_prompt}" if packet else "A decision is being made."
        case "escalated":
            return f"{i.handoff.to}: {i.handoff.human_action_required}" if i.handoff else "A person takes it."
        case "held":
            return " ".join(word for word in (f"{i.owner} has it.", in_flight(i.may_land)) if word)
        case "resolved":
            return f"Review draft {i.draft.draft}." if i.draft else NOTHING
        case _:
            return _NEEDS[i.status]
