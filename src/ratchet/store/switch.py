"""The kill switch: one row while the automation is paused, read in the transaction of every intent."""

from sqlalchemy import Connection, delete, insert, select, update

from ratchet.domain.house import Paused, Resumed
from ratchet.store import tables as t
from ratchet.store.encoding import stamp
from ratchet.store.house import note
from ratchet.store.journal import Journal

_S = t.switch.c


def paused(connection: Connection, tenant: str) -> str:
    """Who paused the automation and why, or an empty text."""
    row = connection.execute(select(t.switch).where(_S.tenant == tenant)).one_or_none()
    return f"{row.by} paused it: {row.reason}" if row else ""


class Switch:
    """Pause and resume, each with its event."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def pause(self, by: str, reason: str) -> None:
        """Pull the switch; pulling it again keeps the first reason."""
        with self._journal.writing(by) as ledger:
            if paused(ledger.connection, ledger.tenant):
                return
            note(ledger, Paused(by=by, reason=reason))
            row = {"tenant": ledger.tenant, "by": by, "reason": reason, "at": stamp(ledger.at)}
            ledger.connection.execute(insert(t.switch), row)

    def resume(self, by: str, reason: str) -> None:
        """Put it back and wake every incident that waits for the clock."""
        with self._journal.writing(by) as ledger:
            if not paused(ledger.connection, ledger.tenant):
                return
            note(ledger, Resumed(by=by, reason=reason))
            ledger.connection.execute(delete(t.switch).where(_S.tenant == ledger.tenant))
            c = t.incidents.c
            waiting = (c.tenant == ledger.tenant, c.status == "awaiting_approval", c.wake_at.is_not(None))
            ledger.connection.execute(update(t.incidents).where(*waiting).values(wake_at=stamp(ledger.at)))

    def state(self) -> str:
        """Who paused the automation and why, or an empty text."""
        with self._journal.reading() as connection:
            return paused(connection, self._journal.tenant)
