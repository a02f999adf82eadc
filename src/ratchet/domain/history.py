"""What people confirmed before, brought into a differential: it orders hypotheses, and never chooses between them."""

from ratchet.domain.hypothesis import Conclusion, Hypothesis
from ratchet.domain.priors import Prior


def with_prior(h: Hypothesis, prior: Prior) -> Hypothesis:
    """The hypothesis with its learned prior, which it shows where somebody confirmed its cause or the evidence does."""
    shown = prior.confirmed or prior.confirmed_elsewhere or h.verdict in ("confirmed", "contradictory")
    weight = h.prior * prior.value / prior.declared
    return h.model_copy(update={"prior": weight, "learned": prior if shown else None})


def kept_open(learned: Conclusion, alone: Conclusion) -> Conclusion:
    """The conclusion with history in it, unless it claims what the evidence alone does not."""
    leading, other = learned.leading, alone.leading
    if learned.outcome != "cause" or leading is None or other is None:
        return learned
    if alone.outcome == "cause" and (leading.cause, leading.objects) == (other.cause, other.objects):
        return learned
    why = f"What was confirmed before speaks for {leading.title}; the evidence alone does not choose it. {alone.why}"
    undecided = {
        "outcome": "ambiguous", "cause": None, "suggested_action": "Decide between the confirmed causes.", "why": why
    }  # fmt: skip
    return learned.model_copy(update=undecided)
