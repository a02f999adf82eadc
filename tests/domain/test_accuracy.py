"""A batch is folded without flattery: errors count apart, abstention apart from wrong, confidence against truth."""

from ratchet.domain.accuracy import accuracy
from ratchet.domain.drill import Run
from ratchet.domain.score import Part, Score
from tests.store.test_runs import run


def graded(name: str, *, cause: str | None = "full", right: bool = True, **changes) -> Run:
    parts = (
        Part(name="cause", passed=cause == "full", weight=30, because="seen"),
        Part(name="object", passed=right if cause else False, weight=15, because="seen"),
    )
    told = {
        "cause": cause, "outcome": "cause" if cause else "unknown_cause", "score": Score(parts=parts),
        "verdict": "pass" if cause == "full" and right else ("fail" if cause else "abstained"),
    }  # fmt: skip
    return run(name, **{**told, **changes})


def test_right_unsaid_wrong_and_broken_runs_count_each_in_its_own_column():
    found = accuracy([
        graded("1", confidence=0.9), graded("2", cause=None), graded("3", cause="empty", confidence=0.8),
        graded("4", right=False, confidence=0.6), graded("5", verdict="error", note="the fault did not take"),
    ])  # fmt: skip
    total = found.total
    assert (total.runs, total.errors, total.graded) == (5, 1, 4)
    assert (total.right, total.cause, total.abstained, total.confident_and_wrong) == (1, 2, 1, 2)
    assert [(c.expected, c.claimed, c.runs) for c in found.confusions] == [
        ("full", "(nothing)", 1), ("full", "empty", 1), ("full", "full", 2),
    ]  # fmt: skip


def test_what_was_wrong_in_a_run_that_left_something_counts_and_what_was_right_in_it_does_not():
    touched = Part(name="innocents", passed=False, weight=5, because="TOUCHED")
    wrong = graded("1", cause="empty")
    spoiled = wrong.model_copy(
        update={"verdict": "error", "left": "a table", "score": Score(parts=(*wrong.score.parts, touched))}
    )
    seen = graded("2", cause="empty", verdict="error", note="the gateway went away", score=Score())
    total = accuracy([spoiled, graded("3", verdict="error", left="a role"), seen]).total
    assert (total.errors, total.touched, total.confident_and_wrong, total.right, total.passed) == (3, 1, 1, 0, 0)
    assert (spoiled.wrong_besides, seen.wrong_besides) == (True, False)


def test_the_brier_score_and_the_reliability_table_are_over_what_was_claimed():
    found = accuracy([graded("1", confidence=1.0), graded("2", cause="empty", confidence=0.8), graded("3", cause=None)])
    assert found.brier == 0.32
    assert [(b.least, b.runs, b.confidence, b.right) for b in found.reliability] == [
        (0.8, 1, 0.8, 0.0),
        (0.99, 1, 1, 1),
    ]
    assert accuracy([graded("3", cause=None)]).brier is None


def test_each_strength_of_the_alert_has_its_row_and_controls_have_theirs():
    found = accuracy([graded("1"), graded("2", strength="bare"), graded("3", expects="nothing", cause=None)])
    assert [(t.name, t.runs) for t in found.strengths] == [("named", 1), ("bare", 1)]
    assert (found.controls.runs, found.controls.abstained, found.total.runs) == (1, 0, 2)
