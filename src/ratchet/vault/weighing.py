"""A playbook whose likelihoods are corrected by what people confirmed: a draft of its series, never more."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from math import floor

from ratchet.domain.errors import conflict
from ratchet.domain.playbook import HypothesisRule, Playbook
from ratchet.domain.priors import Confirmed, last_words, shrunk
from ratchet.domain.series import Series, Version
from ratchet.vault.making import Made, free_version, new_version, short

LEAST = 0.001


def reweighed(
    playbook: Playbook, series: Series, words: Sequence[Confirmed], made: tuple[Callable[[], str], datetime, str]
) -> Version:
    """The draft of whoever asks for it, who is proposed as its owner where nobody owns the series. So another person
    activates it where a likelihood grows.

    Each likelihood is the share of its cause among the confirmed incidents that this playbook has a cause for, shrunk
    towards what it declares; their sum grows no further than 1. Raises Refusal(CONFLICT) where no word changes any.
    """
    rules = playbook.spec.triage.hypotheses
    counts = Counter(word.cause for word in last_words(words) if word.cause in {rule.cause for rule in rules})
    if not counts:
        message = f"Nobody confirmed a cause that {playbook.metadata.series} names."
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


def _corrected(rule: HypothesisRule, declared: float, counts: Counter[str]) -> HypothesisRule:
    """Several hypotheses of one cause keep their proportions."""
    value = rule.likelihood / declared * shrunk(declared, counts[rule.cause], sum(counts.values()))
    return rule.model_copy(update={"likelihood": max(LEAST, floor(value * 1000 + 1e-6) / 1000)})


def _told(before: Sequence[HypothesisRule], after: Sequence[HypothesisRule], counts: Counter[str]) -> str:
    total = sum(counts.values())
    lines = [
        f"- {new.id}: {old.likelihood:g} -> {new.likelihood:g} ({counts[new.cause]} of {total} confirmed)"
        for old, new in zip(before, after, strict=True)
        if old.likelihood != new.likelihood
    ]
    return "\n".join([f"Likelihoods corrected by {total} incidents whose cause people confirmed:", "", *lines])
