"""An act that provably did not happen is sent again at most once, and never after what was asked was withdrawn."""

from collections.abc import Iterator

import pytest

from tests.proof.life import Life, living


@pytest.fixture
def life() -> Iterator[Life]:
    with living() as one:
        yield one


def swallowed(life: Life, incident: str) -> None:
    """The approved act is lost on its way, and somebody new comes among what it would have touched."""
    life.world.mood = "swallowed"
    life.run()
    life.world.mood = "well"
    assert [op.state for op in life.store.incident(incident).ops] == ["unknown"]


def withdrawn_once(life: Life, incident: str) -> None:
    """One word that it is withdrawn, nothing sent, and a person who is told."""
    life.settle(30)
    seen = life.store.incident(incident)
    kinds = [told.event.kind for told in life.store.timeline(incident)]
    assert (kinds.count("superseded"), kinds.count("intended")) == (1, 1)
    assert (seen.status, life.world.ledger) == ("escalated", [])
    assert seen.handoff is not None and "was not sent again" in seen.handoff.detail


def test_a_world_that_changed_before_the_second_attempt_ends_it_after_a_persons_yes(life: Life) -> None:
    incident = life.alert()
    life.run()
    assert life.approve(incident, "ana")
    swallowed(life, incident)
    life.world.sessions = [*life.world.sessions, {"pid": 72, "backend_start": "b9"}]
    withdrawn_once(life, incident)


def test_a_standing_grant_whose_last_use_was_the_first_attempt_gives_no_second(life: Life) -> None:
    life.grant_ahead("A", uses=1)
    incident = life.alert()
    swallowed(life, incident)
    withdrawn_once(life, incident)


def test_a_second_attempt_in_an_unchanged_world_is_made_and_helps(life: Life) -> None:
    incident = life.alert()
    life.run()
    assert life.approve(incident, "ana")
    swallowed(life, incident)
    life.settle(30)
    seen = life.store.incident(incident)
    assert ([op.state for op in seen.ops], seen.status) == (["absent", "done"], "resolved")
