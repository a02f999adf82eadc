"""Denied, expired, not recovered, changed meanwhile: each ends with a person who has what they need."""

import pytest

from ratchet.domain.policy import Policy
from ratchet.lab.embedded import Cluster
from ratchet.wiring import house as wired
from tests.nights.conftest import Night, opened
from tests.nights.culprits import alive, leak, login

pytestmark = [pytest.mark.night, pytest.mark.postgres]


def test_a_denial_is_final_touches_nothing_and_hands_over(night: Night, server: Cluster) -> None:
    with leak(server) as leaked:
        asked = night.until(night.alert(target="shop-db"), "awaiting_approval")
        assert night.answer(asked, "deny")[0] == 200
        seen = night.until(asked["id"], "escalated")
        assert all(alive(session) for session in leaked)
        assert night.answer(asked, "approve")[0] == 409
    handoff = seen["handoff"]
    assert handoff["escalation_reason"] == "denied"
    assert "user:ana" in handoff["detail"]
    assert handoff["diagnostic_results"]["hypothesis_1"]["cause"] == "connection_exhaustion_idle_leak"
    assert handoff["attempted_fix"]["sent"] is False
    assert handoff["human_action_required"]


def test_a_decision_nobody_answers_expires_and_hands_over_and_a_late_yes_is_refused(
    server: Cluster, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = wired.shipped_policy().model_dump(mode="python")
    for rule in hasty["effects"].values():
        rule["expires"] = 1.5
    monkeypatch.setattr(wired, "shipped_policy", lambda: Policy.model_validate(hasty))
    with opened(server, tmp_path) as night, leak(server) as leaked:  # type: ignore[arg-type]
        asked = night.until(night.alert(target="shop-db"), "awaiting_approval")
        seen = night.until(asked["id"], "escalated")
        assert seen["handoff"]["escalation_reason"] == "expired"
        assert night.answer(asked)[0] == 410
        assert all(alive(session) for session in leaked)


def test_a_fix_that_does_not_hold_is_never_called_recovered(night: Night, server: Cluster) -> None:
    with leak(server) as leaked:
        asked = night.until(night.alert(target="shop-db"), "awaiting_approval")
        assert night.answer(asked)[0] == 200
        night.until(asked["id"], "verifying")
        with leak(server, "checkout-svc"):
            seen = night.until(asked["id"], "escalated")
        assert not any(alive(session) for session in leaked)
    assert seen["handoff"]["escalation_reason"] == "fix_failed"
    assert seen["handoff"]["verification_result"]["passed"] is False
    assert seen["handoff"]["attempted_fix"]["touched"]
    assert seen["draft"] is None


def test_an_approved_step_whose_sessions_are_gone_is_superseded_not_sent(night: Night, server: Cluster) -> None:
    with leak(server) as leaked:
        asked = night.until(night.alert(target="shop-db"), "awaiting_approval")
        for session in leaked:
            session.close()
        bystander = login(server, "checkout-svc")
        assert night.answer(asked)[0] == 200
        seen = night.until(asked["id"], "escalated", "resolved")
        assert alive(bystander)
        bystander.close()
    events = [line["event"] for line in seen["timeline"]]
    assert "approval_superseded" in events
    assert "fix_started" not in events


def test_only_a_person_who_may_approve_does_and_only_these_bytes(night: Night, server: Cluster) -> None:
    with leak(server):
        asked = night.until(night.alert(target="shop-db"), "awaiting_approval")
        decision = asked["decision"]["id"]
        path = f"/api/v1/decisions/{decision}/approve"
        other = {"digest": "sha256:" + "0" * 64, "reason": "x"}
        assert night.call("POST", path, "ana", other)[0] == 409
        assert night.call("POST", path, "vic", {"digest": asked["decision"]["digest"], "reason": "x"})[0] == 403
        assert night.call("POST", path, "monitor", {"digest": asked["decision"]["digest"], "reason": "x"})[0] == 403
        assert night.call("POST", path, "", {"digest": asked["decision"]["digest"], "reason": "x"})[0] == 401
        assert night.incident(asked["id"])["status"] == "awaiting_approval"
        first = night.answer(asked)
        again = night.answer(asked)
        assert first[0] == again[0] == 200
        assert first[1]["answered_by"] == again[1]["answered_by"] == "user:ana"
        night.until(asked["id"], "resolved")
        performed = [e for e in night.incident(asked["id"])["timeline"] if e["event"] == "fix_started"]
        assert len(performed) == 1
