"""What a batch of drills keeps of itself: the history file that other programs read, and what it goes on with."""

import json
from datetime import UTC, datetime
from pathlib import Path

from ratchet.cli.faults.history import export
from tests.store.test_runs import run

NOW = datetime(2026, 11, 20, 2, 3, tzinfo=UTC)


def test_a_history_with_more_than_runs_keeps_the_rest_as_it_stands(tmp_path: Path):
    path = tmp_path / "history.json"
    path.write_text('{"version": 3, "runs": [{"id": "theirs"}], "notes": ["by hand"]}')
    assert export(path, [run("1")], NOW) is None
    found = json.loads(path.read_text())
    assert [each["id"] for each in found.pop("runs")] == ["theirs", run("1").id]
    assert found == {"version": 3, "notes": ["by hand"]}
