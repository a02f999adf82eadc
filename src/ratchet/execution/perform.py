"""Performing an approved act: read again, write the intent, anchor, send once, write down what is known."""

from datetime import datetime, timedelta
from typing import Any

from ratchet.domain.differential import parsed
from ratchet.domain.errors import Code, Refusal, conflict
from ratchet.domain.escalation import Stop
from ratchet.domain.evidence import Evidence
from ratchet.domain.gate import DecisionPacket, Grant, Reread
from ratchet.domain.incident import MARGIN, Incident
from ratchet.domain.plan import Act, Plan
from ratchet.domain.policy import Policy
from ratchet.domain.ports import Clock, Sent, Store, Toolbox
from ratchet.domain.protocol import Declined, Demand, No, while_paused
from ratchet.domain.target import Fingerprint, Target
from ratchet.domain.timeline import Acted, Delayed, Doubted, Event, Intended, Settled, Superseded
from ratchet.execution.checks import run_checks
from ratchet.execution.pen import BY, At, Pen, nowhere
from ratchet.execution.stopped import Later, Stopped
from ratchet.execution.who import who_answers

LATER = timedelta(seconds=1)
"""How soon an act that must wait is tried again."""
AGAIN = timedelta(seconds=3)
GIVE_UP = timedelta(minutes=10)
"""How often, and how long after the deadline, a silent target is asked for a lost outcome."""
TRIES = 20
"""How often an outcome is written again when the timeline moved meanwhile."""


