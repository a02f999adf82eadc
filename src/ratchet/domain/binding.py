"""Binding: which member of the target's group each probe of a playbook meets, and the run's parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from ratchet.domain.alert import Alert
from ratchet.domain.duration import parse_duration
from ratchet.domain.evidence import ProbeCall
from ratchet.domain.playbook import Param, Playbook, Where
from ratchet.domain.substitute import substitute
from ratchet.domain.target import Target


def members(where: Where, target: Target, targets: Sequence[Target]) -> tuple[str, ...]:
    """The registered targets that `where` means, seen from `target`; a group without replicas or poolers has none."""
    primary = target.conflict_group
    match where:
        case "primary":
            return (primary,)
        case "replicas":
            return tuple(t.name for t in targets if t.replica_of == primary)
        case "poolers":
            return tuple(t.name for t in targets if t.pooler_of == primary)
        case _:
            return (target.server,)


def calls_of(
    playbook: Playbook, target: Target, targets: Sequence[Target], params: Mapping[str, Any]
) -> dict[str, tuple[ProbeCall, ...]]:
    """The calls behind every local probe name of a playbook."""
    scope = {"params": params, "target": target.name}
    return {
        name: tuple(
            ProbeCall(probe=use.uses, target=member, args=substitute(use.args, scope), timeout=use.timeout)
            for member in members(use.where, target, targets)
        )
        for name, use in playbook.spec.probes.items()
    }


def params_of(playbook: Playbook, alert: Alert, target: Target) -> dict[str, Any]:
    """Parameters from the alert or their defaults; what nobody gives is None, what does not fit is dropped."""
    return {name: _param(rule, alert, target) for name, rule in playbook.spec.params.items()}


def _param(rule: Param, alert: Alert, target: Target) -> Any:
    if rule.type == "target":
        return target.name
    given = _from_alert(rule.source, alert)
    if rule.type == "duration":
        return None if rule.default is None else parse_duration(rule.default)
    if given is None or not _fits(rule, given):
        return rule.default
    return given


def _from_alert(source: str | None, alert: Alert) -> str | None:
    if source is None or not source.startswith("alert.labels."):
        return None
    return alert.labels.get(source.removeprefix("alert.labels."))


def _fits(rule: Param, given: str) -> bool:
    """Only short plain words are taken from an alert; everything else is text that somebody else wrote."""
    plain = given.isascii() and all(c.isalnum() or c in "_.:-" for c in given)
    return rule.type == "string" and len(given) <= 63 and plain
