"""Ratings, the quality report and follow-ups on a real store, over incidents that were lived through."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ratchet.config import read_settings
from ratchet.desk.contract import Desk
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.measure import Measure
from ratchet.domain.priors import MOST
from ratchet.domain.quality import Quality
from ratchet.domain.rating import Rating
from ratchet.domain.spoken import Rated
from ratchet.domain.target import Target
from ratchet.security.principal import Principal
from ratchet.triage.learned import Learned
from ratchet.wiring import House, open_house
from tests.desk.lived import LEAK, LOAD, SERIES, STORM, Lived


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the shipped playbooks and one target, to be copied."""
    home = tmp_path_factory.mktemp("seeded") / "home"
    here = open_house(read_settings({}, home), lambda _: None)
    here.store.put_target(Target(name="shop-db", kind="postgres"), "user:ana")
    here.close()
    return home


@pytest.fixture
def house(seeded: Path, tmp_path: Path) -> Iterator[House]:
    """A house whose worker does not run: what happened is what a test writes."""
    here = open_house(read_settings({}, Path(shutil.copytree(seeded, tmp_path / "home"))), lambda _: None)
    yield here
    here.close()


@pytest.fixture
def lived(house: House) -> Lived:
    return Lived(house.store)


@pytest.fixture
def ana(house: House) -> Desk:
    return house.desk(Principal(kind="person", name="ana", role="approver", channel="cli"))


def rate(desk: Desk, name: str, cause: str, **more: Any) -> None:
    desk.learning.rate(name, Rating(cause=cause, **more))


def measure(found: Quality, name: str) -> Measure:
    return next(each for each in found.measures if each.name == name)


# ---------------------------------------------------------------------------------------------------------- ratings


def test_a_rating_is_an_event_and_the_last_one_counts(ana, lived):
    incident = lived.acted()
    rate(ana, incident.name, LEAK, helpful=True)
    rate(ana, incident.name, LOAD, objects=("application:billing",), helpful=False, reason="the pool was busy")
    view = ana.incident(incident.name)
    last = Rating(cause=LOAD, objects=("application:billing",), helpful=False, reason="the pool was busy")
    assert (view.cause, view.rated_by, view.rating) == (LOAD, "user:ana", last)
    told = [each for each in view.timeline if each.event == "rated"]
    assert [each.by for each in told] == ["user:ana", "user:ana"]
    assert told[1].sentence == (
        "user:ana says that it was real_load (application:billing), and Ratchet did not help: the pool was busy."
    )


def test_the_same_rating_twice_is_one_event(ana, lived, house):
    incident = lived.acted()
    rate(ana, incident.name, LEAK)
    before = house.store.audit.head().position
    rate(ana, incident.name, LEAK)
    assert house.store.audit.head().position == before


def test_a_cause_outside_the_vocabulary_is_refused_with_those_that_are_near(ana, lived):
    with pytest.raises(Refusal) as refused:
        rate(ana, lived.acted().name, "idle_leak")
    assert refused.value.code is Code.INVALID
    assert LEAK in refused.value.remedy


def test_what_is_still_being_worked_on_is_not_rated(ana, lived):
    with pytest.raises(Refusal, match="cannot be rated"):
        rate(ana, lived.judged().name, LEAK)


def test_only_a_person_with_the_right_to_operate_rates(house, lived):
    name = lived.acted().name
    for kind, role in (("service", "operator"), ("person", "viewer")):
        desk = house.desk(Principal.model_validate({"kind": kind, "name": "x", "role": role, "channel": "http"}))
        with pytest.raises(Refusal) as refused:
            rate(desk, name, LEAK)
        assert refused.value.code is Code.FORBIDDEN


def test_a_closed_incident_can_still_be_rated(ana, lived):
    incident = lived.handed_over()
    ana.close_incident(incident.name, "seen")
    rate(ana, incident.name, LOAD)
    assert ana.incident(incident.name).status == "closed"


