"""A playbook whose likelihoods are corrected by what people confirmed: a draft of its series, never more."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from math import floor

from ratchet.domain.errors import conflict
from ratchet.domain.playbook import HypothesisRule, Playbook
from ratchet.domain.priors import Confirmed, bounded, last_words, shrunk
from ratchet.domain.series import Series, Version
from ratchet.vault.making import Made, free_version, new_version, short

SMALLEST = 0.001
"""A likelihood has three decimals and is never nothing."""


def reweighed(
    playbook: Playbook, series: Series, told: tuple[Sequence[Confirmed], datetime | None],
    made: tuple[Callable[[], str], datetime, str],
) -> Version:  # fmt: skip
    """The draft of whoever asks for it, who is proposed as its owner where nobody owns the series. So another person
    activates it where a likelihood more than doubles.

    Each likelihood is the share of its cause among the confirmed incidents that this playbook has a cause for, shrunk
    towards what it declares and within the bounds of a prior; their sum grows no further than 1. An incident that
    somebody named the cause of before `since`, when the text was activated, counts no more: the text may hold it
    already, and rating it again would count it twice. Raises Refusal(CONFLICT) where no word changes any.
    """
    words, since = told
    rules = playbook.spec.triage.hypotheses
    fresh = _not_counted(words, since)
    counts = Counter(word.cause for word in last_words(fresh) if word.cause in {rule.cause for rule in rules})
    if not counts:
        lately = f" since its text was activated, {since.isoformat(timespec='seconds')}" if since else ""
        message = f"Nobody confirmed a cause that {playbook.metadata.series} names{lately}."
        raise conflict(message, "Rate incidents first: `ratchet incident rate INC-1 --cause CAUSE`.")
    declared = {cause: sum(rule.likelihood for rule in rules if rule.cause == cause) for cause in counts}
    changed = tuple(_corrected(rule, declared.get(rule.cause, rule.likelihood), counts) for rule in rules)
    if changed == rules:
        raise conflict("What was confirmed bears the likelihoods out as they are.", "Nothing is to be changed.")
    triage = playbook.spec.triage.model_copy(update={"hypotheses": changed})
    guidance = f"{playbook.spec.guidance.rstrip()}\n\n{_told(rules, changed, counts)}\n".lstrip()
    new_id, at, by = made
    owner = playbook.spec.owner or f"user:default/{by.removeprefix('user:')}"
    spec = playbook.spec.model_copy(update={"triage": triage, "guidance": guidance, "owner": owner})
    metadata = playbook.metadata.model_copy(
        update={
            "version": free_version(playbook.metadata.version, series), "source": "generated",
            "derived_from": {"playbook": playbook.pin, "confirmed": str(sum(counts.values()))},
        }
    )  # fmt: skip
    draft = playbook.model_copy(update={"metadata": metadata, "spec": spec})
    return new_version(draft, "generated", Made(f"pb_learned_{short(new_id(), 6)}", at, by))


def _not_counted(words: Sequence[Confirmed], since: datetime | None) -> list[Confirmed]:
    """The words on incidents of which nobody had said anything when the text was activated."""
    if since is None:
        return list(words)
    counted = {word.incident for word in words if word.at <= since}
    return [word for word in words if word.incident not in counted]


def _corrected(rule: HypothesisRule, declared: float, counts: Counter[str]) -> HypothesisRule:
    """Several hypotheses of one cause keep their proportions."""
    moved = bounded(shrunk(declared, counts[rule.cause], sum(counts.values())), declared)
    value = rule.likelihood / declared * moved
    return rule.model_copy(update={"likelihood": max(SMALLEST, floor(value * 1000 + 1e-6) / 1000)})


def _told(before: Sequence[HypothesisRule], after: Sequence[HypothesisRule], counts: Counter[str]) -> str:
    total = sum(counts.values())
    lines = [
        f"- {new.id}: {old.likelihood:g} -> {new.likelihood:g} ({counts[new.cause]} of {total} confirmed)"
        for old, new in zip(before, after, strict=True)
        if old.likelihood != new.likelihood
    ]
    return "\n".join([f"Likelihoods corrected by {total} incidents whose cause people confirmed:", "", *lines])
