"""Many incidents at once, out of the event table: people's words on causes, and cases as quality counts them."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, func, select

from ratchet.domain.case import KINDS, Case, case_of
from ratchet.domain.hypothesis import Conclusion, Found, Hypothesis, Outcome
from ratchet.domain.priors import Confirmed
from ratchet.domain.timeline import Concluded, Opened, Rated, Recorded, Resolved
from ratchet.store import tables as t
from ratchet.store.encoding import EVENT, VERSION, recorded, stamp
from ratchet.store.journal import Journal

_WORDS = ("rated", "resolved")
_PREFIX = "incident/"
_E = t.events.c
_Counted = Recorded[Any]


class Lives:
    """`ratchet.domain.ports.Lives` over one state."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def confirmed(self, after: int = 0) -> tuple[list[Confirmed], int]:
        """Of each word the incident's opening is read too: it says where it was."""
        query = select(_E.stream, _E.stored).where(
            _E.position > after, _E.tenant == self._journal.tenant, _E.kind.in_(_WORDS)
        )
        with self._journal.reading() as connection:
            last = connection.execute(select(func.max(_E.position))).scalar() or 0
            rows = connection.execute(query.order_by(_E.position)).all()
            found = [self._word(connection, row.stream, recorded(row.stored, EVENT)) for row in rows]
        return [word for word in found if word is not None], last

    def _word(self, connection: Connection, stream: str, told: Recorded[Any]) -> Confirmed | None:
        event = told.event
        if not isinstance(event, Rated | Resolved) or not event.by.startswith("user:") or not event.cause:
            return None
        first = select(_E.stored).where(_E.tenant == self._journal.tenant, _E.stream == stream, _E.seq == 1)
        opened = recorded(connection.execute(first).scalar_one(), EVENT).event
        if not isinstance(opened, Opened):
            return None
        return Confirmed(
            incident=stream.removeprefix(_PREFIX), origin=opened.origin, target=opened.target,
            service=opened.alert.labels.get("service") or opened.target or opened.alert.name, cause=event.cause,
            at=told.at, by=event.by,
        )  # fmt: skip

    def cases(self, since: datetime | None = None) -> Iterator[Case]:
        """The incidents of a span are found by their own table; what is counted comes from their events alone."""
        i = t.incidents.c
        query = (
            select(_E.stream, _E.kind, _E.stored)
            .join(t.incidents, (_E.stream == _PREFIX + i.id) & (_E.tenant == i.tenant))
            .where(_E.tenant == self._journal.tenant, _E.kind.in_(KINDS))
            .order_by(i.number, _E.seq)
        )
        query = query if since is None else query.where(i.opened_at >= stamp(since))
        with self._journal.reading() as connection:
            for stream, group in groupby(connection.execute(query), key=lambda row: str(row.stream)):
                case = case_of(stream.removeprefix(_PREFIX), [_read(row.kind, row.stored) for row in group])
                if case is not None:
                    yield case


class _Leading(BaseModel):
    """A hypothesis without its grounds; what is not named here is not even unpacked."""

    cause: str
    version_id: str
    playbook: str
    objects: tuple[Found, ...] = ()


class _Said(BaseModel):
    outcome: Outcome
    confidence: float
    chosen: int | None
    hypotheses: tuple[_Leading, ...]


class _Body(BaseModel):
    conclusion: _Said


class _Line(BaseModel):
    seq: int
    at: datetime
    by: str
    version: int
    body: _Body


def _read(kind: str, stored: bytes) -> Recorded[Any]:
    """The event as it is counted from: of a conclusion, which is long, what it rests on alone."""
    if kind != "concluded":
        return recorded(stored, EVENT)
    line = _Line.model_validate_json(stored)
    if line.version != VERSION:
        return recorded(stored, EVENT)
    said = line.body.conclusion
    leading = () if said.chosen is None else (_hypothesis(said.hypotheses[said.chosen], said.confidence),)
    short = Conclusion(
        outcome=said.outcome, confidence=said.confidence, hypotheses=leading, chosen=0 if leading else None
    )  # fmt: skip
    return _Counted(seq=line.seq, at=line.at, by=line.by, event=Concluded(conclusion=short))


def _hypothesis(found: _Leading, confidence: float) -> Hypothesis:
    return Hypothesis(
        id="", title="", verdict="confirmed", prior=0.0, confidence=confidence, cause=found.cause,
        playbook=found.playbook, version_id=found.version_id, objects=found.objects,
    )  # fmt: skip