# ----------------------------------------------------------------------------------------------------------- priors


def test_the_next_ranking_knows_what_was_confirmed_by_people_and_nothing_else(house, ana, lived):
    learned = Learned(house.store.lives, house.store.high_water)
    lived.acted()
    rate(ana, lived.acted(LEAK).name, LOAD)
    rate(ana, lived.acted(LEAK, service="crm").name, STORM)
    rate(ana, lived.acted(LEAK, origin="drill").name, LOAD)
    ana.resolve(lived.handed_over().name, LOAD, "more load than ever")
    seen = learned.priors(lived.open(), house.store.targets())
    assert seen.here == {LOAD: 2}
    assert seen.elsewhere == {STORM: 1}
    rate(ana, lived.acted().name, LEAK)
    assert learned.priors(lived.open(), house.store.targets()).here == {LOAD: 2, LEAK: 1}


def test_what_was_judged_before_a_rating_is_judged_again_without_it(house, ana, lived):
    learned = Learned(house.store.lives, house.store.high_water)
    incident = lived.judged()
    rate(ana, lived.acted().name, LEAK)
    assert learned.priors(incident, house.store.targets()).silent


def test_a_rating_counts_in_a_backtest(house, ana, lived):
    incident = lived.acted(LEAK)
    rate(ana, incident.name, LOAD)
    assert {past.name: past.confirmed for past in house.store.past()}[incident.name] == LOAD


# ---------------------------------------------------------------------------------------------------------- quality


def test_without_incidents_every_measure_is_not_known_and_no_goal_is_met_or_missed(ana):
    found = ana.learning.quality()
    assert {(each.value, each.known, each.met) for each in found.measures} == {(None, 0, None)}
    assert (found.violations, found.types, found.calibration, found.brier) == ((), (), (), None)


def test_the_measures_are_folds_over_what_was_lived(ana, lived):
    for _ in range(2):
        rate(ana, lived.acted().name, LEAK, helpful=True)
    rate(ana, lived.acted(LEAK).name, LOAD, helpful=False)
    lived.acted(passed=False)
    rate(ana, lived.handed_over().name, STORM)
    lived.acted()
    lived.judged()
    lived.acted(origin="drill")
    found = ana.learning.quality()
    assert (found.incidents, found.over, found.abstained) == (7, 6, 1)
    told = {each.name: (each.hits, each.known, each.of) for each in found.measures if each.unit == "share"}
    assert told == {
        "agreement": (2, 4, 6), "helpful": (2, 3, 6), "false_action_rate": (2, 5, 5), "escalation_rate": (2, 6, 6),
        "routine_share": (3, 4, 4),
    }  # fmt: skip
    detection, recovery = measure(found, "mttd"), measure(found, "mttr")
    assert detection.known == 7 and detection.value is not None and 19 < detection.value < 30
    assert (recovery.known, recovery.of) == (4, 6)
    assisted, manual = measure(found, "diagnosis_assisted"), measure(found, "diagnosis_manual")
    assert ((assisted.known, assisted.of), (manual.known, manual.of)) == ((4, 4), (2, 2))
    assert [(line.runs, line.right) for line in found.calibration] == [(3, round(2 / 3, 4))]


@pytest.mark.parametrize("cause", ["gremlins", "idle_gremlins"])
def test_a_cause_that_is_unknown_is_answered_with_a_few_and_not_with_all(ana: Desk, lived: Lived, cause: str):
    with pytest.raises(Refusal, match="not a cause that is known") as refused:
        ana.resolve(lived.handed_over().name, cause, "it was")
    assert 1 <= refused.value.remedy.count(",") < 20


def test_a_span_that_runs_backwards_is_refused_and_not_empty(ana: Desk, lived: Lived):
    lived.handed_over()
    now = datetime.now(UTC)
    with pytest.raises(Refusal, match="nothing lies between them"):
        list(ana.audit_export(since=now, until=now - timedelta(hours=1)))


