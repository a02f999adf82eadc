"""Recovery state, resolution and bundle of one scripted incident, and every way of forging a bundle."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest

from ratchet.desk.bundle import CHECKPOINT, EVENTS, MANIFEST, SIGNATURE, gather, pack, signed_message
from ratchet.desk.bundle_check import check_bundle, manifest_of
from ratchet.desk.recovery import CATEGORIES, category, kv, pick
from ratchet.desk.resolution import as_lines, resolution
from ratchet.domain import timeline as e
from ratchet.domain.audit_forms import jsonl
from ratchet.domain.errors import Refusal
from ratchet.domain.incident import Incident
from ratchet.security.chain import link, read_key
from ratchet.security.seal import Signer
from ratchet.store.store import EventStore
from tests.store.walks import START, approval, conclusion, intended, look, opened, packet, plan

Parts = dict[str, bytes]


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def store(tmp_path):
    ids = count()
    with EventStore.open_at(tmp_path / "state", Clock(), lambda: f"id{next(ids)}") as here:
        yield here


def _granted(seen: Incident) -> e.Granted:
    assert seen.packet is not None
    return e.Granted(approval=approval(seen.packet, "user:ana", START))


def until_intent(store: EventStore) -> Incident:
    """Seen, judged, asked, approved and sent."""
    seen = store.open("i1", opened, "ratchet")
    looked = look()
    steps: list[Callable[[Incident], e.Event]] = [
        lambda i: e.Looked(candidates=("v1",), evidence=(looked.id,), answers={"sessions": "ok"}, elapsed_ms=500),
        lambda i: e.Concluded(conclusion=conclusion()),
        lambda i: e.Planned(plan=plan().model_copy(update={"playbook": "none"})),
        lambda i: e.Asked(packet=packet(i, START)),
        _granted,
        lambda i: intended(i, START),
    ]
    for step in steps:
        seen = store.commit(seen, step(seen), by="ratchet", evidence=[looked], wake_at=None)
    return seen


def through(store: EventStore) -> Incident:
    """To the proved end."""
    seen = until_intent(store)
    acted = e.Acted(
        op_id=seen.ops[0].grant.op_id, outcome="done", started_at=START + timedelta(seconds=5),
        ended_at=START + timedelta(seconds=6), return_code="SELECT 1",
    )  # fmt: skip
    for event in (
        acted,
        e.Verified(passed=True, samples=2, sustained_seconds=2, because="it held"),
        e.Resolved(by="ratchet", cause="connection_exhaustion", because="proved"),
    ):
        seen = store.commit(seen, event, by="ratchet", wake_at=None)
    return seen


# ------------------------------------------------------------------------------------------------ recovery state


def state(store: EventStore) -> dict[str, Any]:
    """The recovery state, as a program that reads JSON has it."""
    return dict(kv(store.incident("i1"), store.timeline("i1")))


def test_the_five_keys_are_there_and_json(store):
    through(store)
    found = state(store)
    assert [*found] == [f"incident:INC-1:{key}" for key in ("status", "steps", "checkpoint", "timeline", "owner")]
    assert json.loads(json.dumps(found)) == found
    assert (pick(found, "status"), pick(found, "incident:INC-1:owner")) == ("resolved", "ratchet")
    with pytest.raises(Refusal):
        pick(found, "password")


def test_a_step_record_says_what_was_done_and_under_which_key(store):
    seen = through(store)
    (step,) = state(store)["incident:INC-1:steps"]
    assert step["action"] == "terminate"
    assert (step["started_at"], step["ended_at"]) == ("2026-01-31T02:00:05Z", "2026-01-31T02:00:06Z")
    assert (step["return_code"], step["error_category"], step["human_override"]) == ("SELECT 1", "none", False)
    assert (step["effect"], step["attempt"], step["idempotency_key"]) == ("disruptive", 1, "i1.1")
    assert seen.packet is not None
    assert step["packet_digest"] == seen.packet.digest


def test_an_open_step_says_until_when_it_may_land_and_whom_it_was_taken_by(store):
    seen = until_intent(store)
    doubt = e.Doubted(op_id=seen.ops[0].grant.op_id, because="no answer", error_category="lost_connection")
    seen = store.commit(seen, doubt, by="ratchet", wake_at=None)
    found = state(store)
    assert found["incident:INC-1:checkpoint"]["may_land_until"] == "2026-01-31T02:00:10Z"
    assert found["incident:INC-1:steps"][0]["error_category"] == "connection"
    assert found["incident:INC-1:steps"][0]["human_override"] is False
    seen = store.commit(seen, e.Taken(by="user:ana", reason="mine"), by="user:ana", wake_at=None)
    found = state(store)
    assert found["incident:INC-1:steps"][0]["human_override"] is True
    assert found["incident:INC-1:owner"] == "user:ana"


@pytest.mark.parametrize(
    "word", ["none", "hung", "refused", "auth", "missing", "too_late", "in_use", "never heard of", ""]
)
def test_every_error_category_stays_in_the_closed_list(word):
    assert category(word) in CATEGORIES


# --------------------------------------------------------------------------------------------------- resolution


def test_the_resolution_counts_from_the_alert_to_the_proof(store):
    found = resolution(through(store), store.timeline("i1"))
    assert (found.incident_id, found.resolved_by, found.escalated, found.fix_correct) == ("INC-1", "agent", False, True)
    assert found.mttd_seconds == 1.5
    assert found.mttr_seconds == 7.5
    assert found.resolution_time == "10s"
    *events, summary = as_lines(found)
    assert [event["event"] for event in events][:3] == ["alert_fired", "triage_started", "triage_completed"]
    assert events[2]["root_cause"] == "connection_exhaustion"
    assert events[5]["approved_by"] == "user:ana"
    assert "timeline" not in summary


def test_what_has_not_happened_is_none(store):
    found = resolution(until_intent(store), store.timeline("i1"))
    assert (found.resolved_at, found.resolution_time, found.mttr_seconds, found.fix_correct) == (None,) * 4


# ------------------------------------------------------------------------------------------------------- bundle


@pytest.fixture
def content(store) -> bytes:
    seen = through(store)
    store.anchor()
    return bundled(store, seen)


def bundled(store: EventStore, seen: Incident) -> bytes:
    """A bundle without playbook texts: the plan's version is in no series of this store."""
    shelved: Any = Shelved(store)
    return gather(shelved, store.audit, store.incident(seen.id))


