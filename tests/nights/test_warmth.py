"""The warm sessions outlive a restart of their server, so that a full server is met from inside."""

import time

import pytest

from ratchet.lab.embedded import Cluster
from tests.nights.conftest import Night
from tests.nights.culprits import leak

pytestmark = [pytest.mark.night, pytest.mark.postgres]

OURS = "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'ratchet:%'"


def ours(server: Cluster) -> set[str]:
    with server.connect() as session:
        return {row[0] for row in session.execute(OURS)}


def test_after_a_restart_both_sessions_are_back_before_anybody_asks(night: Night, server: Cluster) -> None:
    server.restart()
    deadline = time.monotonic() + 30
    while ours(server) < {"ratchet:diag", "ratchet:act"}:
        assert time.monotonic() < deadline, f"only {ours(server)} came back"
        time.sleep(0.1)
    with leak(server):
        asked = night.until(night.alert(target="shop-db"), "awaiting_approval")
    assert asked["cause"] == "connection_exhaustion_idle_leak"
