"""The shop and its bystanders, as people and monitors see them."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from ratchet.domain.fault import FaultCheck
from ratchet.lab.binaries import Binaries
from ratchet.lab.checks import unmet
from ratchet.lab.lab import Lab

pytestmark = pytest.mark.postgres

HEALTHY = FaultCheck(uses="shop.healthy", within=15)


def ask(url: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def test_a_healthy_shop_says_so_over_http(lab: Lab, becomes: Callable[[Callable[[], bool]], bool]) -> None:
    assert not unmet([HEALTHY], lab)
    assert becomes(lambda: ask(lab.health.url)[0] == 200)
    code, body = ask(lab.health.url)
    assert (code, body["healthy"], body["last_error"]) == (200, True, "")


def test_a_dead_server_is_a_visible_failure_and_the_shop_comes_back_by_itself(
    tmp_path: Path, pg_binaries: Binaries, becomes: Callable[[Callable[[], bool]], bool]
) -> None:
    with Lab.up(tmp_path / "root", replica=False, seed=1, binaries=pg_binaries) as lab:
        assert not unmet([HEALTHY], lab)
        lab.primary.stop("immediate")
        assert not unmet([FaultCheck(uses="shop.failing", args={"worker": "checkout"})], lab)
        assert ask(lab.health.url)[0] == 503
        assert becomes(lambda: "refused" in str(ask(lab.health.url)[1]["last_error"])), "the address is a closed door"
        assert not lab.bystanders.untouched()
        lab.primary.start()
        assert not unmet([HEALTHY], lab)
        psutil.Process(lab.primary.pid).suspend()
    assert not (tmp_path / "root").exists()


def test_a_bystander_that_is_ended_or_loses_its_transaction_counts_as_touched(lab: Lab) -> None:
    from_outside = lab.bystanders.pids()
    assert lab.bystanders.untouched()
    assert len(from_outside) == len(lab.bystanders.names()) == 4
    with lab.primary.connect() as session:
        rows = session.execute(
            "SELECT application_name, state, backend_xid FROM pg_stat_activity WHERE pid = ANY (%s)",
            [list(from_outside)],
        ).fetchall()
    assert sorted(state for _, state, _ in rows) == ["idle", "idle", "idle", "idle in transaction"]
    assert all(xid is None for _, _, xid in rows)


def test_endpoints_hide_their_passwords_and_let_in(lab: Lab) -> None:
    for member in ("primary", "replica"):
        endpoint = lab.endpoint(member)
        for dsn in (endpoint.admin_dsn, endpoint.canary_dsn):
            assert dsn.split(":")[2].split("@")[0] not in repr(endpoint) + repr(lab)
            with psycopg.connect(dsn) as session:
                assert session.execute("SELECT count(*) FROM heartbeat").fetchone() == (1,)
