"""Houses for hostile input: a quiet one without a worker, and a server with the logins that a whole night needs."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from ratchet.config import Settings
from ratchet.domain import timeline as e
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.house import Role
from ratchet.domain.incident import Incident
from ratchet.domain.target import Target
from ratchet.gateway.app import create_app
from ratchet.gateway.server import Server
from ratchet.lab.embedded import Cluster
from ratchet.wiring.house import House, open_house
from tests.store import walks

JSON = {"Content-Type": "application/json"}
WEBHOOK = "/api/v1/sources/alertmanager"
AFTERWARDS = timedelta(minutes=50)
"""When what waits for an answer is looked at by itself: once every test is over."""
_ids = count(1)


@dataclass
class Door:
    """A real house behind real HTTP whose worker never runs: what comes in stays as it came in."""

    house: House
    url: str
    tokens: dict[str, str]
    client: httpx2.Client

    def send(self, method: str, path: str, who: str | None = "ana", **more: Any) -> httpx2.Response:
        headers = dict(more.pop("headers", {}))
        if who:
            headers["Authorization"] = f"Bearer {self.tokens.get(who, who)}"
        return self.client.request(method, self.url + path, headers=headers, **more)

    def hand_in(self, content: bytes | str, **headers: str) -> httpx2.Response:
        """Bytes as they are, as an Alertmanager would send them."""
        return self.send("POST", WEBHOOK, "monitor", content=content, headers={**JSON, **headers})

    def answer(self, packet: DecisionPacket, verb: str = "approve", who: str = "ana", **more: Any) -> httpx2.Response:
        body = {"digest": packet.digest, "reason": "seen", **more}
        return self.send("POST", f"/api/v1/decisions/{packet.id}/{verb}", who, json=body)

    def token(self, name: str, role: Role = "approver", *, person: bool = True, days: int | None = None) -> str:
        """A token's text under that name for `who`; the same name may have several."""
        made = self.house.desk(self.house.operator()).make_token(name, person=person, role=role, days=days)
        self.tokens[made.token.id] = made.text
        return made.token.id

    def asked(self, quorum: int = 1, lasts: timedelta = timedelta(minutes=10), **packet: Any) -> DecisionPacket:
        """An incident that waits for an answer, and its packet."""
        return self.waiting(quorum, lasts, **packet)[1]

    def waiting(
        self, quorum: int = 1, lasts: timedelta = timedelta(minutes=10), **packet: Any
    ) -> tuple[Incident, DecisionPacket]:
        store, now, name = self.house.store, datetime.now(UTC), f"bad{next(_ids)}"

        def build(number: int) -> e.Opened:
            opened = walks.opened(number, None)
            return opened.model_copy(update={"alert": walks.alert(name)})

        incident = store.open(name, build, "ratchet")
        seen = walks.look()
        looked = e.Looked(candidates=("v1",), evidence=(seen.id,), answers={"sessions": "ok"}, elapsed_ms=1)
        events = [looked, e.Concluded(conclusion=walks.conclusion()), e.Planned(plan=walks.plan())]
        incident = store.commit(incident, *events, by="ratchet", evidence=[seen], wake_at=now + AFTERWARDS)
        made = walks.packet(incident, now, quorum).model_copy(update={"expires_at": now + lasts, **packet})
        incident = store.commit(incident, e.Asked(packet=made), by="ratchet", wake_at=now + AFTERWARDS)
        assert incident.status == "awaiting_approval"
        return incident, made

    def approvals(self, packet: DecisionPacket) -> list[str]:
        """Whose yes stands in the incident's own events."""
        found = self.house.store.incident(self.house.store.decision(packet.id)[0].incident)
        return [each.by for each in self.house.store.refold(found.id).approvals]


class door_at:  # noqa: N801 - reads as a word in a with statement
    """A Door over a state directory."""

    def __init__(self, home: Path, *targets: Target) -> None:
        self._home, self._targets = home, targets

    def __enter__(self) -> Door:
        self._house = open_house(Settings(home=self._home), lambda _: None)
        for target in self._targets:
            self._house.store.put_target(target, "user:ana")
        self._server = Server(create_app(self._house))
        self._client = httpx2.Client(trust_env=False, timeout=60)
        door = Door(self._house, self._server.start(), {}, self._client)
        roles: tuple[tuple[str, Role], ...] = (("ana", "approver"), ("ben", "approver"), ("vic", "viewer"))
        for name, role in roles:
            door.tokens[name] = door.tokens[door.token(name, role)]
        door.tokens["monitor"] = door.tokens[door.token("monitor", "source", person=False)]
        return door

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._server.stop()
        self._house.close()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One quiet house per module; tests make their own incidents in it."""
    with door_at(tmp_path_factory.mktemp("state") / "home") as one:
        yield one


@pytest.fixture(scope="session")
def served(pg: Cluster) -> Cluster:
    """The shared server with the logins that a night uses."""
    if "night_admin" not in pg.passwords:
        pg.add_login("night_admin", "SUPERUSER")
        pg.add_login("night_canary")
        pg.add_login("night_app")
    return pg


@pytest.fixture
def grown() -> Callable[[], int]:
    """How many bytes this process has grown by since the test began."""
    process = psutil.Process()
    before = process.memory_info().rss
    return lambda: process.memory_info().rss - before


def alert(**over: Any) -> dict[str, Any]:
    """One firing alert as Alertmanager writes it."""
    whole = {
        "status": "firing", "labels": {"alertname": "ShopLatencyHigh"}, "annotations": {"summary": "slow"},
        "startsAt": "2026-11-20T02:03:04.123Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "",
        "fingerprint": format(next(_ids), "016x"),
    }  # fmt: skip
    return {**whole, **over}


def webhook(*alerts: Any, **over: Any) -> dict[str, Any]:
    whole = {"version": "4", "groupKey": "", "status": "firing", "receiver": "ratchet", "alerts": [*alerts]}
    return {**whole, **over}


def packed(*alerts: Any, **over: Any) -> str:
    return json.dumps(webhook(*alerts, **over))
