"""Runs of drills: kept once, each with its event, and listed newest first."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from ratchet.domain.drill import Run
from ratchet.domain.errors import conflict
from ratchet.domain.house import RunKept
from ratchet.store import tables as t
from ratchet.store.encoding import HOUSE_EVENT, stamp
from ratchet.store.events import last_seq, read_stream
from ratchet.store.journal import Journal

STREAM = "runs"
_R = t.runs.c


class Wanted(NamedTuple):
    """Which runs are asked for; what is empty does not narrow."""

    since: datetime | None = None
    fault: str = ""
    batch: str = ""
    limit: int = 1000


class Runs:
    """What the store answers about runs."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def put(self, run: Run, by: str) -> None:
        """Keep a run with its event; raises Refusal(CONFLICT) for an id that is there already."""
        with self._journal.writing(by) as ledger:
            here = (_R.tenant == ledger.tenant, _R.id == run.id)
            if ledger.connection.execute(select(_R.id).where(*here)).first() is not None:
                raise conflict(f"Run {run.id} is kept already.", "Give another run another id.")
            ledger.append(STREAM, last_seq(ledger.connection, ledger.tenant, STREAM) + 1, RunKept(run=run), HOUSE_EVENT)
            ledger.connection.execute(insert(t.runs), {"tenant": ledger.tenant, **_row(run)})

    def list(self, wanted: Wanted) -> list[Run]:
        """Newest first."""
        query = select(_R.body).where(_R.tenant == self._journal.tenant)
        if wanted.since is not None:
            query = query.where(_R.ended_at >= stamp(wanted.since))
        if wanted.fault:
            query = query.where(_R.fault == wanted.fault)
        if wanted.batch:
            query = query.where(_R.batch == wanted.batch)
        query = query.order_by(_R.ended_at.desc(), _R.id.desc()).limit(wanted.limit)
        with self._journal.reading() as connection:
            return [Run.model_validate_json(body) for body in connection.execute(query).scalars()]


def as_told(connection: Connection, tenant: str) -> bool:
    """Whether the kept runs are exactly those that the events tell of."""
    told = {
        recorded.event.run.id: recorded.event.run
        for recorded in read_stream(connection, tenant, STREAM, HOUSE_EVENT)
        if isinstance(recorded.event, RunKept)
    }
    rows = connection.execute(select(t.runs).where(_R.tenant == tenant)).all()
    kept = {row.id: ({name: getattr(row, name) for name in _NAMES}, row.body) for row in rows}
    return kept.keys() == told.keys() and all(_same(*kept[name], run) for name, run in told.items())


_NAMES = ("id", "batch", "fault", "ended_at")


def _same(columns: dict[str, str], body: str, run: Run) -> bool:
    row = _row(run)
    return Run.model_validate_json(body) == run and all(columns[name] == row[name] for name in _NAMES)


def _row(run: Run) -> dict[str, str]:
    named = {"id": run.id, "batch": run.batch, "fault": run.fault, "ended_at": stamp(run.ended_at)}
    return {**named, "body": run.model_dump_json()}
