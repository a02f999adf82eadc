"""Exports that other programs parse: escaping, closed lists, and the numbers that OCSF derives from each other."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain.audit import AuditEntry
from ratchet.domain.audit_forms import cef, jsonl, ocsf, record, short
from ratchet.domain.house import StandingCharged, StandingGiven, StandingRevoked, TargetAdded, TokenMade, TokenRevoked
from ratchet.domain.noun import Noun
from ratchet.domain.series import Activated
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import Target

AT = datetime(2026, 11, 20, 2, 3, 4, 123456, tzinfo=UTC)


def entry(kind: str = "refused", by: str = "user:ana", **body: object) -> AuditEntry:
    return AuditEntry(
        position=7, tenant="main", stream="incident/01J", seq=3, at=AT, by=by, kind=kind, previous="00" * 32,
        mac="ab" * 32, stored=json.dumps({"body": {"kind": kind, **body}}),
    )  # fmt: skip


def read_cef(line: str) -> tuple[list[str], dict[str, str]]:
    """A reader written from the format's own rules: split at bare pipes, and at a space before a key and a bare `=`."""
    *header, extension = re.split(r"(?<!\\)(?:\\\\)*\|", line, maxsplit=7)
    starts = [*re.finditer(r"(?:^| )(\w+)(?<!\\)=", extension)]
    fields: dict[str, str] = {}
    for n, found in enumerate(starts):
        end = starts[n + 1].start() if n + 1 < len(starts) else len(extension)
        raw = extension[found.end() : end]
        fields[found[1]] = re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), raw)
    return header, fields


def test_a_cef_line_has_seven_header_fields_and_its_ids():
    header, fields = read_cef(cef(entry(decision="dec_1", digest="sha256:aa", reason="not now"), "0.1.0"))
    assert header == ["CEF:0", "Ratchet", "ratchet", "0.1.0", "incident.refused", "Refused", "3"]
    assert fields["rt"] == "1795140184123"
    assert (fields["suser"], fields["act"], fields["outcome"]) == ("user:ana", "refused", "failure")
    assert (fields["cs1Label"], fields["cs1"], fields["cs3"]) == ("incident", "01J", "sha256:aa")


@pytest.mark.parametrize("reason", ["a=b", "a\\b", "a\nb", "a\r\nb", "x|y", "cs1=forged act=approved", "\\=", "a\\"])
def test_a_reason_cannot_make_fields_or_lines(reason):
    line = cef(entry(reason=reason), "1")
    assert "\n" not in line and "\r" not in line
    header, fields = read_cef(line)
    assert len(header) == 7
    assert fields["reason"] == reason
    assert (fields["act"], fields["cs1"]) == ("refused", "01J")


def test_a_pipe_in_the_header_is_escaped():
    assert cef(entry(), "1|2\\3").startswith(r"CEF:0|Ratchet|ratchet|1\|2\\3|")


@given(st.text(max_size=60))
def test_whatever_a_person_writes_stays_one_line(reason: str):
    for line in (cef(entry(reason=reason), "1"), ocsf(entry(reason=reason)), jsonl(entry(reason=reason))):
        assert len(line.splitlines()) == 1


def test_an_ocsf_event_is_an_api_activity_with_what_the_class_requires():
    event = json.loads(ocsf(entry("granted", approval={"decision": "dec_1", "digest": "sha256:aa", "reason": "ok"})))
    assert (event["class_uid"], event["category_uid"], event["type_uid"]) == (6003, 6, 600303)
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    assert event["class_uid"] // 1000 == event["category_uid"]
    assert event["time"] == 1795140184123
    assert event["severity_id"] in (1, 2, 3, 4)
    assert (event["status_id"], event["status"]) == (1, "Success")
    assert event["metadata"]["version"] == "1.6.0"
    assert event["metadata"]["product"]["vendor_name"]
    assert event["metadata"]["correlation_uid"] == "01J"
    assert event["actor"]["user"] == {"name": "ana", "uid": "user:ana", "type_id": 1, "type": "User"}
    assert event["api"]["operation"] == "granted"
    assert event["src_endpoint"]["name"] == "ratchet"
    assert event["resources"][0] == {"type": "incident", "uid": "01J", "name": "01J"}


@pytest.mark.parametrize(
    ("by", "type_id"), [("user:ana", 1), ("ratchet", 3), ("service:monitor", 99), ("somebody", 99)]
)
def test_who_acted_is_told_apart(by, type_id):
    assert json.loads(ocsf(entry(by=by)))["actor"]["user"]["type_id"] == type_id


