"""Evidence, kept once under the digest of its content and packed when it is big."""

import json
import zlib
from collections.abc import Iterator, Sequence, Set

from sqlalchemy import Connection, bindparam, insert, select

from ratchet.domain.evidence import Evidence, id_of
from ratchet.store import tables as t
from ratchet.store.encoding import read_evidence, write_evidence
from ratchet.store.events import Ledger
from ratchet.store.journal import Journal
from ratchet.store.prepared import Prepared

_E = t.evidence.c
_THERE = Prepared(select(_E.id).where(_E.tenant == bindparam("of"), _E.id == bindparam("this")))
_ADD = Prepared(insert(t.evidence))
_AT_ONCE = 200
"""Ids per statement; databases limit how many values one statement binds."""


def keep(ledger: Ledger, looks: Sequence[Evidence]) -> None:
    """Store what is not stored yet, in the transaction of the events that cite it."""
    by_id = {look.id: look for look in looks}
    for look in by_id.values():
        if _THERE.first(ledger.connection, {"of": ledger.tenant, "this": look.id}) is None:
            packed, body = write_evidence(look)
            _ADD.run(ledger.connection, {"tenant": ledger.tenant, "id": look.id, "packed": packed, "body": body})


def fetch(journal: Journal, ids: Sequence[str]) -> list[Evidence]:
    """By id, in the order asked; unknown ids are left out."""
    with journal.reading() as connection:
        found = {row_id: (packed, body) for row_id, packed, body in _rows(connection, journal.tenant, ids)}
    return [read_evidence(*found[wanted]) for wanted in ids if wanted in found]


def as_captured(connection: Connection, tenant: str, needed: Set[str], named: Set[str]) -> bool:
    """Whether all that is needed is there, and each of these and of what else is named is what its id says."""
    rows = list(_rows(connection, tenant, sorted(needed | named)))
    return needed <= {row[0] for row in rows} and all(_is_itself(*row) for row in rows)


def _is_itself(evidence_id: str, packed: int, body: bytes) -> bool:
    """Read as it is stored, not as a noun: what an earlier release wrote has the digest of what stood in it then."""
    try:
        found = json.loads(zlib.decompress(body) if packed else body)
        return bool(found.pop("id") == evidence_id == id_of(found))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, zlib.error):
        return False


def _rows(connection: Connection, tenant: str, ids: Sequence[str]) -> Iterator[tuple[str, int, bytes]]:
    for start in range(0, len(ids), _AT_ONCE):
        chosen = _E.id.in_(ids[start : start + _AT_ONCE])
        for row in connection.execute(select(_E.id, _E.packed, _E.body).where(_E.tenant == tenant, chosen)):
            yield row.id, row.packed, row.body
