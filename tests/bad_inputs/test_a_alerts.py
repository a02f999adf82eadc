"""Family A: bodies that pretend to be alerts. Each is taken safely or refused in words; none breaks the door."""

import gzip
import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from ratchet.domain.target import Target
from tests.bad_inputs.conftest import JSON, WEBHOOK, Door, alert, door_at, packed, webhook

PROBLEM = "application/problem+json"


def kept(door: Door, answer: Any) -> Any:
    """The alert that an accepted body became."""
    assert answer.status_code == 202, answer.text
    return door.house.store.incident(answer.json()["incidents"][0]).alert


def refused(answer: Any, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.text[:300]
    assert answer.headers["content-type"] == PROBLEM
    assert "Traceback" not in answer.text


def test_a1_a_body_without_a_token_is_refused_and_leaves_nothing(door: Door):
    before = door.house.store.audit.head().position
    refused(door.send("POST", WEBHOOK, None, json=webhook(alert())), 401)
    refused(door.send("POST", WEBHOOK, "rtk_made_up", json=webhook(alert())), 401)
    assert door.house.store.audit.head().position == before


@pytest.mark.parametrize(
    "content",
    [
        b"", b" ", b"{", b"]", b"nul", b"'x'", b"\x00", b"\xff\xfe", b"\x80\x81", b"{}{}", b"\xef\xbb\xbf", b"[[]]",
        b'{"version": NaN}', b'{"version": "4", "alerts": [], "x": Infinity}', b'{"x": -Infinity}',
        b'{"version": "4", "alerts": [], "x": 1e999}', b'{"version": "4", "alerts": [], "x": -1e999}',
        b'{"version": "4", "alerts": [], "x": ' + b"9" * 5000 + b"}",
        b'{"version": "4", "alerts": [], "x": 0x10}', b'{"version": "4", "alerts": [],}',
        b"[" * 100_000, b'{"a":' * 100_000, b'{"version":"4","alerts":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"\x1f\x8b\x08\x00", b"alerts=1&version=4", b"<alerts/>",
    ],
)  # fmt: skip
def test_a7_what_is_no_json_is_refused_with_400(door: Door, content: bytes):
    refused(door.hand_in(content), 400)


@pytest.mark.parametrize("depth", [400, 800, 900, 950, 980, 990, 995])
def test_a_value_nested_as_deep_as_json_can_be_read_is_kept_or_refused(door: Door, depth: int):
    nested = "[" * depth + "]" * depth
    body = packed(alert(labels={"deep": "HERE"})).replace('"HERE"', nested)
    answer = door.hand_in(body)
    assert answer.status_code in (202, 400), answer.text


@pytest.mark.parametrize("wrong", [None, True, 7, 1.5, "x", [], {}, [None], {"a": []}, "\u0000", [[["x"]]]])
@pytest.mark.parametrize(
    "place",
    ["version", "alerts", "groupKey", "status", "receiver", "groupLabels", "truncatedAlerts", "externalURL"],
)
def test_a_wrong_type_anywhere_in_the_group_never_breaks_the_door(door: Door, place: str, wrong: Any):
    answer = door.hand_in(packed(alert(), **{place: wrong}))
    assert answer.status_code in (202, 400), answer.text


@pytest.mark.parametrize("wrong", [None, True, 7, 1.5, "x", [], {}, [None], {"a": []}, "\u0000", "\ud800"])
@pytest.mark.parametrize(
    "place", ["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"]
)
def test_a_wrong_type_anywhere_in_an_alert_never_breaks_the_door(door: Door, place: str, wrong: Any):
    answer = door.hand_in(packed(alert(**{place: wrong})))
    assert answer.status_code in (202, 400), answer.text
    if answer.status_code == 400:
        assert any(place in mistake["where"] for mistake in answer.json()["mistakes"])


@pytest.mark.parametrize("item", [None, 1, "x", [], [[]], True])
def test_something_else_in_place_of_an_alert_refuses_the_whole_body(door: Door, item: Any):
    before = door.house.store.audit.head().position
    refused(door.hand_in(packed(alert(), item, alert())), 400)
    assert door.house.store.audit.head().position == before


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u0000b", "a\ufffdb"), ("lone \ud800 surrogate", "lone ? surrogate"), ("\udfff\ud800", "??"),
        ("\U000e0041\u202e\u200b", "\U000e0041\u202e\u200b"), ("\x1b[2J\x9b", "\x1b[2J\x9b"),
    ],
)  # fmt: skip
def test_a_label_with_impossible_characters_is_kept_as_text_that_every_store_can_hold(
    door: Door, text: str, shown: str
):
    got = kept(door, door.hand_in(packed(alert(labels={"alertname": text, text: "v"}, annotations={"summary": text}))))
    assert (got.labels["alertname"], got.labels[shown], got.annotations["summary"]) == (shown, "v", shown)
    assert door.send("GET", "/api/v1/incidents", "vic").status_code == 200


