"""What proves a recovery and what does not, and the way back when there was none."""

from pathlib import Path
from typing import Any

import pytest

from ratchet.lab.embedded import Cluster
from tests.nights.conftest import Night, opened
from tests.nights.culprits import cut_off, leak
from tests.nights.protocol import alert_apart, approved_and_delayed, events, held_act, policy_with, resume, sentence

pytestmark = [pytest.mark.night, pytest.mark.postgres]


def healed(night: Night, name: str) -> None:
    """The monitor says that its alert is over."""
    alert_apart(night, name, "resolved")


def test_an_alert_that_resolves_before_the_act_is_resolved_without_action(night: Night, server: Cluster) -> None:
    with leak(server):
        name = alert_apart(night, "HealsWhileAsked")
        night.until(name, "awaiting_approval")
        healed(night, "HealsWhileAsked")
        seen = night.until(name, "resolved", "escalated")
        assert sentence(seen, "resolved").startswith("Resolved without action: ")
        other = alert_apart(night, "HealsWhileApproved")
        approved_and_delayed(night, other)
        healed(night, "HealsWhileApproved")
        resume(night)
        also = night.until(other, "resolved", "escalated")
    for incident in (seen, also):
        assert incident["status"] == "resolved"
        assert incident["draft"] is None
        assert "fix_started" not in events(incident)


def test_an_alert_that_resolves_between_intent_and_send_stops_the_send(
    night: Night, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Any = night.house.store
    real = store.anchor

    def anchor() -> None:
        healed(night, "HealsAtTheLast")
        real()

    with leak(server) as leaked:
        name = alert_apart(night, "HealsAtTheLast")
        asked = night.until(name, "awaiting_approval")
        monkeypatch.setattr(store, "anchor", anchor)
        assert night.answer(asked)[0] == 200
        seen = night.until(name, "resolved", "escalated")
        assert all(session.execute("SELECT 1").fetchone() for session in leaked)
    assert seen["status"] == "resolved", seen["handoff"]
    assert "nothing was sent" in sentence(seen, "fix_completed")
    assert seen["draft"] is None


def test_what_was_in_flight_is_settled_and_verified_and_credited_as_the_criteria_had_failed(
    night: Night, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with leak(server), held_act(night, monkeypatch) as held:
        name = alert_apart(night, "HealsInFlight")
        assert night.answer(night.until(name, "awaiting_approval"))[0] == 200
        assert held.begun.wait(10)
        healed(night, "HealsInFlight")
        held.go.set()
        seen = night.until_true(name, lambda i: i["draft"] is not None or i["status"] == "escalated")
    assert seen["status"] == "resolved"
    assert seen["verification"]["passed"] is True


def test_criteria_that_held_before_the_act_credit_no_playbook(
    night: Night, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratchet.execution.perform.Performer._before", lambda self, plan: True)
    with leak(server):
        name = alert_apart(night, "AlreadyWell")
        assert night.answer(night.until(name, "awaiting_approval"))[0] == 200
        seen = night.until(name, "resolved", "escalated")
        assert seen["status"] == "resolved"
        assert "not credited" in sentence(seen, "resolved")
        night.house.worker.nudge()
        rested = night.until_true(name, lambda i: night.house.store.next_wake() is None)
    assert rested["draft"] is None


@pytest.fixture
def settings_night(server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A night whose target lets role settings be taken back, and a role that can be given a bad one."""
    policy_with(monkeypatch, lambda fields: None)
    with server.connect() as superuser:
        superuser.execute("DROP ROLE IF EXISTS app_one")
    server.add_login("app_one")
    with opened(server, tmp_path, allow=("role_settings", "log")) as one:
        yield one
    with server.connect() as superuser:
        superuser.execute("DROP ROLE app_one")


def setting(server: Cluster, role: str) -> Any:
    query = "SELECT setconfig FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole WHERE rolname = %s"
    with server.connect() as superuser:
        found = superuser.execute(query, (role,)).fetchone()
    return found[0] if found else None


def without_recovery(night: Night, server: Cluster, name: str) -> dict[str, Any]:
    """A setting was taken back, which did not help a session that has it still: the incident that asks to undo it."""
    asked = night.until(name_of := alert_apart(night, name), "awaiting_approval", "escalated")
    assert asked["status"] == "awaiting_approval", asked["handoff"]
    assert night.answer(asked)[0] == 200
    back = night.until_true(
        name_of, lambda i: i["status"] == "escalated" or (i["decision"] or {}).get("id") != asked["decision"]["id"]
    )
    assert back["status"] == "awaiting_approval", back["handoff"]
    assert setting(server, "app_one") is None
    assert back["decision"]["title"].startswith("Take back: ")
    return back


def test_a_step_that_did_not_help_is_taken_back_after_a_yes_and_proved(settings_night: Night, server: Cluster) -> None:
    with cut_off(server, "app_one"):
        back = without_recovery(settings_night, server, "TinyTimeout")
        assert "ALTER ROLE" in back["decision"]["packet"]["act"]["statements"][0]["sql"]
        assert settings_night.answer(back)[0] == 200
        seen = settings_night.until(back["id"], "escalated", "resolved")
    assert setting(server, "app_one") == ["statement_timeout=50ms"]
    handoff = seen["handoff"]
    assert handoff["escalation_reason"] == "fix_failed"
    assert handoff["attempted_fix"]["rolled_back"] is True
    assert "rolled back" in handoff["detail"]
    assert "rollback_completed" in events(seen)


def test_a_denied_way_back_hands_over_and_says_that_the_effect_stands(settings_night: Night, server: Cluster) -> None:
    with cut_off(server, "app_one"):
        back = without_recovery(settings_night, server, "TinyTimeoutStays")
    assert settings_night.answer(back, "deny")[0] == 200
    seen = settings_night.until(back["id"], "escalated", "resolved")
    assert setting(server, "app_one") is None
    assert "Taking it back was denied by user:ana" in seen["handoff"]["detail"]
    assert "The step's effect stands." in seen["handoff"]["detail"]
    assert seen["handoff"]["attempted_fix"]["sent"] is True
