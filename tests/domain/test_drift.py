"""Drift is judged over halves of samples, by an exact test, and says what else moved."""

from datetime import UTC, datetime, timedelta
from math import isclose
from typing import Any

import pytest

from ratchet.domain.drift import Share, drift_of, exact_test
from ratchet.domain.drill import Environment, Run

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def run(n: int, *, good: bool = True, where: dict[str, str] | None = None, **changes: Any) -> Run:
    told = {
        "batch": "a1b2c3d4", "fault": "pg-x", "title": "Something is full", "series": "pbs_x", "seed": 1,
        "strength": "named", "target": "shop-db", "remediate": True, "expected_cause": "full",
        "started_at": NOON + timedelta(days=n), "ended_at": NOON + timedelta(days=n),
        "verdict": "pass" if good else "fail", "environment": Environment(**(where or {})),
    }  # fmt: skip
    return Run(id=f"run_{n:03}", **{**told, **changes})


def share(text: str) -> Share:
    passed, samples = map(int, text.split("/"))
    return Share(passed=passed, samples=samples)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    # The lady who tasted tea, 3 of 4 against 1 of 4, and tables worked out by hand.
    [("3/4", "1/4", 34 / 70), ("4/4", "0/4", 2 / 70), ("3/3", "0/3", 2 / 20), ("5/5", "5/5", 1.0),
     ("10/10", "5/10", 504 / 15504), ("1/10", "9/10", 202 / 184756),
     ("0/1", "0/9", 1.0)],
)  # fmt: skip
def test_the_exact_test_is_fishers(first: str, second: str, p: float):
    found = exact_test(share(first), share(second))
    assert found is not None and isclose(found, p, rel_tol=1e-6)
    back = exact_test(share(second), share(first))
    assert back is not None and isclose(found, back, rel_tol=1e-12)


def test_without_samples_nothing_is_tested():
    assert exact_test(share("0/0"), share("3/3")) is None
    assert drift_of("pg-x", []) is None
    alone = drift_of("pg-x", [run(1)])
    assert alone is not None and (alone.points, alone.p_value, alone.significant) == (None, None, False)
    assert (alone.first.samples, alone.second.samples) == (0, 1)


def test_halves_are_of_samples_and_not_of_time():
    runs = [run(0), run(1), run(2, good=False), run(90, good=False)]
    found = drift_of("pg-x", runs[::-1])
    assert found is not None
    assert (found.first, found.second, found.points) == (share("2/2"), share("0/2"), -100.0)
    assert found.outcomes == (True, True, False, False)
    odd = drift_of("pg-x", runs[:3])
    assert odd is not None and (odd.first, odd.second) == (share("1/1"), share("1/2"))


def test_a_run_that_says_nothing_or_was_not_to_be_remedied_is_no_sample():
    runs = [
        run(0), run(1, verdict="error"), run(2, verdict="diagnosed", remediate=False),
        run(3, verdict="abstained", remediate=False), run(4, verdict="abstained"), run(5, fault="pg-y"),
        *(run(6, trial=part) for part in ("healthy", "double_fire", "crash")),
    ]  # fmt: skip
    found = drift_of("pg-x", runs)
    assert found is not None and found.outcomes == (True, False)


def test_few_samples_show_their_percentages_and_are_not_called_significant():
    three = drift_of("pg-x", [run(n, good=n < 3) for n in range(6)])
    four = drift_of("pg-x", [run(n, good=n < 4) for n in range(8)])
    assert three is not None and (three.points, three.significant) == (-100.0, False)
    assert four is not None and (four.points, four.significant) == (-100.0, True)


OLD = {"playbook": "pbs_x@1.0", "playbook_digest": "sha256:" + "a" * 64, "server_version": "150018"}
NEW = {**OLD, "playbook": "pbs_x@1.1", "playbook_digest": "sha256:" + "b" * 64}


def test_what_differed_between_the_halves_is_named_with_the_share_of_each_value():
    runs = [run(n, good=n < 5, where=OLD if n < 5 else NEW) for n in range(10)]
    found = drift_of("pg-x", runs)
    assert found is not None and [each.name for each in found.factors] == ["playbook"]
    factor = found.factors[0]
    assert [(each.value.split()[0], each.passed, each.samples) for each in (*factor.first, *factor.second)] == [
        ("pbs_x@1.0", 5, 5), ("pbs_x@1.1", 0, 5),
    ]  # fmt: skip


def test_the_better_explanation_stands_first():
    """The settings moved with the half; the playbook a run later, exactly with the failures."""
    runs = [
        run(n, good=n < 6, where={**(OLD if n < 6 else NEW), "settings_hash": "h1" if n < 5 else "h2"})
        for n in range(10)
    ]
    found = drift_of("pg-x", runs)
    assert found is not None and [each.name for each in found.factors] == ["playbook", "settings"]
    playbook, settings = found.factors
    assert playbook.p_value is not None and settings.p_value is not None and playbook.p_value < settings.p_value
    assert [(each.value[:9], each.passed, each.samples) for each in playbook.second] == [
        ("pbs_x@1.0", 1, 1), ("pbs_x@1.1", 0, 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "before", "changes"),
    [
        ("server version", "(not recorded)", {"where": {"server_version": "180001"}}),
        ("tools", "(not recorded)", {"where": {"tools_digest": "t"}}),
        ("ratchet", "(not recorded)", {"where": {"ratchet_version": "0.2"}}),
        ("target", "shop-db", {"target": "other-db"}), ("alert", "named", {"strength": "bare"}),
        ("approval", "by the one who drills", {"unattended": True}),
    ],
)  # fmt: skip
def test_each_thing_that_a_run_records_is_a_factor(name: str, before: str, changes: dict[str, Any]):
    found = drift_of("pg-x", [run(0), run(1), run(2, good=False, **changes), run(3, good=False, **changes)])
    assert found is not None and [each.name for each in found.factors] == [name]
    assert [each.value for each in found.factors[0].first] == [before]


def test_where_nothing_moved_nothing_is_explained():
    still = drift_of("pg-x", [run(0), run(1, where=NEW)])
    assert still is not None and (still.points, still.factors) == (0.0, ())
    chance = drift_of("pg-x", [run(0), run(1, good=False)])
    assert chance is not None and (chance.points, chance.factors) == (-100.0, ())
