"""Performing an approved act: read again, write the intent, anchor, send once, write down what is known."""

from datetime import datetime, timedelta
from typing import Any

from ratchet.domain.differential import parsed
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.evidence import Evidence
from ratchet.domain.gate import Grant, Reread, changed_since, intent_refusal
from ratchet.domain.incident import Incident
from ratchet.domain.plan import Act, Plan, PlannedStep
from ratchet.domain.ports import Clock, Sent, Store, Toolbox
from ratchet.domain.timeline import Acted, Doubted, Event, Intended, Settled, Superseded
from ratchet.execution.checks import run_checks

BY = "ratchet"
TRIES = 20
"""How often an outcome is written again when the timeline moved meanwhile."""


class Performer:
    """Acts at most once per intent. Everything that may fail is read before the intent is written."""

    def __init__(self, toolbox: Toolbox, store: Store, clock: Clock) -> None:
        self._toolbox = toolbox
        self._store = store
        self._clock = clock

    def perform(self, incident: Incident) -> Incident:
        """One attempt at the approved packet. Either it is superseded before anything is sent, or an intent stands."""
        packet, plan = incident.packet, incident.plan
        if packet is None or plan is None:
            raise ValueError("an act needs a packet and a plan")
        reread = self._reread(plan, plan.steps[incident.cursor], packet.act.target)
        now = self._clock()
        trouble = reread if isinstance(reread, str) else changed_since(packet, reread)
        if trouble is None and not isinstance(reread, str):
            trouble = intent_refusal(packet, incident.approvals, reread, now)
        if isinstance(reread, str) or trouble is not None:
            gone = Superseded(decision=packet.id, because=trouble or "")
            return self._store.commit(incident, gone, by=BY, wake_at=now)
        grant = self._grant(incident, reread, now)
        intent = Intended(grant=grant, attempt=len(incident.ops) + 1, action=packet.title)
        incident = self._store.commit(incident, intent, by=BY, wake_at=grant.settle_after)
        return self._send(incident, packet.act, grant)

    def _reread(self, plan: Plan, step: PlannedStep, target: str) -> Reread | str:
        at = self._clock()
        fingerprint = self._toolbox.fingerprint(target)
        if isinstance(fingerprint, Evidence):
            return f"The target could not be identified just before the act: {fingerprint.answer.value}."
        preview = self._toolbox.preview(target, step.tool, step.args)
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

    def _grant(self, incident: Incident, reread: Reread, now: datetime) -> Grant:
        packet = incident.packet
        if packet is None:
            raise ValueError("a grant needs a packet")
        deadline = timedelta(seconds=packet.act.deadline)
        elapsed = now - reread.fingerprint.taken_at
        return Grant(
            op_id=f"{incident.id}.{incident.cursor}.{len(incident.ops) + 1}",
            decision=packet.id,
            packet_digest=packet.digest,
            action_digest=packet.action_digest,
            incident_id=incident.name,
            approved_by=tuple(dict.fromkeys(a.by for a in incident.approvals)),
            not_after=reread.fingerprint.clock + elapsed + deadline,
            settle_after=now + deadline,
        )

    def _send(self, incident: Incident, act: Act, grant: Grant) -> Incident:
        """No anchor, no send; a timeline that moved meanwhile, no send."""
        started = self._clock()
        try:
            self._store.anchor()
            if self._store.incident(incident.id).seq != incident.seq:
                return self._not_sent(
                    incident, grant, started, "The incident changed after the intent; nothing was sent."
                )
            sent = self._toolbox.act(act, grant)
        except Refusal as no:
            return self._not_sent(incident, grant, started, f"{no.message} Nothing was sent.")
        return self._write_down(incident, self._outcome(incident, grant, sent))

    def _write_down(self, incident: Incident, event: Event) -> Incident:
        """Record an outcome. An alert that joined meanwhile moves the timeline, but never makes us send again."""
        for _ in range(TRIES):
            try:
                return self._store.commit(incident, event, by=BY, wake_at=self._clock())
            except Refusal as no:
                if no.code is not Code.CONFLICT:
                    raise
                incident = self._store.incident(incident.id)
        return self._store.commit(incident, event, by=BY, wake_at=self._clock())

    def _not_sent(self, incident: Incident, grant: Grant, started: datetime, why: str) -> Incident:
        ended = self._clock()
        event = Acted(
            op_id=grant.op_id, outcome="failed_clean", started_at=started, ended_at=ended, return_code=why,
            error_category="policy",
        )  # fmt: skip
        return self._write_down(incident, event)

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
        packet = incident.packet
        if packet is None or packet.action_digest != op.grant.action_digest or packet.act.klass == "C":
            verdict, because = "cannot_tell", "This kind of act cannot be looked up; a person must settle it."
        else:
            took = self._toolbox.took(packet.act, op.grant)
            verdict, because = took.verdict, took.because
        event = Settled(op_id=op_id, took=verdict, because=because)
        return self._store.commit(incident, event, by=BY, wake_at=self._clock())


def _stopped(incident: Incident, sent: Sent) -> str:
    """The reason of the first stop rule that the result meets; a rule that cannot be read stops, too."""
    plan = incident.plan
    rules = plan.steps[incident.cursor].stop_if if plan is not None else ()
    rows: list[Any] = list(sent.result.get("rows", ()))
    scope = {"result": {"first": rows[0] if rows else None, "rows": len(rows), "rows_data": rows}}
    for rule in rules:
        verdict = parsed(rule.when).evaluate(scope)
        if verdict.value is not False:
            return rule.reason if verdict.value else f"{rule.reason} (could not be read: {verdict.reason})"
    return ""
