"""The demo as its user meets it: four faults, four recoveries, nothing left behind."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import PROGRAM, environment

CAUSES = {
    "db-max-connections": "connection_exhaustion_idle_leak",
    "db-lock-contention": "lock_chain_root_blocker",
    "db-idle-in-transaction": "idle_in_transaction_blocker",
    "db-replication-lag": "replay_paused",
}
OFTEN = ("db-replication-lag",)
"""Played each time, beside the kept demo, which has the first one; all of them with RATCHET_ALL_FAULTS."""
PLAYED = tuple(CAUSES) if os.environ.get("RATCHET_ALL_FAULTS") else OFTEN
LIMIT_S = 120

pytestmark = [pytest.mark.night, pytest.mark.postgres]


@pytest.fixture
def place(tmp_path):
    """A directory for everything that the demo makes; empty and alone again at the end."""
    (tmp_path / "tmp").mkdir()
    yield tmp_path / "tmp"
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "home").exists(), "the demo touched the home of its user"
    left = [p.pid for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]
    assert left == []


def surroundings(place) -> dict[str, str]:
    return environment(place.parent / "home", {"TMPDIR": str(place)})


@pytest.mark.parametrize("fault", PLAYED)
def test_the_demo_recovers_by_the_right_cause_and_touches_nobody_else(fault, place):
    done = subprocess.run(
        [*PROGRAM, "demo", "--yes", "--fault", fault, "-o", "json"], capture_output=True, text=True, timeout=LIMIT_S,
        env=surroundings(place), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert (told["fault"], told["cause"], told["recovered"]) == (fault, CAUSES[fault], True)
    assert told["untouched_bystanders"] is True
    assert told["probes"] > 0
    assert told["confidence"] > 0.5
    assert told["verification"]["samples"] >= 4
    assert told["verification"]["sustained_seconds"] >= 3
    assert told["draft"]["id"].startswith("pb_faulttest_")
    assert "nobody was asked" in done.stderr
    assert "rtk_" not in done.stderr + done.stdout


def interrupted(place, *words: str, until: bytes, then: bytes | int) -> tuple[int, bytes]:
    """Run on a terminal; once `until` is seen, type `then` or send that signal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(PROGRAM[0], [*PROGRAM, "demo", *words], {**surroundings(place), "TERM": "xterm-256color"})
    seen, done, deadline = b"", False, time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        try:
            read = os.read(terminal, 65_536)
        except OSError:
            break
        seen += read
        if not done and until in seen:
            os.kill(pid, then) if isinstance(then, int) else os.write(terminal, then)
            done = True
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen


def test_a_no_at_the_terminal_sends_nothing_and_ends_with_three(place):
    code, seen = interrupted(place, until=b"[y/N]", then=b"n\n")
    assert code == 3, seen
    assert b"nothing was sent" in seen
    assert b"ASKED OF" in seen
    assert b"ratchet demo --keep" in seen, "what to type next is told after a no, too"


def test_ctrl_c_at_the_question_takes_everything_down(place):
    code, seen = interrupted(place, until=b"[y/N]", then=b"\x03")
    assert code == 130, seen


def test_a_termination_while_customers_suffer_takes_everything_down(place):
    code, seen = interrupted(place, "--yes", until=b"CAUSED", then=signal.SIGTERM)
    assert code == 143, seen


def test_a_kept_demo_prints_lines_that_work_and_goes_at_ctrl_c(place):
    told = place.parent / "told"
    with told.open("w", encoding="utf-8") as out:
        process = subprocess.Popen([*PROGRAM, "demo", "--yes", "--keep"], stdout=out, env=surroundings(place))
    try:
        lines = kept_lines(process, told)
        said = typed(lines, surroundings(place), place)
        assert '"is_active":true' in said
        assert "[PASS] " in said and "RECOVERED in " in said and "Vault: draft saved → " in said
        assert re.search(r"^db-max-connections .* PASS ", said, re.MULTILINE)
        assert "=== Vault Status - shop-db (last 30 days, 1 run) ===" in said and "100% (1/1)" in said
        assert "=== Vault Drift - shop-db (last 90 days) ===" in said
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        told.unlink()


def typed(lines: list[str], env: dict[str, str], place: Path) -> str:
    """What the lines after "Next" say, typed one after the other into one shell; the first that fails ends it."""
    begun = next(number for number, line in enumerate(lines) if line.startswith("== Next"))
    script = ["set -eo pipefail", *lines[begun + 1 : -1]]
    way = f"{Path(sys.executable).parent}:{env['PATH']}"
    history = str(place.parent / "history.json")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], env={**env, "PATH": way, "HELPDESK_FAULT_HISTORY_FILE": history},
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    Path(history).unlink(missing_ok=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def kept_lines(process: "subprocess.Popen[bytes]", told: Path) -> list[str]:
    """What the demo said until it began to wait."""
    deadline = time.monotonic() + LIMIT_S
    while "Serving until Ctrl-C" not in told.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        assert process.poll() is None, told.read_text(encoding="utf-8")
        time.sleep(0.1)
    return told.read_text(encoding="utf-8").splitlines()
