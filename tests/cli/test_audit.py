"""The record from the command line: proved, exported, given away, and exit 5 when it does not hold."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Run, said

BODY = json.dumps({
    "version": "4", "groupKey": "g", "truncatedAlerts": 0, "status": "firing", "receiver": "r", "groupLabels": {},
    "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://a.invalid",
    "alerts": [{
        "status": "firing", "labels": {"alertname": "X"}, "annotations": {"summary": "Many"}, "generatorURL": "",
        "startsAt": "2026-11-20T02:03:04.123Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "c6eadffa33fcdf37",
    }],
})  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one incident, to be copied."""
    home = tmp_path_factory.mktemp("kept") / "home"
    done = said(home, "alert", "ingest", "-", text=BODY)
    assert done.stdout.strip() == "INC-1", done.stderr
    return home


@pytest.fixture
def seen(kept: Path, home: Path, ratchet: Run) -> Run:
    """Lines in a home of the test's own, with one incident."""
    shutil.copytree(kept, home)
    return ratchet


def vandalise(home: Path, statement: str) -> None:
    connection = sqlite3.connect(home / "ratchet.db", isolation_level=None)
    connection.execute(statement)
    connection.close()


def test_a_whole_record_is_exit_0_and_a_broken_one_exit_5_with_its_first_bad_event(seen: Run, home: Path):
    assert seen("audit", "verify").returncode == 0
    vandalise(home, "UPDATE events SET \"by\" = 'user:eve' WHERE position = 3")
    assert seen("audit", "verify").returncode == 0, "it lies under a seal"
    for words in (("audit", "verify", "--full"), ("audit", "verify", "--full", "-o", "json")):
        found = seen(*words)
        assert found.returncode == 5
        assert "event 3" in found.stdout
    vandalise(home, "DELETE FROM seals")
    found = seen("audit", "verify", "-o", "json")
    assert (found.returncode, json.loads(found.stdout)["first_bad"]) == (5, 3)
    assert seen("incident", "list").returncode == 1, "nothing is built on a broken record"


def test_a_bundle_is_checked_on_a_machine_that_has_nothing_but_the_key(seen: Run, tmp_path: Path):
    bundle, key = tmp_path / "b.zip", tmp_path / "key.pub"
    assert seen("incident", "bundle", "INC-1", "--output", str(bundle)).returncode == 0
    key.write_text(seen("audit", "key").stdout, encoding="utf-8")
    elsewhere = {"RATCHET_HOME": str(tmp_path / "elsewhere"), "RATCHET_TOKEN_FILE": str(tmp_path / "gone")}
    pinned = seen("audit", "verify", str(bundle), "--key", str(key), "-o", "json", env=elsewhere)
    assert (pinned.returncode, json.loads(pinned.stdout)["pinned"]) == (0, True)
    first, second = (seen("audit", "verify", str(bundle), "-o", "json", env=elsewhere) for _ in range(2))
    assert [json.loads(each.stdout)["pinned"] for each in (first, second)] == [False, True]
    key.write_text("ed25519:" + "A" * 43 + "=\n", encoding="utf-8")
    assert seen("audit", "verify", str(bundle), "--key", str(key), env=elsewhere).returncode == 5
    at_home = seen("audit", "verify", str(bundle), "-o", "json")
    assert json.loads(at_home.stdout)["chain_checked"] is True
    bundle.write_bytes(bundle.read_bytes().replace(b"Many", b"None"))
    assert seen("audit", "verify", str(bundle)).returncode == 5


def test_a_bundle_does_not_write_over_a_file_unasked(seen: Run, tmp_path: Path):
    bundle = tmp_path / "b.zip"
    bundle.write_bytes(b"mine")
    assert seen("incident", "bundle", "INC-1", "--output", str(bundle)).returncode == 3
    assert bundle.read_bytes() == b"mine"


def test_exports_are_a_line_per_event(seen: Run):
    events = json.loads(seen("audit", "verify", "-o", "json").stdout)["events"]
    for form in ("jsonl", "ocsf", "cef"):
        assert len(seen("audit", "export", "-o", form).stdout.splitlines()) == events > 0
    assert seen("audit", "export", "--until", "2020-01-01").stdout == ""
    assert seen("audit", "export", "--since", "yester").returncode == 2
    assert seen("audit", "export", "-o", "xml").returncode == 2


def test_the_recovery_state_and_the_resolution_are_one_command_away(seen: Run):
    assert seen("incident", "kv", "INC-1", "status").stdout == "open\n"
    assert json.loads(seen("incident", "kv", "INC-1", "-o", "json").stdout)["incident:INC-1:owner"] == "ratchet"
    assert seen("incident", "kv", "INC-1", "nothing").returncode == 1
    *events, summary = map(json.loads, seen("incident", "export", "INC-1").stdout.splitlines())
    assert (events[0]["event"], summary["incident_id"]) == ("alert_fired", "INC-1")
    assert json.loads(seen("incident", "export", "INC-1", "-o", "json").stdout)["timeline"] == events
