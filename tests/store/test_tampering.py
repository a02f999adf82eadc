"""Tampering, eight of eight: each way of changing the record is found, with the first bad event, on each road."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import insert

from ratchet.domain import timeline as e
from ratchet.domain.audit import AuditReport, ChainBroken
from ratchet.domain.ports import Opening
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import Target
from ratchet.store import tables as t
from ratchet.store.encoding import stamp
from ratchet.store.store import EventStore
from tests.store import test_chain_of_events as chain
from tests.store.walks import START, alert, conclusion, intended, look, opened, packet, plan, step

Vandal = Callable[[sqlite3.Connection], object]


class Way(NamedTuple):
    """A way of tampering and the event at which it is found. `covered`: below a seal, where only `--full` looks."""

    tamper: Vandal
    first_bad: int
    covered: bool = True


def roll_back(vandal: sqlite3.Connection) -> None:
    """The database as it stood six events in, whole and well-formed."""
    vandal.execute("DELETE FROM events WHERE position > 6")
    vandal.execute("DELETE FROM seals")
    vandal.execute("UPDATE head SET position = 6, mac = (SELECT mac FROM events WHERE position = 6)")


def truncate(vandal: sqlite3.Connection) -> None:
    vandal.execute("DELETE FROM events WHERE position > 8")


WAYS: dict[str, Way] = {
    "edit": Way(chain.edit, 4),
    "delete": Way(chain.delete, 4),
    "swap": Way(chain.swap, 4),
    "truncate": Way(truncate, 9, covered=False),
    "empty hash": Way(chain.empty_mac, 4),
    "recomputed without key": Way(chain.recompute_without_the_key, 1, covered=False),
    "rollback": Way(roll_back, 7, covered=False),
    "unhashed column": Way(chain.change_a_column_beside_the_bytes, 4),
}


@pytest.fixture
def filled(store):
    """Ten events, all anchored, not sealed."""
    seen = store.open("i1", opened, "ratchet")
    for n in range(9):
        seen = store.commit(seen, e.Noted(by="u", text=f"note {n}"), by="user:ana", wake_at=START)
    store.anchor()
    assert store.verify() == AuditReport(ok=True, events=10, head=store.audit.head().mac)
    assert store.audit.whole() is True
    return store


def tamper(home, way: Way) -> None:
    vandal = sqlite3.connect(home / "ratchet.db", isolation_level=None)
    way.tamper(vandal)
    vandal.close()


def test_there_are_eight_ways():
    assert len(WAYS) == 8


@pytest.mark.parametrize("name", WAYS)
def test_a_running_house_finds_it(filled, home, name):
    tamper(home, WAYS[name])
    for full in (True, False):
        report = filled.audit.verify(full=full)
        assert (report.ok, report.first_bad) == (False, WAYS[name].first_bad), report
        assert filled.audit.whole() is False


@pytest.mark.parametrize("column", ["stored", "mac"])
@pytest.mark.parametrize("value", ["'text'", "7", "1.5"])
def test_a_value_of_another_type_is_found_like_any_other(filled, home, column, value):
    tamper(home, Way(lambda vandal: vandal.execute(f"UPDATE events SET {column} = {value} WHERE position = 4"), 4))
    assert filled.audit.verify(full=False).first_bad == 4


@pytest.mark.parametrize("change", ["mac = 'x'", "mac = 7", "position = 'x'", "position = -1", "position = 99"])
def test_a_head_of_another_shape_is_found(filled, home, change):
    tamper(home, Way(lambda vandal: vandal.execute(f"UPDATE head SET {change}"), 1))
    assert not filled.audit.verify(full=False).ok


@pytest.mark.parametrize("name", WAYS)
def test_a_start_finds_it(filled, home, reopen, name):
    tamper(home, WAYS[name])
    with pytest.raises(ChainBroken) as broken:
        reopen()
    assert broken.value.report.first_bad == WAYS[name].first_bad


@pytest.mark.parametrize("name", WAYS)
def test_below_a_seal_a_start_trusts_and_a_full_check_finds_it(filled, home, reopen, name):
    filled.close()
    tamper(home, WAYS[name])
    if not WAYS[name].covered:
        with pytest.raises(ChainBroken) as broken:
            reopen()
        assert broken.value.report.first_bad == WAYS[name].first_bad
        return
    report = reopen().audit.verify(full=True)
    assert (report.ok, report.first_bad) == (False, WAYS[name].first_bad)


def test_a_whole_state_directory_put_back_is_found_when_its_anchor_stands_elsewhere(filled, home, reopen, tmp_path):
    elsewhere = tmp_path / "usb" / "anchor"
    elsewhere.parent.mkdir()
    (home / "anchor").rename(elsewhere)
    (home / "anchor").symlink_to(elsewhere)
    filled.close()
    shutil.copytree(home, tmp_path / "old", symlinks=True)
    store = reopen()
    store.commit(store.incident("i1"), e.Noted(by="u", text="x"), by="user:ana", wake_at=None)
    store.anchor()
    store.close()
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "old", home, symlinks=True)
    with pytest.raises(ChainBroken) as broken:
        reopen()
    assert broken.value.report.first_bad == 11


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("INSERT INTO standing VALUES ('main', 'sg_forged', '2026-11-20', :body)", "standing grants"),
        ("INSERT INTO switch VALUES ('main', 'user:mallory', 'forged', '2026-11-20')", "kill switch"),
    ],
)
def test_a_forged_row_beside_the_events_is_found(store: EventStore, home: Path, statement: str, words: str) -> None:
    grant = StandingGrant(
        id="sg_forged", given_by="user:mallory", given_at=START, reason="forged", series="pbs_x", step="s", uses=1,
        playbook_digest="sha256:0", targets=("shop",), expires_at=START + timedelta(days=1),
    )  # fmt: skip
    store.put_target(Target(name="shop", kind="postgres"), "user:ana")
    assert store.verify().ok
    with closing(sqlite3.connect(home / "ratchet.db")) as file, file:
        file.execute(statement, {"body": grant.model_dump_json()} if ":body" in statement else {})
    report = store.verify()
    assert not report.ok and words in report.because


@pytest.fixture
def acted(store: EventStore) -> EventStore:
    """An incident whose evidence, alert and lock are all there: its act was sent, and nobody knows what came of it."""
    (placed,) = store.receive([alert()], lambda *_: Opening(incident_id="i1", target="shop", target_reason="only"), "s")
    seen = store.incident(placed.id)
    slow = plan().model_copy(update={"steps": (step("step_0").model_copy(update={"cooldown": 600.0}),)})
    looked = e.Looked(candidates=("v1",), evidence=(look().id,), answers={}, elapsed_ms=1)
    asked = e.Asked(packet=packet(seen, START))
    steps = (looked, e.Concluded(conclusion=conclusion()), e.Planned(plan=slow), asked)
    seen = store.commit(seen, *steps, by="ratchet", evidence=[look()], wake_at=START)
    event = intended(seen, START)
    after = store.commit(seen, event, by="ratchet", wake_at=event.grant.settle_after)
    cool = stamp(event.grant.settle_after + timedelta(seconds=600))
    row = {"conflict_group": "shop", "incident": "i1", "op_id": event.grant.op_id, "fence": 1, "held": 1}
    with store._journal.writing("ratchet") as ledger:
        ledger.connection.execute(insert(t.locks), {"tenant": "main", "cool_until": cool, **row})
    assert after.ops and store.verify().ok, store.verify()
    return store


SWALLOWED = alert("f9", status="resolved").model_dump_json()
ADD = "INSERT INTO alerts VALUES ('main',"
DECIDING = {
    "evidence rewritten": ("UPDATE evidence SET body = CAST(replace(body, 'ct 1', 'ct 9') AS BLOB)", "evidence"),
    "another answer": ("UPDATE evidence SET body = CAST(replace(body, 'ok', 'hung') AS BLOB)", "evidence"),
    "evidence of no sense": ("UPDATE evidence SET body = x'ff', packed = 1", "evidence"),
    "evidence taken out": ("DELETE FROM evidence", "evidence"),
    "never woken": ("UPDATE incidents SET wake_at = NULL", "woken"),
    "woken in a hundred years": ("UPDATE incidents SET wake_at = '2126-01-31T02:00:00.000000+00:00'", "woken"),
    "woken at no time": ("UPDATE incidents SET wake_at = '2'", "woken"),
    "an alert swallowed": (
        f"{ADD} 'am', 'f9', '2026-02-01', 'i1', '{SWALLOWED}', NULL, NULL)", "kept for INC-1",
    ),
    "an alert of an incident that is none": (
        f"{ADD} 'am', 'f9', '2026-02-01', 'i2', '{SWALLOWED}', NULL, NULL)", "no event",
    ),
    "an alert before all others": (
        f"{ADD} 'am', 'f9', '2026-02-01', 'a', '{SWALLOWED}', NULL, NULL)", "kept for INC-1",
    ),
    "an alert said to be over": ("UPDATE alerts SET body = replace(body, 'firing', 'resolved')", "kept for INC-1"),
    "an alert heard in a hundred years": ("UPDATE alerts SET heard_at = '2126-01-31'", "kept for INC-1"),
    "an alert forgotten": ("DELETE FROM alerts", "kept for INC-1"),
    "a lock for a hundred years": ("UPDATE locks SET cool_until = '2126-01-31T02:00:00.000000+00:00'", "lock"),
    "a cooldown cut short": ("UPDATE locks SET cool_until = '2026-01-31T02:00:11.000000+00:00'", "lock"),
    "a cooldown taken away": ("UPDATE locks SET cool_until = NULL", "lock"),
    "a lock of another operation": ("UPDATE locks SET op_id = 'i7.1'", "lock"),
    "a lock let go": ("UPDATE locks SET held = 0", "lock"),
}  # fmt: skip


@pytest.mark.parametrize("way", DECIDING)
def test_what_decides_beside_the_events_cannot_be_changed_unseen(acted: EventStore, home: Path, way: str) -> None:
    statement, words = DECIDING[way]
    with closing(sqlite3.connect(home / "ratchet.db")) as file, file:
        assert file.execute(statement).rowcount == 1
    report = acted.verify()
    assert (report.ok, report.first_bad) == (False, acted.audit.head().position)
    assert words in report.because, report.because


def test_words_that_look_like_evidence_in_an_alert_are_no_evidence(store: EventStore) -> None:
    sly = alert().model_copy(update={"labels": {"alertname": "ev_" + "0" * 24}})
    store.receive([sly], lambda *_: Opening(incident_id="i1", target=None, target_reason="none"), "s")
    assert store.verify().ok
