"""What was denied a moment ago is not asked again as if nothing had been said, and no standing grant outweighs it."""

from datetime import UTC, datetime, timedelta

import pytest

from ratchet.desk.incidents import needs
from ratchet.desk.sentences import sentence
from ratchet.domain.timeline import Escalated, HandedBack, Joined, Sampled, Taken
from tests.proof.life import Life, living


def denied(life: Life, klass: str = "A", target: str = "db") -> str:
    """An incident whose step ana denied."""
    incident = life.alert(klass, target)
    life.run()
    assert life.approve(incident, "ana", yes=False)
    life.run()
    assert life.store.incident(incident).status == "escalated"
    return life.store.incident(incident).name


def test_the_next_packet_for_the_target_says_who_denied_a_like_step_where_and_when() -> None:
    with living() as life:
        name = denied(life)
        life.world.passes(12 * 60 + 5)
        incident = life.alert("A", "db")
        life.run()
        seen = life.store.incident(incident)
        assert seen.packet is not None
        said = f"A like step was denied on {name} 12 minutes ago by user:ana."
        assert said in seen.packet.against[0].signal and "said so" in seen.packet.against[0].signal
        assert said in seen.packet.approval_prompt
        assert said in needs(seen)
        life.approve(incident, "ben")
        life.settle(20)
        assert life.store.incident(incident).status == "resolved", "it may be approved all the same"


def test_an_incident_handed_back_after_a_denial_says_so_of_itself() -> None:
    with living() as life:
        name = denied(life)
        incident = life.store.incident(name).id
        life.hand_back(incident)
        life.run()
        packet = life.store.incident(incident).packet
        assert packet is not None and f"denied on {name} just now" in packet.approval_prompt


@pytest.mark.parametrize(("klass", "target"), [("A", "other"), ("C", "db")])
def test_another_step_or_another_target_is_none_of_that(klass: str, target: str) -> None:
    with living() as life:
        denied(life)
        incident = life.alert(klass, target)
        life.run()
        packet = life.store.incident(incident).packet
        assert packet is not None
        assert packet.against == () and "denied" not in packet.approval_prompt


def test_a_replica_of_the_same_conflict_group_is_told_too() -> None:
    with living() as life:
        name = denied(life)
        incident = life.alert("A", "db-r")
        life.run()
        packet = life.store.incident(incident).packet
        assert packet is not None and name in packet.approval_prompt


def test_a_standing_grant_waits_for_a_person_for_a_day_after_a_denial() -> None:
    with living() as life:
        life.automation.pause(life.person(), "a look first")
        denied(life)
        life.automation.resume(life.person(), "go on")
        life.grant_ahead("A")
        incident = life.alert("A", "db")
        life.settle(20)
        asked = life.store.incident(incident)
        assert (asked.status, asked.standing) == ("awaiting_approval", None)
        life.world.passes(timedelta(hours=25).total_seconds())
        life.run()
        later = life.alert("A", "db")
        life.settle(20)
        done = life.store.incident(later)
        assert done.status == "resolved" and done.packet is not None and done.packet.against == ()


def test_a_yes_that_had_to_wait_until_it_expired_is_not_called_silence() -> None:
    with living() as life:
        incident = life.alert("A")
        life.run()
        life.automation.pause(life.person(), "a look first")
        assert life.approve(incident, "ana")
        life.run()
        assert life.store.incident(incident).delayed
        life.settle(3600)
        seen = life.store.incident(incident)
    assert seen.handoff is not None and seen.handoff.escalation_reason == "expired"
    told = f"{seen.handoff.sentence} {seen.handoff.detail} {seen.handoff.human_action_required}"
    assert "It was approved" in told and "a look first" in told
    assert "obody" not in told and "No answer" not in told


def test_silence_is_told_as_such() -> None:
    with living() as life:
        incident = life.alert("A")
        life.run()
        life.settle(3600)
        seen = life.store.incident(incident)
    assert seen.handoff is not None and seen.handoff.escalation_reason == "expired"
    assert "It was approved" not in seen.handoff.detail


def test_who_takes_over_from_another_person_says_from_whom() -> None:
    with living() as life:
        incident = denied(life)
        life.hands.take(life.person("ana"), incident, "mine")
        life.hands.take(life.person("ana"), incident, "mine still")
        life.hands.take(life.person("ben"), incident, "I know it")
        life.hands.take(life.person("ana"), incident, "thanks")
        life.hands.hand_back(life.person("ana"), incident, "go on")
        seen = life.store.timeline(life.store.incident(incident).id)
    told = [event.event.reason for event in seen if isinstance(event.event, Taken | HandedBack)]
    assert told == ["mine", "I know it (user:ana had it)", "thanks (user:ben had it)", "go on"]


def test_a_sample_is_told_by_what_was_watched_and_an_escalation_says_nothing_twice() -> None:
    lines = {"headroom": "7 < 31", "locks": "left out here: hypothesis == 'leak' -> false"}
    sample = Sampled(at=datetime.now(UTC), value=True, lines=lines, evidence=())
    assert sentence(sample) == "Sample good: headroom: 7 < 31"
    with living() as life:
        denied(life)
        seen = life.store.incident("INC-1").handoff
    assert seen is not None
    assert sentence(Escalated(handoff=seen)).count("said so") == 1
    known = seen.model_copy(update={"detail": "Free slots.", "human_action_required": "Free slots. Decide."})
    assert sentence(Escalated(handoff=known)).count("Free slots") == 1


def test_an_alert_that_comes_or_ends_later_is_told_as_what_it_is() -> None:
    with living() as life:
        incident = life.alert("A")
        life.repeat(incident, "firing")
        life.repeat(incident, "resolved")
        told = [sentence(one.event) for one in life.store.timeline(incident) if isinstance(one.event, Joined)]
    assert "is over, says its monitor" in told[-1]
    assert all("fires, and belongs here" in one for one in told[:-1])
