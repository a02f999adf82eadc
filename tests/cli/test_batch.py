"""What a batch of drills keeps of itself: the history file that other programs read, and what it goes on with."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ratchet.cli.faults.batch import left_behind
from ratchet.cli.faults.history import export
from ratchet.cli.faults.stand import LAB, refuse_elsewhere
from ratchet.cli.faults.wish import Batch, Wish
from ratchet.domain.drill import Run
from ratchet.domain.errors import Refusal
from tests.store.test_runs import run

NOW = datetime(2026, 11, 20, 2, 3, tzinfo=UTC)
STAGING = "staging-db (system identifier 7)"
WISH = Wish(batch="a1b2c3d4", faults=("pg-x", "pg-y"), seeds=(1,), strengths=("named",), remediate=True)


class Desk:
    """Runs that are kept, oldest first; asked for as a desk is, whose answer has an end."""

    def __init__(self, *runs: Run) -> None:
        self._runs = runs

    def runs(self, *, batch: str, fault: str = "", limit: int = 1000) -> list[Run]:
        found = [each for each in reversed(self._runs) if each.batch == batch and fault in ("", each.fault)]
        return found[:limit]


def test_a_history_with_more_than_runs_keeps_the_rest_as_it_stands(tmp_path: Path):
    path = tmp_path / "history.json"
    path.write_text('{"version": 3, "runs": [{"id": "theirs"}], "notes": ["by hand"]}')
    assert export(path, [run("1")], NOW) is None
    found = json.loads(path.read_text())
    assert [each["id"] for each in found.pop("runs")] == ["theirs", run("1").id]
    assert found == {"version": 3, "notes": ["by hand"]}


def test_all_that_a_batch_ran_is_known_when_it_is_gone_on_with():
    kept = [run(f"{fault} {seed}", fault=fault, seed=seed) for fault in WISH.faults for seed in range(1100)]
    batch = Batch(WISH)
    batch.recall(Desk(run("other", batch="00000000"), *kept).runs, WISH.faults)
    assert batch.runs == kept and len(batch.done()) == 2200


def test_what_failed_and_is_right_at_last_counts_no_more_and_so_does_what_it_had_left():
    failed = run("1", verdict="error", left="role basket_app")
    batch = Batch(WISH)
    batch.recall(Desk(failed, run("2")).runs, WISH.faults)
    assert [each.id for each in batch.runs] == ["2"] and left_behind(batch.runs) == ""
    batch.add(run("3", fault="pg-y", verdict="error"))
    assert batch.done() == {("pg-x", 1, "named")}, "an error is run again"
    batch.add(run("4", fault="pg-y"))
    assert [each.verdict for each in batch.runs] == ["pass", "pass"]


@pytest.mark.parametrize(("begun", "here"), [(STAGING, LAB), (LAB, STAGING), (STAGING, STAGING.replace("7", "8"))])
def test_a_batch_goes_on_only_where_it_was_begun(begun: str, here: str):
    refuse_elsewhere("", here)
    refuse_elsewhere(here, here)
    with pytest.raises(Refusal, match="This batch was begun on") as refused:
        refuse_elsewhere(begun, here)
    assert begun in refused.value.message and "--conn" in refused.value.remedy


def test_what_stays_on_a_server_is_told_beside_what_runs_left():
    assert left_behind([run("1")], ["database shop"]).endswith("look: database shop")
    assert left_behind([run("1", left="role x")], ["database shop"]).endswith("look: pg-x: role x; database shop")
