"""Approved in advance: a standing grant acts unattended, is charged, and is gone at the first reason to be."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ratchet.desk.views import TargetRequest
from ratchet.domain.certificate import Certificate, environment_of
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import SecretRef, Target
from ratchet.lab.embedded import Binaries, Cluster
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


def test_a_grant_ends_where_another_server_bears_the_name(
    server: Cluster, pg_binaries: Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy_with(monkeypatch, lambda fields: None)
    with opened(server, tmp_path) as first:
        code, made = give(first, uses=5)
        kept = made["grant"]["servers"]["shop-db"]
        assert (code, kept["address"]) == (201, first.house.store.targets()[0].address)
        given = StandingGrant.model_validate(made["grant"])
    with Cluster.create(tmp_path / "other" / "root", pg_binaries, settings={"max_connections": 40}) as other:
        other.add_login("night_admin", "SUPERUSER")
        other.add_login("night_canary")
        other.add_login("night_app")
        with opened(other, tmp_path) as second:
            target = Target(name="shop-db", kind="postgres", tags=("chaos",), owner="user:default/ana")
            admin = SecretRef(kind="env", name="NIGHT_ADMIN")
            second.house.desk(second.house.operator()).add_target(TargetRequest(target=target, admin=admin))
            # As a grant of an earlier release: it does not know its server, and is older than this registration.
            older = given.model_copy(update={"id": "sg_older", "servers": {}})
            second.house.store.put_standing(older, "user:ana")
            with leak(other):
                asked = second.until(alert_apart(second, "Elsewhere"), "awaiting_approval", "resolved", "escalated")
            assert (asked["status"], "approval_standing" in events(asked)) == ("awaiting_approval", False)


def test_another_text_an_end_and_a_revocation_end_it(hasty: Night, server: Cluster) -> None:
    assert give(hasty, uses=5)[0] == 201
    with leak(server):
        done = hasty.until_true(alert_apart(hasty, "Learn"), lambda i: i["draft"] is not None)
    draft = f"/api/v1/fleet/playbooks/{done['draft']['id']}"
    assert hasty.call("PUT", draft, "ana", {"owner": "user:default/ana"})[0] == 200
    assert hasty.call("POST", draft + "/activate", "ben", {"reason": "read"})[0] == 200
    assert grant(hasty)["because"] == "it was revoked: the playbook's active text became another one"
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


def certified(night: Night, name: str, lasts: timedelta = timedelta(days=30), **changes: Any) -> str:
    """A certificate of the active text for this server, as whoever certifies keeps it."""
    store = night.house.store
    active = store.series(WANTED["series"]).active
    assert active is not None
    server, now = vars(night.house)["_hands"].fingerprint("shop-db"), datetime.now(UTC)
    fields = {
        "id": name, "series": active.series, "version_id": active.id, "playbook_digest": active.digest,
        "issued_at": now, "expires_at": now + lasts, "environment": environment_of(server.server_version),
        "faults": ("db-max-connections",), "causes": ("connection_exhaustion_idle_leak",), "seeds": (1,),
        "passed": ("faults",), "runs": ("a1b2c3d4",), **changes,
    }  # fmt: skip
    store.put_certificate(Certificate.model_validate(fields), "ratchet")
    return name


def test_one_that_rests_on_a_certificate_dies_when_that_expires_or_is_followed_by_a_failed_one(
    hasty: Night, server: Cluster
) -> None:
    assert give(hasty, certificate="cert_9")[0] == 409
    assert give(hasty, certificate=certified(hasty, "cert_failed", failed=("crash",)))[0] == 409
    assert give(hasty, certificate=certified(hasty, "cert_1"), uses=9)[0] == 201
    with leak(server):
        seen = hasty.until(alert_apart(hasty, "Certified"), "resolved", "escalated")
    assert seen["status"] == "resolved", seen["needs"]
    certified(hasty, "cert_2", failed=("crash",))
    assert (grant(hasty)["counts"], "cert_2 came after it and was not passed" in grant(hasty)["because"]) == (
        False,
        True,
    )
    short = certified(hasty, "cert_3", timedelta(seconds=4))
    code, made = give(hasty, certificate=short, uses=9)
    assert (code, made["counts"]) == (201, True), made
    until_dead(hasty)
    assert "its certificate cert_3 does not count: it expired at" in grant(hasty)["because"]
    with leak(server):
        asked = hasty.until(alert_apart(hasty, "Uncertified"), "awaiting_approval", "resolved", "escalated")
    assert asked["status"] == "awaiting_approval"
    assert "approval_standing" not in events(asked)


def until_dead(night: Night) -> None:
    """Wait until the newest grant counts no more."""
    deadline = time.monotonic() + 30
    while grant(night)["counts"]:
        assert time.monotonic() < deadline, "it counts for ever"
        time.sleep(0.1)


def test_who_may_give_one_and_for_what(hasty: Night) -> None:
    assert give(hasty, "vic")[0] == 403
    assert give(hasty, "monitor")[0] == 403
    assert give(hasty, targets=[])[0] == 400
    assert give(hasty, targets=["payroll"])[0] == 404
    assert give(hasty, step="drop_everything")[0] == 400
    assert give(hasty, series="pbs_nothing")[0] == 404
    assert give(hasty, days=91)[0] in (400, 422)
    assert give(hasty, bounds={"colour": {"among": ["red"]}})[0] == 400
