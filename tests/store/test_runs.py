"""Runs of drills stand in the chain, are kept once, are found again, and what is written past the chain is found."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ratchet.domain.drill import Run
from ratchet.domain.errors import Code, Refusal

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def run(name: str = "run_1", **changes) -> Run:
    told = {
        "batch": "a1b2c3d4", "fault": "pg-x", "title": "Something is full", "series": "pbs_x", "seed": 1,
        "strength": "named", "target": "shop-db", "remediate": True, "started_at": NOON, "ended_at": NOON,
        "verdict": "pass", "expected_cause": "full",
    }  # fmt: skip
    return Run(id=name, **{**told, **changes})


def test_runs_are_listed_newest_first_and_narrowed(store):
    store.put_run(run(), "user:ana")
    store.put_run(run("run_2", fault="pg-y", ended_at=NOON + timedelta(hours=1)), "user:ana")
    store.put_run(run("run_3", batch="00000000", ended_at=NOON + timedelta(hours=2)), "user:ana")
    assert [one.id for one in store.runs()] == ["run_3", "run_2", "run_1"]
    assert [one.id for one in store.runs(limit=1)] == ["run_3"]
    assert [one.id for one in store.runs(fault="pg-x")] == ["run_3", "run_1"]
    assert [one.id for one in store.runs(batch="a1b2c3d4")] == ["run_2", "run_1"]
    assert [one.id for one in store.runs(since=NOON + timedelta(minutes=90))] == ["run_3"]
    assert store.runs(fault="pg-x", limit=1)[0] == run("run_3", batch="00000000", ended_at=NOON + timedelta(hours=2))


def test_the_same_run_twice_is_a_conflict(store):
    store.put_run(run(), "user:ana")
    with pytest.raises(Refusal) as refused:
        store.put_run(run(verdict="fail"), "user:ana")
    assert refused.value.code is Code.CONFLICT
    assert store.runs()[0].verdict == "pass" and store.verify().ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE runs SET body = replace(body, '\"verdict\":\"fail\"', '\"verdict\":\"pass\"')",
        "UPDATE runs SET fault = 'pg-other'", "DELETE FROM runs",
        "INSERT INTO runs SELECT tenant, 'run_9', batch, fault, ended_at, replace(body, 'run_1', 'run_9') FROM runs",
    ],
)  # fmt: skip
def test_a_run_written_past_the_chain_is_found(store, home, statement):
    store.put_run(run(verdict="fail"), "user:ana")
    assert store.verify().ok
    with closing(sqlite3.connect(home / "ratchet.db")) as file, file:
        assert file.execute(statement).rowcount == 1
    report = store.verify()
    assert not report.ok and "runs" in report.because
