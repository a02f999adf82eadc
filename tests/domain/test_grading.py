"""A drill is graded without mercy: no rule lets a wrong, unproved or harmful answer pass."""

import pytest

from ratchet.domain.drill import Found, Rejudged
from ratchet.domain.fault import CausedObject
from ratchet.domain.grading import Aftermath, Sight, grade, verdict_of
from ratchet.domain.observed import Observed, Pending
from ratchet.lab.catalog import load_catalog

FAULTS = load_catalog().faults
LEAK, DEADLOCK, NOISE = FAULTS["db-max-connections"], FAULTS["pg-deadlock"], FAULTS["control-noisy-alert"]
STUBBORN = FAULTS["control-fix-fails"]
CAUSED = (CausedObject(kind="application", id="basket-api-x1y2"),)
SAME = Rejudged(same=True, because="100 kept looks, judged again, say the same")


def observed(**changes) -> Observed:
    right = {
        "incident": "INC-1", "status": "resolved", "resting": True, "outcome": "cause", "cause": LEAK.spec.cause,
        "confidence": 0.9, "found": (Found(kind="application", id="basket-api-x1y2"),), "steps": ("free_slots",),
        "confirmed": (LEAK.spec.cause,), "verified": True, "sustained_seconds": 3.2, "draft": "pb_faulttest_a1b2c3",
    }  # fmt: skip
    return Observed(**{**right, **changes})


NOTHING = observed(
    outcome="unknown_cause", cause=None, found=(), confirmed=(), steps=(), status="verifying", verified=None
)


def sight(seen: Observed | None = None, fault=LEAK, remediate=True, **aftermath) -> Sight:
    told = {"mended": True, "untouched": True, **aftermath}
    return Sight(
        fault=fault, caused=CAUSED, observed=seen or observed(), rejudged=SAME, aftermath=Aftermath(**told),
        remediate=remediate,
    )  # fmt: skip


def verdict(one: Sight) -> str:
    return verdict_of(one, grade(one))


def test_the_right_cause_object_act_and_a_proved_recovery_pass_with_full_marks():
    assert verdict(sight()) == "pass"
    assert grade(sight()).percentage == 100.0
    assert grade(sight()).holds("judge") is None


@pytest.mark.parametrize(
    ("broken", "seen", "aftermath"),
    [
        ("cause", {"cause": "backend_crash_recovery"}, {}),
        ("object", {"found": (Found(kind="application", id="metrics-agent"),)}, {}),
        ("object", {"found": (Found(kind="application", id="metrics-agent"), *observed().found)}, {}),
        ("object", {"found": (Found(kind="session", id="basket-api-x1y2"),)}, {}),
        ("action", {"steps": (), "status": "escalated", "verified": None}, {}),
        ("recovery", {"verified": False, "status": "escalated"}, {}),
        ("recovery", {}, {"mended": False}),
        ("recovery", {}, {"mended": None}),
        ("innocents", {}, {"untouched": False}),
    ],
)
def test_one_thing_that_must_be_right_and_is_not_fails_the_run(broken, seen, aftermath):
    one = sight(observed(**seen), **aftermath)
    assert broken in {part.name for part in grade(one).broken}
    assert verdict(one) == "fail"


def test_evidence_that_says_something_else_when_judged_again_fails_the_run():
    other = sight().model_copy(update={"rejudged": Rejudged(same=False, because="the cause is another")})
    assert verdict(other) == "fail"


def test_what_stays_behind_makes_an_error_of_the_best_run():
    assert verdict(sight(left="postgres.end_sessions: sessions outlive their end")) == "error"


def test_what_comes_to_no_end_in_its_time_has_failed_however_right_it_is_so_far():
    for one in (sight(late="INC-1 is still verifying after 180 s."), sight(NOTHING, NOISE, mended=None, late="hangs")):
        assert verdict(one) == "fail" and "end" in {part.name for part in grade(one).broken}
    unsaid = observed(outcome="", cause=None, found=(), steps=(), status="triaging", verified=None)
    assert verdict(sight(unsaid, late="INC-1 is still triaging after 60 s.")) == "fail", "it is no honest abstention"


def test_innocents_at_which_nobody_could_look_are_not_known_to_be_well():
    part = grade(sight(untouched=None)).part("innocents")
    assert part is not None and (part.passed, part.because) == (False, "nobody could look at them")


def test_a_run_without_remediation_is_never_a_pass():
    seen = observed(status="awaiting_approval", steps=(), verified=None, draft="")
    assert verdict(sight(seen, remediate=False)) == "diagnosed"
    assert verdict(sight(observed(), remediate=False)) == "fail", "it acted, and nobody had allowed that"


@pytest.mark.parametrize("outcome", ["unknown_cause", "ambiguous"])
@pytest.mark.parametrize("remediate", [True, False])
def test_saying_that_one_does_not_know_is_neither_right_nor_wrong(outcome, remediate):
    seen = observed(outcome=outcome, cause=None, found=(), steps=(), status="escalated", verified=None, stop=outcome)
    assert verdict(sight(seen, remediate=remediate)) == "abstained"
    touched = sight(seen, remediate=remediate, untouched=False)
    assert verdict(touched) == "fail"


def test_where_a_person_must_decide_the_right_answer_is_to_hand_over_and_say_what_next():
    facts = {"cause": DEADLOCK.spec.cause, "found": (Found(kind="table", id="public.vouchers_x1"),), "draft": ""}
    stopped = observed(**facts, status="escalated", steps=(), verified=None, human_action="Fix the order of updates.")
    table = (CausedObject(kind="table", id="public.vouchers_x1", name="vouchers_x1"),)
    good = sight(stopped, DEADLOCK, mended=None).model_copy(update={"caused": table})
    assert verdict(good) == "pass" and grade(good).holds("recovery") is None
    mute = good.model_copy(update={"observed": stopped.model_copy(update={"human_action": ""})})
    claimed = good.model_copy(update={"observed": observed(**facts)})
    assert (verdict(mute), verdict(claimed)) == ("fail", "fail")


def test_asking_for_a_step_that_is_not_for_the_cause_is_not_the_right_act():
    asked = Pending(decision="dec_1", digest="sha256:0", step="restart", title="Restart", writes=False)
    one = sight(observed(status="awaiting_approval", steps=(), verified=None, asked=asked))
    assert grade(one).holds("action") is False and verdict(one) == "fail"


def test_a_healthy_server_is_left_alone_and_nothing_is_confirmed():
    calm = observed(
        outcome="unknown_cause", cause=None, found=(), confirmed=(), steps=(), status="escalated", verified=None
    )
    assert verdict(sight(calm, NOISE, mended=None)) == "pass"
    sure = calm.model_copy(update={"confirmed": ("stale_statistics",)})
    busy = calm.model_copy(update={"steps": ("free_slots",)})
    assert (verdict(sight(sure, NOISE)), verdict(sight(busy, NOISE))) == ("fail", "fail")


def test_a_fix_that_fails_must_end_in_a_handoff_and_never_in_a_claimed_recovery():
    stopped = observed(status="escalated", verified=False, stop="fix_failed", draft="")
    assert verdict(sight(stopped, STUBBORN, mended=None)) == "pass"
    assert verdict(sight(observed(), STUBBORN)) == "fail"
