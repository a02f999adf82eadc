"""Series: the same events and folds for playbooks, with the versions findable by id."""

from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy import Connection, insert, select, update

from ratchet.domain.errors import conflict, not_found
from ratchet.domain.series import Series, SeriesEvent
from ratchet.domain.timeline import Recorded
from ratchet.store import standing
from ratchet.store import tables as t
from ratchet.store.encoding import SERIES_EVENT
from ratchet.store.events import Ledger, read_stream
from ratchet.store.journal import Journal

_S = t.series.c


class SeriesShelf:
    """What the store answers about series."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def one(self, series_id: str) -> Series:
        """The fold of a series; empty when nothing is recorded under that id."""
        with self._journal.reading() as connection:
            return load(connection, self._journal.tenant, series_id)

    def all(self) -> list[Series]:
        """Every series, by id."""
        tenant = self._journal.tenant
        query = select(_S.id, _S.body).where(_S.tenant == tenant).order_by(_S.id)
        with self._journal.reading() as connection:
            return [checkpoint(connection, tenant, row.id, row.body) for row in connection.execute(query).all()]

    def of(self, version_id: str) -> Series:
        """The series that holds a version; raises Refusal(NOT_FOUND)."""
        v = t.versions.c
        query = select(v.series).where(v.tenant == self._journal.tenant, v.id == version_id)
        with self._journal.reading() as connection:
            series_id = connection.execute(query).scalar()
            if series_id is None:
                raise not_found("playbook version", version_id, "List them: ratchet vault list")
            return load(connection, self._journal.tenant, series_id)

    def commit(self, seen: Series, events: Sequence[SeriesEvent], by: str) -> Series:
        """Append at exactly `seen.seq`; raises Refusal(CONFLICT) when the series moved meanwhile."""
        with self._journal.writing(by) as ledger:
            series = load(ledger.connection, ledger.tenant, seen.id)
            if series.seq != seen.seq:
                raise conflict(
                    f"The series {seen.id} moved from event {seen.seq} to {series.seq} meanwhile.",
                    "Read it again and decide anew.",
                )
            began = series.active
            for event in events:
                series = series.apply(ledger.append(series.stream, series.seq + 1, event, SERIES_EVENT))
            _save(ledger, series)
            if began is not None and (series.active is None or series.active.digest != began.digest):
                standing.end_for(ledger, series.id, began.digest)
            return series

    def timeline(self, series_id: str) -> list[Recorded[SeriesEvent]]:
        """Every event of a series, oldest first: each text that was ever kept stands in one."""
        with self._journal.reading() as connection:
            return list(read_stream(connection, self._journal.tenant, f"series/{series_id}", SERIES_EVENT))

    def refold(self, series_id: str) -> Series:
        """The fold of a series' events, past its checkpoint."""
        with self._journal.reading() as connection:
            return refold(connection, self._journal.tenant, series_id)


def load(connection: Connection, tenant: str, series_id: str) -> Series:
    """The series' checkpoint; empty when there is none."""
    body = connection.execute(select(_S.body).where(_S.tenant == tenant, _S.id == series_id)).scalar()
    return Series(id=series_id, tenant=tenant) if body is None else checkpoint(connection, tenant, series_id, body)


def checkpoint(connection: Connection, tenant: str, series_id: str, body: str) -> Series:
    """The series in a checkpoint; folded anew when an earlier release wrote the checkpoint in another form."""
    try:
        return Series.model_validate_json(body)
    except ValidationError:
        return refold(connection, tenant, series_id)


def refold(connection: Connection, tenant: str, series_id: str) -> Series:
    """The series as its events tell it."""
    series = Series(id=series_id, tenant=tenant)
    for event in read_stream(connection, tenant, series.stream, SERIES_EVENT):
        series = series.apply(event)
    return series


def _save(ledger: Ledger, series: Series) -> None:
    row = {"tenant": ledger.tenant, "id": series.id, "seq": series.seq, "body": series.model_dump_json()}
    here = (_S.tenant == ledger.tenant, _S.id == series.id)
    if ledger.connection.execute(update(t.series).where(*here).values(row)).rowcount == 0:
        ledger.connection.execute(insert(t.series), row)
    v = t.versions.c
    query = select(v.id).where(v.tenant == ledger.tenant, v.series == series.id)
    there = set(ledger.connection.execute(query).scalars())
    for version in series.versions:
        if version.id not in there:
            ledger.connection.execute(
                insert(t.versions), {"tenant": ledger.tenant, "id": version.id, "series": series.id}
            )
