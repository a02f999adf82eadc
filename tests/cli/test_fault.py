"""`ratchet fault` over a real lab: graded, told as it was always told, kept, exported, taken back, gone on with."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ratchet.cli import main
from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import Cluster
from ratchet.lab.keeper import Asked, LabState, ask, read_state
from tests.cli.conftest import PROGRAM, environment

pytestmark = pytest.mark.postgres
PATIENCE_S = 60
FAULT = "db-idle-in-transaction"


class Shell:
    """Lines typed into one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.history = home / "history" / "history.json"
        self.env = environment(home, {"HELPDESK_FAULT_HISTORY_FILE": str(self.history), "RATCHET_PERSON": "ana"})

    def __call__(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*PROGRAM, *words], input="", capture_output=True, text=True, timeout=180, env={**self.env, **more},
            check=False,
        )  # fmt: skip

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env
        )

    @property
    def lab(self) -> LabState:
        state = read_state(self.home / "lab" / "lab.json")
        assert state is not None
        return state

    def caused(self) -> dict[str, str]:
        return ask(self.lab, Asked(verb="status"))["caused"]


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


@pytest.fixture(scope="module")
def other(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server that is nobody's lab."""
    root = tmp_path_factory.mktemp("other") / "root"
    with Cluster.create(root, pg_binaries, settings={"max_connections": 40}) as cluster:
        cluster.add_login("boss", "SUPERUSER")
        yield cluster


EVERYTHING = """SELECT (SELECT array_agg(datname ORDER BY datname) FROM pg_database)::text,
 (SELECT array_agg(rolname ORDER BY rolname) FROM pg_roles)::text, (SELECT count(*) FROM pg_file_settings)"""


def test_a_server_of_others_is_drilled_only_when_registered_and_tagged_and_keeps_nothing(
    other: Cluster, tmp_path: Path
) -> None:
    shell = Shell(tmp_path / "home")
    conn = f"host=127.0.0.1 port={other.port} dbname=postgres user=boss password={other.passwords['boss']}"
    run = ("fault", "run", "--conn", conn, "--remediate", "--id")
    stranger = shell(*run, "db-max-connections")
    assert (
        stranger.returncode == 3 and "ratchet target add NAME" in stranger.stderr and "--tag chaos" in stranger.stderr
    )
    assert other.passwords["boss"] not in stranger.stdout + stranger.stderr
    add = ("target", "add", "staging-db", "--owner", "user:default/ana", "--provision", "--admin-dsn-env", "BOSS")
    more = {"BOSS": conn, "CANARY": conn}
    shell(*add, "--canary-dsn-env", "CANARY", **more)
    untagged = shell(*run, "db-max-connections", **more)
    assert untagged.returncode == 3 and "staging-db is not tagged chaos" in untagged.stderr
    shell(*add, "--canary-dsn-env", "CANARY", "--tag", "chaos", **more)
    with other.connect() as session:
        before = session.execute(EVERYTHING).fetchone()
    ended = shell(*run, FAULT, "--id", "db-connection-refused", "--judge", "--judge-model", "m", "-o", "json", **more)
    body = json.loads(ended.stdout)
    assert [(each["fault"], each["target"], each["verdict"]) for each in body["runs"]] == [
        (FAULT, "staging-db", "pass")
    ]
    assert [each["fault"] for each in body["skipped"]] == ["db-connection-refused"]
    judged = body["runs"][0]["score"]["parts"][-1]
    assert (judged["name"], judged["passed"]) == ("judge", None) and "no model judges" in judged["because"]
    with other.connect() as session:
        assert session.execute(EVERYTHING).fetchone() == before


def test_files_are_validated_and_the_example_is_one_without_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path / "home"))
    good = tmp_path / f"{FAULT}.fault.yaml"
    assert main(["fault", "example"]) == 0
    good.write_text(capsys.readouterr().out)
    assert main(["fault", "validate", str(good)]) == 0
    good.write_text(good.read_text().replace("postgres.lock_waiters", "postgres.lock_waters"))
    assert main(["fault", "validate", str(good)]) == 5
    assert "there is no 'postgres.lock_waters'" in capsys.readouterr().out