def test_of_a_key_that_stands_twice_one_value_counts_and_nothing_else_does(door: Door):
    body = packed(alert()).replace(
        '"labels": {', '"labels": {"alertname": "First", "alertname": "Second"}, "labels": {'
    )
    assert kept(door, door.hand_in(body)).labels == {"alertname": "ShopLatencyHigh"}
    twice = packed(alert(labels={"alertname": "A"})).replace('"alertname": "A"', '"alertname": "A", "alertname": "B"')
    assert kept(door, door.hand_in(twice)).labels == {"alertname": "B"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_body_in_another_unicode_encoding_is_read_as_the_same_words(door: Door, encoding: str):
    body = packed(alert(labels={"alertname": "\u00dcberlast"})).encode(encoding)
    assert kept(door, door.hand_in(body)).labels["alertname"] == "\u00dcberlast"


@pytest.mark.parametrize(
    "moment",
    [
        "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999-14:00", "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-11-20T02:03:04+99:99", "2026-11-20T25:00:00Z", "2026-11-20T02:03:60Z", "2026-W47-5", "20261120",
        "now", "1763604184", "-1", "2026-11-20T02:03:04.12345678901234567890Z", "2026-11-20 02:03", "\u0662\u0660",
        "1970-01-01T00:00:00Z", "2026-11-20T02:03:04+05:45", "2026-11-20T02:03:04-00:00", "9" * 64, "9" * 100_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["startsAt", "endsAt"])
def test_a_time_out_of_this_world_is_kept_in_utc_or_refused_and_the_list_still_opens(
    door: Door, place: str, moment: str
):
    answer = door.hand_in(packed(alert(**{place: moment})))
    assert answer.status_code in (202, 400), answer.text
    if answer.status_code == 202:
        name = answer.json()["incidents"][0]
        assert kept(door, answer).starts_at.utcoffset().total_seconds() == 0
        assert door.send("GET", f"/api/v1/incidents/{name}", "vic").status_code == 200
        assert door.send("GET", f"/api/v1/incidents/{name}/kv", "vic").status_code == 200


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-20T02:03:04", 0, 1e18, -1e18, "x", None, []],
)
def test_the_same_times_in_our_own_words_never_break_the_door(door: Door, moment: Any):
    own = {"source": "cron", "fingerprint": "f", "starts_at": moment, "labels": {}}
    answer = door.send("POST", "/api/v1/alerts", "monitor", json={"alerts": [own]})
    assert answer.status_code in (202, 400), answer.text


def test_alerts_in_our_own_words_lose_lone_surrogates_and_nul(door: Door):
    body = """{"alerts": [{"source": "a", "fingerprint": "f\\u0000", "starts_at": "2026-11-20T02:03:04Z",
      "labels": {"a\\u0000": "\\u0000", "b": "\\ud800"}}]}"""
    taken = door.send("POST", "/api/v1/alerts", "monitor", content=body, headers=JSON)
    assert kept(door, taken).labels == {"a\ufffd": "\ufffd", "b": "?"}


def test_a9_ten_thousand_labels_are_cut_with_a_marker_and_what_names_the_target_stays(door: Door):
    labels = {f"l{n}": "x" for n in range(10_000)} | {"alertname": "Kept", "target": "db-7", "severity": "critical"}
    got = kept(door, door.hand_in(packed(alert(labels=labels))))
    assert (got.labels["alertname"], got.labels["target"], len(got.labels)) == ("Kept", "db-7", 201)
    assert got.labels["ratchet_truncated"] == "9803 more were left out"


def test_a9_a_label_value_and_a_label_name_of_a_megabyte_are_cut_with_a_marker(door: Door):
    got = kept(door, door.hand_in(packed(alert(labels={"alertname": "x" * 1_000_000, "n" * 1_000_000: "v"}))))
    assert got.labels["alertname"].endswith("...[truncated: 1000000 characters]")
    assert max(len(name) for name in got.labels) < 400


def test_a5_a_gzip_bomb_and_a_bomb_within_a_bomb_are_refused_before_they_unfold(door: Door, grown: Callable[[], int]):
    bomb = gzip.compress(bytes(200 * 1024 * 1024), compresslevel=1)
    refused(door.hand_in(bomb, **{"Content-Encoding": "gzip"}), 413)
    refused(door.hand_in(gzip.compress(bomb), **{"Content-Encoding": "gzip"}), 400, 413)
    refused(door.hand_in(gzip.compress(gzip.compress(packed(alert()).encode())), **{"Content-Encoding": "gzip"}), 400)
    assert grown() < 100 * 1024 * 1024


@pytest.mark.parametrize(
    "packed_body",
    [
        b"",
        b"\x1f\x8b",
        gzip.compress(b"{}", mtime=0)[:-4],
        gzip.compress(b"{}", mtime=0) * 2,
        gzip.compress(b"{}", mtime=0) + b"x",
    ],
)
def test_a_gzip_that_is_cut_doubled_or_followed_by_something_is_refused(door: Door, packed_body: bytes):
    refused(door.hand_in(packed_body, **{"Content-Encoding": "gzip"}), 400)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "GZIP, identity", "br", "zstd", "compress", "x-gzip", "*"])
