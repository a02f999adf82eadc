"""The store as the port asks for it: one class, composed of the parts beside it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from ratchet.domain.alert import Alert
from ratchet.domain.audit import ChainBroken, Head
from ratchet.domain.certificate import Certificate
from ratchet.domain.drill import Run
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.evidence import Evidence
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.house import HouseEvent, Token
from ratchet.domain.incident import Incident
from ratchet.domain.past import Past
from ratchet.domain.ports import ChainReport, Clock, Correlate, DecisionRow, Due, Page, Placed, Tally
from ratchet.domain.protocol import Demand
from ratchet.domain.series import Series, SeriesEvent
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import Target
from ratchet.domain.timeline import Event, Opened, Recorded
from ratchet.store import evidence as captured
from ratchet.store import tables as t
from ratchet.store.anchor import Anchor
from ratchet.store.audit import AuditTrail
from ratchet.store.certificates import Certificates
from ratchet.store.decisions import Decisions
from ratchet.store.encoding import moment
from ratchet.store.house import House
from ratchet.store.incidents import Incidents
from ratchet.store.intake import Intake
from ratchet.store.intents import Intents
from ratchet.store.journal import SEAL_EVERY, Journal
from ratchet.store.lives import Lives
from ratchet.store.opening import key_of, open_tables, signer_of
from ratchet.store.past import past
from ratchet.store.proof import BEGINNING, read_head
from ratchet.store.runs import Runs, Wanted
from ratchet.store.seals import Seals
from ratchet.store.series import SeriesShelf
from ratchet.store.standing import StandingGrants
from ratchet.store.switch import Switch
from ratchet.store.tally import tally

TENANT = "main"


class EventStore:
    """`ratchet.domain.ports.Store` over one state directory; safe for many threads. Close it when done."""

    def __init__(self, journal: Journal, anchor: Anchor, seals: Seals) -> None:
        self._journal = journal
        self._anchor = anchor
        self._seals = seals
        self.audit = AuditTrail(journal, anchor, seals)
        self._intake = Intake(journal)
        self._incidents = Incidents(journal)
        self._decisions = Decisions(journal)
        self._series = SeriesShelf(journal)
        self._house = House(journal)
        self._intents = Intents(journal)
        self._switch = Switch(journal)
        self._standing = StandingGrants(journal)
        self._certificates = Certificates(journal)
        self._runs = Runs(journal)
        self.lives = Lives(journal)

    @staticmethod
    def open_at(home: Path, clock: Clock, new_id: Callable[[], str]) -> "EventStore":
        """Open `home/ratchet.db`, `key`, `seal` and `anchor` beside it, making them at first start.

        What came after the last good seal is proved. Raises ChainBroken when it does not hold, Refusal(FAILED) when a
        file is lost or foreign, Refusal(UNAVAILABLE) when they cannot be opened.
        """
        connections, anchor = open_tables(home, new_id), Anchor(home / "anchor")
        try:
            journal = Journal(connections, key_of(connections, home), TENANT, clock)
            store = EventStore(journal, anchor, Seals(journal, anchor, signer_of(connections, home)))
            store._begin_anchor()
            store._prove_start()
        except Refusal:
            connections.close()
            raise
        return store

    def __enter__(self) -> "EventStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Seal what was written, then close every connection; what was committed stays."""
        if self._journal.wrote:
            self._seals.seal()
        self._journal.connections.close()

    def open(self, incident_id: str, build: Callable[[int], Opened], by: str) -> Incident:
        return self._intake.open(incident_id, build, by)

    def receive(self, alerts: Sequence[Alert], correlate: Correlate, by: str) -> list[Placed]:
        return self._intake.receive(alerts, correlate, by)

    def commit(
        self, incident: Incident, *events: Event, by: str, evidence: Sequence[Evidence] = (), wake_at: datetime | None
    ) -> Incident:
        return self._incidents.commit(incident, events, by, evidence, wake_at)

    def incident(self, reference: str) -> Incident:
        return self._incidents.one(reference)

    def incidents(self, *, status: Sequence[str] = (), limit: int = 50, cursor: str | None = None) -> Page[Incident]:
        return self._incidents.page(status, limit, cursor)

    def timeline(self, incident_id: str) -> list[Recorded[Event]]:
        return self._incidents.timeline(incident_id)

    def refold(self, incident_id: str) -> Incident:
        """The fold of an incident's events, past its checkpoint; always equal to it."""
        return self._incidents.refold(incident_id)

    def evidence(self, ids: Sequence[str]) -> list[Evidence]:
        return captured.fetch(self._journal, ids)

    def past(self, since: datetime | None = None) -> Iterator[Past]:
        return past(self._journal, since)

    def decisions(self, *, state: Sequence[str] = (), limit: int = 50, cursor: str | None = None) -> Page[DecisionRow]:
        return self._decisions.page(state, limit, cursor)

    def decision(self, decision_id: str) -> tuple[DecisionRow, DecisionPacket]:
        return self._decisions.one(decision_id)

    def tally(self) -> Tally:
        return tally(self._journal)

    def due(self, now: datetime, limit: int = 20) -> list[Due]:
        return self._incidents.due(now, limit)

    def next_wake(self) -> datetime | None:
        return self._incidents.next_wake()

    def anchor(self) -> None:
        self._anchor.write(self._head)

    def verify(self) -> ChainReport:
        return self.audit.verify(full=True)

    def series(self, series_id: str) -> Series:
        return self._series.one(series_id)

    def all_series(self) -> list[Series]:
        return self._series.all()

    def series_of(self, version_id: str) -> Series:
        return self._series.of(version_id)

    def commit_series(self, series: Series, *events: SeriesEvent, by: str) -> Series:
        return self._series.commit(series, events, by)

    def series_timeline(self, series_id: str) -> list[Recorded[SeriesEvent]]:
        return self._series.timeline(series_id)

    def refold_series(self, series_id: str) -> Series:
        """The fold of a series' events, past its checkpoint; always equal to it."""
        return self._series.refold(series_id)

    def record(self, event: HouseEvent, by: str) -> None:
        self._house.record(event, by)

    def put_target(self, target: Target, by: str) -> None:
        self._house.put_target(target, by)

    def targets(self) -> list[Target]:
        return self._house.targets()

    def registered_at(self, name: str) -> datetime | None:
        return self._house.registered_at(name)

    def put_token(self, token: Token, by: str) -> None:
        self._house.put_token(token, by)

    def token(self, hashed: str) -> Token | None:
        return self._house.token(hashed)

    def tokens(self) -> list[Token]:
        return self._house.tokens()

    def revoke_token(self, token_id: str, by: str) -> None:
        self._house.revoke_token(token_id, by)

    def holding(self) -> list[Incident]:
        return self._incidents.holding()

    def intend(self, incident: Incident, demand: Demand, by: str) -> Incident:
        return self._intents.intend(incident, demand, by)

    def pause(self, by: str, reason: str) -> None:
        self._switch.pause(by, reason)

    def resume(self, by: str, reason: str) -> None:
        self._switch.resume(by, reason)

    def paused(self) -> str:
        return self._switch.state()

    def put_standing(self, standing: StandingGrant, by: str) -> None:
        self._standing.put(standing, by)

    def standing_grants(self) -> list[StandingGrant]:
        return self._standing.all()

    def revoke_standing(self, standing_id: str, because: str, by: str) -> None:
        self._standing.revoke(standing_id, because, by)

    def put_certificate(self, certificate: Certificate, by: str) -> None:
        self._certificates.put(certificate, by)

    def certificates(self, series: str = "") -> list[Certificate]:
        return self._certificates.all(series)

    def revoke_certificate(self, certificate_id: str, because: str, by: str) -> None:
        self._certificates.revoke(certificate_id, because, by)

    def put_run(self, run: Run, by: str) -> None:
        self._runs.put(run, by)

    def runs(self, *, since: datetime | None = None, fault: str = "", batch: str = "", limit: int = 1000) -> list[Run]:
        return self._runs.list(Wanted(since, fault, batch, limit))

    def high_water(self) -> datetime:
        """The latest moment ever written down; the beginning of time in an empty state."""
        with self._journal.reading() as connection:
            latest = connection.execute(select(t.head.c.high_water)).scalar_one()
        return moment(latest) if latest else datetime.min.replace(tzinfo=UTC)

    def _head(self) -> Head:
        with self._journal.reading() as connection:
            return read_head(connection)

    def _prove_start(self) -> None:
        """Walk what no seal covers; the whole chain only to name the first bad event when something is wrong."""
        report = self.audit.verify(full=False)
        if not report.ok:
            with self._journal.reading() as connection:
                whole = self._seals.prove(connection, BEGINNING)
            raise ChainBroken(report if whole.ok else whole)
        if report.events - report.sealed >= SEAL_EVERY:
            self._seals.seal()
        self._journal.at_boundary = self._seals.seal

    def _begin_anchor(self) -> None:
        begun = self._head().position > 0
        if self._anchor.exists():
            return
        if begun:
            raise Refusal(
                Code.FAILED,
                f"{self._anchor.path} is missing, but the state database holds events.",
                "Put the anchor back, or restore ratchet.db, key and anchor together from one backup.",
            )
        self._anchor.write(self._head)