class Shelved:
    """The store, with a series that holds nothing."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def __getattr__(self, name: str):
        return getattr(self._store, name)

    def series_of(self, version_id: str):
        return self._store.series("none")


def test_a_bundle_is_whole_offline_and_with_the_key(store, content, tmp_path):
    offline = check_bundle(content)
    assert (offline.ok, offline.events, offline.chain_checked, offline.pinned) == (True, 10, False, False), offline
    key = read_key(tmp_path / "state" / "key")
    at_home = check_bundle(content, store.audit.key().public, partial(link, key))
    assert (at_home.ok, at_home.chain_checked, at_home.pinned) == (True, True, True)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE events SET stored = CAST(replace(stored, 'the only target', 'the old target.') AS BLOB) WHERE seq = 1",
        "UPDATE events SET mac = zeroblob(31) WHERE seq = 4",
        "DELETE FROM events WHERE seq = 5",
    ],
)
def test_the_house_does_not_sign_what_it_did_not_write(store, harm):
    seen = through(store)
    assert check_bundle(bundled(store, seen)).ok
    with store._journal.connections.write() as connection:
        assert connection.exec_driver_sql(harm).rowcount == 1
    with pytest.raises(Refusal, match="is not the one that was written"):
        bundled(store, seen)


def test_the_same_incident_gives_the_same_bytes(store, content):
    assert bundled(store, store.incident("i1")) == content


def test_what_happens_to_other_incidents_changes_no_byte(store, content):
    store.open("i2", opened, "ratchet")
    store.anchor()
    assert bundled(store, store.incident("i1")) == content


def test_what_is_written_while_a_bundle_is_made_stands_in_it_whole_or_not_at_all(store):
    seen = through(store)
    shelved: Any = Shelved(store)
    store.commit(seen, e.Noted(by="user:ana", text="meanwhile"), by="user:ana", wake_at=None)
    report = check_bundle(gather(shelved, store.audit, seen))
    assert (report.ok, report.events) == (True, seen.seq + 1), report


def test_the_events_stand_there_as_the_very_bytes_of_the_chain(store, content):
    lines = parts(content)[EVENTS].splitlines()
    assert [line.decode() for line in lines] == [entry.stored for entry in store.audit.of_stream("incident/i1")]


def parts(content: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        return {name: whole.read(name) for name in whole.namelist()}


def edit_event(given: Parts) -> None:
    given[EVENTS] = given[EVENTS].replace(b'"passed":true', b'"passed":null')


def drop_event(given: Parts) -> None:
    given[EVENTS] = b"".join(given[EVENTS].splitlines(keepends=True)[:-1])


def swap_events(given: Parts) -> None:
    lines = given[EVENTS].splitlines(keepends=True)
    lines[3], lines[4] = lines[4], lines[3]
    given[EVENTS] = b"".join(lines)


def drop_part(given: Parts) -> None:
    del given[next(name for name in given if name.startswith("evidence/"))]


def add_part(given: Parts) -> None:
    given["evidence/ev_forged.json"] = b"{}"


def edit_manifest(given: Parts) -> None:
    given[MANIFEST] = given[MANIFEST].replace(b'"events":10', b'"events":9')


def empty_signature(given: Parts) -> None:
    given[SIGNATURE] = b""


FORGERIES = (edit_event, drop_event, swap_events, drop_part, add_part, edit_manifest, empty_signature)


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_bundle_is_found(content, forge):
    given = parts(content)
    forge(given)
    report = check_bundle(pack(given))
    assert not report.ok
    assert report.because
    if forge is swap_events:
        assert report.first_bad == 4


def unlisted(body: bytes) -> bytes:
    """A member as it stands in a zip, without its place in the list."""
    whole = pack({EVENTS: body})
    return whole[: whole.index(b"PK\x01\x02")]


def test_a_part_that_the_list_does_not_name_is_no_part(content: bytes):
    """Whoever reads a zip from its front, as a stream, would unpack it in the place of the signed one."""
    forged, at = unlisted(b'{"forged": true}\n'), content.index(b"PK\x01\x02")
    ends = content[-22:-6] + (at + len(forged)).to_bytes(4, "little") + b"\0\0"
    behind_the_list = content[:at] + forged + content[at:-22] + ends
    for bundle in (forged + content, behind_the_list, content + b"x", content[:-2] + b"\1\0x"):
        report = check_bundle(bundle)
        assert not report.ok and report.because


def signed_anew(given: Parts) -> bytes:
    """A forger's best: every digest mended, and the whole signed with a key of their own."""
    forger = Signer(b"f" * 32)
    manifest = json.loads(given[MANIFEST])
    manifest["public_key"] = forger.public
    named = {name: body for name, body in given.items() if name not in (MANIFEST, SIGNATURE)}
    manifest["parts"] = {name: hashlib.sha256(body).hexdigest() for name, body in named.items()}
    given[MANIFEST] = json.dumps(manifest).encode()
    given[SIGNATURE] = forger.sign(signed_message(given[MANIFEST]))
    return pack(given)


