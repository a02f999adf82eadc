"""Approved in advance: a standing grant acts unattended, is charged, and is gone at the first reason to be."""

from pathlib import Path
from typing import Any

import pytest

from ratchet.domain.standing import StandingGrant
from ratchet.lab.embedded import Cluster
from tests.nights.conftest import Night, opened
from tests.nights.culprits import leak
from tests.nights.protocol import alert_apart, events, policy_with, sentence

pytestmark = [pytest.mark.night, pytest.mark.postgres]

WANTED: dict[str, Any] = {
    "series": "pbs_connection_triage", "step": "end_idle_sessions", "reason": "the weekly drill",
    "targets": ["shop-db"], "uses": 2, "days": 7,
}  # fmt: skip


@pytest.fixture
def hasty(server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    policy_with(monkeypatch, lambda fields: None)
    with opened(server, tmp_path) as one:
        yield one


def give(night: Night, who: str = "ana", **changes: Any) -> tuple[int, Any]:
    return night.call("POST", "/api/v1/grants", who, {**WANTED, **changes})


def grant(night: Night) -> Any:
    return night.call("GET", "/api/v1/grants")[1]["items"][0]


def test_a_grant_acts_unattended_is_charged_per_use_and_ends_with_its_last(hasty: Night, server: Cluster) -> None:
    code, made = give(hasty)
    assert code == 201, made
    assert made["grant"]["playbook_digest"].startswith("sha256:")
    for left in (1, 0):
        with leak(server):
            seen = hasty.until(alert_apart(hasty, f"Drill{left}"), "resolved", "escalated")
        assert seen["status"] == "resolved", seen["handoff"]
        assert "approval_granted" not in events(seen)
        assert "Approved in advance by user:ana" in sentence(seen, "approval_standing")
        assert grant(hasty)["left"] == left
    assert (grant(hasty)["counts"], grant(hasty)["because"]) == (False, "its last use is spent")
    with leak(server):
        asked = hasty.until(alert_apart(hasty, "Drill9"), "awaiting_approval", "resolved")
    assert asked["status"] == "awaiting_approval"


def test_a_false_action_ends_it_at_once(hasty: Night, server: Cluster) -> None:
    assert give(hasty, uses=5)[0] == 201
    with leak(server):
        name = alert_apart(hasty, "NoHelp")
        hasty.until(name, "verifying", "escalated")
        with leak(server):
            seen = hasty.until(name, "escalated", "resolved")
    assert seen["handoff"]["escalation_reason"] == "fix_failed", seen
    dead = grant(hasty)
    assert dead["counts"] is False
    assert f"false action in {name}" in dead["because"]
    assert dead["left"] == 4


def test_another_text_an_end_and_a_revocation_end_it(hasty: Night, server: Cluster) -> None:
    assert give(hasty, uses=5)[0] == 201
    with leak(server):
        done = hasty.until_true(alert_apart(hasty, "Learn"), lambda i: i["draft"] is not None)
    draft = f"/api/v1/fleet/playbooks/{done['draft']['id']}"
    assert hasty.call("PUT", draft, "ana", {"owner": "user:default/ana"})[0] == 200
    assert hasty.call("POST", draft + "/activate", "ben", {"reason": "read"})[0] == 200
    assert grant(hasty)["because"] == "the playbook's active text is another one"
    given = StandingGrant.model_validate(grant(hasty)["grant"])
    active = hasty.house.store.series("pbs_connection_triage").active
    assert active is not None
    past = given.model_copy(update={
        "id": "sg_past", "playbook_digest": active.digest, "expires_at": given.given_at,
    })  # fmt: skip
    hasty.house.store.put_standing(past, "user:ana")
    code, fresh = give(hasty, "ben")
    assert code == 201
    assert hasty.call("DELETE", f"/api/v1/grants/{fresh['grant']['id']}?reason=done", "ana")[1]["counts"] is False
    with leak(server):
        asked = hasty.until(alert_apart(hasty, "AllGone"), "awaiting_approval", "resolved")
    assert asked["status"] == "awaiting_approval"


def test_who_may_give_one_and_for_what(hasty: Night) -> None:
    assert give(hasty, "vic")[0] == 403
    assert give(hasty, "monitor")[0] == 403
    assert give(hasty, targets=[])[0] == 400
    assert give(hasty, targets=["payroll"])[0] == 404
    assert give(hasty, step="drop_everything")[0] == 400
    assert give(hasty, series="pbs_nothing")[0] == 404
    assert give(hasty, days=91)[0] in (400, 422)
    assert give(hasty, bounds={"colour": {"among": ["red"]}})[0] == 400
