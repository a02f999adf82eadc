"""What one durable move costs beside bare SQLite commits: of its event's bytes alone, and of all bytes it writes."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeAlias

from ulid import ULID

from bench.figure import Figure, spread
from ratchet.domain.alert import Alert
from ratchet.domain.hypothesis import Conclusion, Found, Hypothesis
from ratchet.domain.incident import Incident
from ratchet.domain.timeline import Concluded, Event, Noted, Opened
from ratchet.store.store import EventStore

MOVES = 300
GOAL = 1.5
TEXT = "A person wrote down what was seen on the server, in about as many words as an event usually has. " * 4
HYPOTHESES = 60
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
UPDATE = "UPDATE incidents SET status = ?, wake_at = ?, seq = ?, body = ? WHERE tenant = ? AND id = ?"
Prepare: TypeAlias = Callable[[EventStore], tuple[Incident, Event]]
Row: TypeAlias = tuple[str | bytes | int | None, ...]


@dataclass
class Taken:
    """Seconds per move, per bare commit of its event alone, and per bare commit of all rows that it wrote."""

    moves: list[float] = field(default_factory=list[float])
    event: list[float] = field(default_factory=list[float])
    rows: list[float] = field(default_factory=list[float])
    wrote: int = 0
    """Bytes of the rows of the last move."""


def run() -> list[Figure]:
    return [*figures("a note in a young incident", young), *figures("a note in one with a full record", full)]


def figures(name: str, prepare: Prepare) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as place:
        taken = side_by_side(Path(place), prepare)
    move, event, rows = median(taken.moves), median(taken.event), median(taken.rows)
    return [
        spread(f"{name}: one move", taken.moves, unit="ms"),
        spread("(a) a bare commit of its event alone", taken.event, unit="ms"),
        spread(f"(b) a bare commit of all its {taken.wrote / 1000:.1f} kB", taken.rows, unit="ms"),
        Figure("one move, in bare commits (a)", move / event, "times", note="medians"),
        Figure("one move, in bare commits (b)", move / rows, "times", GOAL, note="medians"),
    ]


def young(store: EventStore) -> tuple[Incident, Event]:
    """An incident of one event, and what happens to it again and again."""
    began = datetime.now(UTC)
    alert = Alert(source="bench", fingerprint="1", starts_at=began, status="firing", labels={"alertname": "Bench"})
    incident = store.open(
        str(ULID()), lambda number: Opened(number=number, alert=alert, target=None, target_reason="none"), "bench"
    )
    return incident, Noted(by="user:ana", text=TEXT)


def full(store: EventStore) -> tuple[Incident, Event]:
    """The same in one that carries a whole differential, as incidents do from their conclusion on."""
    incident, note = young(store)
    hypotheses = tuple(hypothesis(n) for n in range(HYPOTHESES))
    conclusion = Conclusion(outcome="unknown_cause", hypotheses=hypotheses, why="a bench has no cause")
    return store.commit(incident, Concluded(conclusion=conclusion), by="ratchet", wake_at=None), note


def hypothesis(n: int) -> Hypothesis:
    objects = (Found(kind="session", id=str(n), values={"query_id": 2**60, "text": TEXT * 2}),)
    return Hypothesis(
        id=f"cause_{n}", playbook="pbs_bench@1.0", version_id="v1", title="Idle sessions hold the slots", prior=0.5,
        cause="connection_exhaustion", verdict="refuted", confidence=0.1, then=("free_slots",), objects=objects,
    )  # fmt: skip


def side_by_side(place: Path, prepare: Prepare) -> Taken:
    """Moves of one incident and bare commits, taken in turns, so that all meet the same disk."""
    home, taken = place / "home", Taken()
    home.mkdir()
    with EventStore.open_at(home, lambda: datetime.now(UTC), lambda: str(ULID())) as store, files(place) as bare:
        incident, event = prepare(store)
        bare.fill()
        incident = store.commit(incident, event, by="user:ana", wake_at=None)
        for number in range(MOVES):
            told, checkpoint, head = bare.last_move()
            taken.wrote = sum(len(each) for each in (*told, *checkpoint, *head) if isinstance(each, str | bytes))
            # Whoever commits first after a pause pays for what other programs left to the disk; each is first in turn.
            for which in (number, number + 1, number + 2):
                if which % 3 == 0:
                    before = perf_counter()
                    incident = store.commit(incident, event, by="user:ana", wake_at=None)
                    taken.moves.append(perf_counter() - before)
                elif which % 3 == 1:
                    taken.event.append(bare.event_alone(told))
                else:
                    taken.rows.append(bare.all_rows(told, checkpoint, head))
    return taken


@dataclass
class Bare:
    """The store's file to read from, one with a single table, and one with the store's own tables and indexes."""

    store: sqlite3.Connection
    single: sqlite3.Connection
    same: sqlite3.Connection

    def fill(self) -> None:
        """Begin where the store stands now."""
        self.store.backup(self.same)
        for pragma in PRAGMAS:
            self.same.execute(f"PRAGMA {pragma}")

    def last_move(self) -> tuple[Row, Row, Row]:
        """All that the latest move wrote: its event, the incident's checkpoint and the chain's head."""
        event = self.store.execute("SELECT * FROM events ORDER BY position DESC LIMIT 1").fetchone()
        checkpoint = self.store.execute("SELECT status, wake_at, seq, body, tenant, id FROM incidents").fetchone()
        head = self.store.execute("SELECT position, mac, high_water FROM head").fetchone()
        return event, checkpoint, head

    def event_alone(self, event: Row) -> float:
        before = perf_counter()
        self.single.execute("BEGIN IMMEDIATE")
        self.single.execute("INSERT INTO events (stored) VALUES (?)", [event[8]])
        self.single.execute("COMMIT")
        return perf_counter() - before

    def all_rows(self, event: Row, checkpoint: Row, head: Row) -> float:
        before = perf_counter()
        self.same.execute("BEGIN IMMEDIATE")
        self.same.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", event)
        self.same.execute(UPDATE, checkpoint)
        self.same.execute("UPDATE head SET position = ?, mac = ?, high_water = ?", head)
        self.same.execute("COMMIT")
        return perf_counter() - before


@contextmanager
def files(place: Path) -> Iterator[Bare]:
    """Files on the same disk with the same durability."""
    with ExitStack() as stack:
        store, single, same = (
            stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
            for path in (place / "home" / "ratchet.db", place / "single.db", place / "same.db")
        )
        for pragma in PRAGMAS:
            single.execute(f"PRAGMA {pragma}")
        single.execute("CREATE TABLE events (position INTEGER PRIMARY KEY, stored BLOB NOT NULL)")
        yield Bare(store, single, same)
