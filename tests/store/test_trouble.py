"""Crashes, full disks, locks and races: what was acknowledged is there, what failed says so, and nothing in between."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ratchet.domain import timeline as e
from ratchet.domain.errors import Code, Refusal
from ratchet.security.private_file import write_private
from ratchet.store import sqlite
from ratchet.store.store import EventStore
from tests.store.walks import START, look, opened

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from ratchet.domain import timeline as e
from ratchet.store.store import EventStore
from tests.store.walks import START, look, opened

ids = count()
store = EventStore.open_at(Path(sys.argv[1]), lambda: datetime.now(UTC), lambda: f"id{next(ids)}")
seen = store.open("i1", opened, "ratchet")
while True:
    seen = store.commit(seen, e.Noted(by="u", text="x"), e.Noted(by="u", text="y"), by="user:ana",
                        evidence=[look(seen.seq % 50)], wake_at=START)
    if seen.seq % 20 == 1:
        store.anchor()
    print(seen.seq, flush=True)
"""


SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = {
    name: SHELL.findall((ROOT / "docs" / "howto" / f"{name}.md").read_text(encoding="utf-8"))
    for name in ("audit", "back-up-and-restore")
}
STUBS = "set -eu\nsystemctl() { :; }\nchown() { :; }\nsudo() { :; }\n"


