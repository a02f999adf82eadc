"""Checks: conditions of a plan, read fresh from the target and judged with three values."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ratchet.domain.differential import merged, parsed
from ratchet.domain.evidence import Evidence, ProbeCall
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Check, Plan
from ratchet.domain.ports import Clock, Toolbox


class Outcome(Noun):
    """What some checks say together: false if any is false, else unknown if any is unknown, else true."""

    value: bool | None
    lines: dict[str, str]
    failed: tuple[str, ...]
    unknown: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    def first_trouble(self) -> str:
        """The line that a person should read first."""
        for check in (*self.failed, *self.unknown):
            return f"{check}: {self.lines[check]}"
        return ""


def run_checks(toolbox: Toolbox, clock: Clock, plan: Plan, checks: Sequence[Check]) -> Outcome:
    """Look at every probe that the checks name, each once, then judge them."""
    names = {check.probe for check in checks}
    calls = {call.key: call for name in sorted(names) for call in plan.calls[name]}
    seen = toolbox.look(list(calls.values())) if calls else []
    scope = scope_over(plan.calls, {e.call_key: e for e in seen}, clock())
    return judge_checks(checks, {**plan.text_scope, **scope}, seen)


def scope_over(
    calls: Mapping[str, tuple[ProbeCall, ...]], seen: Mapping[str, Evidence], now: datetime
) -> dict[str, Any]:
    """The name spaces of all bound probes over what was seen."""
    return {name: merged([seen.get(call.key) for call in bound], bound, now) for name, bound in calls.items()}


def judge_checks(checks: Sequence[Check], scope: Mapping[str, Any], seen: Sequence[Evidence]) -> Outcome:
    """Judge checks over a scope; a check whose `required_if` is not true is left out only when that is known."""
    lines: dict[str, str] = {}
    failed: list[str] = []
    unknown: list[str] = []
    left_out: dict[str, str] = {}
    for check in checks:
        needed = parsed(check.required_if).evaluate(scope) if check.required_if is not None else None
        if needed is not None and needed.value is False:
            left_out[check.id] = f"left out here: {needed.trace.render()}"
            continue
        verdict = parsed(check.expect).evaluate(scope)
        lines[check.id] = verdict.trace.render() + (f" ({verdict.reason})" if verdict.value is None else "")
        if verdict.value is False:
            failed.append(check.id)
        elif verdict.value is None:
            unknown.append(check.id)
    value = False if failed else None if unknown or not lines else True
    return Outcome(
        value=value, lines={**lines, **left_out}, failed=tuple(failed), unknown=tuple(unknown), evidence=tuple(seen)
    )
