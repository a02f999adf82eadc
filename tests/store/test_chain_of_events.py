"""Tampering with the record is found, whichever way it is done, and the first bad event is named."""

import json
import shutil
import sqlite3

import pytest

from ratchet.domain import timeline as e
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.house import Token
from ratchet.domain.target import Target
from ratchet.security.chain import GENESIS, link
from ratchet.store.encoding import read_entry
from tests.store.walks import START, opened, packet


@pytest.fixture
def filled(store):
    """Ten events, anchored after the eighth."""
    seen = store.open("i1", opened, "ratchet")
    for n in range(7):
        seen = store.commit(seen, e.Noted(by="u", text=f"note {n}"), by="user:ana", wake_at=START)
    store.anchor()
    for n in range(2):
        seen = store.commit(seen, e.Noted(by="u", text=f"later {n}"), by="user:ana", wake_at=START)
    assert store.verify().ok
    return store


@pytest.fixture
def vandal(home, filled):
    """A connection that an intruder has: the database, not the key."""
    connection = sqlite3.connect(home / "ratchet.db", isolation_level=None)
    yield connection
    connection.close()


def stored(vandal, position):
    return vandal.execute("SELECT stored FROM events WHERE position = ?", (position,)).fetchone()[0]


def edit(vandal):
    forged = stored(vandal, 4).replace(b"note 2", b"note 9")
    vandal.execute("UPDATE events SET stored = ? WHERE position = 4", (forged,))


def delete(vandal):
    vandal.execute("DELETE FROM events WHERE position = 4")


def delete_and_close_the_gap(vandal):
    delete(vandal)
    for position in range(5, 11):
        vandal.execute("UPDATE events SET position = ? WHERE position = ?", (position - 1, position))
    vandal.execute("UPDATE head SET position = 9")


def swap(vandal):
    for old, new in ((4, 99), (5, 4), (99, 5)):
        vandal.execute("UPDATE events SET position = ? WHERE position = ?", (new, old))


def truncate_below_the_anchor(vandal):
    vandal.execute("DELETE FROM events WHERE position > 6")
    vandal.execute("UPDATE head SET position = 6, mac = (SELECT mac FROM events WHERE position = 6)")


def truncate_behind_the_anchor_only(vandal):
    vandal.execute("DELETE FROM events WHERE position > 9")


def empty_mac(vandal):
    vandal.execute("UPDATE events SET mac = x'' WHERE position = 4")


def recompute_without_the_key(vandal):
    edit(vandal)
    mac = GENESIS
    for position in range(1, 11):
        mac = link(b"a guess at the key", mac, stored(vandal, position))
        vandal.execute("UPDATE events SET mac = ? WHERE position = ?", (mac, position))
    vandal.execute("UPDATE head SET mac = ?", (mac,))


def change_a_column_beside_the_bytes(vandal):
    vandal.execute("UPDATE events SET \"by\" = 'user:eve' WHERE position = 4")


def append_behind_the_head(vandal):
    vandal.execute(
        'INSERT INTO events SELECT 11, tenant, stream, 11, at, "by", kind, version, stored, mac FROM events '
        "WHERE position = 10"
    )


def move_the_head_back(vandal):
    vandal.execute("UPDATE head SET position = 9, mac = (SELECT mac FROM events WHERE position = 9)")


def leave_a_gap_in_the_numbers(vandal):
    vandal.execute("UPDATE events SET position = 11 WHERE position = 10")
    vandal.execute("UPDATE head SET position = 11")


@pytest.mark.parametrize(
    ("tamper", "first_bad"),
    [
        (edit, 4),
        (delete, 4),
        (delete_and_close_the_gap, 4),
        (swap, 4),
        (truncate_below_the_anchor, 7),
        (truncate_behind_the_anchor_only, 10),
        (empty_mac, 4),
        (recompute_without_the_key, 1),
        (change_a_column_beside_the_bytes, 4),
        (append_behind_the_head, 11),
        (move_the_head_back, 10),
        (leave_a_gap_in_the_numbers, 10),
    ],
)
def test_tampering_is_found_at_its_first_bad_event(filled, vandal, tamper, first_bad):
    tamper(vandal)
    report = filled.verify()
    assert (report.ok, report.first_bad) == (False, first_bad), report
    assert report.because


def forge_incident(vandal):
    body = json.loads(vandal.execute("SELECT body FROM incidents").fetchone()[0])
    vandal.execute("UPDATE incidents SET body = ?", (json.dumps({**body, "owner": "user:eve"}),))


def forge_status(vandal):
    vandal.execute("UPDATE incidents SET status = 'closed'")


def reopen_a_denied_decision(vandal):
    vandal.execute("UPDATE decisions SET state = 'approved'")


def forge_role(vandal):
    vandal.execute("UPDATE tokens SET body = replace(body, 'viewer', 'admin')")


def slip_in_a_token(vandal):
    vandal.execute(
        "INSERT INTO tokens SELECT tenant, 't2', 'sha256:2', created_at, replace(body, '\"t1\"', '\"t2\"') FROM tokens"
    )


def move_a_target(vandal):
    vandal.execute("UPDATE targets SET body = replace(body, 'env', 'file')")


