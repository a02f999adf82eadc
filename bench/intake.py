"""How many alerts a second are made durable before their 202, how long each waits, and what one large body costs."""

import http.client
import json
import multiprocessing
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, perf_counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bench.figure import Figure
from bench.scene import alertmanager_body
from ratchet.config import read_settings
from ratchet.gateway.app import create_app
from ratchet.gateway.server import Server
from ratchet.wiring import House, open_house

CONNECTIONS = 64
SENDERS = 2
SECONDS = 10.0
RATE_GOAL = 500.0
WAIT_GOAL_MS = 250.0
LARGE = 10_000
GROUPS = 5
STORM = 100_000
FINGERPRINTS = 1_000
OCCURRENCES = 5


class Counts(NamedTuple):
    """What came of some calls."""

    kept: int
    refused: int
    waits: list[float]
    """Seconds per call."""


def run() -> list[Figure]:
    """The same troubles called again and again (as monitors do), then new ones every time, then large bodies."""
    return [
        *measured("64 troubles that repeat", 64),
        *measured("every one a new trouble", None),
        *large_bodies(),
        *storm(),
    ]


@contextmanager
def receiving() -> Iterator[tuple[House, str, str]]:
    """A house without a worker, its address and a source's token."""
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as place:
        house = open_house(read_settings({}, Path(place) / "home"), lambda _: None)
        try:
            token = house.desk(house.operator()).make_token("monitor", person=False, role="source").text
            with Server(create_app(house)) as url:
                yield house, url, token
        finally:
            house.close()


def measured(name: str, distinct: int | None) -> list[Figure]:
    with receiving() as (_, url, token):
        counts = send(url, token, distinct)
    p99 = quantiles(counts.waits, n=100, method="inclusive")[98] * 1000
    note = f"{counts.kept} accepted, {counts.refused} refused, {CONNECTIONS} connections"
    return [
        Figure(f"alerts a second, {name}", counts.kept / SECONDS, "1/s", RATE_GOAL, better="more", note=note),
        Figure(
            "their wait, 99th percentile", p99, "ms", WAIT_GOAL_MS, note=f"median {median(counts.waits) * 1000:.0f}"
        ),
    ]


def large_bodies() -> list[Figure]:
    """One body into a few incidents, and a tenth of it beside it, since the time must be linear."""
    figures: list[Figure] = []
    for alerts in (LARGE // 10, LARGE):
        with receiving() as (_, url, token):
            for name, status in (("new", "firing"), ("again", "firing"), ("all resolved", "resolved")):
                took = post(url, token, [one(n, n % GROUPS, status=status) for n in range(alerts)])
                figures.append(Figure(f"one body of {alerts} alerts in {GROUPS} incidents, {name}", took, "s"))
    return figures


def storm() -> list[Figure]:
    """The same fingerprints in every wave, a few of the waves new occurrences: only what is new is written."""
    waves = STORM // FINGERPRINTS
    with receiving() as (house, url, token):
        began = perf_counter()
        for wave in range(waves):
            hour = wave * OCCURRENCES // waves
            post(url, token, [one(n, n, starts_at=f"2026-01-31T{hour:02d}:00:00Z") for n in range(FINGERPRINTS)])
        took = perf_counter() - began
        newest = house.desk(house.operator()).incidents(limit=1).items[0].id
    note = f"{FINGERPRINTS} fingerprints, {OCCURRENCES} occurrences of each; the newest incident is {newest}"
    return [Figure(f"a storm of {STORM} alerts in {waves} bodies", took, "s", note=note)]


def one(name: int, group: int, *, status: str = "firing", starts_at: str = "2026-01-31T02:00:00Z") -> dict[str, Any]:
    labels = {"alertname": "Bench", "instance": f"db-{name}:5432"}
    return {
        "source": "bench", "fingerprint": f"f{name}", "starts_at": starts_at, "status": status, "labels": labels,
        "annotations": {"summary": "Something is wrong with the shop"}, "group_key": f"g{group}",
    }  # fmt: skip


def post(url: str, token: str, alerts: list[dict[str, Any]]) -> float:
    """Seconds until the body was answered for."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=600)) as connection:
        before = perf_counter()
        connection.request("POST", "/api/v1/alerts", json.dumps({"alerts": alerts}), headers)
        answer = connection.getresponse()
        said = answer.read()
        took = perf_counter() - before
    if answer.status != 202:
        raise RuntimeError(f"refused with {answer.status}: {said[:500]!r}")
    return took


def send(url: str, token: str, distinct: int | None) -> Counts:
    """The senders are processes of their own, so that they do not share the server's interpreter."""
    spawn = multiprocessing.get_context("spawn")
    each = [(url, token, distinct, number) for number in range(SENDERS)]
    with spawn.Pool(SENDERS) as pool:
        return together(pool.starmap(sender, each))


def together(counts: list[Counts]) -> Counts:
    waits = [each for one in counts for each in one.waits]
    return Counts(sum(one.kept for one in counts), sum(one.refused for one in counts), waits)


def sender(url: str, token: str, distinct: int | None, number: int) -> Counts:
    """One process with its share of the connections."""
    counts: list[Counts] = []
    lines = [
        threading.Thread(target=lambda at=at: counts.append(line(url, token, distinct, (number, at))))
        for at in range(CONNECTIONS // SENDERS)
    ]
    for thread in lines:
        thread.start()
    for thread in lines:
        thread.join()
    return together(counts)


def line(url: str, token: str, distinct: int | None, who: tuple[int, int]) -> Counts:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    kept = refused = 0
    waits: list[float] = []
    until = monotonic() + SECONDS
    while monotonic() < until:
        seq = kept + refused
        mark = f"{who[0]:02x}{who[1]:02x}{seq:012x}" if distinct is None else f"{(seq * 7 + who[1]) % distinct:016x}"
        body = alertmanager_body(mark, {"alertname": "Bench", "instance": f"db-{mark}:5432"})
        if distinct is not None:
            body["alerts"][0]["startsAt"] = "2026-01-31T02:00:00Z"
        before = perf_counter()
        connection.request("POST", "/api/v1/sources/alertmanager", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        waits.append(perf_counter() - before)
        kept, refused = (kept + 1, refused) if answer.status == 202 else (kept, refused + 1)
    connection.close()
    return Counts(kept, refused, waits)
