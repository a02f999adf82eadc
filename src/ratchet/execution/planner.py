"""The planner: binds the chosen playbook to what exists here and now, or says why it cannot."""

from collections.abc import Mapping, Sequence
from typing import Any

from ratchet.domain.binding import calls_of, members, params_of
from ratchet.domain.escalation import Stop
from ratchet.domain.hypothesis import Hypothesis, groups, heads
from ratchet.domain.incident import Incident
from ratchet.domain.plan import Check, Leave, Plan, PlannedStep, ToolSpec
from ratchet.domain.playbook import Effect, Playbook, StepRule
from ratchet.domain.policy import Policy, highest, raised
from ratchet.domain.ports import Toolbox
from ratchet.domain.series import Version
from ratchet.domain.substitute import Unresolved, substitute
from ratchet.domain.target import Target
from ratchet.execution.stopped import Stopped


class Planner:
    """Turns intent into a plan for one target. Reads registrations only; looks at nothing."""

    def __init__(self, toolbox: Toolbox, policy: Policy) -> None:
        self._toolbox = toolbox
        self._policy = policy

    def bind(self, incident: Incident, version: Version, playbook: Playbook, targets: Sequence[Target]) -> Plan:
        """The plan for the leading hypothesis; raises Stopped when a part cannot be bound."""
        leading = incident.conclusion.leading if incident.conclusion else None
        target = next((t for t in targets if t.name == incident.target), None)
        if leading is None or target is None or playbook.spec.verify is None:
            raise Stopped(Stop.NO_SAFE_STEP, "The playbook has no step that could be verified here.")
        params = params_of(playbook, incident.alert, target)
        scope = _scope(incident, leading, target, params)
        steps = tuple(self._step(playbook, step_id, scope, target, targets) for step_id in leading.then)
        return Plan(
            playbook=playbook.pin,
            version_id=version.id,
            playbook_digest=version.digest,
            hypothesis=leading.id,
            steps=steps,
            preconditions=tuple(
                Check(id=p.id, expect=p.expect, probe=p.probe, otherwise=p.otherwise)
                for p in playbook.spec.preconditions
            ),
            verification=self._policy.verification(playbook.spec.verify, target.chaos),
            calls=calls_of(playbook, target, targets, params),
            text_scope={"params": params, "hypothesis": leading.id, "objects": heads(leading.objects)},
            escalate_to=playbook.spec.escalation.to,
            ask=playbook.spec.escalation.ask,
        )

    def too_grave(self, incident: Incident) -> str:
        """Why an incident commander decides instead of the approver on call, or an empty text."""
        return self._policy.impact.above(incident.alerts)

    def _step(
        self, playbook: Playbook, step_id: str, scope: Mapping[str, Any], target: Target, targets: Sequence[Target]
    ) -> PlannedStep:
        rule = playbook.spec.steps.get(step_id)
        if rule is None:
            raise Stopped(Stop.NO_SAFE_STEP, f"{playbook.pin} continues with {step_id!r}, which a person must start.")
        tool = self._tool(rule, target)
        effect = highest(rule.effect, tool.effect)
        try:
            args = substitute(rule.args, scope)
            where = substitute(rule.target, scope) if rule.target else members(rule.where, target, targets)[0]
            title = substitute(rule.title, scope)
        except (Unresolved, IndexError, ValueError) as gap:
            raise Stopped(Stop.UNKNOWN_VALUE, f"Step {step_id} cannot be bound: {gap}.") from gap
        cooldown = self._policy.profile(target.chaos).cooldown
        return PlannedStep(
            id=step_id,
            title=str(title),
            tool=tool.name,
            target=str(where),
            args={key: value for key, value in args.items() if value is not None},
            effect=effect,
            cap=rule.cap or 100,
            require=rule.preview.require,
            prompt=rule.approval.prompt,
            quorum=self._policy.quorum(rule, effect),
            expires=self._policy.expires(rule, effect),
            risk=rule.risk,
            rollback_plan=rule.rollback.plan,
            deadline=rule.timeout,
            cooldown=rule.cooldown if cooldown is None else cooldown,
            stop_if=rule.stop_if,
            graver=self._leave(rule, raised(effect)),
        )

    def _leave(self, rule: StepRule, effect: Effect) -> Leave:
        return Leave(quorum=self._policy.quorum(rule, effect), expires=self._policy.expires(rule, effect))

    def _tool(self, rule: StepRule, target: Target) -> ToolSpec:
        if rule.uses is not None:
            found = self._toolbox.spec(rule.uses)
            if found is None:
                raise Stopped(Stop.NO_SAFE_STEP, f"There is no tool {rule.uses!r} in this release.")
            return found
        offers = [t for t in self._toolbox.tools() if rule.capability in t.capabilities and t.kind == target.kind]
        if not offers:
            raise Stopped(Stop.NO_SAFE_STEP, f"Nothing here offers the capability {rule.capability!r}.")
        return offers[0]


def _scope(incident: Incident, leading: Hypothesis, target: Target, params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "params": params, "objects": groups(leading.objects), "target": target.name,
        "alert": {"labels": dict(incident.alert.labels)},
    }  # fmt: skip