def test_any_other_packing_is_refused_before_it_is_read(door: Door, encoding: str):
    refused(door.hand_in(b"{}", **{"Content-Encoding": encoding}), 415, 400)


def raw(door: Door, head: str, *chunks: bytes) -> bytes:
    """What the server says to bytes as they are."""
    place = urlsplit(door.url)
    said = b""
    with socket.create_connection((place.hostname, place.port), timeout=20) as wire:
        more = (f"Host: {place.netloc}", f"Authorization: Bearer {door.tokens['monitor']}", "Content-Type: application/json")  # fmt: skip # noqa: E501
        try:
            wire.sendall("\r\n".join([head, *more, "", ""]).encode("latin-1"))
            for chunk in chunks:
                wire.sendall(chunk)
            wire.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            while part := wire.recv(65_536):
                said += part
        except ConnectionResetError:
            pass
    return said


@pytest.mark.parametrize(
    "length", ["52428800", "99999999999999999999", "-1", "+5", "5, 6", "0x5", "1e3", "\u00b2", "five"]
)
def test_a5_a_length_that_is_too_large_or_no_number_is_refused_before_the_body(door: Door, length: str):
    said = raw(door, f"POST {WEBHOOK} HTTP/1.1\r\nContent-Length: {length}", b"{}")
    assert said.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 ")), said[:100]


def test_a_chunked_body_without_end_is_cut_off_at_the_limit(door: Door, grown: Callable[[], int]):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    said = raw(door, f"POST {WEBHOOK} HTTP/1.1\r\nTransfer-Encoding: chunked", *[chunk] * 200)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert grown() < 60 * 1024 * 1024


@pytest.mark.parametrize(
    "head",
    [
        "Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6",
        "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: gzip", "Transfer-Encoding: xchunked",
    ],
)  # fmt: skip
def test_a_body_framed_in_two_ways_smuggles_no_second_request(door: Door, head: str):
    before = door.house.store.audit.head().position
    inner = f"0\r\n\r\nPOST {WEBHOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    said = raw(door, f"POST {WEBHOOK} HTTP/1.1\r\n{head}", inner)
    assert said.count(b"HTTP/1.1 202") == 0
    assert door.house.store.audit.head().position == before


