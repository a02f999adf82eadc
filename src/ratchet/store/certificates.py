"""Certificates: kept as they were given, each with its event, and revoked."""

from sqlalchemy import Connection, insert, select, update

from ratchet.domain.certificate import Certificate
from ratchet.domain.errors import conflict, not_found
from ratchet.domain.house import CertificateGiven, CertificateRevoked
from ratchet.store import tables as t
from ratchet.store.encoding import stamp
from ratchet.store.house import note
from ratchet.store.journal import Journal

_C = t.certificates.c


def of_series(connection: Connection, tenant: str, series: str = "") -> list[Certificate]:
    """Newest first; those of every series when none is named."""
    query = select(_C.body).where(_C.tenant == tenant).order_by(_C.issued_at.desc(), _C.id.desc())
    query = query.where(_C.series == series) if series else query
    return [Certificate.model_validate_json(body) for body in connection.execute(query).scalars()]


class Certificates:
    """What the store answers about certificates."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def put(self, certificate: Certificate, by: str) -> None:
        """Keep a new one; raises Refusal(CONFLICT) for an id that is there already."""
        with self._journal.writing(by) as ledger:
            here = (_C.tenant == ledger.tenant, _C.id == certificate.id)
            if ledger.connection.execute(select(_C.id).where(*here)).first() is not None:
                raise conflict(f"Certificate {certificate.id} was given already.", "Give a new one a new id.")
            note(ledger, CertificateGiven(certificate=certificate))
            row = {"tenant": ledger.tenant, "id": certificate.id, "series": certificate.series}
            told = {"issued_at": stamp(certificate.issued_at), "body": certificate.model_dump_json()}
            ledger.connection.execute(insert(t.certificates), {**row, **told})

    def all(self, series: str) -> list[Certificate]:
        """Newest first, dead ones included."""
        with self._journal.reading() as connection:
            return of_series(connection, self._journal.tenant, series)

    def revoke(self, certificate_id: str, because: str, by: str) -> None:
        """It proves nothing any longer; the first reason stays. Raises Refusal(NOT_FOUND)."""
        with self._journal.writing(by) as ledger:
            here = (_C.tenant == ledger.tenant, _C.id == certificate_id)
            body = ledger.connection.execute(select(_C.body).where(*here)).scalar()
            if body is None:
                raise not_found("certificate", certificate_id, "List them: ratchet vault list")
            certificate = Certificate.model_validate_json(body)
            if certificate.revoked:
                return
            note(ledger, CertificateRevoked(id=certificate_id, because=because))
            revoked = certificate.model_copy(update={"revoked": because})
            ledger.connection.execute(update(t.certificates).where(*here).values(body=revoked.model_dump_json()))
