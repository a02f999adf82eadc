"""What differs in what is looked at. Whoever swaps a probe swaps every answer that is judged by it."""

from collections.abc import Iterator

from ratchet.domain.diff_causes import acts
from ratchet.domain.diff_conditions import names_in
from ratchet.domain.diff_words import Change, Kind, changed
from ratchet.domain.playbook import HypothesisRule, ProbeUse, Spec


def probe_changes(old: Spec, new: Spec) -> Iterator[Change]:
    """The probes that differ: as weighty as what reads them. One on one side only is no more than what reads it, and
    that stands in the difference too."""
    for name in dict.fromkeys([*new.probes, *old.probes]):
        was, now = old.probes.get(name), new.probes.get(name)
        how: tuple[Kind, str] = ("probe", "what is looked at")
        if was is not None and now is not None and not _same_answer(was, now):
            how = _weight(name, old) or _weight(name, new) or how
        yield from changed(f"probes.{name}", was, now, how)


def _same_answer(was: ProbeUse, now: ProbeUse) -> bool:
    """Whether nothing but the time that it may take differs: then it gives the same answer, or none."""
    return was == now.model_copy(update={"timeout": was.timeout})


def _weight(name: str, spec: Spec) -> tuple[Kind, str] | None:
    """What rests on a probe, gravest first, in words; None when nothing does that holds or leads to an act."""
    criteria = spec.verify.criteria if spec.verify else ()
    for rule in criteria:
        if name == rule.probe or name in names_in(rule.expect) | names_in(rule.required_if or ""):
            return "weaker", f"what is looked at to prove recovery ({rule.id})"
    for rule in spec.preconditions:
        if name == rule.probe or name in names_in(rule.expect):
            return "weaker", f"what is looked at before it acts ({rule.id})"
    reads = [rule for rule in spec.triage.hypotheses if name in _read_by(rule)]
    for rule in reads:
        if rule.security:
            return "weaker", f"what is looked at to stop everything ({rule.id})"
    for rule in reads:
        if acts(rule):
            return "wider", f"what is looked at before a step is asked for, and for its objects ({rule.id})"
    return None


def _read_by(rule: HypothesisRule) -> frozenset[str]:
    texts = [rule.confirm, rule.refute]
    for one in rule.objects:
        texts += [one.each or "", one.when or "", one.id, one.name or "", *one.keep.values()]
    return frozenset(rule.probes).union(*(names_in(text) for text in texts if text))
