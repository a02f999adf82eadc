"""What the evaluator saw on its way to an answer; the trace is written from it."""

from dataclasses import dataclass

from ratchet.domain.condition.nodes import Expression
from ratchet.domain.condition.operations import Truth
from ratchet.domain.condition.values import Datum


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows an any() or all() was about, how many held, how many could not be told."""

    rows: int
    held: int
    unclear: int
    deciding: str = ""
    """What the row that decided is called; empty when none did."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one node came to, with what was looked at on the way; `skipped` operands were not needed any more."""

    node: Expression
    value: Datum
    inside: "tuple[Seen, ...]" = ()
    skipped: int = 0
    tally: Tally | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One element of a list: whether the filters keep it, what it came to, and how that was seen."""

    kept: Truth
    value: Datum
    inside: tuple[Seen, ...] = ()