def type_in(root: Path, block: str) -> None:
    """The lines of a page as they stand there, but for the roots of their paths and for accounts and units."""
    for place in ("var/lib", "var/backups", "srv/witness", "etc/systemd"):
        (root / place).mkdir(parents=True, exist_ok=True)
        block = block.replace(f"/{place}/", f"{root}/{place}/")
    block = block.replace("-o ratchet -g ratchet ", "")
    subprocess.run(["bash", "-c", STUBS + block], check=True, timeout=60, cwd=root)


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the page's own condition for this way")
@pytest.mark.parametrize("way", ["stopped", "running"])
def test_what_the_page_backs_up_is_restored_by_its_own_lines_and_holds(tmp_path, hands, way):
    (anchored,) = [each for each in BLOCKS["audit"] if "/srv/witness" in each]
    stopped, running, first, archive, directory, device, last = BLOCKS["back-up-and-restore"]
    home, there = tmp_path / "var/lib/ratchet", tmp_path / "srv/witness/ratchet/anchor"
    store = EventStore.open_at(home, hands.clock, hands.new_id)
    seen = store.open("i1", opened, "ratchet")
    (home / "secrets").mkdir(mode=0o700)
    write_private(home / "secrets" / "shop-diag.dsn", b"secret")
    (home / "server").write_text("{}")
    type_in(tmp_path, anchored)
    store.anchor()
    if way == "stopped":
        store.close()
    type_in(tmp_path, stopped if way == "stopped" else running)
    store = store if way == "running" else EventStore.open_at(home, hands.clock, hands.new_id)
    store.commit(seen, e.Noted(by="u", text="after the copy"), by="user:ana", evidence=[look(1)], wake_at=START)
    store.anchor()
    store.close()
    for block in (first, archive if way == "stopped" else directory, device, last):
        type_in(tmp_path, block)
    with EventStore.open_at(home, hands.clock, hands.new_id) as restored:
        assert restored.audit.verify(full=True).ok
        assert restored.incident("i1").seq == seen.seq
        restored.anchor()
    assert (home / "anchor").resolve() == there.resolve() and there.is_file()
    assert not (home / "server").exists()
    made = [*(tmp_path / "var/backups").rglob("*"), home, *home.rglob("*")]
    assert [each for each in made if not each.is_symlink() and each.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("acknowledged", [3, 40, 41, 90])
def test_every_acknowledged_commit_survives_kill_9(home, reopen, acknowledged):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert writer.stdout is not None
    with writer.stdout:
        try:
            said = [int(writer.stdout.readline()) for _ in range(acknowledged)]
        finally:
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
        said += [int(line) for line in writer.stdout.read().splitlines() if line.isdigit()]
    store = reopen()
    incident = store.incident("i1")
    assert incident.seq >= said[-1]
    assert incident.seq % 2 == 1, "a commit of two events is there whole or not at all"
    assert incident == store.refold("i1")
    assert [one.seq for one in store.timeline("i1")] == list(range(1, incident.seq + 1))
    assert store.verify().ok


def test_a_full_disk_refuses_writes_answers_reads_and_recovers(store):
    seen = store.open("i1", opened, "ratchet")
    limit_pages(store, 1)
    with pytest.raises(Refusal) as refused:
        store.commit(seen, e.Noted(by="u", text="x" * 200_000), by="user:ana", wake_at=START)
    assert refused.value.code is Code.UNAVAILABLE
    assert "full" in refused.value.message
    assert "xxx" not in str(refused.value)
    assert store.incident("i1") == seen
    limit_pages(store, 1_000_000)
    assert store.commit(seen, e.Noted(by="u", text="x" * 200_000), by="user:ana", wake_at=START).seq == 2
    assert store.verify().ok


def limit_pages(store, pages: int) -> None:
    """SQLite never shrinks below what is there, so 1 means: not one page more. It counts for the writing connection."""
    with store._journal.connections.write() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


def test_a_database_that_another_process_holds_is_unavailable(home, store, reopen, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_MS", 50)
    impatient = reopen()
    seen = impatient.open("i1", opened, "ratchet")
    holder = sqlite3.connect(home / "ratchet.db", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refusal) as refused:
            impatient.commit(seen, e.Noted(by="u", text="x"), by="user:ana", wake_at=START)
        assert refused.value.code is Code.UNAVAILABLE
        assert impatient.incident("i1") == seen
        holder.execute("ROLLBACK")
    finally:
        holder.close()
    assert impatient.commit(seen, e.Noted(by="u", text="x"), by="user:ana", wake_at=START).seq == 2


def test_a_file_that_is_no_database_is_unavailable_not_a_crash(home, reopen):
    home.mkdir()
    (home / "ratchet.db").write_bytes(b"this is not a database, only some text" * 200)
    with pytest.raises(Refusal) as refused:
        reopen()
    assert refused.value.code is Code.UNAVAILABLE


def test_a_home_that_cannot_be_made_is_unavailable(tmp_path, reopen, home):
    home.write_text("a file stands where the directory should be", encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        reopen()
    assert refused.value.code is Code.UNAVAILABLE


@pytest.mark.parametrize("stores", [1, 2])
def test_of_threads_that_commit_from_one_view_exactly_one_wins(store, reopen, stores):
    """The threads share one store, or stand for two processes with a store each."""
    seen = store.open("i1", opened, "ratchet")
    doors = [store, reopen()][:stores]
    for _ in range(10):
        outcomes = race(doors, seen)
        assert sorted(outcomes) == ["conflict"] * 3 + ["won"]
        after = store.incident("i1")
        assert after.seq == seen.seq + 1
        seen = after
    assert store.verify().ok


def race(doors, seen) -> list[str]:
    start, outcomes = threading.Barrier(4), []

    def commit(n: int) -> None:
        start.wait(10)
        try:
            doors[n % len(doors)].commit(seen, e.Noted(by="u", text=str(n)), by=f"user:{n}", wake_at=START)
        except Refusal as refusal:
            outcomes.append(refusal.code.value)
        else:
            outcomes.append("won")

    threads = [threading.Thread(target=commit, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def test_readers_see_whole_commits_while_a_writer_writes(store):
    seen = store.open("i1", opened, "ratchet")
    done, wrong, reads = threading.Event(), [], []

    def read() -> None:
        while not done.is_set():
            incident = store.incident("i1")
            reads.append(incident.seq)
            if incident.seq % 2 != 1 or store.refold("i1").seq < incident.seq:
                wrong.append(incident.seq)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    deadline = time.monotonic() + 20
    while (seen.seq < 100 or len(reads) < 20) and time.monotonic() < deadline:
        two = [e.Noted(by="u", text="x"), e.Noted(by="u", text="y")]
        seen = store.commit(seen, *two, by="user:ana", wake_at=START)
    done.set()
    for reader in readers:
        reader.join(30)
    assert wrong == []
    assert len(reads) >= 20


def test_sixty_readers_at_once_are_all_answered(store):
    store.open("i1", opened, "ratchet")
    answers, start = [], threading.Barrier(60)

    def read() -> None:
        start.wait(20)
        answers.append(store.incident("i1").seq)

    threads = [threading.Thread(target=read) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [1] * 60


def test_the_database_syncs_every_commit(store):
    with store._journal.reading() as connection:
        settings = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]
