"""What one text of a playbook changes against another, field by field, what may harm first; pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ratchet.domain.diff_causes import cause_changes
from ratchet.domain.diff_probes import probe_changes
from ratchet.domain.diff_steps import approval_changes, step_changes
from ratchet.domain.diff_words import Change, Kind, changed, laid_out, listed, shown
from ratchet.domain.noun import Noun
from ratchet.domain.playbook import (
    Criterion,
    EscalationRule,
    Metadata,
    Param,
    Playbook,
    Spec,
    Triage,
    VerifyRule,
)

__all__ = ["Change", "Difference", "Kind", "difference"]

_ORDER: tuple[Kind, ...] = (
    "effect_raised", "new_mutation", "wider", "weaker", "cause", "condition", "probe", "narrower", "words",
)  # fmt: skip
_NOTHING = Spec.model_construct(
    symptoms=(), probes={}, triage=Triage.model_construct(hypotheses=()),
    escalation=EscalationRule.model_construct(to="", ask=""),
)  # fmt: skip
_AS_IT_COMES: frozenset[Kind] = frozenset({"wider", "weaker"})


class Difference(Noun):
    """The changes from `before` to `after` (pins; `before` is empty for a new series), what may harm first."""

    before: str
    after: str
    digest: str = ""
    """Of the text `after` as it is kept, which its activation names; empty for one that is not kept."""
    changes: tuple[Change, ...]

    @property
    def widens(self) -> bool:
        """Whether the new text may do more to the world, or is held less: then one person alone does not activate it.

        An escalation that reaches somebody else, or a cause that leads to no step and is judged otherwise, does not
        widen: the backtest tells what it does.
        """
        return any(change.widens for change in self.changes)


def difference(before: Playbook | None, after: Playbook) -> Difference:
    """Everything that `after` changes. A text without a predecessor is shown whole; what counts as more in it are its
    steps that change the world."""
    found = _all(before, after) if before else _first(after)
    ordered = sorted(found, key=lambda change: _ORDER.index(change.kind))
    return Difference(before=before.pin if before else "", after=after.pin, changes=tuple(ordered))


def _first(after: Playbook) -> Iterator[Change]:
    metadata = Metadata.model_construct(title="", name="")
    for change in _all(Playbook.model_construct(metadata=metadata, spec=_NOTHING), after):
        yield change.model_copy(update={"kind": "condition"}) if change.kind in _AS_IT_COMES else change


def _all(before: Playbook, after: Playbook) -> Iterator[Change]:
    old, new = before.spec, after.spec
    for name in dict.fromkeys([*new.steps, *old.steps]):
        yield from step_changes(name, old.steps.get(name), new.steps.get(name))
    yield from _reach(old, new)
    yield from _guards(old, new)
    yield from cause_changes(old.triage.hypotheses, new.triage.hypotheses)
    yield from probe_changes(old, new)
    yield from _verify(old.verify, new.verify)
    yield from _words(before, after)


def _reach(old: Spec, new: Spec) -> Iterator[Change]:
    """Where and how far the playbook may act."""
    yield from _keyed("params", old.params, new.params, _param)
    for field in ("steps", "mutations", "probes", "wall_clock"):
        was, now = getattr(old.limits, field), getattr(new.limits, field)
        yield from changed(f"limits.{field}", was, now, ("wider" if now > was else "narrower", f"limit of {field}"))
    where_was, where_now = set(old.environments), set(new.environments)
    grew = not where_now >= where_was if not where_now else bool(where_was) and not where_now <= where_was
    yield from changed(
        "environments", old.environments, new.environments, ("wider" if grew else "narrower", "environments")
    )
    yield from changed(
        "ai_executable", old.ai_executable, new.ai_executable,
        ("wider" if new.ai_executable else "narrower", "may be run by the automation"),
    )  # fmt: skip


def _param(place: str, was: Param | None, now: Param | None) -> Iterator[Change]:
    """A parameter steers what a step touches, so every change of it counts as wider."""
    if was is None and now is not None and now.source is None:
        yield from changed(place, None, now, ("condition", f"new parameter, {shown(now)}"))
        return
    yield from changed(place, was, now, ("wider", "what the parameter may be"))


def _guards(old: Spec, new: Spec) -> Iterator[Change]:
    rules_old = {rule.id: rule for rule in old.preconditions}
    rules_new = {rule.id: rule for rule in new.preconditions}
    for name in dict.fromkeys([*rules_new, *rules_old]):
        was, now = rules_old.get(name), rules_new.get(name)
        kind: Kind = "narrower" if was is None else "weaker"
        yield from changed(f"preconditions.{name}", was, now, (kind, "what must hold before it acts"))
    gap_was, gap_now = old.triage.ambiguity.min_gap, new.triage.ambiguity.min_gap
    kind = "weaker" if gap_now < gap_was else "narrower"
    yield from changed("triage.ambiguity.min_gap", gap_was, gap_now, (kind, "gap below which a person decides"))
    for name in dict.fromkeys([*new.steps, *old.steps]):
        was_step, now_step = old.steps.get(name), new.steps.get(name)
        if was_step is not None and now_step is not None:
            yield from approval_changes(name, was_step, now_step)


def _verify(was: VerifyRule | None, now: VerifyRule | None) -> Iterator[Change]:
    if was is None or now is None:
        rule, kind = (now, "narrower") if now else (was, "weaker")
        if rule is not None:
            says = "new proof of recovery" if now else "recovery is no longer proved"
            yield Change(place="verify", kind=kind, says=says)
            yield from laid_out("verify", rule, kind, gone=now is None, aside=frozenset({"criteria"}))
            yield from _criteria(was.criteria if was else (), now.criteria if now else ())
        return
    for field in ("sustain", "min_samples", "wait_before", "every"):
        before, after = getattr(was, field), getattr(now, field)
        kind = "weaker" if after < before else "narrower"
        yield from changed(f"verify.{field}", before, after, (kind, f"{field} of the verification"))
    yield from changed("verify.give_up_after", was.give_up_after, now.give_up_after, ("condition", "when it gives up"))
    yield from _criteria(was.criteria, now.criteria)


def _criteria(was: Sequence[Criterion], now: Sequence[Criterion]) -> Iterator[Change]:
    rules_was = {rule.id: rule for rule in was}
    rules_now = {rule.id: rule for rule in now}
    for name in dict.fromkeys([*rules_now, *rules_was]):
        before, after = rules_was.get(name), rules_now.get(name)
        kind: Kind = "narrower" if before is None else "weaker"
        yield from changed(f"verify.criteria.{name}", before, after, (kind, "what proves recovery"))


def _words(before: Playbook, after: Playbook) -> Iterator[Change]:
    for field in ("title", "name"):
        was, now = getattr(before.metadata, field), getattr(after.metadata, field)
        yield from changed(f"metadata.{field}", was, now, ("words", field))
    old, new = before.spec, after.spec
    yield from changed("match", old.match, new.match, ("cause", "which alerts name it"))
    yield from listed("symptoms", old.symptoms, new.symptoms, ("cause", "symptom, by which alerts are matched"))
    for field in ("service", "alert", "dashboard", "fault"):
        yield from listed(f"tags.{field}", getattr(old.tags, field), getattr(new.tags, field), ("words", "tag"))
    for field, word in (("follow_ups", "prevention"), ("links", "link")):
        yield from listed(field, getattr(old, field), getattr(new, field), ("words", word))
    for field in ("owner", "team", "escalation", "review"):
        yield from changed(field, getattr(old, field), getattr(new, field), ("words", field))
    was, now = ([line for line in side.guidance.splitlines() if line.strip()] for side in (old, new))
    yield from listed("guidance", was, now, ("words", "line"))


Compare: TypeAlias = Callable[[str, Any, Any], Iterator[Change]]


def _keyed(place: str, old: Mapping[str, Any], new: Mapping[str, Any], compare: Compare) -> Iterator[Change]:
    for name in dict.fromkeys([*new, *old]):
        yield from compare(f"{place}.{name}", old.get(name), new.get(name))
