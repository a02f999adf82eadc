"""A store in a directory of its own, with a clock that a test moves."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from ratchet.store.store import EventStore
from tests.store.walks import START


class Hands:
    """The clock and the ids that a test hands to a store."""

    def __init__(self) -> None:
        self.now = START
        self._ids = count(1)

    def clock(self) -> datetime:
        return self.now

    def new_id(self) -> str:
        return f"id{next(self._ids)}"

    def tick(self, seconds: float = 1) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def reopen(home: Path, hands: Hands) -> Iterator[Callable[[], EventStore]]:
    """Opens the same directory as another process would; everything opened is closed at the end."""
    opened: list[EventStore] = []

    def open_it() -> EventStore:
        opened.append(EventStore.open_at(home, hands.clock, hands.new_id))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen: Callable[[], EventStore]) -> EventStore:
    return reopen()
