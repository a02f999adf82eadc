"""Alerts over the wire: durable before 202, bounded before parsed, 503 when they cannot be kept."""

import gzip
import json
import socket
from urllib.parse import urlsplit

import psutil
import pytest

from ratchet.gateway.house import Listener
from tests.gateway.bodies import alert, webhook
from tests.gateway.conftest import Street
from tests.gateway.paper import UNAVAILABLE, PaperHouse, service

PATH = "/api/v1/sources/alertmanager"


def test_an_alert_is_kept_before_it_is_answered_for(ask, house: PaperHouse):
    answer = ask("POST", PATH, "source", json=webhook())
    assert (answer.status_code, answer.json()) == (202, {"incidents": ["INC-1"]})
    assert [a.fingerprint for a in house.papers.alerts] == ["c6eadffa33fcdf37"]


def test_without_a_token_nothing_comes_in_once_a_source_token_exists(ask, house: PaperHouse):
    answer = ask("POST", PATH, json=webhook())
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert house.papers.alerts == []


def test_on_loopback_before_any_source_token_alerts_need_none(ask, house: PaperHouse):
    house.source = service("loopback", "source")
    assert ask("POST", PATH, json=webhook()).status_code == 202
    assert ask("POST", PATH, "unknown", json=webhook()).status_code == 401
    assert ask("GET", "/api/v1/incidents").status_code == 401


def test_alerts_without_a_token_never_come_from_elsewhere(ask, street: Street, house: PaperHouse):
    house.source = service("loopback", "source")
    assert ask("POST", PATH, json=webhook(), headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 401
    street.put(house, Listener(loopback=False))
    assert ask("POST", PATH, json=webhook()).status_code == 401
    assert house.papers.alerts == []


@pytest.mark.parametrize("role", ["operator", "approver", "admin"])
def test_people_who_operate_may_hand_in_alerts_too(ask, role: str):
    assert ask("POST", PATH, role, json=webhook()).status_code == 202


def test_when_it_cannot_be_kept_the_sender_is_told_to_come_back(ask, house: PaperHouse):
    house.papers.refuse = UNAVAILABLE
    answer = ask("POST", PATH, "source", json=webhook())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["code"] == "unavailable"


def test_garbage_is_answered_with_what_is_missing(ask):
    answer = ask("POST", PATH, "source", json={"alerts": []})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert [mistake["where"] for mistake in answer.json()["mistakes"]] == ["version"]
    assert "version" in answer.json()["detail"]


def test_a_packed_body_is_unpacked(ask, house: PaperHouse):
    packed = gzip.compress(json.dumps(webhook()).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert ask("POST", PATH, "source", content=packed, headers=headers).status_code == 202
    assert len(house.papers.alerts) == 1


@pytest.mark.parametrize(("encoding", "status"), [("br", 415), ("gzip, gzip", 415), ("deflate", 415), ("gzip", 400)])
def test_a_body_packed_in_another_way_is_refused(ask, encoding: str, status: int):
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = ask("POST", PATH, "source", content=b"{}", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_gzip_bomb_is_refused_without_being_unpacked(ask, house: PaperHouse):
    bomb = gzip.compress(bytes(400 * 1024 * 1024), compresslevel=1)
    bomb_size = len(bomb)
    assert bomb_size < 5 * 1024 * 1024
    before = psutil.Process().memory_info().rss
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = ask("POST", PATH, "source", content=bomb, headers=headers)
    assert answer.status_code == 413
    assert psutil.Process().memory_info().rss - before < 100 * 1024 * 1024
    assert house.papers.alerts == []


def raw(street: Street, head: str, *chunks: bytes) -> bytes:
    """What the server says to bytes as they are; a server that hung up while we wrote has said all it wants."""
    place = urlsplit(street.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as wire:
        lines = [f"Host: {place.netloc}", "Authorization: Bearer rtk_source", "Content-Type: application/json"]
        wire.sendall("\r\n".join([head, *lines, "", ""]).encode())
        said = b""
        try:
            for chunk in chunks:
                wire.sendall(chunk)
            wire.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while part := wire.recv(65536):
                said += part
        except ConnectionResetError:
            pass
        return said


def test_fifty_megabytes_are_refused_by_their_announcement(street: Street):
    said = raw(street, f"POST {PATH} HTTP/1.1\r\nContent-Length: {50 * 1024 * 1024}")
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in said


def test_a_body_without_end_is_refused_at_the_limit(street: Street, house: PaperHouse):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    said = raw(street, f"POST {PATH} HTTP/1.1\r\nTransfer-Encoding: chunked", *[chunk] * 81)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert house.papers.alerts == []


def test_a_large_but_allowed_body_is_taken(ask, house: PaperHouse):
    alerts = [alert(fingerprint=f"{n:016x}", annotations={"summary": "s" * 1000}) for n in range(3000)]
    assert ask("POST", PATH, "source", json=webhook(*alerts)).status_code == 202
    assert len(house.papers.alerts) == 3000


def test_other_bodies_have_a_smaller_limit(ask):
    answer = ask("POST", "/api/v1/playbooks/lint", "viewer", json={"text": "x" * (1024 * 1024 + 1)})
    assert answer.status_code == 413


def test_alerts_in_our_own_words_are_closed_and_bounded(ask, house: PaperHouse):
    own = {"source": "cron", "fingerprint": "f", "starts_at": "2026-11-20T02:03:04Z", "labels": {"a": "x" * 20_000}}
    assert ask("POST", "/api/v1/alerts", "source", json={"alerts": [own]}).status_code == 202
    assert "truncated" in house.papers.alerts[0].labels["a"]
    refused = ask("POST", "/api/v1/alerts", "source", json={"alerts": [{**own, "approved": True}]})
    assert refused.status_code == 400


def test_received_alerts_are_counted(ask):
    ask("POST", PATH, "source", json=webhook(alert(), alert(status="resolved", fingerprint="b")))
    page = ask("GET", "/metrics").text
    assert 'ratchet_alerts_received_total{source="alertmanager",status="firing"} 1.0' in page
    assert 'ratchet_alerts_received_total{source="alertmanager",status="resolved"} 1.0' in page
