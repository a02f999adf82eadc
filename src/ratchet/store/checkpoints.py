"""Compares what is read every day, the checkpoints and projections, with what the events say."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, Table, select

from ratchet.domain.house import Token
from ratchet.domain.noun import Noun
from ratchet.domain.target import Target
from ratchet.store import incidents, joinable, series
from ratchet.store import tables as t
from ratchet.store.decisions import states_of
from ratchet.store.encoding import HOUSE_EVENT
from ratchet.store.events import read_stream
from ratchet.store.house import STREAM
from ratchet.store.proof import Broken, last_positions


def compare(connection: Connection, tenant: str) -> None:
    """Raise Broken for the first checkpoint, target or token that is not what its events say."""
    for stream, position in last_positions(connection, tenant):
        kind, _, name = stream.partition("/")
        match kind:
            case "incident":
                _incident(connection, tenant, name, position)
            case "series":
                _series(connection, tenant, name, position)
            case _:
                _house(connection, tenant, position)


def _incident(connection: Connection, tenant: str, name: str, position: int) -> None:
    c = t.incidents.c
    row = connection.execute(select(t.incidents).where(c.tenant == tenant, c.id == name)).one_or_none()
    told, states = incidents.retell(connection, tenant, name)
    columns = None if row is None else (row.seq, row.number, row.status, row.target)
    if row is None or columns != (told.seq, told.number, told.status, told.target) or not _says(row.body, told):
        raise Broken(position, f"the checkpoint of {told.name} is not the fold of its events")
    if states_of(connection, tenant, name) != states:
        raise Broken(position, f"the decisions of {told.name} are not what its events say")
    if joinable.stored(connection, tenant, name) != joinable.keys(told):
        raise Broken(position, f"the alerts by which {told.name} is found are not those that its events say")


def _series(connection: Connection, tenant: str, name: str, position: int) -> None:
    c = t.series.c
    row = connection.execute(select(t.series).where(c.tenant == tenant, c.id == name)).one_or_none()
    told = series.refold(connection, tenant, name)
    if row is None or row.seq != told.seq or not _says(row.body, told):
        raise Broken(position, f"the checkpoint of {name} is not the fold of its events")


def _house(connection: Connection, tenant: str, position: int) -> None:
    targets: dict[str, Target] = {}
    tokens: dict[str, tuple[str, bool, str, bool]] = {}
    for recorded in read_stream(connection, tenant, STREAM, HOUSE_EVENT):
        event = recorded.event
        match event.kind:
            case "target_added":
                targets[event.target.name] = event.target
            case "token_made":
                tokens[event.id] = (event.name, event.person, event.role, False)
            case "token_revoked":
                tokens[event.id] = (*tokens[event.id][:3], True)
            case _:
                pass
    kept = {row.name: Target.model_validate_json(row.body) for row in _rows(connection, t.targets, tenant)}
    if kept != targets:
        raise Broken(position, "the targets are not those that were registered")
    found = [Token.model_validate_json(row.body) for row in _rows(connection, t.tokens, tenant)]
    known = {one.id: (one.name, one.person, one.role, one.revoked) for one in found}
    if known != tokens:
        raise Broken(position, "the tokens are not those that were made")


def _rows(connection: Connection, table: Table, tenant: str) -> Sequence[Row[Any]]:
    return connection.execute(select(table).where(table.c.tenant == tenant)).all()


def _says(body: str, told: Noun) -> bool:
    try:
        return type(told).model_validate_json(body) == told
    except ValidationError:
        return False
