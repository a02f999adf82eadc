"""The next move: one pure decision over an incident and the clock."""

from datetime import datetime, timedelta

from ratchet.domain.escalation import Stop
from ratchet.domain.gate import DecisionPacket, quorum_met
from ratchet.domain.incident import LIVE, MARGIN, Incident
from ratchet.domain.moves import (
    Ask,
    Bind,
    Conclude,
    Doubt,
    Draft,
    Escalate,
    Expire,
    Judge,
    Look,
    Move,
    Perform,
    ProveUndo,
    Resolve,
    Rest,
    Settle,
    Take,
    Undo,
    Wait,
)
from ratchet.domain.op import Op
from ratchet.domain.plan import Plan, Verification
from ratchet.domain.protocol import ATTEMPTS

WALL = timedelta(minutes=30)
"""How long the automation may work on an incident before a person must look at why (SAFETY.md 1.5)."""
ALONE = " The criteria were not seen failing just before the step, so that the step is not credited."
UNSEEN = " The answer to the step was lost, and others may have brought what was found, so that it is not credited."
LOOKS = 2
SECOND_LOOK = timedelta(seconds=2)
"""What is not known at the first look is looked at once more: trouble that has just begun may not show its age yet."""
MAX_REVISIONS = 4
"""How often a packet may be asked anew before a person must look at why."""


def next_move(incident: Incident, now: datetime, grave: str = "") -> Move:
    """What happens next to this incident. Unsettled acts come first: nothing goes on while an outcome is open.

    `grave` says why its impact is above what may be handled without an incident commander, or is empty.
    """
    open_op = _unsettled(incident)
    if open_op is not None:
        return _settle(open_op, now)
    if incident.status == "resolved":
        return _afterwards(incident)
    if incident.status not in LIVE:
        return Rest()
    if incident.op is not None and incident.op.state == "unsure":
        return Escalate(stop=Stop.IN_DOUBT, detail=incident.op.because)
    if _goes_on(incident) and incident.began_at is not None and now > incident.began_at + WALL:
        return Escalate(stop=Stop.LIMIT_REACHED, detail="The automation had its time and did not come to an end.")
    match incident.status:
        case "open" | "triaging":
            return _triage(incident, now)
        case "awaiting_approval":
            return _await_answer(incident, now, grave)
        case "acting":
            return _after_act(incident, now, grave)
        case _:
            return _verify(incident, now)


def _goes_on(incident: Incident) -> bool:
    """Whether something new would be begun. An answer, a proof of recovery and a way back have an end of their own, and
    what was done is told as it is."""
    back = incident.packet is not None and incident.packet.undo_of is not None
    return incident.status in ("open", "triaging") or (incident.status == "acting" and not back)


def _unsettled(incident: Incident) -> Op | None:
    return incident.op if incident.may_land is not None else None


def _settle(op: Op, now: datetime) -> Move:
    if op.state == "intended":
        return Doubt(op_id=op.grant.op_id)
    due = op.grant.settle_after + MARGIN
    return Settle(op_id=op.grant.op_id) if now >= due else Wait(until=due)


def _afterwards(incident: Incident) -> Move:
    """A recovery is worth learning from when our act brought it, or when a person mended it and its monitor, or our
    window, says so too: a word alone is not."""
    if incident.draft is not None or incident.resolved is None:
        return Rest()
    passed = incident.verified is not None and incident.verified.passed
    by_us = incident.resolved.by == "ratchet" and passed and incident.turned
    by_person = incident.resolved.by.startswith("user:") and (incident.alert_resolved or passed)
    return Draft() if by_us or by_person else Rest()


def _triage(incident: Incident, now: datetime) -> Move:
    if incident.alert_resolved:
        return _by_itself(incident, "The alert resolved at its source before anything was done.")
    if incident.target is None:
        return Escalate(stop=Stop.NO_TARGET, detail=incident.target_reason)
    if incident.looked_at is None:
        return Look()
    conclusion = incident.conclusion
    if conclusion is None:
        return Conclude()
    again = incident.concluded_at + SECOND_LOOK if incident.concluded_at else now
    if conclusion.outcome == "unknown_cause" and incident.looks < LOOKS:
        return Look() if now >= again else Wait(until=again)
    leading = conclusion.leading
    if conclusion.outcome != "cause" or leading is None:
        return Escalate(stop=_STOPS.get(conclusion.outcome, Stop.UNKNOWN_CAUSE), detail=conclusion.why)
    if leading.then == ("escalate",):
        return Escalate(stop=Stop.NO_SAFE_STEP, detail=conclusion.suggested_action)
    return Bind() if incident.plan is None else Ask()


