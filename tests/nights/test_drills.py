"""A drill is an incident that a person caused: on a chaos target, one at a time, and its leave to act dies with it."""

import time
from pathlib import Path

import pytest

from ratchet.desk.drill_contract import Practice
from ratchet.domain.drill import DrillRequest
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.observed import Observed
from ratchet.lab.embedded import Cluster
from ratchet.security.principal import Principal
from tests.nights.conftest import PATIENCE, Night, opened
from tests.nights.culprits import leak
from tests.nights.test_advance import certified

pytestmark = [pytest.mark.postgres, pytest.mark.night]
LEAK = DrillRequest(fault="db-max-connections", target="shop-db")
ANA = Principal(kind="person", name="ana", role="approver", channel="http")


def settled(night: Night, incident: str) -> Observed:
    """The incident once it rests or asks."""
    drills = night.house.desk(ANA).drills
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = drills.observed(incident)
        if seen.resting or seen.asked is not None:
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)


@pytest.fixture
def drills(night: Night) -> Practice:
    return night.house.desk(ANA).drills


def test_a_drill_acts_by_its_own_grants_which_cover_no_other_incident_and_die_with_it(
    night: Night, server: Cluster, drills
) -> None:
    with leak(server, "basket-api"):
        drill = drills.start(LEAK.model_copy(update={"remediate": True}))
        seen = settled(night, drill.incident)
    assert (seen.status, seen.verified, bool(seen.steps)) == ("resolved", True, True), seen
    assert seen.cause == "connection_exhaustion_idle_leak" and seen.draft.startswith("pb_faulttest_")
    assert seen.granted_at is not None and seen.good_at is not None and seen.granted_at < seen.good_at
    assert drills.rejudge(drill.incident).same
    incident = night.incident(drill.incident)
    assert (incident["origin"], incident["fault"]) == ("drill", "db-max-connections")
    assert {event["event"] for event in incident["timeline"]} >= {"approval_standing", "fix_started"}
    with leak(server, "basket-api"):
        real = night.alert(datname="postgres")
        asked = night.until(real, "awaiting_approval", "escalated")
        assert asked["status"] == "awaiting_approval", "a drill's grant lets no other incident act"
    drills.end(drill.incident, "over")
    drills.end(drill.incident, "over, said twice")
    grants = night.house.desk(ANA).grants()
    assert grants and not any(each.counts for each in grants)
    assert night.incident(drill.incident)["status"] == "closed"


def test_without_remediation_it_waits_for_a_person_like_any_incident(night: Night, server: Cluster, drills) -> None:
    with leak(server, "coupon-engine"):
        drill = drills.start(LEAK)
        seen = settled(night, drill.incident)
        assert drill.grants == () and seen.asked is not None and seen.steps == ()
        with pytest.raises(Refusal) as second:
            drills.start(LEAK)
        assert second.value.code is Code.CONFLICT and drill.incident in second.value.message
    drills.end(drill.incident, "over")
    assert night.incident(drill.incident)["status"] == "closed"


def test_an_unattended_drill_acts_by_what_a_person_granted_on_a_certificate_and_by_nothing_else(
    night: Night, server: Cluster, drills: Practice
) -> None:
    wanted = {
        "series": "pbs_connection_triage", "step": "end_idle_sessions", "reason": "the weekly drill", "tag": "chaos",
        "uses": 1, "fault": LEAK.fault, "certificate": certified(night, "crt_weekly"),
    }  # fmt: skip
    assert night.call("POST", "/api/v1/grants", "ana", wanted)[0] == 201
    weekly = LEAK.model_copy(update={"remediate": True, "unattended": True})
    operator = night.house.desk(Principal(kind="person", name="op", role="operator", channel="http")).drills
    with leak(server, "basket-api"):
        drill = operator.start(weekly)
        seen = settled(night, drill.incident)
        operator.end(drill.incident, "over")
    assert (drill.grants, seen.status, seen.steps) == ((), "resolved", ("end_idle_sessions",)), seen
    view = night.house.desk(ANA).grants()[0]
    assert (view.grant.used, view.grant.revoked, view.because) == (1, "", "its last use is spent")
    trail = [entry.kind for entry in night.house.desk(ANA).audit_tail(limit=200).items]
    assert {"covered", "standing_charged", "certificate_given"} <= set(trail), trail
    with leak(server, "basket-api"):
        second = operator.start(weekly)
        asked = settled(night, second.incident)
        operator.end(second.incident, "over")
    assert asked.asked is not None and asked.steps == (), "without a use left, a person is asked"


def test_only_a_person_starts_a_drill_and_only_who_may_approve_lets_it_act(night: Night) -> None:
    remediating = LEAK.model_copy(update={"remediate": True})
    for who, request in (
        (Principal(kind="service", name="robot", role="operator", channel="http"), LEAK),
        (Principal(kind="person", name="vi", role="viewer", channel="http"), LEAK),
        (Principal(kind="person", name="op", role="operator", channel="http"), remediating),
        (Principal(kind="service", name="robot", role="admin", channel="http"), remediating),
    ):
        with pytest.raises(Refusal) as refused:
            night.house.desk(who).drills.start(request)
        assert refused.value.code is Code.FORBIDDEN, who
    assert night.house.desk(ANA).grants() == []


def test_no_drill_on_a_target_that_is_not_tagged_chaos(server: Cluster, tmp_path: Path) -> None:
    with opened(server, tmp_path, tags=("test",)) as night:
        for verb in (lambda d: d.start(LEAK), lambda d: d.ground("shop-db")):
            with pytest.raises(Refusal) as refused:
                verb(night.house.desk(ANA).drills)
            assert refused.value.code is Code.FORBIDDEN and "chaos" in refused.value.message
        with pytest.raises(Refusal) as unknown:
            night.house.desk(ANA).drills.ground("nowhere")
        assert unknown.value.code is Code.NOT_FOUND


def test_a_real_incident_is_not_graded_or_ended_as_a_drill(night: Night, drills) -> None:
    real = night.alert(datname="postgres")
    for verb in (drills.observed, drills.rejudge, lambda name: drills.end(name, "over")):
        with pytest.raises(Refusal) as refused:
            verb(real)
        assert refused.value.code is Code.CONFLICT
    assert night.incident(real)["status"] != "closed"
