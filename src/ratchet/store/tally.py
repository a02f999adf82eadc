"""How many there are of each, counted where they stand: a page of a list ends, and its end is no zero."""

from typing import Any

from sqlalchemy import Connection, Table, func, select

from ratchet.domain.ports import Tally
from ratchet.store import tables as t
from ratchet.store.journal import Journal


def tally(journal: Journal) -> Tally:
    """All incidents by status and all decisions by state, in one transaction."""
    with journal.reading() as connection:
        return Tally(
            incidents=_by(connection, journal.tenant, t.incidents, t.incidents.c.status),
            decisions=_by(connection, journal.tenant, t.decisions, t.decisions.c.state),
        )


def _by(connection: Connection, tenant: str, table: Table, column: Any) -> dict[str, int]:
    rows = connection.execute(select(column, func.count()).where(table.c.tenant == tenant).group_by(column))
    return {str(row[0]): int(row[1]) for row in rows}
