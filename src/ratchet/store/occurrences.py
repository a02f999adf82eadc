"""The occurrences already received: which incident each belongs to, and what was last said of it."""

from typing import NamedTuple

from sqlalchemy import and_, bindparam, insert, select, update

from ratchet.domain.alert import Alert
from ratchet.domain.ports import Placed
from ratchet.store import tables as t
from ratchet.store.encoding import stamp
from ratchet.store.events import Ledger
from ratchet.store.prepared import Prepared

_A = t.alerts.c
_I = t.incidents.c
_HERE = (
    _A.tenant == bindparam("of"),
    _A.source == bindparam("from"),
    _A.fingerprint == bindparam("print"),
    _A.starts_at == bindparam("since"),
)
_ITS_INCIDENT = and_(_I.tenant == _A.tenant, _I.id == _A.incident)
_KNOWN = Prepared(
    select(_A.incident, _A.body, _I.number).select_from(t.alerts.outerjoin(t.incidents, _ITS_INCIDENT)).where(*_HERE)
)
_SAID_ANEW = Prepared(update(t.alerts).where(*_HERE).values({_A.body: bindparam("now_says")}))
_ADD = Prepared(insert(t.alerts))


class Known(NamedTuple):
    """An occurrence that was received before."""

    incident: str
    said: Alert
    number: int | None
    """Of its incident; None while that one is not written yet, which is in the transaction that opens it."""

    @property
    def placed(self) -> Placed | None:
        """Where it belongs, as far as the table says."""
        return None if self.number is None else Placed(id=self.incident, number=self.number)

    def is_news(self, alert: Alert) -> bool:
        """Whether this says something else of it. Late repeats of `firing` after `resolved` do not."""
        if self.said.status == "resolved":
            return False
        said = (self.said.status, self.said.labels, self.said.annotations)
        return said != (alert.status, alert.labels, alert.annotations)


def known(ledger: Ledger, alert: Alert) -> Known | None:
    """What is known of an occurrence."""
    row = _KNOWN.first(ledger.connection, _key(ledger, alert))
    return None if row is None else Known(row[0], Alert.model_validate_json(row[1]), row[2])


def remember(ledger: Ledger, alert: Alert, incident_id: str) -> None:
    """A new occurrence belongs to this incident from now on."""
    row = {
        "tenant": ledger.tenant,
        "source": alert.source,
        "fingerprint": alert.fingerprint,
        "starts_at": stamp(alert.starts_at),
        "incident": incident_id,
        "body": alert.model_dump_json(),
    }
    _ADD.run(ledger.connection, row)


def refresh(ledger: Ledger, alert: Alert) -> None:
    """Something new was said of a known one."""
    _SAID_ANEW.run(ledger.connection, {**_key(ledger, alert), "now_says": alert.model_dump_json()})


def _key(ledger: Ledger, alert: Alert) -> dict[str, str]:
    since = stamp(alert.starts_at)
    return {"of": ledger.tenant, "from": alert.source, "print": alert.fingerprint, "since": since}
