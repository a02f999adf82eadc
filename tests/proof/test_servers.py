"""A standing grant ends where another server stands behind the name, also when that happens just before the intent."""

from typing import Any

import pytest

from ratchet.domain.standing import KnownServer
from tests.proof.life import Life, living
from tests.proof.test_certificates import superseded

KNOWN = {"db": KnownServer(address="", system_identifier="7301")}


def registered_anew(life: Life, name: str, **changes: Any) -> None:
    target = next(each for each in life.store.targets() if each.name == name)
    life.store.put_target(target.model_copy(update=changes), "user:root")


def test_a_grant_acts_on_the_server_that_it_was_given_for_and_asks_on_one_that_was_registered_later() -> None:
    with living() as life:
        life.grant_ahead("A", servers=KNOWN)
        registered_anew(life, "db", owner="user:default/bo")
        incident = life.alert("A", "db")
        life.settle(20)
        assert life.store.incident(incident).status == "resolved"
        life.world.passes(1)
        registered_anew(life, "other")
        incident = life.alert("A", "other")
        life.settle(20)
        asked = life.store.incident(incident)
        assert (asked.status, asked.standing) == ("awaiting_approval", None)


@pytest.mark.parametrize(
    ("servers", "word"), [({}, "registered anew, after it was given"), (KNOWN, "another server stands behind db")]
)
def test_a_server_that_is_exchanged_after_the_cover_is_refused_in_the_intent_itself(servers: Any, word: str) -> None:
    with living() as life:
        life.grant_ahead("A", servers=servers)
        life.automation.pause(life.person(), "wait")
        incident = life.alert("A", "db")
        life.run()
        assert life.store.incident(incident).standing is not None
        life.world.passes(1)
        registered_anew(life, "db", address="elsewhere:5432/shop")
        life.automation.resume(life.person(), "go on")
        life.run()
        assert word in superseded(life, incident)
        seen = life.store.incident(incident)
        assert (seen.ops, seen.standing, seen.status) == ((), None, "awaiting_approval")
        assert not life.world.ledger
