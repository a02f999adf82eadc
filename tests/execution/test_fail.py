"""What nobody foresaw hands an incident over, and takes none from a person who has it or who said that it is over."""

from datetime import timedelta
from typing import Any

from ratchet.domain.escalation import Stop
from ratchet.domain.timeline import Settled
from tests.proof.life import Life, living

BROKE = "Something broke while making a move."


def test_a_move_that_broke_hands_over_what_nobody_has() -> None:
    with living() as life:
        incident = life.alert()
        life.run()
        life.engine.fail(incident, BROKE)
        seen = life.store.incident(incident)
        assert seen.status == "escalated" and seen.handoff is not None
        assert seen.handoff.escalation_reason is Stop.ERROR and BROKE in seen.handoff.detail


def test_a_move_that_broke_takes_nothing_from_a_person() -> None:
    with living() as life:
        held, over = life.alert("A", "db"), life.alert("A", "other")
        life.run()
        life.take(held)
        life.hands.resolve(life.person(), over, "x", "it is over")
        for incident, status in ((held, "held"), (over, "resolved")):
            life.engine.fail(incident, BROKE)
            assert (life.store.incident(incident).status, life.store.incident(incident).handoff) == (status, None)


def lost(life: Life) -> str:
    """An incident whose act landed and whose answer did not come back."""
    incident = life.alert()
    life.run()
    assert life.approve(incident, "ana")
    life.world.mood = "answer_lost"
    life.run()
    life.world.mood = "well"
    assert life.store.incident(incident).may_land is not None
    return incident


def told(life: Life, incident: str) -> list[Settled]:
    return [one.event for one in life.store.timeline(incident) if isinstance(one.event, Settled)]


def freed_by_a_person(life: Life, incident: str) -> None:
    """A person is told that nobody knows, and ends the lock with the incident: another one may act there."""
    seen = life.store.incident(incident)
    assert (seen.status, seen.op and seen.op.state) == ("escalated", "unsure")
    assert [one.took for one in told(life, incident)] == ["cannot_tell"]
    life.hands.resolve(life.person(), incident, "x", "I looked at it")
    assert life.store.holding() == []


def test_an_outcome_that_breaks_whoever_asks_for_it_holds_no_lock_for_ever() -> None:
    with living() as life:
        incident = lost(life)

        def breaks(*_: Any) -> None:
            raise KeyError("a row of an earlier release")

        life.world.on_took = breaks
        for _ in range(300):
            life.world.passes(3)
            for due in life.store.due(life.clock()):
                try:
                    life.engine.advance(due.incident)
                except KeyError:
                    life.engine.fail(due.incident, BROKE)
        assert BROKE in told(life, incident)[0].because
        freed_by_a_person(life, incident)


def test_a_target_whose_clock_was_set_back_holds_no_lock_for_ever() -> None:
    with living() as life:
        incident = lost(life)
        life.world.target_set -= timedelta(hours=3)
        life.settle(500)
        assert told(life, incident) == [] and life.store.incident(incident).may_land is not None
        life.settle(200)
        assert "clock is behind" in told(life, incident)[0].because
        freed_by_a_person(life, incident)
