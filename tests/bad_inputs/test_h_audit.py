"""Family H: whoever writes into the state directory is found at the start, by the full check, or at the act."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ratchet.config import Settings
from ratchet.domain import timeline as e
from ratchet.domain.audit import ChainBroken
from ratchet.domain.errors import Refusal
from ratchet.domain.gate import Reread
from ratchet.domain.protocol import Declined, Demand
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import Target
from ratchet.security.chain import GENESIS, link
from ratchet.wiring.house import open_house
from tests.bad_inputs.conftest import Door, door_at
from tests.store import walks

Vandal = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state with everything in it that somebody could want to change; tests copy it."""
    home = tmp_path_factory.mktemp("template") / "home"
    with door_at(home, Target(name="shop", kind="postgres", tags=("chaos",))) as door:
        door.answer(door.asked(quorum=2))
        door.answer(door.asked(), "deny")
        store, now = door.house.store, datetime.now(UTC)
        grant = StandingGrant(
            id="sg_1", given_by="user:ana", given_at=now, reason="weekly drill", series="pbs_connection_triage",
            playbook_digest="sha256:0", step="step_0", targets=("shop",), uses=2, expires_at=now + timedelta(days=1),
        )  # fmt: skip
        store.put_standing(grant, "user:ana")
        store.pause("user:ana", "stop")
        store.anchor()
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "home")
    return tmp_path / "home"


def tamper(home: Path, vandal: Vandal) -> None:
    connection = sqlite3.connect(home / "ratchet.db", isolation_level=None)
    before = connection.total_changes
    vandal(connection)
    assert connection.total_changes > before, "the test changed nothing"
    connection.close()


def found(home: Path) -> str:
    """How the tampering is noticed: when the house opens, or by the full check; empty when it is not."""
    try:
        house = open_house(Settings(home=home), lambda _: None)
    except (ChainBroken, Refusal) as no:
        return str(no) or "refused"
    try:
        report = house.store.audit.verify(full=True)
        return "" if report.ok else report.because
    finally:
        house.close()


def sql(text: str) -> Vandal:
    return lambda vandal: vandal.execute(text)


def body(table: str, where: str, **change: Any) -> Vandal:
    def forge(vandal: sqlite3.Connection) -> None:
        rows = vandal.execute(f"SELECT rowid, body FROM {table} WHERE {where}").fetchall()
        assert rows
        for rowid, text in rows:
            forged = json.dumps({**json.loads(text), **change})
            vandal.execute(f"UPDATE {table} SET body = ? WHERE rowid = ?", (forged, rowid))

    return forge


def recompute(vandal: sqlite3.Connection) -> None:
    mac = GENESIS
    for position, stored in vandal.execute("SELECT position, stored FROM events ORDER BY position").fetchall():
        mac = link(b"a guess at the key", mac, stored)
        vandal.execute("UPDATE events SET mac = ? WHERE position = ?", (mac, position))
    vandal.execute("UPDATE head SET mac = ?", (mac,))


def swap(vandal: sqlite3.Connection) -> None:
    for old, new in ((4, 9999), (5, 4), (9999, 5)):
        vandal.execute("UPDATE events SET position = ? WHERE position = ?", (new, old))


def cut_tail(vandal: sqlite3.Connection) -> None:
    vandal.execute("DELETE FROM seals")
    vandal.execute("DELETE FROM events WHERE position > (SELECT max(position) - 2 FROM events)")
    vandal.execute("UPDATE head SET position = (SELECT max(position) FROM events)")
    vandal.execute("UPDATE head SET mac = (SELECT mac FROM events ORDER BY position DESC LIMIT 1)")


