"""Compares what is read every day, the checkpoints and projections, with what the events say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, Table, select

from ratchet.domain.certificate import Certificate
from ratchet.domain.house import (
    CertificateGiven,
    CertificateRevoked,
    HouseEvent,
    Paused,
    Resumed,
    StandingCharged,
    StandingGiven,
    StandingRevoked,
    TargetAdded,
    Token,
    TokenMade,
    TokenRevoked,
)
from ratchet.domain.noun import Noun
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import Target
from ratchet.store import decisions, evidence, joinable, locks, occurrences, runs, series
from ratchet.store import tables as t
from ratchet.store.encoding import HOUSE_EVENT, moment_in
from ratchet.store.events import read_stream
from ratchet.store.house import STREAM
from ratchet.store.proof import Broken, last_positions
from ratchet.store.retold import Retold, retell


def compare(connection: Connection, tenant: str, now: datetime) -> None:
    """Raise Broken for the first checkpoint, target, token or other row that is not what the events say.

    `now` is the present moment: what is to be done next is not put off beyond it without a reason.
    """
    last, rows = 0, occurrences.Rows(connection, tenant)
    for stream, position in last_positions(connection, tenant):
        last = max(last, position)
        kind, _, name = stream.partition("/")
        match kind:
            case "incident":
                wrong = _incident(connection, retell(connection, tenant, name), rows, now)
                if wrong:
                    raise Broken(position, wrong)
            case "series":
                _series(connection, tenant, name, position)
            case runs.STREAM:
                pass
            case _:
                _house(connection, tenant, position)
    if not runs.as_told(connection, tenant):
        raise Broken(last, "the runs are not those that were kept")
    if not rows.is_over():
        raise Broken(last, "an alert is kept for an incident that no event tells of")


def _incident(connection: Connection, retold: Retold, rows: occurrences.Rows, now: datetime) -> str:
    """What is wrong with the rows of one incident; empty when nothing is."""
    told = retold.incident
    name, tenant, c = told.id, told.tenant, t.incidents.c
    row = connection.execute(select(t.incidents).where(c.tenant == tenant, c.id == name)).one_or_none()
    columns = None if row is None else (row.seq, row.number, row.status, row.target)
    if row is None or columns != (told.seq, told.number, told.status, told.target) or not _says(row.body, told):
        return f"the checkpoint of {told.name} is not the fold of its events"
    if not _wakes(row.wake_at, retold.wakes_by(now)):
        return f"{told.name} has something to do and is never woken for it, or too late"
    if decisions.states_of(connection, tenant, name) != retold.states:
        return f"the decisions of {told.name} are not what its events say"
    if not decisions.as_asked(connection, tenant, told, retold.packets):
        return f"a packet of {told.name} is not the one that was asked about"
    if not locks.as_told(connection, tenant, told, retold.cools):
        return f"the lock of {told.name} is not what its operations say"
    if joinable.stored(connection, tenant, name) != joinable.keys(told):
        return f"the alerts by which {told.name} is found are not those that its events say"
    if not rows.are(occurrences.Told(name, told.alerts, retold.heard, told.status == "closed")):
        return f"the alerts that are kept for {told.name} are not those that its events say"
    if not evidence.as_captured(connection, tenant, retold.captured, retold.named):
        return f"the evidence of {told.name} is not what was captured"
    return ""


def _wakes(wake_at: str | None, latest: datetime | None) -> bool:
    wakes = moment_in(wake_at)
    if wakes is None:
        return wake_at is None and latest is None
    return latest is None or wakes <= latest


def _series(connection: Connection, tenant: str, name: str, position: int) -> None:
    c = t.series.c
    row = connection.execute(select(t.series).where(c.tenant == tenant, c.id == name)).one_or_none()
    told = series.refold(connection, tenant, name)
    if row is None or row.seq != told.seq or not _says(row.body, told):
        raise Broken(position, f"the checkpoint of {name} is not the fold of its events")


@dataclass
class _House:
    """What the house's own events tell."""

    targets: dict[str, Target] = field(default_factory=dict[str, Target])
    made: dict[str, TokenMade] = field(default_factory=dict[str, TokenMade])
    revoked: set[str] = field(default_factory=set[str])
    standing: dict[str, StandingGrant] = field(default_factory=dict[str, StandingGrant])
    certificates: dict[str, Certificate] = field(default_factory=dict[str, Certificate])
    paused: str = ""

    def hear(self, event: HouseEvent) -> None:
        """One more event."""
        match event:
            case TargetAdded():
                self.targets[event.target.name] = event.target
            case TokenMade():
                self.made[event.id] = event
            case TokenRevoked():
                self.revoked.add(event.id)
            case StandingGiven():
                self.standing[event.standing.id] = event.standing
            case StandingCharged():
                self._stands(event.id, used=self.standing[event.id].uses - event.left)
            case StandingRevoked():
                self._stands(event.id, revoked=event.because)
            case Paused():
                self.paused = f"{event.by}: {event.reason}"
            case Resumed():
                self.paused = ""
            case _:
                self._hear_proof(event)

    def _hear_proof(self, event: HouseEvent) -> None:
        match event:
            case CertificateGiven():
                self.certificates[event.certificate.id] = event.certificate
            case CertificateRevoked():
                given = self.certificates[event.id]
                self.certificates[event.id] = given.model_copy(update={"revoked": event.because})
            case _:
                pass

    def _stands(self, standing_id: str, **update: Any) -> None:
        self.standing[standing_id] = self.standing[standing_id].model_copy(update=update)


def _house(connection: Connection, tenant: str, position: int) -> None:
    told = _House()
    for recorded in read_stream(connection, tenant, STREAM, HOUSE_EVENT):
        told.hear(recorded.event)
    targets = {row.name: Target.model_validate_json(row.body) for row in _rows(connection, t.targets, tenant)}
    if targets != told.targets:
        raise Broken(position, "the targets are not those that were registered")
    tokens = [(row, Token.model_validate_json(row.body)) for row in _rows(connection, t.tokens, tenant)]
    if {row.id for row, _ in tokens} != set(told.made) or not all(_as_made(row, one, told) for row, one in tokens):
        raise Broken(position, "the tokens are not those that were made")
    grants = [StandingGrant.model_validate_json(row.body) for row in _rows(connection, t.standing, tenant)]
    if {one.id: one for one in grants} != told.standing:
        raise Broken(position, "the standing grants are not those that were given, charged and revoked")
    proofs = _rows(connection, t.certificates, tenant)
    if {(row.id, row.series): Certificate.model_validate_json(row.body) for row in proofs} != {
        (one.id, one.series): one for one in told.certificates.values()
    }:
        raise Broken(position, "the certificates are not those that were given and revoked")
    if "".join(f"{row.by}: {row.reason}" for row in _rows(connection, t.switch, tenant)) != told.paused:
        raise Broken(position, "the kill switch does not stand where it was last put")


def _as_made(row: Row[Any], token: Token, told: _House) -> bool:
    found_by = (row.id, row.hashed) == (token.id, token.hashed)
    return found_by and told.made[row.id].made(token) and token.revoked == (row.id in told.revoked)


def _rows(connection: Connection, table: Table, tenant: str) -> Sequence[Row[Any]]:
    return connection.execute(select(table).where(table.c.tenant == tenant)).all()


def _says(body: str, told: Noun) -> bool:
    try:
        return type(told).model_validate_json(body) == told
    except ValidationError:
        return False
