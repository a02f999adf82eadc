"""An operation: one attempt at a step, and one sample of what it brought."""

from datetime import datetime
from typing import Any, Literal

from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun

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
