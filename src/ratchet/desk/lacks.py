"""What a missing right means for the playbooks: which cannot work without it, and which lose a hypothesis or a step."""

from collections.abc import Iterable, Sequence

from ratchet.domain.condition import Condition
from ratchet.domain.plan import ToolSpec
from ratchet.domain.playbook import Playbook, StepRule
from ratchet.domain.ports import Missing


def with_playbooks(missing: Missing, playbooks: Iterable[Playbook], tools: Sequence[ToolSpec]) -> Missing:
    """The same with `playbooks` (those that are disabled) and `weakens` (a line for each that loses something); pure.

    A playbook is disabled when none of its hypotheses can be confirmed or none of its steps sent, or when a
    precondition cannot be read. What lacks an optional right only loses a part of what its tools can do.
    """
    gone = frozenset(missing.probes)
    disabled: list[str] = []
    weakened: list[str] = []
    for playbook in playbooks:
        blind = _blind(playbook, gone)
        steps = _steps(playbook, gone, tools)
        unread = _local(playbook, gone) & {rule.probe for rule in playbook.spec.preconditions}
        all_blind = len(blind) == len(playbook.spec.triage.hypotheses)
        all_steps = bool(steps) and len(steps) == len(playbook.spec.steps) and not missing.optional
        if unread or all_blind or all_steps:
            disabled.append(playbook.pin)
        elif blind or steps:
            words = [*(f"hypothesis {each}" for each in blind), *(f"step {each}" for each in steps)]
            weakened.append(f"{playbook.pin}: {', '.join(words)}")
    return missing.model_copy(update={"playbooks": tuple(disabled), "weakens": tuple(weakened)})


def _local(playbook: Playbook, gone: frozenset[str]) -> set[str]:
    return {name for name, use in playbook.spec.probes.items() if use.uses in gone}


def _blind(playbook: Playbook, gone: frozenset[str]) -> list[str]:
    """Hypotheses whose `confirm` asks a probe that does not answer."""
    local = _local(playbook, gone)
    return [rule.id for rule in playbook.spec.triage.hypotheses if Condition.parse(rule.confirm).names & local]


def _steps(playbook: Playbook, gone: frozenset[str], tools: Sequence[ToolSpec]) -> list[str]:
    return [name for name, step in playbook.spec.steps.items() if _lost(step, gone, tools)]


def _lost(step: StepRule, gone: frozenset[str], tools: Sequence[ToolSpec]) -> bool:
    """A step that names a capability is lost when every tool that offers it is."""
    if step.uses is not None:
        return step.uses in gone
    offering = {tool.name for tool in tools if step.capability in tool.capabilities}
    return bool(offering) and offering <= gone