_STOPS = {
    "ambiguous": Stop.AMBIGUOUS_CAUSE,
    "unknown_cause": Stop.UNKNOWN_CAUSE,
    "security": Stop.SECURITY,
    "contradictory": Stop.BROKEN_PLAYBOOK,
}


def _await_answer(incident: Incident, now: datetime, grave: str) -> Move:
    if (packet := incident.packet) is None:
        return Ask()
    if grave and incident.answered not in ("refused", "expired"):
        stands = " The step that it would take back stands." if packet.undo_of is not None else ""
        return Escalate(stop=Stop.HIGH_IMPACT, detail=f"{grave} What was asked is withdrawn.{stands}")
    if packet.undo_of is not None:
        return _await_undo(incident, packet, now)
    match incident.answered:
        case "refused":
            return Escalate(stop=Stop.DENIED, detail=incident.answer_detail)
        case "expired":
            asked = f"What was asked: ratchet decision show {packet.id}"
            return Escalate(stop=Stop.EXPIRED, detail=f"{_kept_waiting(incident)} {asked}".strip())
        case "superseded":
            if incident.revision >= MAX_REVISIONS:
                return Escalate(stop=Stop.TARGET_CHANGED, detail=incident.answer_detail)
            return Ask()
        case _:
            pass
    if incident.alert_resolved:
        return _over(incident, "The alert resolved at its source before the step was approved.")
    if now >= packet.expires_at:
        return Expire()
    covered = incident.standing is not None or quorum_met(packet, incident.approvals)
    return Perform() if covered else Wait(until=packet.expires_at)


def _kept_waiting(incident: Incident) -> str:
    """What an approved step waited for until its decision expired; empty where it was never approved."""
    return f"It was approved, and had to wait until that was too late: {incident.delayed}" if incident.delayed else ""


def _over(incident: Incident, because: str) -> Move:
    """The alert resolved before a step took effect: nothing was done, or a person looks at what an earlier step did."""
    if not incident.effects:
        return _by_itself(incident, because)
    steps = ", ".join(dict.fromkeys(op.step for op in incident.effects))
    return Escalate(stop=Stop.FIX_FAILED, detail=f"{because} What was done before that stands, unverified: {steps}.")


def _by_itself(incident: Incident, because: str) -> Resolve:
    """Nothing was done about it since the automation began; what was before it was handed back is not left out."""
    acted = ", ".join(dict.fromkeys(op.step for op in incident.ops if op.state in ("done", "took")))
    if not acted:
        return Resolve(without_action=True, because=because)
    stands = f"What was done before it was handed back stands, unverified: {acted}."
    return Resolve(without_action=False, because=f"The alert resolved at its source. {stands}")


def _await_undo(incident: Incident, packet: DecisionPacket, now: datetime) -> Move:
    """A way back is asked once: whatever is not a yes in time hands over, and says what stayed as the step left it."""
    why = {
        "refused": f"Taking it back was denied by {incident.answer_detail}",
        "expired": _kept_waiting(incident) or f"Nobody answered whether it is taken back ({packet.id})",
        "superseded": f"It could not be taken back any more: {incident.answer_detail}",
    }.get(incident.answered, "")
    if not why and incident.alert_resolved:
        why = "The alert resolved at its source before it was taken back"
    if why:
        stands = "Look at what stands now." if incident.answered == "superseded" else "The step's effect stands."
        left = f"{why.rstrip('.')}. {stands}"
        return Escalate(stop=Stop.FIX_FAILED, detail=f"Recovery was not proved. {left}")
    if now >= packet.expires_at:
        return Expire()
    return Perform() if quorum_met(packet, incident.approvals) else Wait(until=packet.expires_at)


