"""An operation: one attempt at a step, and one sample of what it brought."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun

LONGEST_LOOK = timedelta(seconds=20)
"""What a sample of a slow server may take; samples farther apart than that have a hole between them."""
OpState = Literal["intended", "done", "failed_clean", "unknown", "took", "absent", "unsure"]


class Op(Noun):
    """One attempt at a step, from the durable intent to what is known of its outcome."""

    grant: Grant
    step: str
    attempt: int
    state: OpState
    intended_at: datetime
    before: bool | None = None
    """What the criteria of recovery said just before the intent."""
    ended_at: datetime | None = None
    return_code: str = ""
    error_category: str = "none"
    touched: tuple[dict[str, Any], ...] = ()
    result: dict[str, Any] = {}
    stopped: str = ""
    because: str = ""


class Sample(Noun):
    """One verification sample as folded: when, and true, false or unknown."""

    at: datetime
    value: bool | None


def unbroken(samples: Sequence[Sample], every: float) -> tuple[Sample, ...]:
    """The run of true samples at the end of a window; a time in which nobody looked breaks it, as an unknown does."""
    most = timedelta(seconds=every) + LONGEST_LOOK
    run: list[Sample] = []
    for sample in reversed(samples):
        if sample.value is not True or (run and run[0].at - sample.at > most):
            break
        run.insert(0, sample)
    return tuple(run)


def since(ops: Sequence[Op], began: datetime | None) -> tuple[Op, ...]:
    """The attempts since a moment; all of them where it is not known."""
    return tuple(op for op in ops if began is None or op.intended_at >= began)


def answered(op: Op) -> bool:
    """Whether the act's own answer said that it was done."""
    return op.state == "done"


def leave_used(ops: Sequence[Op]) -> tuple[str, ...]:
    """The standing grants by whose leave something happened, or may have."""
    sent = [op for op in ops if op.state not in ("failed_clean", "absent")]
    leave = [by for op in sent for by in op.grant.approved_by if by.startswith("standing:")]
    return tuple(dict.fromkeys(by.removeprefix("standing:") for by in leave))
