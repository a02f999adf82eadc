"""`ratchet lab`: up in a process of its own, looked at, broken, mended, down without a trace."""

import json
from pathlib import Path

import psutil
import pytest

from ratchet.cli.faults.standing import take_back
from ratchet.domain.errors import Refusal
from ratchet.lab.keeper import Asked, ask, read_state

pytestmark = pytest.mark.postgres


def test_a_lab_is_up_for_other_processes_and_goes_down_without_a_trace(ratchet, home: Path) -> None:
    assert ratchet("lab", "status").returncode == 5
    started = ratchet("lab", "up", "--no-replica", "--no-pgbouncer", "-o", "json")
    state = read_state(home / "lab" / "lab.json")
    try:
        assert started.returncode == 0, started.stderr
        assert json.loads(started.stdout)["targets"] == ["shop-db"]
        assert state is not None
        assert {Path(name).stat().st_mode & 0o777 for name in state.logins["shop-db"].values()} == {0o600}
        assert "postgresql://" not in started.stdout
        assert ratchet("lab", "up").returncode != 0
        targets = json.loads(ratchet("target", "list", "-o", "json").stdout)["items"]
        assert [(each["name"], each["tags"]) for each in targets] == [("shop-db", ["chaos"])]
        caused = ask(state, Asked(verb="inject", fault="db-idle-in-transaction", seed=4))
        assert caused["took"] is True
        assert "db-idle-in-transaction" in ratchet("lab", "status").stdout
        assert ask(state, Asked(verb="inject", fault="db-replication-lag"))["error"].endswith("a streaming replica.")
        with pytest.raises(Refusal, match="no fault in effect named 'zzzz'"):
            take_back(home, "zzzz")
        assert take_back(home, caused["label"]) == ""
        with pytest.raises(Refusal, match="no fault in effect"):
            take_back(home, caused["label"])
        keeper = psutil.Process(state.pid)
        servers = [each for each in keeper.children(recursive=True) if "postgres" in each.name()]
    finally:
        ended = ratchet("lab", "down")
    assert ended.returncode == 0, ended.stderr
    assert not psutil.pid_exists(state.pid) or keeper.status() == psutil.STATUS_ZOMBIE
    assert not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in servers)
    assert sorted(each.name for each in (home / "lab").iterdir()) == ["keeper.log"]