def test_a_bundle_signed_by_another_key_is_refused_where_the_key_is_known(store, content):
    forged = signed_anew(parts(content))
    assert check_bundle(forged).ok, "by itself it is well-formed: whoever does not know the key must compare it"
    report = check_bundle(forged, store.audit.key().public)
    assert (report.ok, "another key" in report.because) == (False, True)


def test_the_chain_s_key_finds_an_event_that_was_changed_and_signed_anew(content, tmp_path):
    given = parts(content)
    lines = given[EVENTS].splitlines(keepends=True)
    lines[0] = lines[0].replace(b"the only target", b"the old target.")
    given[EVENTS] = b"".join(lines)
    report = check_bundle(signed_anew(given), linking=partial(link, read_key(tmp_path / "state" / "key")))
    assert (report.ok, report.first_bad) == (False, 1)


@pytest.mark.parametrize("junk", [b"", b"PK", b"not a zip at all" * 99, b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle_is_said_to_be_none(junk):
    assert not check_bundle(junk).ok


NESTED = b"[" * 100_000


@pytest.mark.parametrize(
    "manifest", [b"[]", b"7", b"null", b"{", NESTED, b"\xff", b'{"form": "ratchet.bundle/1", "parts": ' + NESTED]
)
def test_a_manifest_of_a_stranger_s_making_is_no_traceback(manifest: bytes):
    bundle = pack({MANIFEST: manifest, SIGNATURE: bytes(64)})
    assert manifest_of(bundle) == {}
    report = check_bundle(bundle)
    assert not report.ok and report.because


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("incident", 5), ("events", "many"), ("events", None), ("parts", []), ("chain", ["x"]),
        ("chain", "01A\n01B ed25519:AAAA"), ("ulid", {}), ("public_key", 7),
    ],
)  # fmt: skip
def test_a_well_signed_manifest_of_another_form_is_no_traceback(content: bytes, field: str, value: Any):
    forger, given = Signer(b"f" * 32), parts(content)
    manifest = json.loads(given[MANIFEST]) | {"public_key": forger.public, field: value}
    given[MANIFEST] = json.dumps(manifest).encode()
    report = check_bundle(pack(given | {SIGNATURE: forger.sign(signed_message(given[MANIFEST]))}))
    assert not report.ok and report.because


@pytest.mark.parametrize("part", [EVENTS, CHECKPOINT])
def test_a_part_that_nests_without_end_is_no_traceback(content: bytes, part: str):
    report = check_bundle(signed_anew(parts(content) | {part: NESTED}))
    assert not report.ok and report.because


def test_a_compressed_bomb_is_not_opened():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr(MANIFEST, b"0" * 50_000_000)
    report = check_bundle(out.getvalue())
    assert (report.ok, "compressed" in report.because) == (False, True)


@pytest.mark.parametrize("place", range(0, 4000, 37))
def test_no_bit_of_a_bundle_can_be_turned_unseen(content, place):
    """What a zip keeps beside its members (dates, rights) says nothing and is not signed; every member is."""
    at = place * len(content) // 4000
    turned = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    try:
        same = parts(turned) == parts(content)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError):
        same = False
    assert check_bundle(turned).ok <= same


def test_an_export_can_be_walked_with_the_key_alone(store, content, tmp_path):
    key = read_key(tmp_path / "state" / "key")
    for entry in store.audit.entries(0, 100):
        told = json.loads(jsonl(entry))
        assert link(key, bytes.fromhex(told["prev_hash"]), told["stored"].encode()).hex() == told["hash"]
