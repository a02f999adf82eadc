"""The audit trail over the event table: entries to read and follow, the check of the chain, the places of followers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from ratchet.domain.audit import AuditEntry, AuditKey, AuditReport, Head
from ratchet.domain.errors import Code, Refusal
from ratchet.security.chain import GENESIS, link, same
from ratchet.security.seal import fingerprint
from ratchet.store import tables as t
from ratchet.store.anchor import Anchor
from ratchet.store.checkpoints import compare
from ratchet.store.encoding import moment, stamp
from ratchet.store.journal import Journal
from ratchet.store.proof import BEGINNING, Broken, read_head
from ratchet.store.seals import Seals

_E = t.events.c
_F = t.followers.c


class AuditTrail:
    """`ratchet.domain.audit.Trail` over one journal."""

    def __init__(self, journal: Journal, anchor: Anchor, seals: Seals) -> None:
        self._journal = journal
        self._anchor = anchor
        self._seals = seals
        self._whole: bool | None = None

    def entries(
        self, after: int, limit: int, *, since: datetime | None = None, until: datetime | None = None
    ) -> Sequence[AuditEntry]:
        query = _with_previous().where(_E.position > after).order_by(_E.position).limit(limit)
        query = query if since is None else query.where(_E.at >= stamp(since))
        return self._read(query if until is None else query.where(_E.at < stamp(until)))

    def newest(self, limit: int, before: int | None = None) -> Sequence[AuditEntry]:
        query = _with_previous().order_by(_E.position.desc()).limit(limit)
        return self._read(query if before is None else query.where(_E.position < before))

    def of_stream(self, stream: str) -> Sequence[AuditEntry]:
        here = (_E.tenant == self._journal.tenant, _E.stream == stream)
        entries = self._read(_with_previous().where(*here).order_by(_E.seq))
        for number, entry in enumerate(entries, start=1):
            if entry.seq != number or not self._as_written(entry):
                raise Refusal(
                    Code.FAILED,
                    f"Event {number} of {stream} is not the one that was written: its link does not fit.",
                    "Walk the whole chain, which names the first bad event: `ratchet audit verify --full`.",
                )
        return entries

    def _as_written(self, entry: AuditEntry) -> bool:
        previous, mac = bytes.fromhex(entry.previous), bytes.fromhex(entry.mac)
        fits = len(previous) == len(GENESIS)
        return fits and same(link(self._journal.key, previous, entry.stored.encode("ascii")), mac)

    def _read(self, query: Select[Any]) -> list[AuditEntry]:
        """The tenant's own events of these; the chain that links them is everybody's."""
        with self._journal.reading() as connection:
            return [_entry(row) for row in connection.execute(query.where(_E.tenant == self._journal.tenant))]

    def head(self) -> Head:
        with self._journal.reading() as connection:
            return read_head(connection)

    def anchored(self) -> Head | None:
        return self._anchor.read() if self._anchor.exists() else None

    def key(self) -> AuditKey:
        public = self._seals.signer.public
        return AuditKey(chain=self.head().chain, public=public, fingerprint=fingerprint(public))

    def sign(self, message: bytes) -> bytes:
        return self._seals.signer.sign(message)

    def verify(self, *, full: bool) -> AuditReport:
        with self._journal.reading() as connection:
            report = self._seals.prove(connection, BEGINNING if full else self._seals.last_good(connection))
            report = self._compared(connection, report) if full and report.ok else report
        self._whole = report.ok and (full or self._whole is not False)
        return report

    def _compared(self, connection: Connection, report: AuditReport) -> AuditReport:
        """The projections beside the events; they are read every day, so they are proved as well."""
        try:
            compare(connection, self._journal.tenant, self._journal.now())
        except Broken as broken:
            words = f"event {broken.position}: {broken.because}"
            return report.model_copy(update={"ok": False, "first_bad": broken.position, "because": words})
        return report

    def whole(self) -> bool | None:
        return self._whole

    def place(self, follower: str) -> int | None:
        with self._journal.reading() as connection:
            return connection.execute(select(_F.position).where(_F.name == follower)).scalar()

    def keep_place(self, follower: str, position: int) -> None:
        with self._journal.connections.write() as connection:
            moved = connection.execute(update(t.followers).where(_F.name == follower).values(position=position))
            if moved.rowcount == 0:
                connection.execute(insert(t.followers), {"name": follower, "position": position})


def _with_previous() -> Select[Any]:
    """Events with the link of the one before."""
    before = t.events.alias("before")
    joined = t.events.outerjoin(before, before.c.position == _E.position - 1)
    return select(t.events, before.c.mac.label("previous")).select_from(joined)


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        position=row.position, tenant=row.tenant, stream=row.stream, seq=row.seq, at=moment(row.at), by=row.by,
        kind=row.kind, previous=bytes(row.previous or GENESIS).hex(), mac=bytes(row.mac).hex(),
        stored=bytes(row.stored).decode("ascii"),
    )  # fmt: skip
