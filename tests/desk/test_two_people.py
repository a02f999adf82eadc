"""An incident of high impact ends by the same word of two people, over HTTP, and by nothing less."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ratchet.desk.contract import Desk
from ratchet.domain import timeline as e
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.escalation import Stop
from ratchet.domain.incident import Incident
from ratchet.domain.ports import Joining
from ratchet.security.principal import Principal
from tests.bad_inputs.conftest import Door, door_at
from tests.store import walks

CAUSE = "real_load"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with door_at(tmp_path_factory.mktemp("state") / "home") as one:
        yield one


def escalated(door: Door, stop: Stop = Stop.UNKNOWN_CAUSE, **labels: str) -> Incident:
    """An incident that waits for people."""
    store = door.house.store
    name = f"two{store.audit.head().position}"

    def build(number: int) -> e.Opened:
        opened = walks.opened(number, None)
        return opened.model_copy(update={"alert": walks.alert(name).model_copy(update={"labels": labels})})

    incident = store.open(name, build, "ratchet")
    handed = walks.handoff(incident, datetime.now(UTC), stop)
    return store.commit(incident, handed, by="ratchet", wake_at=None)


def grave(door: Door) -> Incident:
    return escalated(door, impact_customers="5000")


def say(door: Door, incident: Incident, who: str, verb: str = "resolve", cause: str = CAUSE) -> Any:
    body = {"reason": f"{who} looked"} | ({"cause": cause} if verb == "resolve" else {})
    answer = door.send("POST", f"/api/v1/incidents/{incident.name}/{verb}", who, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("labels", [{}, {"impact_customers": "1"}])
def test_one_person_does_not_talk_the_impact_down_and_end_it(door: Door, labels: dict[str, str]):
    incident = grave(door)
    alert = incident.alert.model_copy(update={"labels": labels}).model_dump(mode="json")
    assert door.send("POST", "/api/v1/alerts", "ana", json={"alerts": [alert]}).status_code == 202
    assert door.house.store.incident(incident.id).alert.labels == labels
    first = say(door, incident, "ana")
    assert (first["status"], first["ending"]["by"]) == ("escalated", "user:ana")
    assert say(door, incident, "ben")["status"] == "resolved"


def test_a_program_takes_no_incident_from_the_person_who_has_it(door: Door):
    incident = escalated(door)
    assert say(door, incident, "ana", "take")["status"] == "held"
    body = {"reason": "nightly", "criterion": "by_person"}
    robot = door.token("robot", "operator", person=False)
    refused = door.send("POST", f"/api/v1/incidents/{incident.name}/escalate", robot, json=body)
    assert (refused.status_code, door.house.store.incident(incident.id).owner) == (403, "user:ana")


@pytest.mark.parametrize("verb", ["resolve", "close"])
def test_the_first_word_is_a_proposal_that_everybody_sees_and_the_second_ends_it(door: Door, verb: str):
    incident = grave(door)
    first = say(door, incident, "ana", verb)
    assert (first["status"], first["ending"]["by"], first["ending"]["verb"]) == ("escalated", "user:ana", verb)
    assert f"ratchet incident {verb} {incident.name}" in first["needs"] and "user:ana" in first["needs"]
    told = first["timeline"][-1]
    assert told["event"] == "end_proposed"
    assert "Another person must say the same" in told["sentence"] and "impact_customers=5000" in told["sentence"]
    second = say(door, incident, "ben", verb)
    assert (second["status"], second["ending"]) == ({"resolve": "resolved", "close": "closed"}[verb], None)


def test_a_person_s_word_that_the_impact_is_high_stays_whatever_is_said_later(door: Door):
    incident = escalated(door)
    for criterion in ("high_impact", "by_person"):
        body = {"reason": "the shop is down", "criterion": criterion}
        assert door.send("POST", f"/api/v1/incidents/{incident.name}/escalate", json=body).status_code == 200
    assert say(door, incident, "ana")["status"] == "escalated"
    assert say(door, incident, "ben")["status"] == "resolved"


def test_one_person_twice_under_any_spelling_is_one_person(door: Door):
    incident = grave(door)
    again = door.token("ANA")
    for who in ("ana", "ana", again):
        assert say(door, incident, who)["status"] == "escalated"
    assert len([line for line in door.house.store.timeline(incident.id) if isinstance(line.event, e.EndProposed)]) <= 2


@pytest.mark.parametrize("verb", ["resolve", "close"])
def test_at_the_terminal_of_the_state_two_names_are_one_person(door: Door, verb: str):
    incident = grave(door)
    here = {name: door.house.desk(Principal(kind="person", name=name, role="admin", channel="cli")) for name in "ab"}
    say_here(here["a"], incident, verb)
    with pytest.raises(Refusal, match="two names are one person") as no:
        say_here(here["b"], incident, verb)
    assert no.value.code is Code.FORBIDDEN
    now = door.house.store.incident(incident.id)
    assert (now.status, now.ending and now.ending.by) == ("escalated", "user:a")
    assert say(door, incident, "ben", verb)["status"] in ("resolved", "closed")


def say_here(desk: Desk, incident: Incident, verb: str) -> None:
    if verb == "resolve":
        desk.resolve(incident.name, CAUSE, "I looked")
    else:
        desk.close_incident(incident.name, "I looked")


def test_who_says_it_again_with_a_token_is_known_from_then_on(door: Door):
    incident = grave(door)
    say_here(door.house.desk(Principal(kind="person", name="ana", role="admin", channel="cli")), incident, "resolve")
    assert say(door, incident, "ana")["status"] == "escalated"
    say_here(door.house.desk(Principal(kind="person", name="cy", role="admin", channel="cli")), incident, "resolve")
    assert door.house.store.incident(incident.id).status == "resolved"


@pytest.mark.parametrize(("verb", "cause"), [("close", CAUSE), ("resolve", "connection_exhaustion_idle_leak")])
def test_another_word_confirms_nothing_but_stands_for_itself(door: Door, verb: str, cause: str):
    incident = grave(door)
    say(door, incident, "ana")
    other = say(door, incident, "ben", verb, cause)
    assert (other["status"], other["ending"]["by"]) == ("escalated", "user:ben")
    assert say(door, incident, "ana", verb, cause)["status"] in ("resolved", "closed")


def joins(door: Door, incident: Incident) -> None:
    other = incident.alert.model_copy(update={"fingerprint": "another"})
    door.house.store.receive([other], lambda *_: Joining(incident_id=incident.id), "service:am")


def hands_back(door: Door, incident: Incident) -> None:
    assert door.send("POST", f"/api/v1/incidents/{incident.name}/handback", json={"reason": "x"}).status_code == 200
    store = door.house.store
    held = e.Taken(by="user:ben", reason="mine again")
    store.commit(store.incident(incident.id), held, by="user:ben", wake_at=None)


def test_no_program_takes_an_incident_out_of_a_person_s_hands(door: Door):
    incident = escalated(door)
    takes(door, incident)
    bot = Principal(kind="service", name="bot", role="operator", channel="http")
    with pytest.raises(Refusal) as no:
        door.house.desk(bot).hand_back(incident.name, "it looks well")
    assert no.value.code is Code.FORBIDDEN
    token = door.token("bot", "operator", person=False)
    for verb in ("handback", "take", "close"):
        body = {"reason": "it looks well"}
        assert door.send("POST", f"/api/v1/incidents/{incident.name}/{verb}", token, json=body).status_code == 403
    held = door.house.store.incident(incident.id)
    assert (held.status, held.owner) == ("held", "user:ben")


def takes(door: Door, incident: Incident) -> None:
    assert door.send("POST", f"/api/v1/incidents/{incident.name}/take", "ben", json={"reason": "x"}).status_code == 200


@pytest.mark.parametrize("between", [joins, hands_back, takes])
def test_whatever_happens_between_withdraws_the_first_word(door: Door, between: Any):
    incident = grave(door)
    say(door, incident, "ana")
    between(door, incident)
    assert door.house.store.incident(incident.id).ending is None
    assert say(door, incident, "ben")["status"] in ("escalated", "held")
    assert say(door, incident, "ana")["status"] == "resolved"


def test_a_note_withdraws_nothing(door: Door):
    incident = grave(door)
    say(door, incident, "ana")
    body = {"text": "ben is on his way"}
    assert door.send("POST", f"/api/v1/incidents/{incident.name}/note", json=body).status_code == 200
    assert say(door, incident, "ben")["status"] == "resolved"


def test_low_impact_takes_one_person_and_putting_away_what_is_resolved_does_too(door: Door):
    assert say(door, escalated(door), "ana")["status"] == "resolved"
    assert say(door, escalated(door, impact_customers="12"), "ana", "close")["status"] == "closed"
    incident = grave(door)
    say(door, incident, "ana")
    say(door, incident, "ben")
    assert say(door, incident, "ana", "close")["status"] == "closed"


def test_the_checkpoint_is_still_the_fold_of_the_events(door: Door):
    say(door, grave(door), "ana")
    assert door.house.store.audit.verify(full=True).ok
