"""A standing grant that rests on a certificate is dead with it, also when it ends just before the intent is written."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.proof.life import Life, living


def superseded(life: Life, incident: str) -> str:
    """Why the packet counted no more."""
    return next(one.event.because for one in life.store.timeline(incident) if one.event.kind == "superseded")


def test_a_grant_whose_certificate_counts_acts_and_one_whose_certificate_does_not_asks() -> None:
    with living() as life:
        life.grant_ahead("A", certificate=life.certify("A").id)
        incident = life.alert("A", "db")
        life.settle(20)
        assert life.store.incident(incident).status == "resolved"
        life.certify("A", failed=("faults",), passed=())
        incident = life.alert("A", "other")
        life.settle(20)
        asked = life.store.incident(incident)
        assert (asked.status, asked.standing) == ("awaiting_approval", None)


def test_a_grant_does_nothing_unasked_for_a_cause_that_its_certificate_was_given_without() -> None:
    with living() as life:
        life.grant_ahead("A", certificate=life.certify("A", causes=("y",)).id)
        incident = life.alert("A", "db")
        life.settle(20)
        assert (life.store.incident(incident).status, life.world.ledger) == ("awaiting_approval", [])


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda life, proof: life.store.revoke_certificate(proof.id, "the lab was wrong", "ratchet"), "lab was wrong"),
        (lambda life, proof: life.certify("A", failed=("crash",)), "came after it and was not passed"),
        (lambda life, proof: life.world.passes(timedelta(minutes=1).total_seconds()), "it expired at"),
    ],
)
def test_what_ends_a_certificate_after_the_cover_is_refused_in_the_intent_itself(
    spoil: Callable[[Life, Any], object], word: str
) -> None:
    with living() as life:
        proof = life.certify("A", expires_at=life.clock() + timedelta(seconds=50))
        life.grant_ahead("A", certificate=proof.id)
        life.automation.pause(life.person(), "wait")
        incident = life.alert("A", "db")
        life.run()
        assert life.store.incident(incident).standing is not None
        spoil(life, proof)
        life.automation.resume(life.person(), "go on")
        life.run()
        assert word in superseded(life, incident)
        seen = life.store.incident(incident)
        assert (seen.ops, seen.standing, seen.status) == ((), None, "awaiting_approval")
        assert not life.world.ledger
