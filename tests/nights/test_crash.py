"""The server dies between the intent and the answer: after a restart the target is looked at; nothing runs twice."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ratchet.config import read_settings
from ratchet.lab.embedded import Cluster
from ratchet.wiring import open_house
from tests.nights.conftest import Night, opened
from tests.nights.culprits import alive, bystanders, leak

pytestmark = [pytest.mark.night, pytest.mark.postgres]


@contextmanager
def serving(home: Path, server: Cluster, failpoint: str | None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`ratchet serve` as a process of its own, and its address."""
    environ = {**os.environ, "NIGHT_ADMIN": server.dsn("night_admin"), "NIGHT_CANARY": server.dsn("night_canary")}
    if failpoint:
        environ["RATCHET_FAILPOINT"] = failpoint
    program = "from ratchet.cli import main; main()"
    command = [sys.executable, "-c", program, "--home", str(home / "home"), "serve", "--port", "0"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, address(process)
        finally:
            process.terminate()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if "listens at " in line:
            return line.split("listens at ")[1].split(";")[0].strip()
    raise AssertionError("ratchet serve ended before it listened")


def tokens(home: Path) -> dict[str, str]:
    """Tokens of the people and the monitor, made in the home while nothing serves it."""
    house = open_house(read_settings(os.environ, home / "home"), lambda line: None)
    try:
        desk = house.desk(house.operator())
        monitor = desk.make_token("pager", person=False, role="source").text
        return {"ana": desk.make_token("ana", person=True, role="approver").text, "monitor": monitor}
    finally:
        house.close()


def dead(process: subprocess.Popen[str]) -> int:
    return process.wait(timeout=20)


@pytest.mark.parametrize(
    ("place", "took"), [("kill:after_send", "yes"), ("kill:after_anchor", "no")], ids=["after the send", "before it"]
)
def test_a_step_whose_answer_was_lost_is_settled_by_looking_and_never_sent_blindly(
    server: Cluster, tmp_path: Path, place: str, took: str
) -> None:
    with opened(server, tmp_path):
        pass
    keys = tokens(tmp_path)
    with ExitStack() as trouble, serving(tmp_path, server, place) as (process, url):
        first = as_night(url, keys)
        innocent = trouble.enter_context(bystanders(server))
        leaked = trouble.enter_context(leak(server, "cart-svc", spare=3))
        asked = first.until(first.alert(target="shop-db"), "awaiting_approval")
        assert first.answer(asked)[0] == 200
        assert dead(process) == -9
        held = trouble.pop_all()
    with held:
        assert all(not alive(session) for session in leaked[:5]) is (took == "yes")
        with serving(tmp_path, server, None) as (_, url):
            night = as_night(url, keys)
            doubted = night.until_true(asked["id"], lambda i: "outcome_unknown" in events(i))
            assert doubted["status"] in ("acting", "verifying"), "a person is not asked before the looking"
            seen = night.until_true(asked["id"], lambda i: "outcome_settled" in events(i))
            settled = next(e for e in seen["timeline"] if e["event"] == "outcome_settled")
            assert settled["details"]["took"] == took
            done = night.until(asked["id"], "resolved", "escalated")
        assert all(alive(session) for session in innocent)
        assert events(done).count("fix_started") == (1 if took == "yes" else 2)


def events(incident: dict[str, Any]) -> list[str]:
    return [line["event"] for line in incident["timeline"]]


def as_night(url: str, keys: dict[str, str]) -> Night:
    """The HTTP half of a Night, over a process that is not ours."""
    deadline = time.monotonic() + 10
    while httpx2.get(url + "/readyz", timeout=5).status_code != 200:
        assert time.monotonic() < deadline, "the server never became ready"
        time.sleep(0.05)
    return Night(house=None, url=url, tokens=keys)  # type: ignore[arg-type] - only its HTTP side is used
