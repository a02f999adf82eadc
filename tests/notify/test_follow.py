"""A sink is told everything in order, catches up after an outage, and never holds a commit up."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count

import pytest

from ratchet.domain import timeline as e
from ratchet.domain.audit import AuditEntry
from ratchet.notify import follow
from ratchet.notify.follow import Follower, Unreached, Unwanted
from ratchet.store.store import EventStore
from tests.store.walks import opened

PATIENCE = 10.0


class Ears:
    """A sink that can be down, can hang, and can dislike entries."""

    name = "ears"

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.down = False
        self.dislikes: set[int] = set()
        self.free = threading.Event()
        self.free.set()
        self.closed = False

    def send(self, entries: Sequence[AuditEntry]) -> None:
        self.free.wait(PATIENCE)
        if self.down:
            raise Unreached("down")
        if self.dislikes & {entry.position for entry in entries}:
            raise Unwanted("HTTP 400")
        self.heard += [entry.position for entry in entries]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def store(tmp_path):
    ids = count()
    with EventStore.open_at(tmp_path / "state", lambda: datetime.now(UTC), lambda: f"id{next(ids)}") as opened_store:
        yield opened_store


def write(store: EventStore, number: int) -> None:
    seen = store.incidents().items
    incident = seen[0] if seen else store.open("i1", opened, "ratchet")
    for n in range(number - (0 if seen else 1)):
        incident = store.commit(incident, e.Noted(by="u", text=str(n)), by="user:ana", wake_at=None)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail("it did not come about in time")
        time.sleep(0.01)


def test_every_event_is_told_once_and_in_order(store, monkeypatch):
    monkeypatch.setattr(follow, "AT_ONCE", 4)
    write(store, 10)
    ears = Ears()
    follower = Follower(store.audit, ears)
    assert [follower.step() for _ in range(4)] == [4, 4, 2, 0]
    write(store, 2)
    follower.step()
    assert ears.heard == list(range(1, 13))


def test_after_an_outage_it_goes_on_where_it_stopped(store):
    write(store, 3)
    ears = Ears()
    follower = Follower(store.audit, ears)
    follower.step()
    ears.down = True
    write(store, 3)
    for _ in range(3):
        with pytest.raises(Unreached):
            follower.step()
    ears.down = False
    follower.step()
    assert ears.heard == [1, 2, 3, 4, 5, 6]


def test_a_new_process_goes_on_at_the_kept_place(store):
    write(store, 3)
    Follower(store.audit, Ears()).step()
    write(store, 2)
    ears = Ears()
    Follower(store.audit, ears).step()
    assert ears.heard == [4, 5]


def test_a_place_beyond_a_database_that_was_put_back_begins_anew(store):
    write(store, 3)
    store.audit.keep_place("ears", 99)
    ears = Ears()
    Follower(store.audit, ears).step()
    assert ears.heard == [1, 2, 3]


def test_what_the_other_side_never_takes_is_left_out_alone(store):
    write(store, 9)
    ears = Ears()
    ears.dislikes = {4, 7}
    follower = Follower(store.audit, ears)
    follower.step()
    assert ears.heard == [1, 2, 3, 5, 6, 8, 9]
    assert follower.left_out == 2


def test_a_new_sink_is_told_of_the_near_past_only(store, monkeypatch):
    monkeypatch.setattr(follow, "FIRST_LOOK_BACK", 2)
    write(store, 6)
    ears = Ears()
    Follower(store.audit, ears).step()
    assert ears.heard == [5, 6]


def test_a_sink_that_hangs_holds_no_commit_up(store, monkeypatch):
    monkeypatch.setattr(follow, "LOOK_EVERY_S", 0.01)
    ears = Ears()
    ears.free.clear()
    follower = Follower(store.audit, ears)
    follower.start()
    write(store, 20)
    assert ears.heard == []
    ears.free.set()
    until(lambda: len(ears.heard) == 20)
    follower.stop()
    assert ears.closed


def test_a_store_that_is_away_does_not_end_the_follower(store, monkeypatch):
    monkeypatch.setattr(follow, "LOOK_EVERY_S", 0.01)
    ears = Ears()
    ears.down = True
    write(store, 2)
    follower = Follower(store.audit, ears)
    follower.start()
    ears.down = False
    until(lambda: ears.heard == [1, 2])
    follower.stop()