def test_a_missed_goal_names_the_types_behind_it_and_what_would_help(ana, lived):
    rate(ana, lived.acted(LEAK).name, LOAD)
    ana.resolve(lived.handed_over().name, STORM, "a retry loop")
    lived.handed_over(alert="Odd")
    found = {each.measure: each for each in ana.learning.quality().violations}
    assert {"agreement", "escalation_rate", "false_action_rate"} <= set(found)
    assert found["agreement"].types[0].type == STORM or found["agreement"].types[0].type == LOAD
    blamed = {line.type: line for line in found["escalation_rate"].types}
    assert set(blamed) == {STORM, "alert Odd"}
    assert blamed[STORM].help == "Draft what a person did: ratchet vault draft INC-2"
    assert "ratchet incident resolve INC-3" in blamed["alert Odd"].help
    assert f"ratchet quality suggest {SERIES}" in {line.type: line for line in found["agreement"].types}[LOAD].help


def test_a_draft_that_waits_is_named_where_it_would_help(ana, lived):
    for _ in range(3):
        rate(ana, lived.acted(LEAK).name, LOAD)
    draft = ana.learning.suggest(SERIES)
    (blame,) = next(each for each in ana.learning.quality().violations if each.measure == "agreement").types
    assert blame.help == f"Review the draft {draft.id} of {SERIES}: ratchet vault show {draft.id}"


def test_what_repeats_and_is_never_resolved_is_a_candidate_for_the_next_playbook(ana, lived):
    for _ in range(3):
        lived.handed_over(alert="Odd")
    lived.acted()
    first, second = ana.learning.quality().types
    assert (first.name, first.incidents, first.candidate, first.series) == ("alert Odd", 3, True, "")
    assert (second.name, second.candidate, second.series) == (LEAK, False, SERIES)


def test_drills_have_a_report_of_their_own(ana, lived):
    lived.acted(origin="drill")
    assert ana.learning.quality().incidents == 0
    assert ana.learning.quality(30, "drill").incidents == 1


def test_a_span_that_makes_no_sense_is_refused(ana):
    with pytest.raises(Refusal, match="cannot be looked back"):
        ana.learning.quality(0)


# ------------------------------------------------------------------------------------------------------- follow-ups


def test_a_follow_up_stands_once_until_somebody_signs_it_and_anew_when_it_comes_again(ana, lived):
    lived.acted()
    lived.acted()
    lines = {line.id: line for line in ana.learning.follow_ups("open")}
    assert lines["INC-1.1"].incidents == ("INC-1", "INC-2")
    assert lines["INC-1.1"].called_out == "It came 2 times, and nothing prevents it."
    assert "INC-2.1" not in lines
    signed = ana.learning.sign("INC-2.1", "done", "the pool closes idle sessions now")
    assert (signed.id, signed.state, signed.by) == ("INC-1.1", "done", "user:ana")
    assert "INC-1.1" not in {line.id for line in ana.learning.follow_ups("open")}
    lived.ago = 0
    lived.acted()
    again = {line.id: line for line in ana.learning.follow_ups("open")}["INC-3.1"]
    assert again.called_out == "It was signed as done by user:ana (INC-1.1), and came again."


def test_a_sign_off_is_taken_back_by_a_later_one(ana, lived):
    lived.acted()
    ana.learning.sign("INC-1.1", "wont", "too dear")
    assert ana.learning.sign("INC-1.1", "open", "not any more").state == "open"


def test_a_follow_up_that_is_not_there_is_not_signed(ana):
    with pytest.raises(Refusal) as refused:
        ana.learning.sign("INC-9.1", "done", "x")
    assert refused.value.code is Code.NOT_FOUND