@pytest.mark.parametrize(
    ("kind", "body", "outcome"),
    [
        ("acted", {"outcome": "done"}, "success"), ("acted", {"outcome": "failed_clean"}, "failure"),
        ("verified", {"passed": False}, "failure"), ("verified", {"passed": True}, "success"),
        ("doubted", {}, "failure"), ("a kind of tomorrow", {}, "success"),
    ],
)  # fmt: skip
def test_an_event_whose_own_word_is_no_is_a_failure(kind, body, outcome):
    assert record(entry(kind, **body))["outcome"] == outcome


def test_a_record_has_its_place_in_the_chain_and_no_long_text():
    told = record(entry(reason="x" * 5000))
    assert (told["seq"], told["prev_hash"], told["hash"]) == (7, "00" * 32, "ab" * 32)
    assert told["ts"] == "2026-11-20T02:03:04.123456Z"
    assert len(told["reason"]) == 400
    assert "stored" not in told


GRANT = StandingGrant(
    id="sg_1", given_by="user:ana", given_at=AT, reason="weekly", series="pbs_x", playbook_digest="sha256:aa",
    step="end_idle_sessions", targets=("db-1", "db-2"), uses=3, expires_at=AT.replace(day=27),
)  # fmt: skip
CERTIFICATE = {"id": "crt_1", "series": "pbs_x", "passed": ["faults"], "failed": [], "target": "db-1"}


def about(kind: str, body: dict[str, Any], stream: str) -> AuditEntry:
    return entry(kind, **body).model_copy(update={"stream": stream})


def told(event: Noun, stream: str = "house") -> AuditEntry:
    body = event.model_dump(mode="json")
    return about(body.pop("kind"), body, stream)


@pytest.mark.parametrize(
    ("event", "name", "words"),
    [
        (told(TokenMade(id="tok_1", name="ci", person=False, role="admin")), "token/tok_1", "ci admin false"),
        (told(TokenRevoked(id="tok_1")), "token/tok_1", ""),
        (
            told(TargetAdded(target=Target(name="db-1", kind="postgres", address="h:1/d", tags=("chaos", "old")))),
            "target/db-1", "postgres h:1/d chaos,old",
        ),
        (told(StandingGiven(standing=GRANT)), "grant/sg_1", "pbs_x end_idle_sessions db-1,db-2 3 weekly 2026-11-27"),
        (told(StandingCharged(id="sg_1", op_id="op_7", left=2)), "grant/sg_1", "op_7 2"),
        (told(StandingRevoked(id="sg_1", because="by user:ben: wrong")), "grant/sg_1", "user:ben wrong"),
        (about("certificate_given", {"certificate": CERTIFICATE}, "house"), "certificate/crt_1", "pbs_x faults db-1"),
        (about("certificate_revoked", {"id": "crt_1", "because": "old"}, "house"), "certificate/crt_1", "old"),
        (about("run_kept", {"run": {"id": "run_1", "fault": "db-x", "verdict": "fail"}}, "house"), "run/run_1", "db-x"),
        (
            told(Activated(version_id="pb_2", by="user:ana", reason="good", rollback=True), "series/pbs_x"),
            "series/pbs_x", "pb_2 true good",
        ),
        (
            about("version_drafted", {"version": {"id": "pb_3", "version": "1.2", "text": "long"}}, "series/pbs_x"),
            "series/pbs_x", "pb_3 1.2",
        ),
    ],
)  # fmt: skip
def test_every_form_says_what_it_is_about_and_what_was_given(event, name, words):
    resource = json.loads(ocsf(event))["resources"][0]
    fields = read_cef(cef(event, "1"))[1]
    assert f"{resource['type']}/{resource['uid']}" == name
    assert (fields["cs6Label"], fields["cs6"].split(" ")[0]) == ("object", name)
    for form in (short(event), ocsf(event), cef(event, "1")):
        assert all(word in form for word in (*name.split("/"), *words.split(" ")))


def test_a_certificate_that_was_not_passed_is_a_failure():
    given = [about("certificate_given", {"certificate": {**CERTIFICATE, **change}}, "house")
             for change in ({}, {"failed": ["crash"]}, {"passed": []})]  # fmt: skip
    assert [record(each)["outcome"] for each in given] == ["success", "failure", "failure"]


@given(st.dictionaries(st.sampled_from(["id", "target", "standing", "version", "certificate"]), st.none() | st.text()))
def test_what_an_event_says_of_tomorrow_stops_no_sink(body: dict[str, object]):
    for kind in ("token_made", "target_added", "standing_given", "certificate_given", "run_kept", "version_drafted"):
        assert short(about(kind, body, "series/x"))
