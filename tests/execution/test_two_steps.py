"""A plan of two steps that ends between them: what the first one did is proved, told and never called nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from ratchet.domain.case import case_of
from ratchet.domain.incident import Incident
from ratchet.domain.move import next_move
from ratchet.domain.series import Activated
from tests.proof import life as lives
from tests.proof.life import COOLDOWN, DEADLINE, Life, living


@pytest.fixture
def life() -> Iterator[Life]:
    with living() as one:
        yield one


def halfway(life: Life) -> str:
    """An incident whose first step was done and whose second one waits for a yes."""
    incident = life.alert("B")
    life.run()
    assert life.approve(incident, "ana", "ben")
    life.settle(DEADLINE + COOLDOWN + 2)
    seen = life.store.incident(incident)
    assert (seen.status, [op.state for op in seen.ops], seen.cursor) == ("awaiting_approval", ["done"], 1)
    return incident


def handed_over(life: Life, incident: str) -> tuple[Incident, dict[str, Any]]:
    seen = life.store.incident(incident)
    assert seen.status == "escalated" and seen.handoff is not None and seen.handoff.attempted_fix is not None
    return seen, seen.handoff.attempted_fix


def test_an_alert_that_resolves_between_two_steps_is_no_resolution_without_action(life: Life) -> None:
    incident = halfway(life)
    life.repeat(incident, "resolved")
    life.run()
    seen, tried = handed_over(life, incident)
    assert seen.resolved is None and seen.handoff is not None
    assert "unverified: first" in seen.handoff.detail
    assert tried["result"] == "not performed"
    assert [one["step"] for one in tried["performed"]] == ["first"]


def test_an_alert_that_resolves_before_anything_was_done_is(life: Life) -> None:
    incident = life.alert("B")
    life.run()
    life.repeat(incident, "resolved")
    life.run()
    seen = life.store.incident(incident)
    assert seen.status == "resolved" and seen.resolved is not None and seen.resolved.without_action


def test_what_was_done_before_a_handing_back_is_not_left_out_when_the_alert_resolves(life: Life) -> None:
    life.world.helps = False
    incident = life.alert("A")
    life.run()
    assert life.approve(incident, "ana")
    life.settle(60)
    assert life.store.incident(incident).status == "escalated" and len(life.world.ledger) == 1
    life.hand_back(incident)
    life.repeat(incident, "resolved")
    life.run()
    seen = life.store.incident(incident)
    assert seen.status == "resolved" and seen.resolved is not None
    assert not seen.resolved.without_action and seen.resolved.because.endswith("unverified: end.")


def test_a_second_step_that_is_denied_leaves_a_handoff_that_names_the_first(life: Life) -> None:
    incident = halfway(life)
    assert life.approve(incident, "cem", yes=False)
    life.run()
    seen, tried = handed_over(life, incident)
    assert (tried["result"], tried["sent"]) == ("not performed", False)
    assert [(one["step"], one["result"]) for one in tried["performed"]] == [("first", "done")]
    assert tried["performed"][0]["op_id"] == seen.ops[0].grant.op_id


def test_the_standing_grant_of_the_first_step_dies_when_the_last_one_brings_no_recovery(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lives.BOUND, "v-B-0", lives.playbook("B", "1.0", quorum=1))
    life.world.helps = False
    given = life.grant_ahead("B")
    incident = life.alert("B")
    life.run()
    life.settle(DEADLINE + COOLDOWN + 2)
    assert life.approve(incident, "ben")
    life.settle(50)
    seen = life.store.incident(incident)
    assert seen.verified is not None and not seen.verified.passed and seen.standing is None
    assert {grant.id: bool(grant.revoked) for grant in life.store.standing_grants()} == {given.id: True}


def test_the_standing_grant_of_a_step_in_doubt_dies(life: Life) -> None:
    life.grant_ahead("C")
    life.world.mood = "swallowed"
    incident = life.alert("C")
    life.run()
    life.world.mood = "well"
    life.settle(30)
    seen, _ = handed_over(life, incident)
    assert seen.op is not None and seen.op.state == "unsure"
    assert life.store.standing_grants()[0].revoked


def test_a_standing_grant_does_not_come_back_with_the_text_that_it_was_given_for(life: Life) -> None:
    given, other = life.grant_ahead("A"), life.grant_ahead("C")
    for number in (1, 0):
        again = Activated(version_id=f"v-A-{number}", by="user:dan", reason="better")
        life.store.commit_series(life.store.series("pbs_session"), again, by="user:dan")
    incident = life.alert("A")
    life.run()
    seen = life.store.incident(incident)
    assert (seen.status, seen.standing, life.world.ledger) == ("awaiting_approval", None, [])
    told = {grant.id: grant.revoked for grant in life.store.standing_grants()}
    assert told == {given.id: "the playbook's active text became another one", other.id: ""}
    assert life.store.verify().ok


def test_a_proof_that_ends_between_the_intent_and_the_send_stops_the_send(life: Life) -> None:
    proof = life.certify("A")
    life.grant_ahead("A", certificate=proof.id, uses=1)
    life.between = "after_anchor", lambda: life.store.revoke_certificate(proof.id, "it failed since", "user:dan")
    incident = life.alert("A")
    life.run()
    seen = life.store.incident(incident)
    assert (life.world.ledger, [op.state for op in seen.ops]) == ([], ["failed_clean"])
    assert "it failed since" in seen.ops[0].return_code


def test_the_last_use_of_a_standing_grant_is_a_use(life: Life) -> None:
    life.grant_ahead("A", certificate=life.certify("A").id, uses=1)
    incident = life.alert("A")
    life.run()
    assert len(life.world.ledger) == 1 and life.store.incident(incident).standing is not None


def test_a_recovery_behind_a_lost_answer_is_proved_and_credited_to_nobody(life: Life) -> None:
    incident = life.alert("A")
    life.run()
    assert life.approve(incident, "ana")
    life.world.mood = "answer_lost"
    life.run()
    life.world.mood = "well"
    life.settle(40)
    seen = life.store.incident(incident)
    assert [op.state for op in seen.ops] == ["took"] and seen.verified is not None and seen.verified.passed
    assert not seen.turned and next_move(seen, life.clock()).kind == "rest"
    assert seen.resolved is not None and not seen.resolved.without_action and seen.resolved.cause is None
    assert "others may have brought" in seen.resolved.because
    case = case_of(incident, life.store.timeline(incident))
    assert case is not None and case.fix_correct is None


def test_a_recovery_behind_an_answer_is_credited(life: Life) -> None:
    incident = life.alert("A")
    life.run()
    assert life.approve(incident, "ana")
    life.settle(40)
    seen = life.store.incident(incident)
    assert seen.turned and next_move(seen, life.clock()).kind == "draft"
    case = case_of(incident, life.store.timeline(incident))
    assert case is not None and case.fix_correct is True
