"""A version replayed over what was recorded: what it would change, judged by what turned out to be true."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ratchet.domain.backtest import Backtest
from ratchet.domain.binding import calls_of, params_of
from ratchet.domain.differential import Candidate, Moment, judge
from ratchet.domain.errors import Refusal
from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.past import Past
from ratchet.domain.playbook import HypothesisRule, Playbook
from ratchet.tools.replay import Replay
from ratchet.vault.backtest import Backtests
from ratchet.vault.files import PlaybookFiles
from tests.vault import worlds as w
from tests.vault.recorded import Records
from tests.vault.test_differential_examples import CASES, LOOK_ALIKES

SERIES = "pbs_connection_triage"
CLEAR = [CASES["idle leak"], *list(CASES.values())[1:40:5]]
ALIKE = list(LOOK_ALIKES.values())[:12:5]
LEAK = "connection_exhaustion_idle_leak"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory, playbook_files: PlaybookFiles) -> Iterator[Records]:
    """Some of the worlds that are known, with the cause that a person named at the end of each clear case."""
    found = Records(tmp_path_factory.mktemp("past"), playbook_files)
    for change, cause, _, _ in CLEAR:
        found.record({**w.healthy(), **change}, cause=cause)
    for change in ALIKE:
        found.record({**w.healthy(), **change})
    yield found
    found.close()


def backtests(records: Records, truth: Any = lambda _: "") -> Backtests:
    return Backtests(records.store, records.shelf, Replay, records.clock, truth)


def replayed(records: Records, playbook: Playbook, **more: Any) -> Backtest:
    named = playbook.model_copy(update={"metadata": playbook.metadata.model_copy(update={"version": "7.0"})})
    made = records.store.series(playbook.metadata.series).versions[0].model_copy(update={"version": "7.0"})
    return backtests(records).run(made, named, **more)


def with_rule(playbook: Playbook, rule_id: str, **change: Any) -> Playbook:
    rules = tuple(
        rule.model_copy(update=change) if rule.id == rule_id else rule for rule in playbook.spec.triage.hypotheses
    )
    return with_rules(playbook, rules)


def with_rules(playbook: Playbook, rules: tuple[HypothesisRule, ...]) -> Playbook:
    triage = playbook.spec.triage.model_copy(update={"hypotheses": rules})
    return playbook.model_copy(update={"spec": playbook.spec.model_copy(update={"triage": triage})})


def leak_rule(playbook: Playbook) -> HypothesisRule:
    return next(rule for rule in playbook.spec.triage.hypotheses if rule.cause == LEAK)


def test_other_words_change_no_conclusion_and_equal_records_give_equal_answers(records: Records) -> None:
    active = records.active(SERIES)
    words = active.model_copy(update={"spec": active.spec.model_copy(update={"guidance": "Look twice.\n"})})
    said = replayed(records, words)
    assert said.sentence() == f"changes none of {len(CLEAR) + len(ALIKE)} conclusions"
    assert (said.against, said.passed_by) == (active.pin, 0)
    again = replayed(records, words)
    assert again.model_copy(update={"at": said.at}) == said


def test_a_hypothesis_that_no_longer_confirms_makes_the_incidents_it_explained_worse(records: Records) -> None:
    active = records.active(SERIES)
    blind = with_rule(active, leak_rule(active).id, confirm="slots.rows > 1000000", refute="slots.rows < 1000000")
    said = replayed(records, blind)
    assert said.worse >= 1
    assert {one.before for one in said.changes if one.judgement == "worse"} == {LEAK}
    assert {one.confirmed for one in said.changes if one.judgement == "worse"} == {LEAK}
    assert said.sentence().startswith(f"changes {said.changed} of ")
    again = replayed(records, blind)
    assert again.model_copy(update={"at": said.at}) == said


def test_giving_the_hypothesis_back_makes_the_same_incidents_better(tmp_path: Path, records: Records) -> None:
    own = Records(tmp_path, records.files, only=SERIES)
    active = own.active(SERIES)
    name = own.record({**w.healthy(), **CASES["idle leak"][0]}, cause=LEAK)
    unknown = own.record({**w.healthy(), **CASES["idle leak"][0]})
    blind = with_rule(active, leak_rule(active).id, confirm="slots.rows > 1000000", refute="slots.rows < 1000000")
    own.draft(blind, activate=True)
    said = replayed(own, active)
    assert (said.better, said.worse, said.other) == (1, 0, 1)
    assert [(one.incident, one.judgement) for one in said.changes] == [(name, "better"), (unknown, "other")]
    assert said.sentence() == f"changes 2 of 2 conclusions: 1 better ({name}), 1 other ({unknown})"
    own.close()


def test_the_cause_of_a_fault_that_was_caused_is_the_truth_whatever_was_concluded(
    tmp_path: Path, records: Records
) -> None:
    own = Records(tmp_path, records.files, only=SERIES)
    active = own.active(SERIES)
    own.record({**w.healthy(), **CASES["idle leak"][0]}, fault="db-max-connections")
    blind = with_rule(active, leak_rule(active).id, confirm="slots.rows > 1000000", refute="slots.rows < 1000000")
    version = own.draft(blind)
    said = backtests(own, lambda fault: LEAK if fault == "db-max-connections" else "").run(version, blind)
    assert (said.worse, said.changes[0].confirmed) == (1, LEAK)
    own.close()


def test_where_nothing_was_caused_or_something_else_a_claim_is_worse_than_none(
    tmp_path: Path, records: Records
) -> None:
    """A drill of the alert alone names a fault that was not caused; a sure wrong cause is acted on."""
    own = Records(tmp_path, records.files, only=SERIES)
    active = own.active(SERIES)
    quiet = own.record(w.healthy(), fault="db-max-connections", quiet=True)
    other = own.record(w.healthy(), cause="table_bloat")
    sure = with_rule(active, leak_rule(active).id, confirm="slots.rows >= 0", refute="slots.rows < 0")
    version = own.draft(sure, activate=True)
    claiming = backtests(own, lambda _: LEAK).run(version, active)
    assert [(one.incident, one.confirmed, one.judgement) for one in claiming.changes] == [
        (quiet, "healthy", "better"), (other, "table_bloat", "better"),
    ]  # fmt: skip
    own.draft(active, "9.1", activate=True)
    again = backtests(own, lambda _: LEAK).run(version, sure)
    assert (again.better, again.worse, again.other) == (0, 2, 0)
    own.close()


def test_a_probe_that_was_not_recorded_is_unknown_and_never_guessed(records: Records) -> None:
    active = records.active(SERIES)
    rule = leak_rule(active)
    spec = active.spec
    probes = {**spec.probes, "bloat": spec.probes["slots"].model_copy(update={"uses": "postgres.nobody_recorded_it"})}
    blind = with_rule(
        active.model_copy(update={"spec": spec.model_copy(update={"probes": probes})}), rule.id,
        probes=("bloat",), confirm="bloat.rows >= 0", refute="bloat.rows < 0",
    )  # fmt: skip
    said = replayed(records, blind)
    assert said.unseen == ("postgres.nobody_recorded_it",)
    assert LEAK not in {one.after for one in said.changes}
    assert said.worse >= 1


def test_only_incidents_since_then_are_replayed(records: Records) -> None:
    active = records.active(SERIES)
    blind = with_rule(active, leak_rule(active).id, confirm="slots.rows > 1000000", refute="slots.rows < 1000000")
    later = [past.opened_at for past in records.store.past()][-3]
    assert replayed(records, blind, since=later).incidents == 3
    assert (
        replayed(records, blind, since=records.clock() + timedelta(days=1)).sentence().startswith("nothing to replay")
    )


def test_an_incident_whose_target_is_gone_is_counted_as_not_replayed(tmp_path: Path, records: Records) -> None:
    own = Records(tmp_path, records.files, only=SERIES)
    own.record(w.healthy())
    active = own.active(SERIES)
    version = own.draft(active)
    own.store.put_target(w.PRIMARY.model_copy(update={"name": "elsewhere"}), "user:ana")
    renamed = [past.model_copy(update={"target": "gone"}) for past in own.store.past()]
    own.store.past = lambda _since=None: iter(renamed)  # type: ignore[method-assign]
    said = backtests(own).run(version, active)
    assert (said.incidents, said.passed_by) == (0, 1)
    own.close()


def variants(active: Playbook) -> dict[str, Playbook]:
    rules = active.spec.triage.hypotheses
    return {
        "the rule for the leak is gone": with_rules(active, tuple(r for r in rules if r.cause != LEAK)),
        "two causes are confirmed": with_rules(
            active,
            tuple(
                r.model_copy(update={"confirm": "slots.rows >= 0", "refute": "slots.rows < 0"}) if n < 2 else r
                for n, r in enumerate(rules)
            ),
        ),
        "contradictory": with_rule(active, leak_rule(active).id, confirm="slots.rows >= 0", refute="slots.rows >= 0"),
        "likelier": with_rule(active, leak_rule(active).id, likelihood=0.01),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["the rule for the leak is gone", "two causes are confirmed", "contradictory", "likelier"]
)
def test_what_is_left_out_of_the_judging_never_changes_the_answer(records: Records, name: str) -> None:
    """The whole differential, asked for every incident and both texts, says the same."""
    active = records.active(SERIES)
    version = variants(active)[name]
    said = {one.incident: (one.before, one.after) for one in replayed(records, version).changes}
    library = [playbook for _, playbook in records.shelf.candidates("postgres")]
    whole: dict[str, tuple[str, str]] = {}
    for past in records.store.past():
        seen = records.store.evidence(past.evidence)
        sides = [
            _whole([one if one.metadata.series != SERIES else own for one in library], past, seen)
            for own in (active, version)
        ]
        if sides[0] != sides[1]:
            whole[past.name] = (sides[0], sides[1])
    assert said == whole


def _whole(library: list[Playbook], past: Past, seen: list[Evidence]) -> str:
    targets = [w.PRIMARY, w.REPLICA]
    found = [
        Candidate(playbook=one, version_id="v", calls=calls_of(one, w.PRIMARY, targets, params), params=params)
        for one in library
        for params in [params_of(one, past.alert, w.PRIMARY)]
    ]
    alert = {"labels": dict(past.alert.labels), "name": past.alert.name}
    said = judge(found, Moment(evidence={one.call_key: one for one in seen}, alert=alert, now=past.looked_at))
    return said.cause or said.outcome


def evidence(number: int, **more: Any) -> Evidence:
    call = ProbeCall(probe="postgres.slots", target="shop-db", args={"n": number})
    return Evidence.of(call, w.NOW, 1.0, answer=Answer.OK, rows=({"used": number},), columns=("used",)).model_copy(
        update=more
    )


def test_a_replay_answers_what_was_recorded_for_exactly_that_call_and_can_do_nothing() -> None:
    late = evidence(1, taken_at=w.NOW + timedelta(seconds=9), id="ev_late")
    box = Replay([evidence(1), late, evidence(2)])
    call = ProbeCall(probe="postgres.slots", target="shop-db", args={"n": 1}, timeout=99)
    other = ProbeCall(probe="postgres.slots", target="shop-replica", args={"n": 1})
    assert box.look([call, other]) == [late]
    assert box.probes() == {"postgres.slots": frozenset({"used"})}
    assert (box.tools(), box.spec("postgres.terminate_sessions")) == ([], None)
    with pytest.raises(Refusal) as refused:
        box.credential("shop-db")
    assert "replayed" in refused.value.message
