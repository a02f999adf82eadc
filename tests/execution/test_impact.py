"""Harm that is heard of after the question, the yes or the intent stops the act: an incident commander decides."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ratchet.domain.policy import Impact
from tests.proof import life as lives
from tests.proof.life import Life, living


@pytest.fixture
def life(monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    policy = lives.POLICY.model_copy(update={"impact": Impact(customers=1000, revenue=10000)})
    monkeypatch.setattr(lives, "POLICY", policy)
    with living() as one:
        yield one


def hurts(life: Life, incident: str, **labels: str) -> None:
    """The same trouble is alerted on again, and now the monitor says what it costs."""
    first = life.store.incident(incident).alert
    later = {"starts_at": first.starts_at + timedelta(seconds=5), "labels": {**first.labels, **labels}}
    life._receive(first.model_copy(update=later))


def handed_over(life: Life, incident: str) -> str:
    """Why it was escalated, once it was, with nothing done."""
    seen = life.store.incident(incident)
    assert seen.status == "escalated" and seen.handoff is not None, seen.status
    assert (seen.handoff.escalation_reason, seen.handoff.to) == ("high_impact", "group:default/incident-commander")
    assert not life.world.ledger
    return seen.handoff.detail


@pytest.mark.parametrize("labels", [{"impact_customers": "5000"}, {"impact_revenue": "a lot"}])
def test_an_alert_of_high_impact_after_the_question_withdraws_it(life: Life, labels: dict[str, str]) -> None:
    incident = life.alert()
    life.run()
    packet = life.store.incident(incident).packet
    assert packet is not None
    hurts(life, incident, **labels)
    life.run()
    assert "What was asked is withdrawn" in handed_over(life, incident)
    assert life.store.decision(packet.id)[0].state == "superseded"
    assert not life.approve(incident, "ana")


def test_one_below_the_limit_withdraws_nothing(life: Life) -> None:
    incident = life.alert()
    life.run()
    hurts(life, incident, impact_customers="12")
    life.run()
    assert life.approve(incident, "ana")
    life.settle(20)
    assert life.store.incident(incident).status == "resolved"


def test_an_alert_of_high_impact_after_the_yes_voids_it(life: Life) -> None:
    life.automation.pause(life.person(), "wait")
    incident = life.alert()
    life.run()
    assert life.approve(incident, "ana")
    life.run()
    assert life.store.incident(incident).delayed
    hurts(life, incident, impact_customers="5000")
    life.automation.resume(life.person(), "go on")
    life.run()
    assert handed_over(life, incident)


@pytest.mark.parametrize("place", ["before_intent", "after_intent", "before_anchor", "after_anchor"])
def test_an_alert_of_high_impact_at_the_last_moment_stops_the_send(life: Life, place: str) -> None:
    incident = life.alert()
    life.run()
    assert life.approve(incident, "ana")
    life.between = place, lambda: hurts(life, incident, impact_customers="5000")
    life.run()
    life.settle(20)
    assert life.between is None
    assert handed_over(life, incident)


def test_a_standing_grant_does_not_outweigh_the_impact(life: Life) -> None:
    life.automation.pause(life.person(), "wait")
    granted = life.grant_ahead("A")
    incident = life.alert()
    life.run()
    assert life.store.incident(incident).standing == granted.id
    hurts(life, incident, impact_customers="5000")
    life.automation.resume(life.person(), "go on")
    life.run()
    assert handed_over(life, incident)
    assert life.store.standing_grants()[0].used == 0
