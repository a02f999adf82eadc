"""Seals: signed places up to which the chain was walked and found whole, so that a start walks only what came after."""

from contextlib import suppress

from sqlalchemy import Connection, delete, insert, select

from ratchet.domain.audit import AuditReport
from ratchet.domain.errors import Refusal
from ratchet.domain.noun import canonical
from ratchet.security.seal import Signer, signed_by
from ratchet.store import tables as t
from ratchet.store.anchor import Anchor
from ratchet.store.journal import Journal
from ratchet.store.proof import BEGINNING, Sealed, prove, read_head

KEPT = 8
"""Seals that are kept; the ones before the last are for the case that the last is not good."""
_S = t.seals.c


class Seals:
    """Makes seals under what was proved, and finds the last good one."""

    def __init__(self, journal: Journal, anchor: Anchor, signer: Signer) -> None:
        self._journal = journal
        self._anchor = anchor
        self.signer = signer

    def last_good(self, connection: Connection) -> Sealed:
        """The newest seal that this house signed for this chain; the beginning when there is none."""
        chain = read_head(connection).chain
        for row in connection.execute(select(t.seals).order_by(_S.position.desc())):
            if not (isinstance(row.mac, bytes) and isinstance(row.signature, bytes)):
                continue
            sealed = Sealed(row.position, row.mac, row.high_water)
            if signed_by(self.signer.public, _message(chain, sealed), row.signature):
                return sealed
        return BEGINNING

    def prove(self, connection: Connection, since: Sealed) -> AuditReport:
        """What stands behind a seal, with the anchor."""
        anchored = self._anchor.read() if self._anchor.exists() else None
        return prove(connection, self._journal.key, anchored, since)

    def seal(self) -> None:
        """Walk what came after the last good seal and put a new one under it. What does not hold is not sealed.

        A database that takes nothing now is not asked twice: the next seal stands for this one, too.
        """
        with suppress(Refusal):
            with self._journal.reading() as connection:
                since = self.last_good(connection)
                head = read_head(connection)
                high_water: str = connection.execute(select(t.head.c.high_water)).scalar_one()
                whole = head.position > since.position and self.prove(connection, since).ok
            if whole:
                self._put(head.chain, Sealed(head.position, bytes.fromhex(head.mac), high_water))

    def _put(self, chain: str, sealed: Sealed) -> None:
        signature = self.signer.sign(_message(chain, sealed))
        with self._journal.connections.write() as connection:
            connection.execute(delete(t.seals).where(_S.position == sealed.position))
            connection.execute(insert(t.seals), {**sealed._asdict(), "signature": signature})
            kept = select(_S.position).order_by(_S.position.desc()).limit(KEPT)
            connection.execute(delete(t.seals).where(_S.position.not_in(kept)))


def _message(chain: str, sealed: Sealed) -> bytes:
    """What is signed; its first line keeps a seal from being taken for anything else that the house signs."""
    body = {"chain": chain, "position": sealed.position, "mac": sealed.mac.hex(), "high_water": sealed.high_water}
    return b"ratchet.seal/1\n" + canonical(body)
