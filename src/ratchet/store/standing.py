"""Standing grants: kept, charged in the transaction of the intent, and revoked."""

from sqlalchemy import Connection, insert, select, update

from ratchet.domain.errors import not_found
from ratchet.domain.house import StandingGiven, StandingRevoked
from ratchet.domain.standing import StandingGrant
from ratchet.store import tables as t
from ratchet.store.encoding import stamp
from ratchet.store.events import Ledger
from ratchet.store.house import note
from ratchet.store.journal import Journal

_G = t.standing.c
ANOTHER_TEXT = "the playbook's active text became another one"


def one(connection: Connection, tenant: str, standing_id: str) -> StandingGrant | None:
    """The grant of that id."""
    body = connection.execute(select(_G.body).where(_G.tenant == tenant, _G.id == standing_id)).scalar()
    return None if body is None else StandingGrant.model_validate_json(body)


def charge(ledger: Ledger, standing: StandingGrant) -> int:
    """One use less; how many are left."""
    used = standing.model_copy(update={"used": standing.used + 1})
    _write(ledger, used)
    return used.left


def end_for(ledger: Ledger, series: str, digest: str) -> None:
    """Revoke what was given for a text that is active no longer: it stays so if somebody goes back to that text."""
    bodies = ledger.connection.execute(select(_G.body).where(_G.tenant == ledger.tenant)).scalars().all()
    for given in map(StandingGrant.model_validate_json, bodies):
        if (given.series, given.playbook_digest, given.revoked) == (series, digest, ""):
            _revoke(ledger, given, ANOTHER_TEXT)


def _revoke(ledger: Ledger, given: StandingGrant, because: str) -> None:
    note(ledger, StandingRevoked(id=given.id, because=because))
    _write(ledger, given.model_copy(update={"revoked": because}))


def _write(ledger: Ledger, standing: StandingGrant) -> None:
    here = (_G.tenant == ledger.tenant, _G.id == standing.id)
    ledger.connection.execute(update(t.standing).where(*here).values(body=standing.model_dump_json()))


class StandingGrants:
    """What the store answers about standing grants."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def put(self, standing: StandingGrant, by: str) -> None:
        """Keep a new grant with its event."""
        with self._journal.writing(by) as ledger:
            note(ledger, StandingGiven(standing=standing))
            row = {"tenant": ledger.tenant, "id": standing.id, "given_at": stamp(standing.given_at)}
            ledger.connection.execute(insert(t.standing), {**row, "body": standing.model_dump_json()})

    def all(self) -> list[StandingGrant]:
        """Newest first, dead ones included."""
        query = select(_G.body).where(_G.tenant == self._journal.tenant).order_by(_G.given_at.desc(), _G.id.desc())
        with self._journal.reading() as connection:
            return [StandingGrant.model_validate_json(body) for body in connection.execute(query).scalars()]

    def revoke(self, standing_id: str, because: str, by: str) -> None:
        """It counts no longer; the first reason stays. Raises Refusal(NOT_FOUND)."""
        with self._journal.writing(by) as ledger:
            standing = one(ledger.connection, ledger.tenant, standing_id)
            if standing is None:
                raise not_found("standing grant", standing_id, "List them: ratchet grant list")
            if standing.revoked:
                return
            _revoke(ledger, standing, because)
