"""The engine: one move at a time, each written down in one commit. A crash anywhere is the same as a pause."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from ratchet.domain import move as m
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.escalation import Stop
from ratchet.domain.evidence import Evidence
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.hypothesis import Conclusion
from ratchet.domain.incident import LIVE, Incident
from ratchet.domain.left_out import cautioned
from ratchet.domain.op import leave_used, since
from ratchet.domain.ports import Clock, Shelf, Store, Toolbox
from ratchet.domain.standing import StandingGrant, Use
from ratchet.domain.target import Target
from ratchet.domain.timeline import (
    Asked,
    Concluded,
    Covered,
    Doubted,
    Drafted,
    Escalated,
    Event,
    Expired,
    Looked,
    Planned,
    Resolved,
    Sampled,
    Settled,
    Verified,
)
from ratchet.execution.checks import run_checks
from ratchet.execution.denied import denied_before, reminded
from ratchet.execution.handoffs import hand_over
from ratchet.execution.packets import Asking
from ratchet.execution.pen import BY, At, Pen, nowhere
from ratchet.execution.perform import GIVE_UP, Performer
from ratchet.execution.planner import Planner
from ratchet.execution.standing import covering_grant
from ratchet.execution.stopped import Later, Stopped
from ratchet.execution.undo import Undoing
from ratchet.execution.who import who_answers

MAX_MOVES = 400
"""Moves in one advance before the incident yields to others."""
AGAIN = timedelta(minutes=1)
"""When an escalated incident whose move broke again is tried once more."""


class Investigates(Protocol):
    """Triage, as the engine needs it."""

    def look(self, incident: Incident) -> tuple[Looked, list[Evidence]]: ...

    def conclude(self, incident: Incident, evidence: Sequence[Evidence]) -> Conclusion: ...


@dataclass(frozen=True)
class Parts:
    """What the engine works with; wiring puts it together."""

    store: Store
    shelf: Shelf
    toolbox: Toolbox
    investigator: Investigates
    planner: Planner
    asking: Asking
    undoing: Undoing
    performer: Performer
    draft: Callable[[Incident], Drafted | None]
    targets: Callable[[], Sequence[Target]]
    clock: Clock
    at: At = nowhere


class Engine:
    """Advances one incident by its next moves until it waits or rests."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts
        self._store = parts.store
        self._pen = Pen(parts.store, parts.at)

    def advance(self, incident_id: str) -> Incident:
        """Make moves until the incident waits, rests, has had its share of moves, or one had nothing to write down."""
        incident = self._store.incident(incident_id)
        for _ in range(MAX_MOVES):
            try:
                move = m.next_move(incident, self._p.clock(), self._p.planner.too_grave(incident))
                if isinstance(move, m.Wait | m.Rest):
                    return self._pause(incident, move)
                before, incident = incident, self._try(incident, move)
                if incident.seq == before.seq:
                    return incident
            except Later as later:
                return self._sleep(incident, later)
            except Refusal as no:
                if no.code is not Code.CONFLICT:
                    raise
                incident = self._store.incident(incident_id)
        return incident

    def _try(self, incident: Incident, move: m.Move) -> Incident:
        """Make a move; where it cannot go on, a person is asked instead."""
        try:
            return self._make(incident, move)
        except Stopped as stopped:
            return self._escalate(incident, stopped.stop, stopped.detail)

    def fail(self, incident_id: str, detail: str) -> None:
        """Escalate an incident whose move broke; the worker calls this for what nobody foresaw. One that is over, or
        that a person has, stays as it is and is tried again later."""
        incident = self._store.incident(incident_id)
        if incident.status not in LIVE:
            self._pen.write(incident, *self._given_up(incident, detail), wake_at=self._p.clock() + AGAIN)
        else:
            self._escalate(incident, Stop.ERROR, detail)

    def _given_up(self, incident: Incident, detail: str) -> tuple[Event, ...]:
        """An outcome that cannot even be asked for is for a person to find out, who then ends the lock, too."""
        op = incident.op
        if op is None or op.state != "unknown" or self._p.clock() < op.grant.settle_after + GIVE_UP:
            return ()
        because = f"It could not be looked up: {detail}"
        return (Settled(op_id=op.grant.op_id, took="cannot_tell", because=because),)

    def _pause(self, incident: Incident, move: m.Wait | m.Rest) -> Incident:
        until = move.until if isinstance(move, m.Wait) else None
        return self._pen.write(incident, wake_at=until)

    def _sleep(self, incident: Incident, later: Later) -> Incident:
        """Wait until then, unless the timeline moved: whoever moved it said when it is to be woken."""
        try:
            return self._pen.write(incident, wake_at=later.until)
        except Refusal as no:
            if no.code is not Code.CONFLICT:
                raise
            return self._store.incident(incident.id)

    def _make(self, incident: Incident, move: m.Move) -> Incident:  # noqa: C901, PLR0912 - one line per move
        match move:
            case m.Look():
                looked, seen = self._p.investigator.look(incident)
                return self._commit(incident, looked, evidence=seen)
            case m.Conclude():
                evidence = self._store.evidence(incident.evidence)
                conclusion = self._p.investigator.conclude(incident, evidence)
                return self._commit(incident, Concluded(conclusion=conclusion))
            case m.Bind():
                return self._bind(incident)
            case m.Ask():
                return self._ask(incident)
            case m.Expire():
                return self._commit(incident, Expired(decision=incident.packet.id if incident.packet else ""))
            case m.Perform():
                return self._p.performer.perform(incident)
            case m.Doubt():
                because = "Ratchet stopped between the intent and the answer; the act may have happened."
                return self._commit(incident, Doubted(op_id=move.op_id, because=because, error_category="unknown"))
            case m.Settle():
                return self._p.performer.settle(incident, move.op_id)
            case m.Undo():
                packet = self._p.undoing.ask(incident)
                return self._pen.write(incident, Asked(packet=packet), wake_at=packet.expires_at)
            case m.ProveUndo():
                return self._commit(incident, self._p.undoing.prove(incident))
            case m.Take():
                return self._sample(incident)
            case m.Judge():
                return self._judge(incident, move)
            case m.Resolve():
                return self._commit(incident, _resolved(incident, move))
            case m.Draft():
                return self._draft(incident)
            case m.Escalate():
                return self._escalate(incident, move.stop, move.detail)
            case m.Wait() | m.Rest():
                return self._pause(incident, move)

    def _commit(self, incident: Incident, *events: Event, evidence: Sequence[Evidence] = ()) -> Incident:
        return self._pen.write(incident, *events, evidence=evidence, wake_at=self._p.clock())

    def _bind(self, incident: Incident) -> Incident:
        leading = incident.conclusion.leading if incident.conclusion else None
        if leading is None:
            raise Stopped(Stop.UNKNOWN_CAUSE, "There is nothing to plan for.")
        version, playbook = self._p.shelf.version(leading.version_id)
        plan = self._p.planner.bind(incident, version, playbook, self._p.targets())
        return self._commit(incident, Planned(plan=plan))

    def _ask(self, incident: Incident) -> Incident:
        plan = incident.plan
        if plan is None:
            raise Stopped(Stop.ERROR, "There is no plan to ask about.")
        grave = self._p.planner.too_grave(incident)
        if grave:
            raise Stopped(Stop.HIGH_IMPACT, grave)
        held = run_checks(self._p.toolbox, self._p.clock, plan, plan.preconditions)
        if plan.preconditions and held.value is not True:
            stop = Stop.UNKNOWN_VALUE if held.value is None else Stop.PRECONDITION
            raise Stopped(stop, held.first_trouble())
        version, _ = self._p.shelf.version(plan.version_id)
        target = self._target(plan.steps[incident.cursor].target)
        packet = self._p.asking.freeze(incident, plan, (target.conflict_group if target else "", version.writers))
        denied = denied_before(self._store, packet, self._p.clock())
        left_out = self._p.shelf.left_out()
        packet = cautioned(reminded(packet, denied), left_out)
        events: list[Event] = [Asked(packet=packet)]
        # A no to such a step here, or a playbook that could have judged otherwise and could not be read: what was said
        # in advance does not outweigh that.
        covering = None if denied or left_out else self._covering(incident, packet, target)
        if covering is not None:
            events.append(Covered(decision=packet.id, standing=covering.id, given_by=covering.given_by))
        wake_at = packet.expires_at if covering is None else self._p.clock()
        return self._pen.write(incident, *events, evidence=held.evidence, wake_at=wake_at)

    def _covering(self, incident: Incident, packet: DecisionPacket, target: Target | None) -> StandingGrant | None:
        """What was said in advance that covers the packet on this server."""
        given = self._store.standing_grants()
        if not given:
            return None
        use = Use(
            target=target, registered_at=self._store.registered_at(target.name) if target is not None else None,
            now=self._p.clock(), fault=incident.fault, incident=incident.id,
            cause=incident.conclusion.cause if incident.conclusion else None,
            certificates=tuple(self._store.certificates(packet.playbook.partition("@")[0])),
        )  # fmt: skip
        return covering_grant(given, packet, use)

    def _sample(self, incident: Incident) -> Incident:
        plan = incident.plan
        if plan is None:
            raise Stopped(Stop.ERROR, "There is no plan to verify.")
        outcome = run_checks(self._p.toolbox, self._p.clock, plan, plan.verification.checks)
        if incident.op is not None:
            done = self._store.decision(incident.op.grant.decision)[1]
            outcome = who_answers(self._p.toolbox, done).judged(outcome)
        event = Sampled(
            at=self._p.clock(), value=outcome.value, lines=outcome.lines, evidence=tuple(e.id for e in outcome.evidence)
        )
        return self._commit(incident, event, evidence=outcome.evidence)

    def _judge(self, incident: Incident, move: m.Judge) -> Incident:
        """Close the window; the standing grants whose acts did not help die at once."""
        if not move.passed:
            self._distrust(incident, move.because)
        return self._commit(incident, _verified(incident, move))

    def _distrust(self, incident: Incident, because: str) -> None:
        """Every standing grant that something here was done by dies."""
        for grant in leave_used(since(incident.ops, incident.began_at)):
            self._store.revoke_standing(grant, f"false action in {incident.name}: {because}", BY)

    def _draft(self, incident: Incident) -> Incident:
        drafted = self._p.draft(incident)
        if drafted is None:
            return self._pen.write(incident, wake_at=None)
        return self._commit(incident, drafted)

    def _escalate(self, incident: Incident, stop: Stop, detail: str) -> Incident:
        if incident.op is not None and (incident.op.stopped or incident.op.state == "unsure"):
            self._distrust(incident, detail)
        known = (self._p.shelf, self._target(incident.target))
        handoff = hand_over(incident, stop, detail, self._p.clock(), known)
        lands = self._p.clock() if incident.may_land is not None else None
        return self._pen.write(incident, Escalated(handoff=handoff), wake_at=lands)

    def _target(self, name: str | None) -> Target | None:
        return next((t for t in self._p.targets() if t.name == name), None)


def _verified(incident: Incident, move: m.Judge) -> Verified:
    streak = incident.streak()
    held = (streak[-1].at - streak[0].at).total_seconds() if streak else 0.0
    samples = len(streak) if move.passed else len(incident.samples)
    return Verified(passed=move.passed, samples=samples, sustained_seconds=round(held, 3), because=move.because)


def _resolved(incident: Incident, move: m.Resolve) -> Resolved:
    cause = incident.conclusion.cause if incident.conclusion and incident.turned else None
    return Resolved(by=BY, cause=cause, without_action=move.without_action, because=move.because)
