"""How judged hypotheses are ordered: by prior and verdict, and what presses less yields."""

from collections.abc import Sequence
from typing import Any

from ratchet.domain.hypothesis import BEARINGS, Hypothesis, Verdict

FACTOR: dict[Verdict, float] = {
    "confirmed": 1.0, "undecided": 0.05, "unknown": 0.10, "contradictory": 0.05, "refuted": 0.002,
}  # fmt: skip
"""How much of its prior a hypothesis keeps under each verdict."""
YIELDING = 0.0001
"""The same for what is confirmed beside something more pressing, which is what the alert is about."""
UNKNOWN_MASS = 0.02
"""The share that always stays with a cause nobody wrote down."""


def by_weight(judged: Sequence[Hypothesis], share: float) -> tuple[Hypothesis, ...]:
    """Likeliest first. Each playbook is as likely as another before the alert speaks."""
    weighed = _posterior([h.model_copy(update={"prior": h.prior * share}) for h in judged])
    return tuple(sorted(_merge(weighed), key=lambda h: (-h.confidence, h.playbook, h.id)))


def _posterior(judged: Sequence[Hypothesis]) -> list[Hypothesis]:
    most = min((rank_of(h) for h in judged if h.verdict == "confirmed"), default=0)
    masses = [h.prior * (YIELDING if yields(h, most) else FACTOR[h.verdict]) for h in judged]
    confirmed = [m for m, h in zip(masses, judged, strict=True) if h.verdict == "confirmed"]
    rest = UNKNOWN_MASS * (1.0 if not confirmed else 0.25)
    total = sum(masses) + rest
    return [h.model_copy(update={"confidence": m / total}) for h, m in zip(judged, masses, strict=True)]


def rank_of(h: Hypothesis) -> int:
    """0 for the most pressing."""
    return BEARINGS.index(h.bearing)


def yields(h: Hypothesis, most: int) -> bool:
    """Whether something more pressing (of rank `most`) is confirmed too, and the alert does not speak of this one."""
    return h.verdict == "confirmed" and rank_of(h) > most and not h.named and not h.security


def _merge(judged: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Confirmed hypotheses with the same cause and objects are one: their shares add up under the likeliest."""
    groups: dict[tuple[Any, ...], list[Hypothesis]] = {}
    for h in judged:
        objects = tuple(sorted((o.kind, o.id) for o in h.objects))
        key = (h.cause, objects) if h.verdict == "confirmed" else (h.playbook, h.id)
        groups.setdefault(key, []).append(h)
    return [_join(group) for group in groups.values()]


def _join(group: list[Hypothesis]) -> Hypothesis:
    lead = max(group, key=lambda h: (h.then != ("escalate",), h.confidence))
    together = {
        "confidence": min(1.0, sum(h.confidence for h in group)), "named": any(h.named for h in group),
        "bearing": BEARINGS[min(map(rank_of, group))],
    }  # fmt: skip
    return lead.model_copy(update=together)