class Performer:
    """Acts at most once per intent. Everything that may fail is read before the intent is written."""

    def __init__(self, toolbox: Toolbox, store: Store, clock: Clock, policy: Policy, at: At = nowhere) -> None:
        self._toolbox = toolbox
        self._store = store
        self._clock = clock
        self._policy = policy
        self._at = at
        self._pen = Pen(store, at)

    def perform(self, incident: Incident) -> Incident:
        """One attempt at the approved packet. Either it is superseded before anything is sent, or an intent stands."""
        packet, plan = incident.packet, incident.plan
        if packet is None or plan is None:
            raise ValueError("an act needs a packet and a plan")
        no = while_paused(self._store.paused())
        if no is not None:
            return self._declined(incident, packet, no)
        before = None if packet.undo_of else self._before(plan)
        again = self._reread_left(incident, packet) if packet.undo_of else self._reread(plan, packet)
        reread = self._moved(packet) or again
        now = self._clock()
        if isinstance(reread, str):
            return self._pen.write(incident, Superseded(decision=packet.id, because=reread), wake_at=now)
        grant = self._grant(incident, packet, reread, now)
        try:
            demand = self._demand(incident, reread, grant, before)
            self._at("before_intent")
            incident = self._store.intend(incident, demand, BY)
            self._at("after_intent")
        except Declined as declined:
            return self._declined(incident, packet, declined.no)
        return self._send(incident, packet.act, grant)

    def _before(self, plan: Plan) -> bool | None:
        """What the criteria of recovery say before anything is done: proof, later, that the step turned them."""
        return run_checks(self._toolbox, self._clock, plan, plan.verification.checks).value

    def _demand(self, incident: Incident, reread: Reread, grant: Grant, before: bool | None) -> Demand:
        packet = incident.packet
        if packet is None:
            raise ValueError("a demand needs a packet")
        target = self._registered(packet)
        cooldown = incident.plan.steps[incident.cursor].cooldown if incident.plan else 0.0
        return Demand(
            intended=Intended(grant=grant, attempt=len(incident.ops) + 1, action=packet.title, before=before),
            reread=reread,
            freeze=self._policy.frozen((packet.conflict_group, packet.act.target), self._clock()),
            cooldown=0.0 if packet.undo_of else cooldown,
            target=target,
        )

    def _registered(self, packet: DecisionPacket) -> Target | None:
        return next((t for t in self._store.targets() if t.name == packet.act.target), None)

    def _moved(self, packet: DecisionPacket) -> str:
        """Why the packet's lock would not be the one that keeps others off its target, or an empty text."""
        target = self._registered(packet)
        if target is None or target.conflict_group == packet.conflict_group:
            return ""
        return f"{target.name} was registered anew, with {target.conflict_group} and not with {packet.conflict_group}."

    def _declined(self, incident: Incident, packet: DecisionPacket, no: No) -> Incident:
        """A guard said no: wait visibly, ask anew, or hand over."""
        now = self._clock()
        match no.then:
            case "supersede":
                gone = Superseded(decision=packet.id, because=no.because)
                return self._pen.write(incident, gone, wake_at=now)
            case "stop":
                raise Stopped(Stop.LIMIT_REACHED, no.because)
            case "wait":
                later = min(no.until or now + LATER, packet.expires_at)
                if incident.delayed != no.because:
                    delayed = Delayed(guard=no.guard, because=no.because)
                    self._pen.write(incident, delayed, wake_at=later)
                raise Later(later)
            case "conflict":
                raise Later(now + LATER / 4)

    def _reread(self, plan: Plan, packet: DecisionPacket) -> Reread | str:
        at = self._clock()
        fingerprint = self._toolbox.fingerprint(packet.act.target)
        if isinstance(fingerprint, Evidence):
            return f"The target could not be identified just before the act: {fingerprint.answer.value}."
        preview = self._toolbox.preview(packet.act.target, packet.act.tool, packet.act.args)
        if isinstance(preview, Evidence):
            return f"The preview could not be read just before the act: {preview.answer.value}."
        held = run_checks(self._toolbox, self._clock, plan, plan.preconditions)
        return Reread(
            fingerprint=fingerprint,
            preview=preview,
            preconditions_hold=held.value is True or not plan.preconditions,
            precondition_detail=held.first_trouble(),
            at=at,
        )

    def _reread_left(self, incident: Incident, packet: DecisionPacket) -> Reread | str:
        """Before a way back: only the state that the step left is taken back, never what somebody made of it since."""
        at = self._clock()
        fingerprint = self._toolbox.fingerprint(packet.act.target)
        if isinstance(fingerprint, Evidence):
            return f"The target could not be identified just before the act: {fingerprint.answer.value}."
        step = next(op for op in incident.ops if op.grant.op_id == packet.undo_of)
        left = self._toolbox.left(packet.act, step.grant)
        if left.verdict != "yes":
            return f"The state is no longer the one that the step left: {left.because}."
        return Reread(fingerprint=fingerprint, preview=packet.preview, preconditions_hold=True, at=at)

    def _grant(self, incident: Incident, packet: DecisionPacket, reread: Reread, now: datetime) -> Grant:
        deadline = timedelta(seconds=packet.act.deadline)
        elapsed = now - reread.fingerprint.taken_at
        return Grant(
            op_id=f"{incident.id}.{incident.cursor}.{len(incident.ops) + 1}",
            decision=packet.id,
            packet_digest=packet.digest,
            action_digest=packet.action_digest,
            incident_id=incident.name,
            approved_by=tuple(dict.fromkeys(a.by for a in incident.approvals)) or (f"standing:{incident.standing}",),
            not_after=reread.fingerprint.clock + elapsed + deadline,
            settle_after=now + deadline,
            system_identifier=reread.fingerprint.system_identifier,
            timeline=reread.fingerprint.timeline,
            in_recovery=reread.fingerprint.in_recovery,
        )

    def _send(self, incident: Incident, act: Act, grant: Grant) -> Incident:
        """No anchor, no send; a timeline that moved meanwhile, no send."""
        started = self._clock()
        try:
            self._at("before_anchor")
            self._store.anchor()
            self._at("after_anchor")
            called_off = self._called_off(incident, grant)
            if called_off:
                return self._not_sent(incident, grant, started, called_off)
            self._at("before_send")
            sent = self._toolbox.act(act, grant)
            self._at("after_send")
        except Refusal as no:
            return self._not_sent(incident, grant, started, f"{no.message} Nothing was sent.")
        return self._write_down(incident, grant.op_id, self._outcome(incident, grant, sent))

    def _called_off(self, incident: Incident, grant: Grant) -> str:
        """Kill switch, owner, end, leave, impact and alert once more, after the anchor: what was said meanwhile stops
        the send."""
        now = self._store.incident(incident.id)
        if not any(op.grant.op_id == grant.op_id and op.state == "intended" for op in now.ops):
            return "Another process took this one for dead after the intent; nothing was sent."
        if self._store.paused():
            return "Automation was paused after the intent; nothing was sent."
        if now.epoch != incident.epoch or now.owner != incident.owner:
            return "A person took the incident over after the intent; nothing was sent."
        if now.status != "acting":
            return f"The incident was {now.status} after the intent; nothing was sent."
        left = self._no_leave(incident)
        if left:
            return f"{left} after the intent; nothing was sent."
        grave = self._policy.impact.above(now.alerts)
        if grave:
            return f"{grave} It was said after the intent; nothing was sent."
        return "The alert resolved after the intent; nothing was sent." if now.alert_resolved else ""

    def _no_leave(self, incident: Incident) -> str:
        """What became of the leave to act, or an empty text while it still counts."""
        if incident.packet is not None and self._clock() >= incident.packet.expires_at:
            return "The approval expired"
        given = next((one for one in self._store.standing_grants() if one.id == incident.standing), None)
        ended = given.ended(self._clock(), self._store.certificates(given.series)) if given is not None else ""
        return f"The standing grant ended ({ended})" if ended else ""

    def _write_down(self, incident: Incident, op_id: str, event: Event) -> Incident:
        """Record an outcome. An alert that joined meanwhile moves the timeline, but never makes us send again.

        Where somebody else already doubted the operation, this process was away too long: what it knows is not
        written, and the target is asked after the deadline.
        """
        for _ in range(TRIES):
            if not any(op.grant.op_id == op_id and op.state == "intended" for op in incident.ops):
                return incident
            try:
                return self._pen.write(incident, event, wake_at=self._clock())
            except Refusal as no:
                if no.code is not Code.CONFLICT:
                    raise
                incident = self._store.incident(incident.id)
        raise conflict(f"{incident.name} kept moving.", "The outcome is looked up after the deadline.")

    def _not_sent(self, incident: Incident, grant: Grant, started: datetime, why: str) -> Incident:
        ended = self._clock()
        event = Acted(
            op_id=grant.op_id, outcome="failed_clean", started_at=started, ended_at=ended, return_code=why,
            error_category="policy",
        )  # fmt: skip
        return self._write_down(incident, grant.op_id, event)

    def _outcome(self, incident: Incident, grant: Grant, sent: Sent) -> Event:
        if sent.outcome == "unknown":
            return Doubted(op_id=grant.op_id, because=sent.because, error_category=sent.error_category)
        return Acted(
            op_id=grant.op_id,
            outcome=sent.outcome,
            started_at=sent.started_at,
            ended_at=sent.ended_at,
            return_code=sent.return_code,
            error_category=sent.error_category,
            touched=sent.touched,
            result=sent.result,
            stopped=_stopped(incident, sent) if sent.outcome == "done" else "",
        )

    def settle(self, incident: Incident, op_id: str) -> Incident:
        """After the deadline: did it happen? Only the target is asked; nothing is sent again."""
        op = next(o for o in incident.ops if o.grant.op_id == op_id)
        packet = self._store.decision(op.grant.decision)[1]
        act = packet.act
        if act.klass == "C":
            settled = Settled(op_id=op_id, took="cannot_tell", because="Such an act cannot be looked up afterwards.")
            return self._pen.write(incident, settled, wake_at=self._clock())
        early = self._not_before(op.grant, act.target)
        if early:
            told = Settled(op_id=op_id, took="cannot_tell", because=early)
            return self._pen.write(incident, told, wake_at=self._clock())
        self._at("before_took")
        took = self._toolbox.took(act, op.grant, back=packet.undo_of is not None)
        took = who_answers(self._toolbox, packet).settled(took)
        self._at("after_took")
        now = self._clock()
        if not took.reachable and now < op.grant.settle_after + GIVE_UP:
            raise Later(now + AGAIN)
        settled = Settled(op_id=op_id, took=took.verdict, because=took.because)
        return self._pen.write(incident, settled, wake_at=now)

    def _not_before(self, grant: Grant, target: str) -> str:
        """The deadline is the target's: while its own clock has not passed it by the margin, the act may still land. A
        clock that was set back does not pass it for long; then the words for a person, as for one that stays silent."""
        answer, now = self._toolbox.fingerprint(target), self._clock()
        left = grant.not_after + MARGIN - answer.clock if isinstance(answer, Fingerprint) else timedelta(0)
        if left > timedelta(0):
            if now >= grant.settle_after + GIVE_UP:
                return f"The target's clock is behind: by it, the act may still land until {grant.not_after:%F %T} UTC."
            raise Later(now + min(left, AGAIN))
        return ""


def _stopped(incident: Incident, sent: Sent) -> str:
    """The reason of the first stop rule that the result meets; a rule that cannot be read stops, too."""
    plan = None if incident.packet is None or incident.packet.undo_of else incident.plan
    rules = plan.steps[incident.cursor].stop_if if plan is not None else ()
    rows: list[Any] = list(sent.result.get("rows", ()))
    scope = {"result": {"first": rows[0] if rows else None, "rows": len(rows), "rows_data": rows}}
    for rule in rules:
        verdict = parsed(rule.when).evaluate(scope)
        if verdict.value is not False:
            return rule.reason if verdict.value else f"{rule.reason} (could not be read: {verdict.reason})"
    return ""
