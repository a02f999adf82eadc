"""What uncommitted writes raise is the gate, too: as many people, and no longer, than the graver effect asks for."""

from typing import Any

from ratchet.domain.playbook import Effect
from ratchet.domain.policy import Policy, raised
from ratchet.execution.planner import Planner
from tests.proof.house import VERSION
from tests.proof.life import living, playbook

LEAST: dict[Effect, dict[str, Any]] = {
    "read": {"quorum": 1, "expires": 600},
    "reversible": {"quorum": 1, "expires": 500},
    "disruptive": {"quorum": 2, "expires": 400},
    "destructive": {"quorum": 3, "expires": 300},
}


def test_a_step_carries_what_it_asks_for_and_what_it_asks_for_with_writes() -> None:
    policy = Policy.model_validate({"effects": LEAST})
    with living() as life:
        incident = life.alert("A", "db")
        life.run()
        seen = life.store.incident(incident)
        (step, *_) = Planner(life.world, policy).bind(seen, VERSION, playbook("A"), life.store.targets()).steps
    graver = raised(step.effect)
    plain, writing = step.leave(writes=False), step.leave(writes=True)
    assert (plain.quorum, plain.expires) == (LEAST[step.effect]["quorum"], min(step.expires, 600))
    assert writing.quorum == LEAST[graver]["quorum"] and writing.expires <= LEAST[graver]["expires"]
    assert step.effect == "destructive" or writing.quorum > plain.quorum


def test_writes_never_lower_what_a_step_asks_for_itself() -> None:
    policy = Policy.model_validate({"effects": LEAST})
    with living() as life:
        incident = life.alert("A", "db")
        life.run()
        seen = life.store.incident(incident)
        book = playbook("A", quorum=5)
        (step, *_) = Planner(life.world, policy).bind(seen, VERSION, book, life.store.targets()).steps
    assert step.leave(writes=True).quorum == 5
    assert step.model_copy(update={"graver": None}).leave(writes=True).quorum == 5
