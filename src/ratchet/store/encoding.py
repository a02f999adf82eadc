"""How values stand in the tables: moments as sortable text, events as the exact bytes that the chain covers."""

import json
import zlib
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ratchet.domain.errors import Code, Refusal, invalid
from ratchet.domain.evidence import Evidence
from ratchet.domain.house import HouseEvent
from ratchet.domain.noun import Noun
from ratchet.domain.series import SeriesEvent
from ratchet.domain.timeline import Event, Recorded

VERSION = 1
"""The version that events are written in; older ones are brought up to it when they are read."""
PACK_OVER = 4096
"""Bytes from which evidence is stored compressed."""

E = TypeVar("E")


class Line(Noun, Generic[E]):
    """What stored bytes hold: the fields of an `Entry`, and the event."""

    model_config = ConfigDict(extra="ignore")
    tenant: str
    stream: str
    seq: int
    at: str
    by: str
    kind: str
    version: int
    body: E


EVENT: TypeAdapter[Line[Event]] = TypeAdapter(Line[Event])
SERIES_EVENT: TypeAdapter[Line[SeriesEvent]] = TypeAdapter(Line[SeriesEvent])
HOUSE_EVENT: TypeAdapter[Line[HouseEvent]] = TypeAdapter(Line[HouseEvent])
_STORED = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_Recorded = Recorded[Any]


class Entry(NamedTuple):
    """An event's index columns, as they must also stand in its stored bytes."""

    tenant: str
    stream: str
    seq: int
    at: str
    by: str
    kind: str
    version: int


def stamp(at: datetime) -> str:
    """UTC with microseconds, always 32 characters, so that texts sort as moments do. Raises ValueError when naive."""
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be stored")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.fromisoformat(text)


def moment_in(text: object) -> datetime | None:
    """The same for what may be anything, as a column somebody wrote into; None for what `stamp` never writes."""
    try:
        found = moment(text) if isinstance(text, str) else None
        return found if found is not None and stamp(found) == text else None
    except ValueError:
        return None


def write_event(entry: Entry, event: Noun) -> bytes:
    """The stored bytes of an event: one JSON object with sorted keys and no spaces; raises Refusal(INVALID).

    Numbers are written as they are, also those beyond 2^53 that RFC 8785 would refuse: a query id is such a number.
    """
    try:
        whole = {**entry._asdict(), "body": event.model_dump(mode="json")}
        return _STORED.encode(whole).encode("ascii")
    except ValueError as error:
        raise invalid(
            f"The event {entry.kind} holds what JSON cannot: {error}.", "Report this with the event."
        ) from None


def read_entry(stored: bytes) -> tuple[Entry, dict[str, Any]]:
    """The index fields and the body inside stored bytes; raises ValueError or KeyError for anything else."""
    whole = json.loads(stored.decode("ascii"))
    return Entry._make([whole[name] for name in Entry._fields]), whole["body"]


def recorded(stored: bytes, events: TypeAdapter[Any]) -> Recorded[Any]:
    """The event in stored bytes, in the present version."""
    try:
        line = events.validate_json(stored)
    except ValidationError:
        line = _read_slowly(stored, events)
    _check_version(line.version)
    return _Recorded(seq=line.seq, at=moment(line.at), by=line.by, event=line.body)


def _read_slowly(stored: bytes, events: TypeAdapter[Any]) -> Line[Any]:
    """What the fast reader does not take: texts that are no UTF-8, and the events of a newer release."""
    entry, body = read_entry(stored)
    _check_version(entry.version)
    line: Line[Any] = events.validate_python({**entry._asdict(), "body": body})
    return line


def _check_version(version: int) -> None:
    if version > VERSION:
        raise Refusal(
            Code.FAILED,
            f"An event of version {version} was written by a newer Ratchet.",
            "Start the newer release again, or restore the backup made before it.",
        )


def write_evidence(evidence: Evidence) -> tuple[int, bytes]:
    """Whether it is packed, and the bytes."""
    body = evidence.model_dump_json().encode("utf-8")
    return (1, zlib.compress(body, 6)) if len(body) > PACK_OVER else (0, body)


def read_evidence(packed: int, body: bytes) -> Evidence:
    """The evidence that `write_evidence` wrote."""
    return Evidence.model_validate_json(zlib.decompress(body) if packed else body)
