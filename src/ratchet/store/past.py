"""Past incidents out of the event table, without their checkpoints: a backtest reads thousands of them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select

from ratchet.domain.past import Past
from ratchet.domain.timeline import Event, Looked, Opened, Rated, Recorded, Resolved, Verified
from ratchet.store import tables as t
from ratchet.store.encoding import EVENT, recorded, stamp
from ratchet.store.journal import Journal

_KINDS = ("opened", "looked", "intended", "verified", "resolved", "rated")
_PREFIX = "incident/"


def past(journal: Journal, since: datetime | None) -> Iterator[Past]:
    """Every incident that was looked at, opened at `since` or later, oldest first."""
    e = t.events.c
    query = select(e.stream, e.stored).where(e.tenant == journal.tenant, e.kind.in_(_KINDS)).order_by(e.stream, e.seq)
    with journal.reading() as connection:
        rows = connection.execute(query)
        for stream, group in groupby(rows, key=lambda row: str(row.stream)):
            found = _past(stream.removeprefix(_PREFIX), [recorded(row.stored, EVENT) for row in group])
            if found is not None and (since is None or stamp(found.opened_at) >= stamp(since)):
                yield found


def _past(incident_id: str, timeline: Sequence[Recorded[Event]]) -> Past | None:
    opened = next((one for one in timeline if isinstance(one.event, Opened)), None)
    looked: Recorded[Any] | None = None
    for one in timeline:
        if one.event.kind == "intended":
            break
        looked = one if isinstance(one.event, Looked) else looked
    if opened is None or looked is None or not isinstance(opened.event, Opened):
        return None
    return Past(
        id=incident_id, number=opened.event.number, opened_at=opened.at, fault=opened.event.fault,
        quiet=opened.event.quiet, alert=opened.event.alert, target=opened.event.target, looked_at=looked.at,
        evidence=looked.event.evidence,
        seen=frozenset(name.rpartition("@")[0] for name in looked.event.answers), confirmed=_confirmed(timeline),
    )  # fmt: skip


def _confirmed(timeline: Sequence[Recorded[Event]]) -> str:
    """A person's word counts, a rating before all; ours only where the recovery was proved after we acted."""
    cause, proved, acted, rated = "", False, False, ""
    for one in timeline:
        match one.event:
            case Rated():
                rated = one.event.cause
            case Verified():
                proved = one.event.passed
            case Resolved():
                by_person = one.event.by.startswith("user:")
                sound = by_person or (proved and acted and not one.event.without_action)
                cause = (one.event.cause or "") if sound else ""
            case _:
                acted = acted or one.event.kind == "intended"
    return rated or cause
