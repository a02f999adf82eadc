"""How many alerts a second are made durable before their 202, over 16 connections at once."""

import http.client
import json
import multiprocessing
import tempfile
import threading
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from bench.figure import Figure
from bench.scene import alertmanager_body
from ratchet.config import read_settings
from ratchet.gateway.app import create_app
from ratchet.gateway.server import Server
from ratchet.wiring import open_house

CONNECTIONS = 16
SENDERS = 2
SECONDS = 10.0


def run() -> list[Figure]:
    """The same troubles called again and again (as monitors do), then new ones every time."""
    return [
        measured("alerts a second, 64 troubles that repeat", 64),
        measured("alerts a second, every one a new trouble", None),
    ]


def measured(name: str, distinct: int | None) -> Figure:
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as place:
        house = open_house(read_settings({}, Path(place) / "home"), lambda _: None)
        try:
            token = house.desk(house.operator()).make_token("monitor", person=False, role="source").text
            with Server(create_app(house)) as url:
                kept, refused = send(url, token, distinct)
        finally:
            house.close()
    return Figure(name, kept / SECONDS, "1/s", better="more", note=f"{kept} accepted, {refused} refused")


def send(url: str, token: str, distinct: int | None) -> tuple[int, int]:
    """The senders are processes of their own, so that they do not share the server's interpreter."""
    spawn = multiprocessing.get_context("spawn")
    each = [(url, token, distinct, number) for number in range(SENDERS)]
    with spawn.Pool(SENDERS) as pool:
        counts = pool.starmap(sender, each)
    return sum(kept for kept, _ in counts), sum(refused for _, refused in counts)


def sender(url: str, token: str, distinct: int | None, number: int) -> tuple[int, int]:
    """One process with its share of the connections; (accepted, refused)."""
    counts: list[tuple[int, int]] = []
    lines = [
        threading.Thread(target=lambda at=at: counts.append(line(url, token, distinct, (number, at))))
        for at in range(CONNECTIONS // SENDERS)
    ]
    for thread in lines:
        thread.start()
    for thread in lines:
        thread.join()
    return sum(kept for kept, _ in counts), sum(refused for _, refused in counts)


def line(url: str, token: str, distinct: int | None, who: tuple[int, int]) -> tuple[int, int]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    kept = refused = 0
    until = monotonic() + SECONDS
    while monotonic() < until:
        seq = kept + refused
        mark = f"{who[0]:02x}{who[1]:02x}{seq:012x}" if distinct is None else f"{(seq * 7 + who[1]) % distinct:016x}"
        body = alertmanager_body(mark, {"alertname": "Bench", "instance": f"db-{mark}:5432"})
        if distinct is not None:
            body["alerts"][0]["startsAt"] = "2026-01-31T02:00:00Z"
        connection.request("POST", "/api/v1/sources/alertmanager", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        kept, refused = (kept + 1, refused) if answer.status == 202 else (kept, refused + 1)
    connection.close()
    return kept, refused
