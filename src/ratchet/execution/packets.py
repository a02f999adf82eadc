"""The packet: the next step frozen with everything a person needs to say yes or no."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ratchet.domain.differential import parsed
from ratchet.domain.errors import Refusal
from ratchet.domain.escalation import Stop
from ratchet.domain.evidence import Evidence
from ratchet.domain.gate import CheckLine, DecisionPacket, Signal
from ratchet.domain.hypothesis import Hypothesis, Reason
from ratchet.domain.incident import Incident
from ratchet.domain.plan import Act, Plan, PlannedStep, Preview
from ratchet.domain.policy import highest, raised
from ratchet.domain.ports import Clock, Toolbox
from ratchet.domain.substitute import Unresolved, substitute
from ratchet.domain.target import Fingerprint
from ratchet.execution.stopped import Stopped

PROPOSER = "ratchet"


class Asking:
    """Freezes packets. Reads the target for fingerprint and preview; changes nothing."""

    def __init__(self, toolbox: Toolbox, clock: Clock, new_id: Callable[[], str]) -> None:
        self._toolbox = toolbox
        self._clock = clock
        self._new_id = new_id

    def freeze(self, incident: Incident, plan: Plan, about: tuple[str, tuple[str, ...]]) -> DecisionPacket:
        """The packet for the plan's present step; raises Stopped when the preview does not allow it.

        `about` = the conflict group, and who wrote what the playbook's text does, the last one last.
        """
        step = plan.steps[incident.cursor]
        fingerprint = self.fingerprint(step.target)
        preview = self.preview(step)
        self._require(step, preview, plan)
        spec = self._toolbox.spec(step.tool)
        if spec is None:
            raise Stopped(Stop.NO_SAFE_STEP, f"There is no tool {step.tool!r} in this release.")
        effect = raised(step.effect) if preview.writes else highest(step.effect, spec.effect)
        act = Act(
            tool=step.tool, target=step.target, args=step.args, effect=effect, klass=spec.klass,
            scope="exact" if preview.writes else spec.scope, statements=preview.statements,
            identities=preview.rows, cap=step.cap, credential=self._toolbox.credential(step.target),
            deadline=step.deadline, undo=preview.undo,
        )  # fmt: skip
        return self._packet(incident, plan, step, (act, preview, fingerprint, about))

    def fingerprint(self, target: str) -> Fingerprint:
        """Who stands behind a target now; raises Stopped when it cannot be told."""
        answer = self._toolbox.fingerprint(target)
        if isinstance(answer, Evidence):
            raise Stopped(
                Stop.UNKNOWN_VALUE, f"{target} could not be identified: {answer.answer.value} {answer.detail}"
            )
        return answer

    def preview(self, step: PlannedStep) -> Preview:
        """The dry run of a step; raises Stopped when it cannot be made."""
        try:
            answer = self._toolbox.preview(step.target, step.tool, step.args)
        except Refusal as no:
            raise Stopped(Stop.NO_SAFE_STEP, f"{no.message} {no.remedy}") from None
        if isinstance(answer, Evidence):
            raise Stopped(Stop.UNKNOWN_VALUE, f"The preview could not be read: {answer.answer.value} {answer.detail}")
        return answer

    def _require(self, step: PlannedStep, preview: Preview, plan: Plan) -> None:
        if len(preview.rows) > step.cap:
            detail = f"The preview shows {len(preview.rows)} objects, more than the step's cap of {step.cap}."
            raise Stopped(Stop.PRECONDITION, detail)
        verdict = parsed(step.require).evaluate({**plan.text_scope, "preview": preview_scope(preview)})
        if verdict.value is not True:
            stop = Stop.UNKNOWN_VALUE if verdict.value is None else Stop.PRECONDITION
            raise Stopped(
                stop, f"The preview does not allow the step: {verdict.trace.render()} {verdict.reason}".strip()
            )

    def _packet(
        self,
        incident: Incident,
        plan: Plan,
        step: PlannedStep,
        bound: tuple[Act, Preview, Fingerprint, tuple[str, tuple[str, ...]]],
    ) -> DecisionPacket:
        act, preview, fingerprint, (group, writers) = bound
        now = self._clock()
        leading = incident.conclusion.leading if incident.conclusion else None
        texts = {"preview": {"rows": len(preview.rows)}, "target": step.target, **plan.text_scope}
        leave = step.leave(writes=preview.writes)
        expires_at = now + timedelta(seconds=leave.expires)
        return DecisionPacket(
            id="dec_" + self._new_id(),
            revision=incident.revision + 1,
            incident_id=incident.name,
            incident_epoch=incident.epoch,
            step=step.id,
            title=_text(step.title, texts),
            playbook=plan.playbook,
            playbook_digest=plan.playbook_digest,
            proposed_action=_proposed(act),
            act=act,
            action_digest=act.digest,
            fingerprint=fingerprint,
            conflict_group=group,
            evidence=_signals(leading.evidence if leading else ()),
            against=_against(incident),
            preconditions=tuple(f"{c.id}: {c.expect}" for c in plan.preconditions),
            precondition_checks=tuple(CheckLine(id=c.id, expect=c.expect, probe=c.probe) for c in plan.preconditions),
            risk=step.risk.model_copy(update={k: _text(v, texts) for k, v in step.risk.model_dump().items()}),
            rollback_plan=_rollback(act, step),
            verification=_verification(plan),
            verification_checks=tuple(
                CheckLine(id=c.id, expect=c.expect, probe=c.probe) for c in plan.verification.checks
            ),
            verification_window=plan.verification,
            preview=preview,
            preview_taken_at=now,
            approval_prompt=_text(step.prompt, texts) or f"{_text(step.title, texts)} on {step.target}?",
            quorum=leave.quorum,
            proposer=PROPOSER,
            author=writers[-1] if writers else "",
            writers=writers,
            nonce=self._new_id(),
            created_at=now,
            expires_at=expires_at,
            if_nothing=_if_nothing(plan, expires_at),
        )


def preview_scope(preview: Preview) -> dict[str, Any]:
    """The name space of a preview in a condition."""
    rows = [dict(row) for row in preview.rows]
    return {"rows": len(rows), "first": rows[0] if rows else None, "rows_data": rows, "writes": preview.writes}


def _proposed(act: Act) -> dict[str, Any]:
    return {"type": act.tool.split(".")[-1], "target": act.target, "tool": act.tool, "args": act.args}


def _text(template: str, scope: dict[str, Any]) -> str:
    try:
        return str(substitute(template, scope))
    except Unresolved:
        return template


def _signals(reasons: tuple[Reason, ...]) -> tuple[Signal, ...]:
    return tuple(
        Signal(source=", ".join(r.probes) or "differential", signal=r.text, evidence=r.evidence, said=r.said)
        for r in reasons
    )


def _against(incident: Incident) -> tuple[Signal, ...]:
    """The strongest rival that is not refuted, then the rejected ones, one line each."""
    conclusion = incident.conclusion
    if conclusion is None:
        return ()
    rivals = [h for h in conclusion.hypotheses if h is not conclusion.leading and h.verdict != "refuted"]
    return tuple(_rival(h) for h in rivals[:5])


def _rival(h: Hypothesis) -> Signal:
    reasons = (*h.against, *h.evidence)
    source = f"{h.title} ({h.verdict})"
    if not reasons:
        return Signal(source=source, signal="nothing seen for or against")
    return Signal(source=source, signal=reasons[0].text, evidence=reasons[0].evidence, said=reasons[0].said)


def _rollback(act: Act, step: PlannedStep) -> str:
    return (
        act.undo.note if act.undo.possible else f"cannot be undone ({act.undo.note}); {step.rollback_plan}".strip("; ")
    )


def _verification(plan: Plan) -> tuple[str, ...]:
    window = plan.verification
    held = f"all of it unbroken for {window.sustain:g} s, at least {window.min_samples} samples"
    return (*(f"{c.id}: {c.expect}{_only(c.required_if)}" for c in window.checks), held)


def _only(required_if: str | None) -> str:
    return f" (left out unless {required_if})" if required_if else ""


def _if_nothing(plan: Plan, expires_at: datetime) -> str:
    return f"The packet expires at {expires_at:%H:%M:%S} UTC and {plan.escalate_to or 'the owner'} is asked instead."
