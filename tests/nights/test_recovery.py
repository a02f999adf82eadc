"""From an alert to a proved recovery, on a real server, by HTTP alone."""

import pytest

from ratchet.lab.embedded import Cluster
from tests.nights.conftest import Night
from tests.nights.culprits import alive, bystanders, leak

pytestmark = [pytest.mark.night, pytest.mark.postgres]


def test_a_leak_is_found_asked_about_ended_and_proved_over_and_leaves_a_draft(night: Night, server: Cluster) -> None:
    with bystanders(server) as innocent, leak(server, "cart-svc") as leaked:
        name = night.alert(target="shop-db")
        asked = night.until(name, "awaiting_approval", "escalated")
        assert asked["status"] == "awaiting_approval", asked["handoff"]
        assert asked["cause"] == "connection_exhaustion_idle_leak"
        assert [(o["kind"], o["id"]) for o in asked["hypotheses"][0]["objects"]] == [("application", "cart-svc")]
        assert night.answer(asked)[0] == 200
        done = night.until_true(name, lambda i: i["status"] == "resolved" and i["draft"] is not None)
        assert not any(alive(session) for session in leaked)
        assert all(alive(session) for session in innocent)
    events = [line["event"] for line in done["timeline"]]
    wanted = ["alert_fired", "triage_started", "triage_completed", "approval_requested", "approval_granted",
              "fix_started", "fix_completed", "verification_passed"]  # fmt: skip
    assert [e for e in events if e in wanted] == wanted
    assert done["verification"]["passed"] is True
    assert done["verification"]["sustained_seconds"] >= 3
    drafts = night.call("GET", "/api/v1/fleet/playbooks?source=generated")[1]["playbooks"]
    assert [d["id"] for d in drafts] == [done["draft"]["id"]]
    assert drafts[0]["is_active"] is False


def test_a_healthy_server_is_left_alone_and_the_cause_is_said_to_be_unknown(night: Night, server: Cluster) -> None:
    with bystanders(server) as innocent:
        seen = night.until(night.alert(target="shop-db", alertname="JustNoise"), "escalated", "awaiting_approval")
        assert seen["status"] == "escalated"
        assert seen["handoff"]["escalation_reason"] == "unknown_cause"
        assert not any(h["verdict"] == "confirmed" for h in seen["hypotheses"])
        assert all(alive(session) for session in innocent)


def test_the_evidence_of_a_conclusion_opens_as_it_was_captured(night: Night, server: Cluster) -> None:
    with leak(server):
        seen = night.until(night.alert(target="shop-db", alertname="Again"), "awaiting_approval", "escalated")
    top = seen["hypotheses"][0]
    captured = [night.call("GET", f"/api/v1/evidence/{e}")[1] for e in top["evidence_ids"]]
    assert {"postgres.slots"} <= {e["probe"] for e in captured}
    assert all(e["answer"] == "ok" and e["query"] for e in captured)


def test_an_alert_for_no_known_target_is_handed_over_with_what_was_seen(night: Night) -> None:
    seen = night.until(night.alert(target="payroll-db"), "escalated")
    assert seen["handoff"]["escalation_reason"] == "no_target"
    assert "payroll-db" in seen["handoff"]["detail"]
    assert "target add" in seen["handoff"]["human_action_required"]


def test_the_draft_inherits_its_owner_and_a_person_can_activate_it_as_it_stands(night: Night, server: Cluster) -> None:
    with leak(server, "basket-svc"):
        asked = night.until(night.alert(target="shop-db", alertname="ForTheVault"), "awaiting_approval")
        assert night.answer(asked)[0] == 200
        done = night.until_true(asked["id"], lambda i: i["draft"] is not None)
    draft = done["draft"]["id"]
    read = night.call("GET", f"/api/v1/fleet/playbooks/{draft}")[1]
    assert read["blanks"] == []
    assert "owner: user:default/ana" in read["text"]
    assert night.call("POST", f"/api/v1/fleet/playbooks/{draft}/activate", "vic")[0] == 403
    status, active = night.call("POST", f"/api/v1/fleet/playbooks/{draft}/activate", "ana")
    assert (status, active["is_active"]) == (200, True)
    versions = night.call("GET", "/api/v1/fleet/playbooks")[1]["playbooks"]
    in_series = [v for v in versions if v["series_id"] == "pbs_connection_triage"]
    assert [v["version"] for v in in_series if v["is_active"]] == [done["draft"]["version"]]
