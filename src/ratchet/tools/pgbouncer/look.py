"""Answers the pooler's probes over one console session; each SHOW command is asked once per look."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

from ratchet.domain.evidence import Evidence, ProbeCall
from ratchet.tools.answers import NoAnswer
from ratchet.tools.pgbouncer.probes import ASKS, answer
from ratchet.tools.postgres.line import Line
from ratchet.tools.postgres.session import Sessions, bounded
from ratchet.tools.witness import Witness

LIMIT = 3.0
"""Seconds for all commands of one look."""


def look(sessions: Sessions, calls: Sequence[ProbeCall], server: str, witness: Witness) -> list[Evidence]:
    """Evidence for every call, in order; `server` is the host:port of the server that is pooled for."""
    started = monotonic()
    words = list(dict.fromkeys(word for call in calls for word in ASKS[call.probe]))
    try:
        shown: dict[str, list[dict[str, Any]]] = sessions.on_diag(lambda line: _show(line, words))
    except NoAnswer as failed:
        return [witness.failed(call, started, failed, _query(call)) for call in calls]
    return [witness.saw(call, started, answer(call.probe, shown, server), _query(call)) for call in calls]


def _show(line: Line, words: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The console speaks the simple protocol alone: statements without values, one at a time."""
    with bounded(line, LIMIT):
        return {word: line.execute(f"SHOW {word}".encode(), prepare=False).fetchall() for word in words}


def _query(call: ProbeCall) -> str:
    return "; ".join(f"SHOW {word}" for word in ASKS[call.probe])
