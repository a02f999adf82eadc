"""Seals shorten a start and prove no more than they say; a seal that is not good counts for nothing."""

import sqlite3

import pytest

from ratchet.domain import timeline as e
from ratchet.domain.audit import ChainBroken
from ratchet.domain.errors import Refusal
from ratchet.store import journal
from ratchet.store.seals import KEPT
from tests.store.walks import opened


def write(store, count: int) -> None:
    """`count` events of one incident, which is opened by the first."""
    try:
        seen = store.incident("i1")
    except Refusal:
        seen, count = store.open("i1", opened, "ratchet"), count - 1
    for n in range(count):
        seen = store.commit(seen, e.Noted(by="u", text=f"note {n}"), by="user:ana", wake_at=None)


def sealed(home) -> list[int]:
    with sqlite3.connect(home / "ratchet.db") as connection:
        found = [row[0] for row in connection.execute("SELECT position FROM seals ORDER BY position")]
    connection.close()
    return found


def vandalise(home, statement: str) -> None:
    connection = sqlite3.connect(home / "ratchet.db", isolation_level=None)
    connection.execute(statement)
    connection.close()


@pytest.fixture
def every_five(monkeypatch):
    monkeypatch.setattr(journal, "SEAL_EVERY", 5)


def test_a_clean_close_seals_and_the_next_start_walks_only_what_came_after(store, reopen, home):
    write(store, 7)
    store.close()
    assert sealed(home) == [7]
    again = reopen()
    assert (again.audit.verify(full=False).sealed, again.audit.verify(full=False).events) == (7, 7)
    write(again, 2)
    report = again.audit.verify(full=False)
    assert (report.ok, report.sealed, report.events) == (True, 7, 9)


def test_who_only_reads_seals_nothing(store, reopen, home):
    write(store, 3)
    store.close()
    before = sealed(home)
    reader = reopen()
    reader.incident("i1")
    reader.close()
    assert sealed(home) == before


def test_a_house_that_never_closes_is_sealed_on_its_way(every_five, store, home):
    write(store, 23)
    assert sealed(home) == [5, 10, 15, 20]


def test_only_the_last_seals_are_kept(every_five, store, home):
    write(store, 5 * (KEPT + 3))
    assert len(sealed(home)) == KEPT


def test_a_start_without_seals_walks_everything_and_seals_it(store, reopen, home, monkeypatch):
    write(store, 8)
    assert sealed(home) == []
    monkeypatch.setattr("ratchet.store.store.SEAL_EVERY", 5)
    reopen()
    assert sealed(home) == [8]


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE seals SET signature = zeroblob(64) WHERE position = 9",
        "UPDATE seals SET signature = x'' WHERE position = 9",
        "UPDATE seals SET mac = (SELECT mac FROM events WHERE position = 8) WHERE position = 9",
        "UPDATE seals SET high_water = 'x' WHERE position = 9",
        "UPDATE seals SET mac = 'text' WHERE position = 9",
        "UPDATE seals SET signature = 7 WHERE position = 9",
        "INSERT INTO seals SELECT 12, mac, high_water, signature FROM seals WHERE position = 9",
    ],
)
def test_a_seal_that_the_house_did_not_sign_counts_for_nothing(store, reopen, home, forgery):
    write(store, 7)
    store.close()
    second = reopen()
    write(second, 2)
    second.close()
    vandalise(home, forgery)
    report = reopen().audit.verify(full=False)
    assert report.ok
    assert report.sealed == (9 if forgery.startswith("INSERT") else 7)


def test_a_record_that_does_not_hold_is_not_sealed(store, reopen, home):
    write(store, 7)
    vandalise(home, "UPDATE events SET stored = replace(stored, 'note 2', 'note 9') WHERE position = 4")
    store.close()
    assert sealed(home) == []
    with pytest.raises(ChainBroken):
        reopen()


def test_events_that_were_sealed_and_are_gone_are_missed_without_an_anchor_s_help(store, reopen, home):
    """The anchor was written before; only the seal knows of the last events."""
    write(store, 3)
    store.anchor()
    write(store, 4)
    store.close()
    vandalise(home, "DELETE FROM events WHERE position > 5")
    vandalise(home, "UPDATE head SET position = 5, mac = (SELECT mac FROM events WHERE position = 5)")
    with pytest.raises(ChainBroken) as broken:
        reopen()
    assert broken.value.report.first_bad == 6


def test_a_signing_key_that_is_lost_is_not_quietly_made_anew(store, reopen, home):
    write(store, 2)
    store.close()
    (home / "seal").unlink()
    with pytest.raises(Refusal, match="seal"):
        reopen()
    assert not (home / "seal").exists()


def test_another_signing_key_makes_every_seal_worthless_and_the_walk_whole(store, reopen, home):
    write(store, 2)
    store.close()
    (home / "seal").write_bytes(b"x" * 32)
    assert reopen().audit.verify(full=False).sealed == 0


def test_a_database_of_before_the_seals_gets_them(store, reopen, home):
    write(store, 3)
    store.close()
    vandalise(home, "DROP TABLE seals")
    vandalise(home, "DROP TABLE followers")
    vandalise(home, "DROP TABLE joinable")
    vandalise(home, "DROP TABLE certificates")
    vandalise(home, "DROP TABLE runs")
    vandalise(home, "ALTER TABLE alerts DROP COLUMN heard_at")
    vandalise(home, "ALTER TABLE alerts DROP COLUMN ended_at")
    vandalise(home, "UPDATE alembic_version SET version_num = '0001'")
    (home / "seal").unlink()
    again = reopen()
    assert again.audit.verify(full=False).sealed == 0
    write(again, 1)
    again.close()
    assert sealed(home) == [4]


def test_a_follower_s_place_is_kept(store, reopen):
    assert store.audit.place("loki a") is None
    store.audit.keep_place("loki a", 3)
    store.audit.keep_place("loki a", 5)
    assert reopen().audit.place("loki a") == 5
