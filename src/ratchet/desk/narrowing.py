"""What a list may be narrowed to: a word that there is not would give an empty list, which reads as calm."""

from collections.abc import Sequence
from typing import get_args

from ratchet.domain.errors import invalid
from ratchet.domain.incident import Status
from ratchet.domain.ports import DecisionState

STATUSES: tuple[str, ...] = get_args(Status)
"""Of incidents."""
STATES: tuple[str, ...] = get_args(DecisionState)
"""Of decisions."""


def known(asked: Sequence[str], words: Sequence[str], what: str) -> Sequence[str]:
    """The words that were asked for; raises Refusal(INVALID) for one that is none of these."""
    for odd in (word for word in asked if word not in words):
        raise invalid(f"There is no {what} {odd[:40]!r}.", f"Name one of {', '.join(words)}.")
    return asked
