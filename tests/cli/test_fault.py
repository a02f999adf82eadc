"""`ratchet fault` over a real lab: graded, told as it was always told, kept, exported, taken back, gone on with."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Shell

pytestmark = pytest.mark.postgres
PATIENCE_S = 60
FAULT = "db-idle-in-transaction"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A home with a lab that is up: a primary and nothing else."""
    one = Shell(tmp_path_factory.mktemp("drills") / "home")
    up = one("lab", "up", "--no-replica", "--no-pgbouncer")
    assert up.returncode == 0, up.stderr
    yield one
    assert one("lab", "down").returncode == 0


def test_a_drill_with_remediation_is_told_as_it_was_always_told_and_kept(shell: Shell, tmp_path: Path) -> None:
    ended = shell("fault", "run", "--remediate", "--id", "pg-idle-in-tx-lock", "--junit", str(tmp_path / "junit.xml"))
    lines = ended.stdout.splitlines()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert lines[0].startswith("[PASS] Orders wait for a session") and lines[0].endswith(f"({FAULT}) - score: 100%")
    assert lines[1].startswith('  Diagnosis: "') and lines[2].startswith("  Remediation: RECOVERED in ")
    assert lines[3].startswith("  Vault: draft saved → pb_faulttest_")
    history = json.loads(shell.history.read_text())
    assert [(each["fault_id"], each["status"]) for each in history] == [(FAULT, "PASS")]
    case = ET.parse(tmp_path / "junit.xml").getroot().find("testcase")
    assert case is not None and case.get("name") == f"{FAULT}[named-1]" and len(case) == 0
    assert shell.caused() == {}
    rows = [line.split() for line in shell("vault", "list").stdout.splitlines()]
    listed = next(row for row in rows if row[0] == FAULT)
    assert listed[1:4] == ["pbs_connection_triage", history[0]["timestamp"][:10], "PASS"]


def test_a_drill_without_remediation_changes_nothing_and_passes_nothing(shell: Shell) -> None:
    ended = shell("fault", "run", "--id", FAULT, "--seeds", "2", "--strength", "named", "-o", "json")
    body = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    assert [(each["seed"], each["verdict"], each["steps"]) for each in body["runs"]] == [
        (1, "diagnosed", []), (2, "diagnosed", []),
    ]  # fmt: skip
    assert len({each["caused"][0]["name"] for each in body["runs"]}) == 2, "another seed has other names"
    assert body["accuracy"]["total"]["right"] == 2
    assert "PASS" not in ended.stdout + ended.stderr


def test_the_alert_of_a_fault_that_is_not_there_is_answered_with_nothing(shell: Shell) -> None:
    ended = shell("fault", "run", "--healthy", "--remediate", "--id", FAULT, "-o", "json")
    run = json.loads(ended.stdout)["runs"][0]
    assert (run["fault"], run["trial"], run["caused"], run["steps"]) == (f"healthy-{FAULT}", "healthy", [], [])
    assert run["expects"] == "nothing" and run["bare_seconds"] < 0.1
    # A machine that other tests keep busy may truly have something else that uses its processors.
    assert (run["verdict"], run["cause"]) in {("pass", None), ("fail", "external_cpu_contention")}, run["diagnosis"]
    row = next(line.split() for line in shell("vault", "list").stdout.splitlines() if line.startswith(FAULT))
    assert row[3] == "PASS", "what was not caused says nothing of how its playbook does"


def test_a_fault_left_in_effect_is_seen_and_taken_back(shell: Shell) -> None:
    caused = json.loads(shell("fault", "inject", FAULT, "-o", "json").stdout)
    assert caused["took"] is True and caused["objects"][0]["kind"] == "session"
    assert f"caused: {FAULT} ({caused['label']})" in shell("fault", "status").stdout
    assert shell("fault", "teardown", "--label", caused["label"]).returncode == 0
    assert shell.caused() == {}


def test_ctrl_c_takes_back_what_is_caused_and_the_batch_goes_on_where_it_was(shell: Shell) -> None:
    going = shell.begin("fault", "run", "--remediate", "--id", "control-noisy-alert", "--id", FAULT, "-o", "json")
    deadline = time.monotonic() + PATIENCE_S
    while FAULT not in shell.caused().values() and time.monotonic() < deadline:
        time.sleep(0.05)
    going.send_signal(signal.SIGINT)
    _, said = going.communicate(timeout=PATIENCE_S)
    assert going.returncode == 130 and "--resume" in said, said
    assert shell.caused() == {}
    batch = said.rsplit("--resume ", 1)[1].split()[0]
    resumed = shell("fault", "run", "--resume", batch, "-o", "json")
    runs = json.loads(resumed.stdout)["runs"]
    assert [(each["fault"], each["verdict"]) for each in runs] == [("control-noisy-alert", "pass"), (FAULT, "pass")]
    assert list((shell.home / "batches").iterdir()) == [], "it is done"


def test_a_broken_history_is_kept_aside_and_what_the_lab_lacks_is_skipped_in_sight(shell: Shell) -> None:
    shell.history.parent.mkdir(exist_ok=True)
    shell.history.write_text('[{"id": "cut off')
    ended = shell("fault", "run", "--id", "control-noisy-alert", "--id", "db-replication-lag")
    assert ended.returncode == 0 and "kept as" in ended.stderr
    assert "[SKIP] Reports show old figures" in ended.stdout and "a streaming replica" in ended.stdout
    aside = list(shell.history.parent.glob("history.json.corrupt-*"))
    assert [each.read_text() for each in aside] == ['[{"id": "cut off']
    assert [each["fault_id"] for each in json.loads(shell.history.read_text())] == ["control-noisy-alert"]
