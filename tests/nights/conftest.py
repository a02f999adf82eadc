"""A whole Ratchet over a real server for one test: house, gateway on a free port, tokens, and an HTTP client."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ratchet.config import read_settings
from ratchet.desk.views import TargetRequest
from ratchet.domain.target import SecretRef, Target
from ratchet.gateway.app import create_app
from ratchet.gateway.server import Server
from ratchet.lab.embedded import Cluster
from ratchet.wiring import House, open_house

PATIENCE = 40.0
"""Seconds a test waits for a status before it says what it saw instead."""


@dataclass
class Night:
    """One Ratchet at work. `ana` approves; `look` reads; every call is real HTTP."""

    house: House
    url: str
    tokens: dict[str, str]

    def call(self, method: str, path: str, who: str = "ana", body: Any = None) -> tuple[int, Any]:
        """Status and JSON body of one request."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        answer = httpx2.request(method, self.url + path, headers=headers, json=body, timeout=20)
        return answer.status_code, answer.json() if answer.content else None

    def alert(self, **labels: str) -> str:
        """Send one Alertmanager body; the name of its incident."""
        status, said = self.call("POST", "/api/v1/sources/alertmanager", "monitor", alertmanager_body(**labels))
        assert status == 202, said
        return said["incidents"][0]

    def incident(self, name: str) -> dict[str, Any]:
        return self.call("GET", f"/api/v1/incidents/{name}")[1]

    def until(self, name: str, *statuses: str) -> dict[str, Any]:
        """The incident once it has one of these statuses."""
        return self.until_true(name, lambda seen: seen["status"] in statuses)

    def until_true(self, name: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        seen = self.incident(name)
        while not holds(seen):
            if time.monotonic() > deadline:
                pytest.fail(f"{name} is still {seen['status']}:\n{json.dumps(seen['timeline'], indent=1)[-4000:]}")
            time.sleep(0.05)
            seen = self.incident(name)
        return seen

    def answer(self, incident: dict[str, Any], verb: str = "approve", who: str = "ana") -> tuple[int, Any]:
        decision = incident["decision"]
        body = {"digest": decision["digest"], "reason": "seen and understood"}
        return self.call("POST", f"/api/v1/decisions/{decision['id']}/{verb}", who, body)


def alertmanager_body(**labels: str) -> dict[str, Any]:
    """A version-4 body with one firing alert; `fingerprint` and `startsAt` follow the labels."""
    labels = {"alertname": "ShopLatencyHigh", "severity": "critical", **labels}
    print_of = format(abs(hash(tuple(sorted(labels.items())))) % 2**64, "016x")
    alert = {
        "status": "firing", "labels": labels, "annotations": {"summary": "API latency high on shop-db"},
        "startsAt": "2026-11-20T02:03:04.123Z", "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.invalid/graph", "fingerprint": print_of,
    }  # fmt: skip
    return {
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "ratchet",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager.invalid",
        "alerts": [alert],
    }  # fmt: skip


@pytest.fixture(scope="module")
def server(pg_binaries: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server of this module's own, since nights break things."""
    root = tmp_path_factory.mktemp("night") / "root"
    with Cluster.create(root, pg_binaries, settings={"max_connections": 40}) as cluster:
        cluster.add_login("night_admin", "SUPERUSER")
        cluster.add_login("night_canary")
        cluster.add_login("night_app")
        yield cluster


@pytest.fixture
def night(server: Cluster, tmp_path: Path) -> Iterator[Night]:
    """Ratchet with one provisioned chaos target, `shop-db`."""
    with opened(server, tmp_path) as one:
        yield one


class opened:  # noqa: N801 - reads as a word in a with statement
    """A Night as a context; the target is registered at the first opening of a home."""

    def __init__(
        self,
        server: Cluster,
        home: Path,
        tags: tuple[str, ...] = ("chaos",),
        allow: tuple[str, ...] = (),
        database: str = "postgres",
    ) -> None:
        logins = {name: server.dsn(f"night_{name}", database) for name in ("admin", "canary")}
        environ = {**os.environ, "NIGHT_ADMIN": logins["admin"], "NIGHT_CANARY": logins["canary"]}
        self._settings = read_settings(environ, home / "home")
        self._tags = tags
        self._allow = allow

    def __enter__(self) -> Night:
        house = open_house(self._settings, lambda line: None)
        desk = house.desk(house.operator())
        if not house.store.targets():
            desk.add_target(
                TargetRequest(
                    target=Target(
                        name="shop-db", kind="postgres", tags=self._tags, owner="user:default/ana",
                        canary=SecretRef(kind="env", name="NIGHT_CANARY"),
                    ),
                    admin=SecretRef(kind="env", name="NIGHT_ADMIN"),
                    allow=self._allow,
                )
            )  # fmt: skip
        tokens = {
            "ana": desk.make_token("ana", person=True, role="approver").text,
            "ben": desk.make_token("ben", person=True, role="approver").text,
            "vic": desk.make_token("vic", person=True, role="viewer").text,
            "monitor": desk.make_token("monitor", person=False, role="source").text,
        }
        house.start()
        house.work()
        self._house, self._server = house, Server(create_app(house))
        return Night(house, self._server.start(), tokens)

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._house.close()
