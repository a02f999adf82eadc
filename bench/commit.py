"""What one durable move costs beside a bare SQLite commit of the same bytes on the same disk."""

import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

from ulid import ULID

from bench.figure import Figure, spread
from ratchet.domain.alert import Alert
from ratchet.domain.timeline import Noted, Opened
from ratchet.store.store import EventStore

MOVES = 300
TEXT = "A person wrote down what was seen on the server, in about as many words as an event usually has. " * 4


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as place, closing(bare_file(Path(place))) as file:
        moves, bare = side_by_side(Path(place) / "home", file)
    return [
        spread("one durable move", moves, unit="ms"),
        spread("a bare commit of the same bytes", bare, unit="ms"),
        Figure("one durable move, in bare commits", median(moves) / median(bare), "times", note="medians"),
    ]


def side_by_side(home: Path, file: sqlite3.Connection) -> tuple[list[float], list[float]]:
    """Seconds per move of one incident and per bare commit, taken in turns, so that both meet the same disk."""
    began = datetime.now(UTC)
    alert = Alert(source="bench", fingerprint="1", starts_at=began, status="firing", labels={"alertname": "Bench"})
    moves: list[float] = []
    bare: list[float] = []
    home.mkdir()
    with EventStore.open_at(home, lambda: datetime.now(UTC), lambda: str(ULID())) as store:
        incident = store.open(
            str(ULID()), lambda number: Opened(number=number, alert=alert, target=None, target_reason="none"), "bench"
        )
        for _ in range(MOVES):
            before = perf_counter()
            incident = store.commit(incident, Noted(by="user:ana", text=TEXT), by="user:ana", wake_at=None)
            moves.append(perf_counter() - before)
            bare.append(by_hand(file, last_stored(home)))
    return moves, bare


def last_stored(home: Path) -> bytes:
    """The bytes of the latest event as they stand in the table."""
    with closing(sqlite3.connect(f"file:{home / 'ratchet.db'}?mode=ro", uri=True)) as file:
        (stored,) = file.execute("SELECT stored FROM events ORDER BY position DESC LIMIT 1").fetchone()
    return stored


def bare_file(place: Path) -> sqlite3.Connection:
    """One table with the same durability."""
    file = sqlite3.connect(place / "bare.db", isolation_level=None)
    file.execute("PRAGMA journal_mode=WAL")
    file.execute("PRAGMA synchronous=FULL")
    file.execute("CREATE TABLE events (position INTEGER PRIMARY KEY, stored BLOB NOT NULL)")
    return file


def by_hand(file: sqlite3.Connection, stored: bytes) -> float:
    before = perf_counter()
    file.execute("BEGIN IMMEDIATE")
    file.execute("INSERT INTO events (stored) VALUES (?)", [stored])
    file.execute("COMMIT")
    return perf_counter() - before
