"""A real Alertmanager delivers to the gateway, waits while it cannot, and comes back."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from tests.gateway.conftest import Street
from tests.gateway.paper import UNAVAILABLE, PaperHouse

PROGRAM = shutil.which("prometheus-alertmanager")
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="prometheus-alertmanager is not installed; `make test` installs it"
)


def configuration(url: str, token: str) -> str:
    return json.dumps({
        "route": {"receiver": "ratchet", "group_by": ["alertname"], "group_wait": "1s", "group_interval": "1s"},
        "receivers": [{
            "name": "ratchet",
            "webhook_configs": [{
                "url": f"{url}/api/v1/sources/alertmanager", "send_resolved": True,
                "http_config": {"authorization": {"type": "Bearer", "credentials": token}},
            }],
        }],
    })  # fmt: skip


def eventually(holds: Callable[[], bool], within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False).is_success
    except httpx2.TransportError:
        return False


@pytest.fixture
def alertmanager(street: Street, tmp_path: Path) -> Iterator[str]:
    """The address of an Alertmanager that delivers to the street."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "am.yml").write_text(configuration(street.url, "rtk_source"), encoding="utf-8")
    assert PROGRAM is not None
    command = [
        PROGRAM, f"--config.file={tmp_path / 'am.yml'}", f"--storage.path={tmp_path / 'am'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with (
        (tmp_path / "am.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as running,
    ):
        try:
            eventually(lambda: answers(f"http://127.0.0.1:{port}/-/ready"))
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()


def fire(url: str, **update: str) -> None:
    labels = {"alertname": "PostgresqlTooManyConnections", "instance": "db-1", "severity": "critical"}
    body = [{"labels": labels, "annotations": {"summary": "Too many connections"}, **update}]
    httpx2.post(f"{url}/api/v2/alerts", json=body, trust_env=False).raise_for_status()


def test_it_delivers_what_fires_and_what_resolves(alertmanager: str, house: PaperHouse):
    began = datetime.now(UTC) - timedelta(minutes=5)
    fire(alertmanager, startsAt=began.isoformat())
    eventually(lambda: bool(house.papers.alerts))
    firing = house.papers.alerts[0]
    assert (firing.name, firing.status, firing.ends_at) == ("PostgresqlTooManyConnections", "firing", None)
    assert firing.starts_at == began
    fire(alertmanager, startsAt=began.isoformat(), endsAt=datetime.now(UTC).isoformat())
    eventually(lambda: house.papers.alerts[-1].status == "resolved")
    resolved = house.papers.alerts[-1]
    assert resolved.key == firing.key
    assert resolved.ends_at is not None


def test_it_comes_back_after_a_503_and_nothing_is_lost(alertmanager: str, house: PaperHouse):
    house.papers.refuse = UNAVAILABLE
    fire(alertmanager)
    eventually(lambda: len(house.papers.calls) >= 2)
    assert house.papers.alerts == []
    house.papers.refuse = None
    eventually(lambda: bool(house.papers.alerts))
