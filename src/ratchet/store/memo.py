"""Incidents as they were last read or written, so that a checkpoint is neither parsed nor written twice over."""

import threading
from collections.abc import Mapping
from operator import is_, itemgetter
from typing import NamedTuple

from pydantic_core import to_json

from ratchet.domain.incident import Incident

MOST_CHARACTERS = 4_000_000
"""Of checkpoints that are kept, all together; the latest one is kept whatever its size."""
_APART = (
    "alerts", "candidates", "evidence", "conclusion", "plan", "packet", "approvals", "ops", "samples", "verified",
    "rolled_back", "handoff", "resolved", "draft",
)  # fmt: skip
"""The fields that may be large; what a move left alone is not written out again."""
_EVERY_TIME = ("seq", "updated_at")
"""The fields that every move changes."""
_TOGETHER = tuple(name for name in Incident.model_fields if name not in {*_APART, *_EVERY_TIME})
_lasting = itemgetter(*_TOGETHER, *_APART)


class Checkpoint(NamedTuple):
    """An incident, the text that stands for it in the table, and the parts of that text as far as they are known."""

    incident: Incident
    body: str
    pieces: Mapping[str, str]
    rest: str = ""
    """All of the text but what every move changes."""


def write(incident: Incident, before: Checkpoint | None) -> Checkpoint:
    """The checkpoint of an incident; what it shares with the one before is taken from there, value by value."""
    now = vars(incident)
    if before is not None and before.rest and all(map(is_, _lasting(now), _lasting(vars(before.incident)))):
        pieces, rest = before.pieces, before.rest
    else:
        pieces = {name: _piece(incident, name, before) for name in _APART}
        together = to_json({name: now[name] for name in _TOGETHER}).decode("utf-8")[1:-1]
        rest = ",".join([together, *(f'"{name}":{piece}' for name, piece in pieces.items())])
    moving = to_json({name: now[name] for name in _EVERY_TIME}).decode("utf-8")[:-1]
    return Checkpoint(incident, f"{moving},{rest}}}", pieces, rest)


def _piece(incident: Incident, name: str, before: Checkpoint | None) -> str:
    value = getattr(incident, name)
    if not value:
        return "null" if value is None else "[]"
    if before is not None and name in before.pieces and value is getattr(before.incident, name):
        return before.pieces[name]
    return incident.model_dump_json(include={name})[len(name) + 4 : -1]


class Memo:
    """What was read or written last, by incident; safe for many threads.

    Nothing is believed for its name: an incident is given out only for the very text that the table holds now, so that
    another process, a rolled back transaction or a hand in the file is never missed.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Checkpoint] = {}
        self._characters = 0
        self._lock = threading.Lock()

    def read(self, incident_id: str, body: str) -> Incident:
        """The incident for which this text stands, kept from then on; raises ValidationError when it is none."""
        known = self._known(incident_id, body)
        if known is not None:
            return known
        read = Incident.model_validate_json(body)
        self.keep(Checkpoint(read, body, {}))
        return read

    def glance(self, incident_id: str, body: str) -> Incident:
        """The same for one of many: a list that is looked through pushes nothing else out."""
        return self._known(incident_id, body) or Incident.model_validate_json(body)

    def _known(self, incident_id: str, body: str) -> Incident | None:
        kept = self.last(incident_id)
        return kept.incident if kept is not None and kept.body == body else None

    def last(self, incident_id: str) -> Checkpoint | None:
        """What was kept last, whether it still stands in the table or not."""
        with self._lock:
            return self._kept.get(incident_id)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Keep it as the latest; the oldest ones go when there is too much."""
        with self._lock:
            self._drop(checkpoint.incident.id)
            self._kept[checkpoint.incident.id] = checkpoint
            self._characters += len(checkpoint.body)
            while self._characters > MOST_CHARACTERS and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))

    def _drop(self, incident_id: str) -> None:
        gone = self._kept.pop(incident_id, None)
        self._characters -= len(gone.body) if gone is not None else 0