CHAIN: dict[str, Vandal] = {
    "edited bytes": sql("UPDATE events SET stored = stored || ' ' WHERE position = 4"),
    "deleted": sql("DELETE FROM events WHERE position = 4"),
    "swapped": swap,
    "tail truncated": cut_tail,
    "empty mac": sql("UPDATE events SET mac = x'' WHERE position = 4"),
    "recomputed without the key": recompute,
    "column beside the bytes": sql("UPDATE events SET \"by\" = 'user:eve' WHERE position = 4"),
    "event put in behind the head": sql(
        "INSERT INTO events SELECT max(position) + 1, tenant, 'x', 1, at, at, kind, version, stored, mac FROM events"
    ),
    "other chain": sql("UPDATE head SET chain = 'other'"),
    "head back to nothing": sql("UPDATE head SET position = 0, mac = zeroblob(32)"),
}
PROJECTIONS: dict[str, Vandal] = {
    "an approval written in": body("incidents", "number = 1", approvals=[]),
    "owner of an incident": body("incidents", "number = 1", owner="user:eve"),
    "status of an incident": sql("UPDATE incidents SET status = 'acting' WHERE number = 1"),
    "a denied decision open again": sql("UPDATE decisions SET state = 'pending' WHERE state = 'denied'"),
    "a packet": sql("UPDATE decisions SET packet = replace(packet, 'select 1', 'select 9')"),
    "the row of a decision": sql("UPDATE decisions SET row = replace(row, 'Free slots', 'Harmless')"),
    "role of a token": body("tokens", "body LIKE '%\"vic\"%'", role="admin"),
    "service made a person": body("tokens", "body LIKE '%\"monitor\"%'", person=True),
    "name of a token": body("tokens", "body LIKE '%\"vic\"%'", name="ben"),
    "hash of a token": sql(
        "UPDATE tokens SET hashed = 'sha256:00', body = replace(body, 'sha256:', 'sha256:0') WHERE body LIKE '%\"vic\"%'"  # noqa: E501
    ),
    "expiry of a token": body("tokens", "body LIKE '%\"vic\"%'", expires_at="2099-01-01T00:00:00Z"),
    "a token put in": sql("INSERT INTO tokens SELECT tenant, 'x', 'sha256:x', created_at, body FROM tokens LIMIT 1"),
    "a target's tags": body("targets", "name = 'shop'", tags=["chaos", "weekly"]),
    "a target's address": body("targets", "name = 'shop'", address="evil:5432/x"),
    "uses of a standing grant": body("standing", "id = 'sg_1'", uses=1000),
    "spent uses given back": body("standing", "id = 'sg_1'", used=-5),
    "digest of a standing grant": body("standing", "id = 'sg_1'", playbook_digest="sha256:f"),
    "a standing grant taken out": sql("DELETE FROM standing"),
    "the pause taken out": sql("DELETE FROM switch"),
    "text of an active playbook": sql("UPDATE series SET body = replace(body, 'Connection', 'Konnection')"),
    "a draft made active": sql("UPDATE series SET body = replace(body, '\"active\"', '\"retired\"')"),
}


@pytest.mark.parametrize("way", CHAIN)
def test_h_tampering_with_the_chain_is_found(home: Path, way: str):
    tamper(home, CHAIN[way])
    assert found(home)


@pytest.mark.parametrize("way", PROJECTIONS)
def test_h8_a_projection_that_says_something_else_than_the_events_is_found(home: Path, way: str):
    tamper(home, PROJECTIONS[way])
    assert found(home)


def test_an_untouched_state_is_found_whole(home: Path):
    assert found(home) == ""


def blot(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + bytes(12_288) + whole[20_480:])


def other_bytes(path: Path) -> None:
    path.write_bytes(bytes(len(path.read_bytes())))


FILES: dict[str, Callable[[Path], object]] = {
    "key lost": lambda home: (home / "key").unlink(),
    "key of nulls": lambda home: other_bytes(home / "key"),
    "key empty": lambda home: (home / "key").write_bytes(b""),
    "key open to others": lambda home: (home / "key").chmod(0o644),
    "anchor lost": lambda home: (home / "anchor").unlink(),
    "anchor empty": lambda home: (home / "anchor").write_bytes(b""),
    "anchor of nulls": lambda home: other_bytes(home / "anchor"),
    "anchor in other words": lambda home: (home / "anchor").write_text("[]"),
    "seal lost": lambda home: (home / "seal").unlink(),
    "database lost": lambda home: [p.unlink() for p in home.glob("ratchet.db*")],
    "database of nulls": lambda home: other_bytes(home / "ratchet.db"),
    "database cut": lambda home: (home / "ratchet.db").write_bytes((home / "ratchet.db").read_bytes()[:40_000]),
    "a page of the database": lambda home: blot(home / "ratchet.db"),
}


@pytest.mark.parametrize("way", FILES)
def test_a_file_that_is_lost_or_foreign_is_refused_in_words(home: Path, way: str):
    FILES[way](home)
    assert found(home)


