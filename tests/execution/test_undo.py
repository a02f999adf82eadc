"""A way back: judged by its own meaning when its answer is lost, and only of the state that the step left."""

from collections.abc import Iterator
from typing import Any

import pytest

from ratchet.domain.incident import Incident
from ratchet.domain.move import WALL
from tests.proof.life import COOLDOWN, DEADLINE, Life, living


@pytest.fixture
def life() -> Iterator[Life]:
    with living() as one:
        one.world.helps = False
        yield one


def unhelped(life: Life) -> str:
    """An incident whose two steps were done and brought no recovery, just before it is known."""
    incident = life.alert("B")
    life.run()
    for _ in range(2):
        assert life.approve(incident, "ana", "ben")
        life.settle(DEADLINE + COOLDOWN + 2 if len(life.world.ledger) < 1 else 4)
    assert [op.state for op in life.store.incident(incident).ops] == ["done", "done"]
    return incident


def asked_back(life: Life) -> str:
    """An incident that asks whether its last step is taken back."""
    incident = unhelped(life)
    life.settle(DEADLINE + COOLDOWN + 2)
    packet = life.store.incident(incident).packet
    assert packet is not None and packet.undo_of is not None
    return incident


def taken_back(life: Life, mood: Any) -> Incident:
    """The incident after the yes to its way back, whose answer is lost in that mood."""
    incident = asked_back(life)
    life.world.mood = mood
    assert life.approve(incident, "ana", "ben")
    life.run()
    life.world.mood = "well"
    life.settle(20)
    return life.store.incident(incident)


def tried(seen: Incident) -> dict[str, Any]:
    assert seen.status == "escalated" and seen.handoff is not None and seen.handoff.attempted_fix is not None
    return seen.handoff.attempted_fix


def test_a_way_back_that_landed_unseen_is_known_to_have_happened_and_is_proved(life: Life) -> None:
    seen = taken_back(life, "answer_lost")
    assert life.world.ledger[-1].back
    assert seen.op is not None and seen.op.state == "took"
    assert tried(seen)["rolled_back"] is True


def test_a_way_back_that_was_lost_on_its_way_did_not_happen_and_the_effect_stands(life: Life) -> None:
    seen = taken_back(life, "swallowed")
    assert not life.world.ledger[-1].back
    assert seen.op is not None and seen.op.state == "absent"
    assert tried(seen)["rolled_back"] is False


def test_of_a_way_back_that_nobody_can_judge_nothing_is_claimed(life: Life) -> None:
    incident = asked_back(life)
    life.world.mood = "answer_lost"
    assert life.approve(incident, "ana", "ben")
    life.run()
    life.world.mood, life.world.by_hand = "well", True
    life.settle(20)
    seen = life.store.incident(incident)
    assert seen.op is not None and seen.op.state == "unsure"
    assert tried(seen)["rolled_back"] is None


def test_what_somebody_made_of_the_state_since_is_not_overwritten(life: Life) -> None:
    incident = asked_back(life)
    life.world.by_hand = True
    assert life.approve(incident, "ana", "ben")
    life.run()
    seen = life.store.incident(incident)
    assert not life.world.ledger[-1].back and len(seen.ops) == 2
    assert seen.answered == "superseded" and seen.handoff is not None
    assert "no longer the one that the step left" in seen.handoff.detail
    assert "effect stands" not in seen.handoff.detail


@pytest.mark.parametrize(
    ("changed", "said"), [("by_hand", "no longer the one that the step left"), ("name", "another server answers")]
)
def test_nobody_is_asked_to_take_back_what_is_another_state_or_another_server(
    life: Life, changed: str, said: str
) -> None:
    incident = unhelped(life)
    setattr(life.world, changed, {"by_hand": True, "name": "8000"}[changed])
    life.settle(45)
    seen = life.store.incident(incident)
    assert seen.packet is not None and seen.packet.undo_of is None
    assert seen.handoff is not None and said in seen.handoff.detail


def test_a_server_that_took_over_does_not_prove_that_the_state_came_back(life: Life) -> None:
    incident = asked_back(life)

    def exchanged() -> None:
        life.world.node += 1

    life.between = "after_send", exchanged
    assert life.approve(incident, "ana", "ben")
    life.run()
    seen = life.store.incident(incident)
    assert life.world.ledger[-1].back
    assert seen.rolled_back is not None and seen.rolled_back.proved is None
    assert "Another server answers" in seen.rolled_back.because


def test_a_way_back_that_is_done_after_the_automation_s_time_is_proved_all_the_same(life: Life) -> None:
    incident = life.alert("B")
    life.run()
    for waits in (590, 500):
        life.world.passes(waits)
        assert life.approve(incident, "ana", "ben")
        life.settle(DEADLINE + COOLDOWN + 2 if len(life.world.ledger) < 1 else 4)
    life.settle(DEADLINE + COOLDOWN + 2)
    life.world.passes(560)
    assert life.approve(incident, "ana", "ben")
    life.settle(6)
    seen = life.store.incident(incident)
    assert seen.began_at is not None and life.clock() > seen.began_at + WALL
    assert life.world.ledger[-1].back and seen.rolled_back is not None
    assert tried(seen)["rolled_back"] is True


def test_a_person_who_steps_in_before_the_proof_is_not_told_that_the_effect_stands(life: Life) -> None:
    incident = asked_back(life)
    person = life.person("cem")
    life.between = "before_rolled_back", lambda: life.hands.escalate(person, incident, "I look myself", "by_person")
    assert life.approve(incident, "ana", "ben")
    life.run()
    seen = life.store.incident(incident)
    assert life.world.ledger[-1].back and seen.rolled_back is None
    assert (tried(seen)["rolled_back"], tried(seen)["result"]) == (None, "done")
    assert "effect stands" not in tried(seen)["rollback"]
