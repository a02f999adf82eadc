"""The differential: one cause in the clear case, and a stop in every other."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain.condition import Unknown
from ratchet.domain.differential import Candidate, Moment, judge, merged, verdict_of
from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.lines import read_sheet
from ratchet.domain.playbook import Playbook
from ratchet.vault.seeding import shipped_texts
from ratchet.vault.shape import typed

NOW = datetime(2026, 11, 20, 2, 3, 4, tzinfo=UTC)
SLOTS = ProbeCall(probe="postgres.slots", target="shop-db")


def playbook(*rules: dict[str, Any], series: str = "pbs_test") -> Playbook:
    """A playbook with one probe `slots` and the given hypotheses."""
    filled = [
        {"id": f"h{n}", "title": f"Cause {n}", "cause": f"cause_{n}", "likelihood": 0.4, "then": "escalate", **rule}
        for n, rule in enumerate(rules)
    ]
    return Playbook.model_validate({
        "metadata": {"series": series, "version": "1.0", "title": "Logins are refused", "name": "Test"},
        "spec": {
            "symptoms": ["too many clients"],
            "probes": {"slots": {"uses": "postgres.slots"}},
            "triage": {"hypotheses": filled},
            "escalation": {"to": "group:default/dba", "ask": "Decide what to do."},
        },
    })  # fmt: skip


def candidate(book: Playbook, *, named: bool = False) -> Candidate:
    return Candidate(playbook=book, version_id="pb_1", calls={"slots": (SLOTS,)}, named=named)


def moment(rows: list[dict[str, Any]] | None, answer: Answer = Answer.OK) -> Moment:
    seen = Evidence.of(SLOTS, NOW, 1.0, answer=answer, rows=tuple(rows or ()))
    return Moment(evidence={SLOTS.key: seen}, alert={}, now=NOW)


FULL = {"confirm": "slots.first.used >= slots.first.max * 0.9", "refute": "slots.first.used < slots.first.max * 0.7"}
OPPOSITE = {"confirm": FULL["refute"], "refute": FULL["confirm"]}


def test_one_confirmed_hypothesis_is_the_cause_and_its_evidence_shows_values() -> None:
    said = judge([candidate(playbook(FULL, OPPOSITE))], moment([{"used": 19, "max": 20}]))
    assert (said.outcome, said.cause) == ("cause", "cause_0")
    assert said.leading is not None
    assert "19 >= 18" in said.leading.evidence[0].text
    assert said.leading.evidence[0].evidence == (moment([{"used": 19, "max": 20}]).evidence[SLOTS.key].id,)
    assert said.confidence > 0.9


def test_a_healthy_system_confirms_nothing() -> None:
    said = judge([candidate(playbook(FULL))], moment([{"used": 2, "max": 20}]))
    assert said.outcome == "unknown_cause"
    assert said.cause is None
    assert said.leading is None


def test_a_probe_that_was_refused_leaves_the_hypothesis_unknown_never_confirmed_or_refuted() -> None:
    said = judge([candidate(playbook(FULL))], moment(None, Answer.REFUSED))
    assert said.hypotheses[0].verdict == "unknown"
    assert "refused" in said.hypotheses[0].evidence[0].text
    assert "postgres.slots" in said.suggested_action


def test_two_confirmed_causes_too_close_to_choose_are_ambiguous() -> None:
    said = judge([candidate(playbook(FULL, FULL))], moment([{"used": 19, "max": 20}]))
    assert said.outcome == "ambiguous"
    assert said.cause is None
    assert "Cause 0" in said.why and "Cause 1" in said.why


def test_likelihoods_choose_between_two_confirmed_causes_of_one_playbook_and_never_of_two() -> None:
    likely, rare = {**FULL, "likelihood": 0.6}, {**FULL, "likelihood": 0.1, "cause": "rare"}
    full = moment([{"used": 19, "max": 20}])
    said = judge([candidate(playbook(likely, rare))], full)
    assert (said.outcome, said.cause) == ("cause", "cause_0")
    said = judge([candidate(playbook(likely)), candidate(playbook(rare, series="pbs_other"))], full)
    assert (said.outcome, said.cause) == ("ambiguous", None)


@pytest.mark.parametrize(("less", "more"), [("load", "acute"), ("latent", "acute"), ("latent", "load")])
def test_of_two_confirmed_causes_the_more_pressing_one_is_the_cause_however_rare(less: str, more: str) -> None:
    rare = {**FULL, "likelihood": 0.001, "bearing": more}
    said = judge(
        [candidate(playbook({**FULL, "likelihood": 0.9, "bearing": less}, rare))], moment([{"used": 19, "max": 20}])
    )
    assert (said.outcome, said.cause) == ("cause", "cause_1")
    assert said.hypotheses[0].cause == "cause_1"
    assert said.why.endswith("Found beside it, and less pressing: Cause 0.")


def test_what_the_alert_speaks_of_does_not_yield_to_something_more_pressing() -> None:
    latent = {**FULL, "likelihood": 0.9, "bearing": "latent", "cause": "told"}
    books = [candidate(playbook(latent, series="pbs_named"), named=True), candidate(playbook(FULL))]
    said = judge(books, moment([{"used": 19, "max": 20}]))
    assert (said.outcome, said.cause) == ("ambiguous", None)


def test_the_same_cause_and_object_in_two_playbooks_is_one_hypothesis_not_an_ambiguity() -> None:
    same = {**FULL, "cause": "leak"}
    books = [candidate(playbook(same)), candidate(playbook(same, series="pbs_other"))]
    said = judge(books, moment([{"used": 19, "max": 20}]))
    assert (said.outcome, said.cause) == ("cause", "leak")
    assert sum(h.verdict == "confirmed" for h in said.hypotheses) == 1


def test_a_security_hypothesis_stops_everything_even_when_another_is_likelier() -> None:
    said = judge(
        [candidate(playbook({**FULL, "likelihood": 0.9}, {**FULL, "likelihood": 0.05, "security": True}))],
        moment([{"used": 19, "max": 20}]),
    )
    assert said.outcome == "security"
    assert said.leading is not None and said.leading.security


def test_confirmed_and_refuted_at_once_is_an_authoring_fault_and_never_acted_on() -> None:
    both = {"confirm": "slots.first.used > 1", "refute": "slots.first.used > 2"}
    said = judge([candidate(playbook(both))], moment([{"used": 19, "max": 20}]))
    assert said.outcome == "contradictory"
    assert said.leading is None


def test_an_alert_that_names_a_playbook_makes_it_likelier_but_leaves_none_out() -> None:
    books = [candidate(playbook(FULL)), candidate(playbook({**FULL, "cause": "z"}, series="pbs_named"), named=True)]
    said = judge(books, moment([{"used": 19, "max": 20}]))
    assert said.cause == "z"
    assert {h.playbook for h in said.hypotheses} == {"pbs_test@1.0", "pbs_named@1.0"}


def test_objects_are_named_with_their_identity_and_unreadable_rows_are_left_out() -> None:
    rule = {
        "confirm": "any(r.idle >= 5 for r in slots.rows_data)",
        "refute": "all(r.idle < 5 for r in slots.rows_data)",
        "objects": [{"kind": "application", "each": "slots.rows_data", "when": "o.idle >= 5", "id": "o.app",
                     "name": "o.usr", "keep": {"n": "o.idle"}}],
    }  # fmt: skip
    rows = [{"app": "api", "usr": "shop", "idle": 9}, {"app": "bi", "usr": "shop", "idle": 1}, {"usr": "x", "idle": 7}]
    said = judge([candidate(playbook(rule))], moment(rows))
    assert said.leading is not None
    assert [(o.kind, o.id, o.name, o.values) for o in said.leading.objects] == [
        ("application", "api", "shop", {"n": 9})
    ]


def test_rows_of_several_replicas_say_where_they_are_from_and_one_silent_replica_makes_all_unknown() -> None:
    calls = [ProbeCall(probe="postgres.replay", target=name) for name in ("r1", "r2")]
    seen = [Evidence.of(c, NOW, 1.0, answer=Answer.OK, rows=({"paused": False},)) for c in calls]
    assert [row["target"] for row in merged(seen, calls, NOW)["rows_data"]] == ["r1", "r2"]
    hung = Evidence.of(calls[1], NOW, 1.0, answer=Answer.HUNG)
    assert isinstance(merged([seen[0], hung], calls, NOW)["rows_data"], Unknown)


def test_a_group_without_replicas_has_no_rows_which_is_known() -> None:
    assert merged([], [], NOW)["rows"] == 0


def test_a_member_without_a_login_hides_no_failure_of_another_and_is_no_reason_to_pass() -> None:
    calls = [ProbeCall(probe="postgres.canary", target=name) for name in ("r1", "r2")]
    none, down = (Evidence.of(call, NOW, 1.0, answer=answer) for call, answer in zip(
        calls, (Answer.UNREGISTERED, Answer.NO_DATABASE), strict=True))  # fmt: skip
    well = Evidence.of(calls[1], NOW, 1.0, answer=Answer.OK, rows=({"ok": 1},))
    assert merged([none, down], calls, NOW)["answer"] == "no_database"
    mixed = merged([none, well], calls, NOW)
    assert (mixed["answer"], mixed["first"]["target"]) == ("ok", "r2")
    assert isinstance(mixed["rows"], Unknown)
    assert isinstance(mixed["rows_data"][-1], Unknown)
    assert merged([none], calls[:1], NOW)["answer"] == "unregistered"


def test_rows_beyond_what_was_kept_make_a_search_for_them_unknown() -> None:
    seen = Evidence.of(SLOTS, NOW, 1.0, answer=Answer.OK, rows=({"idle": 1},), truncated=True)
    rule = {
        "confirm": "any(r.idle >= 5 for r in slots.rows_data)",
        "refute": "all(r.idle < 5 for r in slots.rows_data)",
    }
    said = judge([candidate(playbook(rule))], Moment(evidence={SLOTS.key: seen}, alert={}, now=NOW))
    assert said.hypotheses[0].verdict == "unknown"


@pytest.mark.parametrize(
    ("confirm", "refute", "verdict"),
    [
        (True, False, "confirmed"), (True, True, "contradictory"), (False, True, "refuted"), (None, True, "refuted"),
        (False, False, "undecided"), (True, None, "unknown"), (None, None, "unknown"), (None, False, "unknown"),
        (False, None, "unknown"),
    ],
)  # fmt: skip
def test_the_verdict_table(confirm: bool | None, refute: bool | None, verdict: str) -> None:
    assert verdict_of(confirm, refute) == verdict


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0.01, 1.0)), min_size=1, max_size=6))
def test_confidences_are_shares_of_one_and_the_order_of_hypotheses_does_not_matter(
    rules: list[tuple[int, float]],
) -> None:
    built = [{"confirm": f"slots.first.used >= {n}", "refute": f"slots.first.used < {n}", "likelihood": share}
             for n, share in rules]  # fmt: skip
    forward = judge([candidate(playbook(*built))], moment([{"used": 10, "max": 20}]))
    assert sum(h.confidence for h in forward.hypotheses) <= 1.001
    books = [candidate(playbook(rule, series=f"pbs_{n}")) for n, rule in enumerate(built)]
    there, back = (judge(order, moment([{"used": 10, "max": 20}])) for order in (books, books[::-1]))
    assert (there.outcome, there.cause, there.confidence) == (back.outcome, back.cause, back.confidence)


def test_the_suggested_action_names_the_target() -> None:
    book = playbook({**FULL, "then": ["start_server"]})
    step = shipped().spec.steps["start_server"]
    spec = book.spec.model_copy(update={"steps": {"start_server": step}})
    seen = moment([{"used": 19, "max": 20}]).model_copy(update={"target": "shop-db"})
    said = judge([candidate(book.model_copy(update={"spec": spec}))], seen)
    assert said.suggested_action == "Start the stopped server shop-db"


def shipped() -> Playbook:
    text = shipped_texts()["pbs_db_restart_triage.playbook.yaml"]
    found = typed(read_sheet(text, "shipped")[0])[0]
    assert found is not None
    return found