def test_h_a_database_put_back_from_an_earlier_copy_is_found(home: Path, tmp_path: Path):
    shutil.copytree(home, tmp_path / "old")
    with door_at(home) as door:
        door.house.store.resume("user:ana", "on")
        door.house.store.anchor()
    for file in ("ratchet.db", "ratchet.db-wal", "ratchet.db-shm"):
        (home / file).unlink(missing_ok=True)
        if (tmp_path / "old" / file).exists():
            shutil.copy(tmp_path / "old" / file, home / file)
    assert "anchored" in found(home)


@pytest.fixture
def live(home: Path) -> Iterator[Door]:
    """A house at work over a state that was not touched yet."""
    with door_at(home) as door:
        yield door


def guard(door: Door, incident: Any) -> str:
    """The guard that refuses the intent; a packet of these walks names no active playbook, so one always does."""
    seen = door.house.store.incident(incident.id)
    packet, now = seen.packet, datetime.now(UTC)
    assert packet is not None
    reread = Reread(fingerprint=packet.fingerprint, preview=packet.preview, preconditions_hold=True, at=now)
    with pytest.raises(Declined) as declined:
        door.house.store.intend(seen, Demand(intended=walks.intended(seen, now), reread=reread), "ratchet")
    return declined.value.no.guard


def sends(door: Door) -> int:
    return sum(entry.kind == "intended" for entry in door.house.store.audit.newest(1000))


def approve_in_the_database(door: Door, home: Path, incident: Any, packet: Any) -> None:
    """What an intruder with the database would write to have a yes of a person who said none."""
    forged = walks.approval(packet, "user:ben", datetime.now(UTC)).model_dump(mode="json")
    tamper(home, body("incidents", f"id = '{incident.id}'", approvals=[forged]))


def test_a_real_approval_comes_as_far_as_the_playbook(live: Door):
    live.house.store.resume("user:ana", "on")
    incident, packet = live.waiting()
    assert live.answer(packet).status_code == 200
    assert guard(live, incident) == "playbook"


def test_an_approval_written_into_the_database_sends_nothing(live: Door, home: Path):
    live.house.store.resume("user:ana", "on")
    incident, packet = live.waiting()
    approve_in_the_database(live, home, incident, packet)
    assert guard(live, incident) == "quorum"
    assert sends(live) == 0


def test_a_packet_changed_between_yes_and_act_sends_nothing(live: Door, home: Path):
    live.house.store.resume("user:ana", "on")
    incident, packet = live.waiting()
    assert live.answer(packet).status_code == 200
    tamper(home, sql(f"UPDATE decisions SET packet = replace(packet, 'select 1', 'select 9') WHERE id = '{packet.id}'"))
    assert guard(live, incident) == "bytes"
    assert sends(live) == 0


def test_a_packet_changed_in_both_its_places_with_the_digest_of_the_yes_sends_nothing(live: Door, home: Path):
    live.house.store.resume("user:ana", "on")
    incident, packet = live.waiting()
    assert live.answer(packet).status_code == 200
    swapped = packet.act.model_copy(update={"cap": 9})
    forged = packet.model_copy(update={"act": swapped, "action_digest": swapped.digest})
    yes = walks.approval(forged, "user:ana", datetime.now(UTC)).model_dump(mode="json")
    tamper(home, body("incidents", f"id = '{incident.id}'", packet=forged.model_dump(mode="json"), approvals=[yes]))

    def row(vandal: sqlite3.Connection) -> None:
        vandal.execute("UPDATE decisions SET packet = ? WHERE id = ?", (forged.model_dump_json(), packet.id))

    tamper(home, row)
    assert guard(live, incident) == "bytes"
    assert sends(live) == 0


def test_a_role_raised_in_the_database_answers_nothing(live: Door, home: Path):
    vic = live.tokens[live.token("vera", "viewer")]
    packet = live.asked()
    tamper(home, body("tokens", "body LIKE '%\"vera\"%'", role="admin"))
    assert live.answer(packet, who=vic).status_code in (401, 403)
    assert live.approvals(packet) == []


def test_a_note_beside_the_state_changes_nothing(live: Door, home: Path):
    (home / "approved").write_text("yes")
    (home / "ratchet.db.approved").write_text("yes")
    assert live.house.store.verify().ok
    noted = live.house.store.incident("INC-1")
    live.house.store.commit(noted, e.Noted(by="user:ana", text="x"), by="user:ana", wake_at=None)
