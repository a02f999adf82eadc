"""Without an audit nothing is sent: the anchor's device gone, full, unwritable or hung, the database away."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.ports import Sent
from ratchet.execution.perform import Performer
from ratchet.store import anchor
from ratchet.store.store import EventStore
from ratchet.vault.policy import shipped_policy
from tests.desk.test_records import Clock, until_intent
from tests.store.walks import START


class Hands:
    """A toolbox that only counts what it is asked to send."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def act(self, act: Any, grant: Any) -> Sent:
        self.sent.append(grant.op_id)
        return Sent(outcome="done", started_at=START, ended_at=START, return_code="0", touched=({"pid": 4711},))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    ids = count()
    with EventStore.open_at(tmp_path / "state", Clock(), lambda: f"id{next(ids)}") as here:
        yield here


@pytest.fixture
def send(store: EventStore) -> Callable[[], SimpleNamespace]:
    """Send what an intent stands for; what was sent, and how the operation ended."""

    def perform() -> SimpleNamespace:
        hands = Hands()
        seen = until_intent(store)
        assert seen.packet is not None
        performer = Performer(hands, store, Clock(), shipped_policy())  # type: ignore[arg-type]  # as much as it needs
        before = time.monotonic()
        after = performer._send(seen, seen.packet.act, seen.ops[0].grant)
        return SimpleNamespace(sent=hands.sent, op=after.ops[0], took=time.monotonic() - before)

    return perform


def test_with_an_anchor_it_is_sent_once(send):
    done = send()
    assert (len(done.sent), done.op.state) == (1, "done")


def nothing_was_sent(done: SimpleNamespace) -> None:
    assert done.sent == []
    assert (done.op.state, done.op.error_category) == ("failed_clean", "policy")
    assert "Nothing was sent" in done.op.return_code


def test_an_anchor_that_cannot_be_replaced_stops_the_send(send, tmp_path):
    path = tmp_path / "state" / "anchor"
    kept = path.read_bytes()
    path.unlink()
    path.mkdir()
    nothing_was_sent(send())
    path.rmdir()
    path.write_bytes(kept)


def test_an_anchor_on_a_device_that_is_gone_stops_the_send(send, tmp_path):
    path = tmp_path / "state" / "anchor"
    path.unlink()
    path.symlink_to(tmp_path / "unplugged" / "anchor")
    nothing_was_sent(send())
    path.unlink()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into directories that it may not write into")
def test_an_anchor_in_a_directory_without_the_right_to_write_stops_the_send(send, tmp_path):
    elsewhere = moved_to(tmp_path, tmp_path / "usb")
    elsewhere.chmod(0o500)
    nothing_was_sent(send())
    elsewhere.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_an_anchor_on_a_full_device_stops_the_send_and_room_mends_it(send, tmp_path, store):
    elsewhere = tmp_path / "usb"
    elsewhere.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(elsewhere)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        moved_to(tmp_path, elsewhere)
        fill(elsewhere / "ballast")
        nothing_was_sent(send())
        (elsewhere / "ballast").unlink()
        store.anchor()
    finally:
        subprocess.run(["umount", str(elsewhere)], check=True)


def moved_to(tmp_path: Path, elsewhere: Path) -> Path:
    elsewhere.mkdir(exist_ok=True)
    path = tmp_path / "state" / "anchor"
    (elsewhere / "anchor").write_bytes(path.read_bytes())
    (elsewhere / "anchor").chmod(0o600)
    path.unlink()
    path.symlink_to(elsewhere / "anchor")
    return elsewhere


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(b"x" * 4096)
        except OSError:
            return


def test_an_anchor_whose_device_hangs_stops_the_send_in_time(send, monkeypatch):
    free = threading.Event()
    write = anchor.replace_private

    def hanging(path: Path, content: bytes) -> None:
        free.wait(30)
        write(path, content)

    monkeypatch.setattr(anchor, "PATIENCE_S", 0.2)
    monkeypatch.setattr(anchor, "replace_private", hanging)
    done = send()
    nothing_was_sent(done)
    assert done.took < 5
    free.set()


def test_a_device_that_hung_and_came_back_takes_the_next_anchor(store, tmp_path, monkeypatch):
    free = threading.Event()
    write = anchor.replace_private
    monkeypatch.setattr(anchor, "PATIENCE_S", 0.2)
    monkeypatch.setattr(anchor, "replace_private", lambda path, content: (free.wait(30), write(path, content)))
    until_intent(store)
    with pytest.raises(Refusal) as refused:
        store.anchor()
    assert refused.value.code is Code.UNAVAILABLE
    free.set()
    monkeypatch.setattr(anchor, "PATIENCE_S", 5)
    store.anchor()
    assert store.audit.anchored() == store.audit.head()


def test_a_database_that_is_away_between_intent_and_send_stops_the_send(send, store, monkeypatch):
    def away() -> Any:
        raise Refusal(Code.UNAVAILABLE, "The state database does not take this now.", "Try again.")

    monkeypatch.setattr(store, "_head", away)
    nothing_was_sent(send())