@pytest.mark.parametrize(
    "forge", [forge_incident, forge_status, reopen_a_denied_decision, forge_role, slip_in_a_token, move_a_target]
)
def test_a_projection_that_says_more_than_the_events_is_found(filled, vandal, forge):
    filled.put_token(
        Token(id="t1", name="ana", person=True, role="viewer", hashed="sha256:1", created_at=START), "user:root"
    )
    filled.put_target(
        Target.model_validate({"name": "shop", "kind": "postgres", "diag": {"kind": "env", "name": "D"}}), "user:root"
    )
    seen = filled.incident("i1")
    seen = filled.commit(seen, e.Asked(packet=packet(seen, START)), by="ratchet", wake_at=START)
    answer = e.Refused(decision=f"D-i1-0-{seen.revision}", digest="d", by="user:ana", reason="no")
    filled.commit(seen, answer, by="user:ana", wake_at=START)
    assert filled.verify().ok
    forge(vandal)
    report = filled.verify()
    assert not report.ok
    assert report.first_bad is not None


def test_the_bytes_that_are_hashed_hold_every_field(filled, vandal):
    entry, body = read_entry(stored(vandal, 2))
    assert entry == ("main", "incident/i1", 2, "2026-01-31T02:00:00.000000+00:00", "user:ana", "noted", 1)
    assert body == {"kind": "noted", "by": "u", "text": "note 0"}


# ------------------------------------------------------------------------------------------------ at start


def test_it_opens_again_with_events_behind_the_anchor(filled, reopen):
    assert reopen().verify().events == 10


def test_an_old_copy_put_back_is_refused_at_start(filled, reopen, home, tmp_path):
    filled.close()
    shutil.copy(home / "ratchet.db", tmp_path / "old.db")
    store = reopen()
    store.commit(store.incident("i1"), e.Noted(by="u", text="x"), by="user:ana", wake_at=START)
    store.anchor()
    store.close()
    for name in ("ratchet.db-wal", "ratchet.db-shm"):
        (home / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "old.db", home / "ratchet.db")
    with pytest.raises(Refusal) as refused:
        reopen()
    assert refused.value.code is Code.FAILED
    assert "backup" in refused.value.remedy


@pytest.mark.parametrize("lost", ["key", "anchor"])
def test_a_lost_key_or_anchor_is_not_quietly_made_anew(filled, reopen, home, lost):
    filled.close()
    (home / lost).unlink()
    with pytest.raises(Refusal):
        reopen()
    assert not (home / lost).exists()


@pytest.mark.parametrize(
    ("name", "content"), [("key", b"x" * 32), ("key", b"short"), ("anchor", b"{}"), ("anchor", b"")]
)
def test_a_foreign_key_or_a_damaged_anchor_is_refused_at_start(filled, reopen, home, name, content):
    filled.close()
    (home / name).write_bytes(content)
    with pytest.raises(Refusal):
        reopen()


def test_the_anchor_of_another_database_is_refused(filled, reopen, home):
    filled.close()
    anchor = json.loads((home / "anchor").read_bytes())
    (home / "anchor").write_text(json.dumps({**anchor, "chain": "another"}), encoding="utf-8")
    with pytest.raises(Refusal):
        reopen()


def test_a_record_that_went_another_way_than_the_anchored_one_is_found(filled, vandal, reopen, home):
    """Every link fits, but the eighth event is not the one that was anchored: a copy that lived on elsewhere."""
    (other,) = vandal.execute("SELECT hex(mac) FROM events WHERE position = 7").fetchone()
    anchor = json.loads((home / "anchor").read_bytes())
    (home / "anchor").write_text(json.dumps({**anchor, "mac": other.lower()}), encoding="utf-8")
    assert filled.verify().first_bad == anchor["position"] == 8
    with pytest.raises(Refusal, match="event 8"):
        reopen()


def test_a_head_that_was_moved_back_is_refused_at_start(filled, vandal, reopen):
    move_the_head_back(vandal)
    with pytest.raises(Refusal, match="event 10"):
        reopen()


def test_a_cut_tail_is_refused_at_start(filled, vandal, reopen):
    truncate_below_the_anchor(vandal)
    with pytest.raises(Refusal):
        reopen()


def test_key_database_and_anchor_are_for_their_owner_only(filled, home):
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()}
    assert modes.keys() >= {"ratchet.db", "key", "anchor"}
    assert set(modes.values()) == {0o600}
    assert home.stat().st_mode & 0o777 == 0o700


# ------------------------------------------------------------------------------------------------ anchoring


def test_an_anchor_that_cannot_be_written_is_said(filled, home):
    before = (home / "anchor").read_bytes()
    (home / "anchor").unlink()
    (home / "anchor").mkdir()
    with pytest.raises(Refusal) as refused:
        filled.anchor()
    assert refused.value.code is Code.UNAVAILABLE
    (home / "anchor").rmdir()
    (home / "anchor").write_bytes(before)
    assert sorted(path.name for path in home.glob(".anchor*")) == []


def test_the_anchor_may_stand_on_another_device(filled, home, tmp_path):
    elsewhere = tmp_path / "usb"
    elsewhere.mkdir()
    (home / "anchor").rename(elsewhere / "anchor")
    (home / "anchor").symlink_to(elsewhere / "anchor")
    filled.anchor()
    assert (home / "anchor").is_symlink()
    assert json.loads((elsewhere / "anchor").read_bytes())["position"] == 10
