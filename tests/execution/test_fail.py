"""What nobody foresaw hands an incident over, and takes none from a person who has it or who said that it is over."""

from ratchet.domain.escalation import Stop
from tests.proof.life import living

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
