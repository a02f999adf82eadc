"""The next move: one pure decision over an incident and the clock."""

from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from ratchet.domain.escalation import Stop
from ratchet.domain.gate import quorum_met
from ratchet.domain.incident import LIVE, MARGIN, Incident, Op
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Plan, Verification
from ratchet.domain.protocol import ATTEMPTS

WALL = timedelta(minutes=30)
"""How long the automation may work on an incident before a person must look at why (SAFETY.md 1.5)."""
MAX_REVISIONS = 4
"""How often a packet may be asked anew before a person must look at why."""


class Look(Noun):
    """Run the probes of the candidate playbooks."""

    kind: Literal["look"] = "look"


class Conclude(Noun):
    """Judge all hypotheses over the captured evidence."""

    kind: Literal["conclude"] = "conclude"


class Bind(Noun):
    """Bind the chosen playbook to what exists here: make the plan."""

    kind: Literal["plan"] = "plan"


class Ask(Noun):
    """Freeze the next step as a decision packet and ask a person."""

    kind: Literal["ask"] = "ask"


class Expire(Noun):
    """Record that nobody answered in time."""

    kind: Literal["expire"] = "expire"


class Perform(Noun):
    """Write the intent, then send the approved act once."""

    kind: Literal["act"] = "act"


class Doubt(Noun):
    """An intent without a result was found: its outcome is unknown."""

    kind: Literal["doubt"] = "doubt"
    op_id: str


class Settle(Noun):
    """The deadline has passed: look whether the act happened."""

    kind: Literal["settle"] = "settle"
    op_id: str


class Undo(Noun):
    """Ask a person whether the step that did not help is taken back."""

    kind: Literal["undo"] = "undo"


class ProveUndo(Noun):
    """Compare the state after a rollback with the state before the step."""

    kind: Literal["prove_undo"] = "prove_undo"


class Take(Noun):
    """Take one verification sample."""

    kind: Literal["verify"] = "verify"


class Judge(Noun):
    """Close the verification window with what its samples say."""

    kind: Literal["judge"] = "judge"
    passed: bool
    because: str


class Resolve(Noun):
    """The incident is over."""

    kind: Literal["resolve"] = "resolve"
    without_action: bool
    because: str


class Draft(Noun):
    """Write down what worked as a draft playbook."""

    kind: Literal["draft"] = "draft"


class Escalate(Noun):
    """Stop and hand over to a person."""

    kind: Literal["escalate"] = "escalate"
    stop: Stop
    detail: str


class Wait(Noun):
    """Nothing to do before `until`."""

    kind: Literal["wait"] = "wait"
    until: datetime


class Rest(Noun):
    """Nothing to do until a person or an alert says something."""

    kind: Literal["rest"] = "rest"


Move: TypeAlias = (
    Look | Conclude | Bind | Ask | Expire | Perform | Doubt | Settle | Undo | ProveUndo | Take | Judge | Resolve
    | Draft | Escalate | Wait | Rest
)  # fmt: skip


def next_move(incident: Incident, now: datetime) -> Move:
    """What happens next to this incident. Unsettled acts come first: nothing goes on while an outcome is open."""
    open_op = _unsettled(incident)
    if open_op is not None:
        return _settle(open_op, now)
    if incident.status == "resolved":
        return _afterwards(incident)
    if incident.status not in LIVE:
        return Rest()
    if incident.status != "awaiting_approval" and incident.began_at is not None and now > incident.began_at + WALL:
        return Escalate(stop=Stop.LIMIT_REACHED, detail="The automation had its time and did not come to an end.")
    match incident.status:
        case "open" | "triaging":
            return _triage(incident)
        case "awaiting_approval":
            return _await_answer(incident, now)
        case "acting":
            return _after_act(incident, now)
        case _:
            return _verify(incident, now)


def _unsettled(incident: Incident) -> Op | None:
    op = incident.op
    return op if op is not None and op.state in ("intended", "unknown") else None


def _settle(op: Op, now: datetime) -> Move:
    if op.state == "intended":
        return Doubt(op_id=op.grant.op_id)
    due = op.grant.settle_after + MARGIN
    return Settle(op_id=op.grant.op_id) if now >= due else Wait(until=due)


def _afterwards(incident: Incident) -> Move:
    credited = incident.verified is not None and incident.verified.passed and not incident.draft
    return Draft() if credited else Rest()


def _triage(incident: Incident) -> Move:
    if incident.alert_resolved:
        return Resolve(without_action=True, because="The alert resolved at its source before anything was done.")
    if incident.target is None:
        return Escalate(stop=Stop.NO_TARGET, detail=incident.target_reason)
    if incident.looked_at is None:
        return Look()
    conclusion = incident.conclusion
    if conclusion is None:
        return Conclude()
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


def _await_answer(incident: Incident, now: datetime) -> Move:
    packet = incident.packet
    if packet is None:
        return Ask()
    match incident.answered:
        case "refused":
            return Escalate(stop=Stop.DENIED, detail=incident.answer_detail)
        case "expired":
            return Escalate(stop=Stop.EXPIRED, detail=f"Decision {packet.id} was asked and nobody answered.")
        case "superseded":
            if incident.revision >= MAX_REVISIONS:
                return Escalate(stop=Stop.TARGET_CHANGED, detail=incident.answer_detail)
            return Ask()
        case _:
            pass
    if incident.alert_resolved:
        return Resolve(without_action=True, because="The alert resolved at its source before the step was approved.")
    if now >= packet.expires_at:
        return Expire()
    covered = incident.standing is not None or quorum_met(packet, incident.approvals)
    return Perform() if covered else Wait(until=packet.expires_at)


def _after_act(incident: Incident, now: datetime) -> Move:
    op, packet = incident.op, incident.packet
    if packet is None or op is None:
        return Ask()
    if packet.undo_of is not None:
        return _after_undo(incident, op)
    match op.state:
        case "failed_clean":
            return Escalate(
                stop=Stop.FIX_FAILED, detail=f"The step failed before it changed anything: {op.return_code}"
            )
        case "absent" if _may_retry(incident, now):
            return Perform()
        case "absent":
            return Escalate(stop=Stop.FIX_FAILED, detail=f"The step was sent but did not happen: {op.because}")
        case "unsure":
            return Escalate(stop=Stop.IN_DOUBT, detail=op.because)
        case _:
            return Escalate(stop=Stop.FIX_FAILED, detail=op.stopped or op.because)


def _may_retry(incident: Incident, now: datetime) -> bool:
    """An act that provably did not happen may be sent again under the same approval while that is live."""
    packet = incident.packet
    if packet is None or packet.act.klass == "C" or now >= packet.expires_at or incident.alert_resolved:
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
            return Resolve(without_action=False, because=incident.verified.because)
        packet, op = incident.packet, incident.op
        if packet is not None and op is not None and packet.act.undo.possible and packet.undo_of is None:
            return Undo()
        return Escalate(stop=Stop.FIX_FAILED, detail=incident.verified.because)
    return _window(incident, plan, began, now)


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