def test_what_comes_again_without_prevention_is_called_out(ana, lived):
    lived.acted()
    lived.acted()
    lived.handed_over(alert="Odd")
    lived.handed_over(alert="Odd")
    lines = {line.type: line for line in ana.learning.quality().recurrences}
    assert lines[LEAK].incidents == ("INC-1", "INC-2") and lines[LEAK].owed
    assert lines["alert Odd"].because == "Nobody wrote down what would prevent it."
    for line in ana.learning.follow_ups("open"):
        ana.learning.sign(line.id, "done", "done")
    assert LEAK not in {line.type for line in ana.learning.quality().recurrences}


# ------------------------------------------------------------------------------------------------------ likelihoods


def test_confirmed_causes_correct_the_likelihoods_in_a_draft_that_a_person_activates(house, ana, lived):
    for _ in range(6):
        rate(ana, lived.acted(LEAK).name, LOAD)
    rate(ana, lived.acted(LEAK).name, "lock_chain_root_blocker")
    draft = ana.learning.suggest(SERIES)
    assert (draft.state, draft.source, draft.is_active) == ("draft", "generated", False)
    changes = ana.vault.difference(draft.id).changes
    judged = {each.place: (each.before, each.after) for each in changes if each.place.endswith("likelihood")}
    assert judged and all(before != after for before, after in judged.values())
    assert "6 of 7 confirmed" in draft.guidance
    assert ana.learning.suggest(SERIES).id == draft.id, "nothing was confirmed since"
    with pytest.raises(Refusal, match="second person"):
        ana.activate(draft.id, "six of seven were load")
    ben = house.desk(Principal(kind="person", name="ben", role="approver", channel="http"))
    assert ben.activate(draft.id, "six of seven were load", draft.digest).is_active


def test_what_was_counted_once_moves_a_likelihood_no_further_also_when_it_is_said_again(house, ana, lived):
    names = [lived.acted(LEAK).name for _ in range(30)]
    for name in names:
        rate(ana, name, LOAD)
    first = ana.learning.suggest(SERIES)
    before, after = weighed(ana, first.id)
    assert after == pytest.approx(MOST * before), "within the bound that a live prior has"
    ben = house.desk(Principal(kind="person", name="ben", role="approver", channel="http"))
    assert ben.activate(first.id, "read it", first.digest).is_active
    with pytest.raises(Refusal, match="since its text was activated"):
        ana.learning.suggest(SERIES)
    rate(ana, names[0], LOAD)
    with pytest.raises(Refusal, match="since its text was activated"):
        ana.learning.suggest(SERIES)
    rate(ana, lived.acted(LEAK).name, LOAD)
    assert "(1 of 1 confirmed)" in ana.learning.suggest(SERIES).guidance


def weighed(desk: Desk, draft: str) -> tuple[float, float]:
    """The likelihood of `LOAD` before and after, as the difference names it; it takes a second person."""
    (change,) = (c for c in desk.vault.difference(draft).changes if c.place == "hypotheses.real_load.likelihood")
    assert change.kind == "wider"
    return float(change.before), float(change.after)


def test_nothing_is_suggested_without_a_word_of_a_person(ana, lived):
    lived.acted()
    with pytest.raises(Refusal, match="Nobody confirmed"):
        ana.learning.suggest(SERIES)


def test_a_viewer_reads_quality_and_signs_nothing(house, ana, lived):
    lived.acted()
    vera = house.desk(Principal(kind="person", name="vera", role="viewer", channel="http"))
    assert vera.learning.quality().incidents == 1
    for verb in (lambda: vera.learning.sign("INC-1.1", "done", "x"), lambda: vera.learning.suggest(SERIES)):
        with pytest.raises(Refusal) as refused:
            verb()
        assert refused.value.code is Code.FORBIDDEN


def test_a_rating_that_another_wrote_meanwhile_is_read_before_it_is_replaced(house, ana, lived):
    incident = lived.acted()
    lived.put(house.store.incident(incident.id), Rated(by="user:ben", cause=STORM), by="user:ben")
    rate(ana, incident.name, LOAD)
    assert ana.incident(incident.name).cause == LOAD
