"""A whole Ratchet over a lab of its own, spoken to by HTTP alone, for measurements that need one."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from ratchet.config import read_settings
from ratchet.desk.views import TargetRequest
from ratchet.domain.fault import AlertText, Fault
from ratchet.domain.target import SecretRef, Target
from ratchet.gateway.app import create_app
from ratchet.gateway.server import Server
from ratchet.lab.binaries import Binaries, find_binaries
from ratchet.lab.catalog import load_catalog
from ratchet.lab.faults import Injected, inject
from ratchet.lab.lab import Lab
from ratchet.wiring import House, open_house

PATIENCE = 60.0
SETTLED = 2.5
"""Seconds that a fault lasts before the alert: a condition may ask that sessions have been idle for a while."""
TARGET = "shop-db"
NAMES_NOTHING = AlertText(
    labels={"alertname": "ServiceDegraded"}, annotations={"summary": "Something is wrong with the shop"}
)


@dataclass
class Scene:
    """`ana` approves, `monitor` hands in alerts."""

    house: House
    lab: Lab
    url: str
    tokens: dict[str, str]
    client: httpx2.Client
    sent: int = 0
    last: dict[str, Any] = field(default_factory=dict[str, Any])
    """The body of the last alert."""

    def call(self, method: str, path: str, who: str = "ana", body: Any = None) -> Any:
        """The JSON body of a good answer; raises RuntimeError with what another one said."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        answer = self.client.request(method, self.url + path, headers=headers, json=body, timeout=PATIENCE)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.text[:400]}")
        return answer.json()

    def alert(self, text: AlertText = NAMES_NOTHING, target: str = TARGET) -> tuple[str, datetime]:
        """Send one alert, by default one that names no playbook; its incident, and the moment before it was sent."""
        self.sent += 1
        self.last = alertmanager_body(f"{self.sent:016x}", {**text.labels, "target": target}, text.annotations)
        began = datetime.now(UTC)
        return self.call("POST", "/api/v1/sources/alertmanager", "monitor", self.last)["incidents"][0], began

    def over(self) -> None:
        """The monitor says that what the last alert told is over."""
        (alert,) = self.last["alerts"]
        ended = {**alert, "status": "resolved", "endsAt": datetime.now(UTC).isoformat()}
        self.call(
            "POST", "/api/v1/sources/alertmanager", "monitor", {**self.last, "status": "resolved", "alerts": [ended]}
        )

    def incident(self, name: str) -> dict[str, Any]:
        return self.call("GET", f"/api/v1/incidents/{name}")

    def until(self, name: str, *statuses: str) -> dict[str, Any]:
        """The incident once it has one of these statuses."""
        return self.until_true(name, lambda seen: seen["status"] in statuses)

    def until_true(self, name: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while not holds(seen := self.incident(name)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} is still {seen['status']}: {seen['needs']}")
            time.sleep(0.02)
        return seen

    def answer(self, seen: dict[str, Any], verb: str) -> datetime:
        """Answer the open decision; the moment before the answer was sent."""
        decision, began = seen["decision"], datetime.now(UTC)
        body = {"digest": decision["digest"], "reason": "measured"}
        self.call("POST", f"/api/v1/decisions/{decision['id']}/{verb}", "ana", body)
        return began


@contextmanager
def scene(binaries: Binaries | None = None) -> Iterator[Scene]:
    """Everything up; everything gone afterwards."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ratchet-bench-")))
        lab = stack.enter_context(
            Lab.up(place / "lab", replica=False, seed=1, binaries=binaries or find_binaries(os.environ))
        )
        end = lab.endpoint()
        environ = {**os.environ, "BENCH_ADMIN": end.admin_dsn, "BENCH_CANARY": end.canary_dsn}
        house = open_house(read_settings(environ, place / "home"), lambda _: None)
        stack.callback(house.close)
        desk = house.desk(house.operator())
        canary = SecretRef(kind="env", name="BENCH_CANARY")
        target = Target(name=TARGET, kind="postgres", tags=("chaos",), owner="user:default/ana", canary=canary)
        desk.add_target(TargetRequest(target=target, admin=SecretRef(kind="env", name="BENCH_ADMIN")))
        tokens = {
            "ana": desk.make_token("ana", person=True, role="approver").text,
            "monitor": desk.make_token("monitor", person=False, role="source").text,
        }
        house.start()
        house.work()
        url = stack.enter_context(Server(create_app(house)))
        client = stack.enter_context(httpx2.Client(timeout=30, trust_env=False))
        yield Scene(house, lab, url, tokens, client)


def caused(here: Scene, fault: str = "db-max-connections", seed: int = 1) -> Injected:
    """A fault in effect; a context that takes it back."""
    injected = inject(found(fault), here.lab, seed)
    if not injected.took():
        injected.undo()
        raise TimeoutError(f"{fault} did not take")
    time.sleep(SETTLED)
    return injected


def found(fault: str) -> Fault:
    return load_catalog().find(fault)


def seconds_to(label: str, seen: dict[str, Any], began: datetime, which: int = -1) -> float:
    """From `began` to the last event with this label (or another one), by the time that stands in the timeline."""
    times = [line["time"] for line in seen["timeline"] if line["event"] == label]
    return (datetime.fromisoformat(times[which].replace("Z", "+00:00")) - began).total_seconds()


def alertmanager_body(
    fingerprint: str, labels: dict[str, str], annotations: dict[str, str] = NAMES_NOTHING.annotations
) -> dict[str, Any]:
    """A version-4 body with one firing alert of a group of its own."""
    alert = {
        "status": "firing", "labels": labels, "annotations": annotations,
        "startsAt": datetime.now(UTC).isoformat(), "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.invalid/graph", "fingerprint": fingerprint,
    }  # fmt: skip
    return {
        "version": "4", "groupKey": "{}:{fp=" + fingerprint + "}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "ratchet", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.invalid", "alerts": [alert],
    }  # fmt: skip


def events(seen: dict[str, Any]) -> Sequence[str]:
    return [line["event"] for line in seen["timeline"]]