def _after_act(incident: Incident, now: datetime, grave: str) -> Move:
    op, packet = incident.op, incident.packet
    if packet is None or op is None:
        resolved = "The alert resolved at its source before the next step."
        return _over(incident, resolved) if incident.alert_resolved else Ask()
    if packet.undo_of is not None:
        return _after_undo(incident, op)
    match op.state:
        case "failed_clean" | "absent" if incident.alert_resolved:
            return _over(incident, "The alert resolved at its source, and the step had no effect.")
        case "failed_clean" | "absent" if grave:
            return Escalate(stop=Stop.HIGH_IMPACT, detail=f"{grave} The step had no effect.")
        case "failed_clean":
            because = f"The step failed before it changed anything: {op.return_code}"
            return Escalate(stop=Stop.FIX_FAILED, detail=because)
        case "absent" if _may_retry(incident, now):
            return Perform()
        case "absent":
            again = f" It was not sent again: {incident.answer_detail}" if incident.answered else ""
            said = f"The step was sent but did not happen: {op.because}{again}"
            return Escalate(stop=Stop.FIX_FAILED, detail=said)
        case _:
            return Escalate(stop=Stop.FIX_FAILED, detail=op.stopped or op.because)


def _may_retry(incident: Incident, now: datetime) -> bool:
    """An act that provably did not happen may be sent again under the same approval while that is live."""
    packet = incident.packet
    if packet is None or packet.act.klass == "C" or now >= packet.expires_at or incident.alert_resolved:
        return False
    if incident.answered:
        return False
    return sum(op.grant.decision == packet.id for op in incident.ops) < ATTEMPTS


def _after_undo(incident: Incident, op: Op) -> Move:
    if op.state in ("done", "took") and incident.rolled_back is None:
        return ProveUndo()
    rolled = incident.rolled_back
    because = rolled.because if rolled is not None else f"The rollback failed: {op.because or op.return_code}"
    return Escalate(stop=Stop.FIX_FAILED, detail=f"Recovery was not proved. {because}")


def _verify(incident: Incident, now: datetime) -> Move:
    plan, began = incident.plan, incident.effect_at()
    if plan is None or began is None:
        return Escalate(stop=Stop.ERROR, detail="There is nothing to verify against.")
    if incident.verified is not None:
        if incident.verified.passed:
            because = f"{incident.verified.because}{_not_credited(incident)}"
            return Resolve(without_action=not incident.effects, because=because)
        packet, op = incident.packet, incident.op
        if packet is not None and op is not None and packet.act.undo.possible and packet.undo_of is None:
            return Undo()
        return Escalate(stop=Stop.FIX_FAILED, detail=incident.verified.because)
    return _window(incident, plan, began, now)


def _not_credited(incident: Incident) -> str:
    """Why a recovery that was proved is not credited to the step, as a sentence behind another; empty when it is."""
    if incident.turned:
        return ""
    return UNSEEN if any(op.before is False for op in incident.effects) else ALONE


def _window(incident: Incident, plan: Plan, began: datetime, now: datetime) -> Move:
    window = plan.verification
    done = _closed(incident, window, began, now)
    if done is not None:
        return done
    due = began + timedelta(seconds=window.wait_before)
    if incident.samples:
        due = incident.samples[-1].at + timedelta(seconds=window.every)
    return Take() if now >= due else Wait(until=due)


def _closed(incident: Incident, window: Verification, began: datetime, now: datetime) -> Judge | None:
    if [s.value for s in incident.samples[-2:]] == [None, None]:
        return Judge(passed=False, because="Two samples in a row could not be read; no data is never a pass.")
    streak = incident.streak()
    if len(streak) >= window.min_samples:
        held = (streak[-1].at - streak[0].at).total_seconds()
        if held >= window.sustain:
            return Judge(passed=True, because=f"Every criterion held for {held:.1f} s over {len(streak)} samples.")
    if now >= began + timedelta(seconds=window.give_up_after):
        return Judge(passed=False, because=f"Recovery did not hold within {window.give_up_after:g} s of the act.")
    return None
