"""Writes down what a probe saw as evidence: JSON values, redacted, with the time it took."""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, cast

from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.ports import Clock
from ratchet.security.redact import Redacts
from ratchet.tools.answers import NoAnswer
from ratchet.tools.rows import json_rows


class Witness:
    """Builds evidence; nothing leaves here unredacted. `started` is a monotonic time."""

    def __init__(self, redactor: Redacts, clock: Clock) -> None:
        self._redactor = redactor
        self._clock = clock

    def saw(self, call: ProbeCall, started: float, rows: Sequence[Mapping[str, Any]], query: str) -> Evidence:
        """The rows that a target gave."""
        kept, truncated = json_rows(rows)
        return Evidence.of(
            call,
            self._clock(),
            _since(started),
            answer=Answer.OK,
            query=query,
            columns=tuple(rows[0]) if rows else (),
            rows=tuple(cast("dict[str, Any]", self._redactor.redact(row)) for row in kept),
            truncated=truncated,
        )

    def failed(self, call: ProbeCall, started: float, failed: NoAnswer, query: str = "") -> Evidence:
        """The answer of a target that gave no rows."""
        return Evidence.of(
            call,
            self._clock(),
            _since(started),
            answer=failed.answer,
            detail=self._redactor.text(failed.detail),
            query=query,
        )


def _since(started: float) -> float:
    return round((monotonic() - started) * 1000, 3)