def test_clients_that_trickle_their_headers_do_not_keep_others_out(door: Door):
    place = urlsplit(door.url)
    slow = [socket.create_connection((place.hostname, place.port), timeout=5) for _ in range(50)]
    for wire in slow:
        wire.sendall(b"POST /api/v1/sources/alertmanager HTTP/1.1\r\nX-Slow: ")
    try:
        assert door.hand_in(packed(alert())).status_code == 202
    finally:
        for wire in slow:
            wire.close()


def test_a_thousand_alerts_in_one_body_are_durable_together(door: Door):
    alerts = [alert(labels={"alertname": f"A{n % 7}"}) for n in range(1000)]
    answer = door.hand_in(packed(*alerts, groupKey="{}:{storm}"))
    assert answer.status_code == 202, answer.text[:300]
    assert len(answer.json()["incidents"]) == 1
    assert door.send("GET", "/api/v1/decisions", "vic").status_code == 200


def test_a11_resolved_before_any_firing_opens_nothing(door: Door):
    answer = door.hand_in(packed(alert(status="resolved", endsAt="2026-11-20T03:00:00Z")))
    assert (answer.status_code, answer.json()) == (202, {"incidents": []})


def test_a_late_firing_after_resolved_does_not_open_the_occurrence_again(door: Door):
    one = alert()
    name = door.hand_in(packed(one)).json()["incidents"][0]
    over = {**one, "status": "resolved", "endsAt": "2026-11-20T03:00:00Z"}
    assert door.hand_in(packed(over)).json()["incidents"] == [name]
    before = door.house.store.incident(name)
    assert door.hand_in(packed(one)).json()["incidents"] == [name]
    assert door.house.store.incident(name) == before


@pytest.mark.parametrize(
    "labels",
    [
        {"ratchet_truncated": "0 more were left out"}, {"ratchet_drill": "db-max-connections"},
        {"ratchet_drill": "x", "target": "prod"}, {"ratchet_approved": "true", "approval": "force"},
        {"__name__": "up", "": "", " ": " "}, {"constructor": "x", "__proto__": "y", "__class__": "z"},
    ],
)  # fmt: skip
def test_labels_that_look_like_ours_make_no_drill_on_a_target_that_is_not_chaos(tmp_path: Any, labels: dict[str, str]):
    with door_at(tmp_path / "home", Target(name="prod", kind="postgres", tags=("prod",), address="db:5432/x")) as door:
        name = door.hand_in(packed(alert(labels={"alertname": "A", **labels}))).json()["incidents"][0]
        opened = door.house.store.incident(name)
        assert (opened.origin, opened.fault, opened.target) == ("production", None, "prod")
        assert opened.status == "triaging" or opened.packet is None


@pytest.mark.parametrize(
    "name", ["prod ", " prod", "PROD", "pr\u043ed", "prod\u200b", "prod\u0000", "../prod", "%", ""]
)
def test_a_target_label_that_is_nearly_a_name_meets_no_target(tmp_path: Any, name: str):
    with door_at(
        tmp_path / "home", Target(name="prod", kind="postgres"), Target(name="other", kind="postgres")
    ) as door:
        incident = door.hand_in(packed(alert(labels={"alertname": "A", "target": name}))).json()["incidents"][0]
        assert door.house.store.incident(incident).target is None


def test_a_fingerprint_of_another_alert_joins_its_incident_and_changes_neither_target_nor_owner(door: Door):
    first = alert()
    name = door.hand_in(packed(first)).json()["incidents"][0]
    before = door.house.store.incident(name)
    forged = {**first, "startsAt": "2026-11-21T00:00:00Z", "labels": {"alertname": "X", "target": "elsewhere"}}
    assert door.hand_in(packed(forged)).json()["incidents"] == [name]
    after = door.house.store.incident(name)
    assert (after.target, after.owner, after.epoch, after.alert) == (before.target, before.owner, before.epoch, before.alert)  # fmt: skip # noqa: E501


def test_the_record_of_everything_above_still_holds(door: Door):
    assert door.house.store.verify().ok
    assert json.loads(door.send("GET", "/api/v1/incidents?limit=200", "vic").content)["items"]
