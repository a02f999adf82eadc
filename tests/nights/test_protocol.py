"""Nothing runs unseen and nothing runs twice: paused, taken over, raced, swapped and shared, on a real server."""

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ratchet.domain.ports import Sent, Took
from ratchet.lab.embedded import Cluster
from ratchet.wiring import house as wired
from tests.nights.conftest import Night, opened
from tests.nights.culprits import alive, leak, login, until_idle
from tests.nights.protocol import (
    alert_apart,
    approved_and_delayed,
    events,
    held_act,
    pause,
    policy_with,
    resume,
    say,
    sentence,
)

pytestmark = [pytest.mark.night, pytest.mark.postgres]


def test_pause_holds_an_approved_act_visibly_and_resume_lets_it_go(night: Night, server: Cluster) -> None:
    with leak(server):
        name = alert_apart(night, "Paused")
        waits = approved_and_delayed(night, name)
        assert "user:ana paused it: a look first" in sentence(waits, "delayed")
        assert night.house.figures()["automation_enabled"] == 0
        assert night.call("GET", "/api/v1/automation")[1]["paused"] is True
        resume(night)
        done = night.until(name, "resolved", "escalated")
        assert night.house.figures()["automation_enabled"] == 1
    lines = {line["event"]: line["time"] for line in done["timeline"]}
    assert done["status"] == "resolved", done["handoff"]
    assert events(done).count("delayed") == 1
    assert lines["fix_started"] > lines["delayed"]


def test_a_person_who_takes_over_between_yes_and_intent_stops_the_act(night: Night, server: Cluster) -> None:
    with leak(server) as leaked:
        name = alert_apart(night, "TakenFirst")
        waits = approved_and_delayed(night, name)
        code, taken = say(night, name, "take", "ben")
        assert (code, taken["status"], taken["owner"], taken["in_flight"]) == (200, "held", "user:ben", "")
        assert night.answer(waits)[0] == 409
        resume(night)
        assert say(night, name, "handback", "ben")[0] == 200
        again = night.until_true(name, lambda i: i["status"] == "awaiting_approval" and i["decision"] is not None)
        assert again["decision"]["id"] != waits["decision"]["id"]
        assert night.answer(waits)[0] == 409, "an approval of an earlier epoch counts no more"
        assert "fix_started" not in events(night.incident(name))
        assert all(alive(session) for session in leaked)
        assert say(night, name, "resolve", cause="real_load")[0] == 200


def test_yes_and_take_over_at_once_never_leave_an_act_unseen(night: Night, server: Cluster) -> None:
    for turn in range(4):
        with leak(server, f"race-{turn}") as leaked:
            name = alert_apart(night, f"Race{turn}")
            asked = night.until(name, "awaiting_approval")
            first = threading.Thread(target=night.answer, args=(asked,))
            second = threading.Thread(target=say, args=(night, name, "take", "ben"))
            for thread in (first, second) if turn % 2 else (second, first):
                thread.start()
            for thread in (first, second):
                thread.join()
            seen = night.until_true(name, lambda i: i["status"] == "held" and not i["in_flight"])
            sent = "fix_completed" in events(seen) and "failed" not in sentence(seen, "fix_completed")
            assert any(not alive(session) for session in leaked) <= sent
            assert events(seen).count("fix_started") <= 1
            assert say(night, name, "resolve", cause="real_load")[0] == 200


def test_what_was_sent_before_a_person_took_over_is_settled_and_nothing_follows(
    night: Night, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with leak(server) as leaked, held_act(night, monkeypatch) as held:
        name = alert_apart(night, "InFlight")
        assert night.answer(night.until(name, "awaiting_approval"))[0] == 200
        assert held.begun.wait(10)
        flying = night.call("GET", "/api/v1/automation")[1]["in_flight"]
        assert [each["incident"] for each in flying] == [name]
        taken = say(night, name, "take", "ben")[1]
        assert taken["in_flight"].startswith("1 action may still land until ")
        assert taken["in_flight"] in taken["needs"]
        assert taken["in_flight"] in sentence(taken, "taken_over")
        held.go.set()
        seen = night.until_true(name, lambda i: "fix_completed" in events(i) and not i["in_flight"])
        assert seen["status"] == "held"
        assert held.count == 1
        assert "verification_sampled" not in events(seen)
        assert not any(alive(session) for session in leaked)
        assert say(night, name, "close", "ben")[0] == 200


def test_no_stands_against_yes_until_the_intent_and_only_one_of_them_wins(night: Night, server: Cluster) -> None:
    with leak(server) as leaked:
        name = alert_apart(night, "NoAfterYes")
        waits = approved_and_delayed(night, name)
        assert night.answer(waits, "deny", "ben")[0] == 200
        resume(night)
        seen = night.until(name, "escalated")
        assert (seen["handoff"]["escalation_reason"], seen["decision"]["state"]) == ("denied", "denied")
        assert night.answer(waits)[0] == 409
        assert all(alive(session) for session in leaked)
    for turn in range(3):
        with leak(server, f"both-{turn}") as leaked:
            asked = night.until(alert_apart(night, f"Both{turn}"), "awaiting_approval")
            said: dict[str, int] = {}
            threads = [
                threading.Thread(target=lambda v=verb, w=who: said.update({v: night.answer(asked, v, w)[0]}))  # noqa: B023
                for verb, who in (("approve", "ana"), ("deny", "ben"))
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            seen = night.until(asked["id"], "escalated", "resolved")
            denied = said["deny"] == 200
            assert denied == all(alive(session) for session in leaked) == (seen["status"] == "escalated")


def test_a_second_incident_waits_for_the_lock_and_a_person_who_ends_doubt_releases_it(
    night: Night, server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands: Any = vars(night.house)["_hands"]
    real = hands.act
    lost = Sent.model_validate({
        "outcome": "unknown", "because": "the connection was lost", "error_category": "connection",
        "started_at": datetime.now(UTC), "ended_at": datetime.now(UTC), "return_code": "",
    })  # fmt: skip
    monkeypatch.setattr(hands, "act", lambda act, grant: lost)
    monkeypatch.setattr(hands, "took", lambda act, grant, back: Took(verdict="cannot_tell", because="it left no trace"))
    with leak(server) as leaked:
        first = alert_apart(night, "First")
        assert night.answer(night.until(first, "awaiting_approval"))[0] == 200
        night.until_true(first, lambda i: "outcome_unknown" in events(i))
        second = alert_apart(night, "Second")
        assert night.answer(night.until(second, "awaiting_approval"))[0] == 200
        waits = night.until_true(second, lambda i: "delayed" in events(i))
        assert "holds shop-db" in sentence(waits, "delayed")
        doubted = night.until(first, "escalated")
        assert doubted["handoff"]["escalation_reason"] == "in_doubt"
        assert say(night, first, "take")[0] == 200
        assert say(night, first, "handback")[0] == 409, "an unknown outcome is not handed back"
        monkeypatch.setattr(hands, "act", real)
        assert say(night, first, "resolve", cause="connection_exhaustion_idle_leak")[0] == 200
        assert night.until(second, "resolved", "escalated")["status"] == "resolved"
        assert not any(alive(session) for session in leaked)
    assert night.incident(first)["draft"] is None


def test_an_escalated_incident_is_taken_resolved_and_closed_and_then_nothing_more(night: Night) -> None:
    name = night.alert(target="payroll-db")
    night.until(name, "escalated")
    assert say(night, name, "take", "vic")[0] == 403
    assert say(night, name, "take")[1]["status"] == "held"
    assert night.call("POST", f"/api/v1/incidents/{name}/note", "ana", {"text": "it is the old server"})[0] == 200
    assert say(night, name, "resolve", cause="gremlins")[0] == 400
    done = say(night, name, "resolve", cause="real_load")[1]
    assert (done["status"], done["resolved_by"], done["draft"]) == ("resolved", "user:ana", None)
    assert "user:ana resolved it as real_load: I look at it" in sentence(done, "resolved")
    assert say(night, name, "close")[1]["status"] == "closed"
    for verb, body in (
        ("take", {}),
        ("handback", {}),
        ("escalate", {}),
        ("close", {}),
        ("resolve", {"cause": "real_load"}),
    ):
        assert say(night, name, verb, **body)[0] == 409, verb
    assert night.call("POST", f"/api/v1/incidents/{name}/note", "ana", {"text": "late"})[0] == 409


def test_a_person_escalates_to_whom_the_matter_needs(night: Night, server: Cluster) -> None:
    with leak(server):
        name = alert_apart(night, "Grave")
        asked = night.until(name, "awaiting_approval")
        seen = say(night, name, "escalate", criterion="high_impact")[1]
        assert seen["handoff"]["to"] == "group:default/incident-commander"
        assert seen["handoff"]["diagnostic_results"]["hypothesis_1"]["cause"] == "connection_exhaustion_idle_leak"
        assert "user:ana: I look at it" in seen["handoff"]["detail"]
        assert night.answer(asked)[0] == 409
        loud = night.until(alert_apart(night, "Loud", impact_customers="5000"), "escalated", "awaiting_approval")
        assert loud["handoff"]["escalation_reason"] == "high_impact"
        assert loud["decision"] is None
        odd = night.until(alert_apart(night, "Odd", impact_revenue="a lot"), "escalated", "awaiting_approval")
        assert odd["handoff"]["escalation_reason"] == "high_impact"
        quiet = night.until(alert_apart(night, "Quiet", impact_customers="12"), "escalated", "awaiting_approval")
        assert quiet["status"] == "awaiting_approval"


def swapped(night: Night, name: str, message: str) -> None:
    """After the swap the act goes on, and is refused with this message before anything is sent."""
    resume(night)
    seen = night.until_true(name, lambda i: "approval_superseded" in events(i))
    assert message in sentence(seen, "approval_superseded")
    assert "fix_started" not in events(seen)


def test_a_packet_that_was_edited_in_its_table_is_refused(night: Night, server: Cluster) -> None:
    with leak(server) as leaked:
        name = alert_apart(night, "Edited")
        waits = approved_and_delayed(night, name)
        with sqlite3.connect(Path(night.house.settings.home) / "ratchet.db") as state:
            edit = "UPDATE decisions SET packet = replace(packet, '\"cap\":200', '\"cap\":999') WHERE id = ?"
            assert state.execute(edit, (waits["decision"]["id"],)).rowcount == 1
        state.close()
        swapped(night, name, "The packet is not the one that was approved.")
        assert all(alive(session) for session in leaked)


def test_other_sessions_in_the_place_of_those_shown_are_refused(night: Night, server: Cluster) -> None:
    with leak(server) as leaked:
        name = alert_apart(night, "Replaced")
        approved_and_delayed(night, name)
        for session in leaked:
            session.close()
        with leak(server) as others:
            swapped(night, name, "is there any more; others are in their place")
            assert all(alive(session) for session in others)


def test_more_sessions_than_the_approved_cap_are_refused(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {name: text.replace("cap: 200", "cap: 27") for name, text in wired.shipped_texts().items()}
    monkeypatch.setattr(wired, "shipped_texts", lambda: texts)
    with opened(server, tmp_path) as night, leak(server) as leaked:
        for session in leaked[26:]:
            session.close()
        others = [login(server, "nightly-report") for _ in leaked[26:]]
        until_idle(server, "nightly-report", 1.2)
        name = alert_apart(night, "OverCap")
        approved_and_delayed(night, name)
        for session in others:
            session.close()
        more = [login(server, "checkout-svc") for _ in others]
        until_idle(server, "checkout-svc", 1.2)
        swapped(night, name, "more than the approved cap of 27")
        assert all(alive(session) for session in (*leaked[:26], *more))
        for session in more:
            session.close()


def test_a_server_that_was_promoted_after_the_yes_is_refused(night: Night, server: Cluster) -> None:
    with leak(server):
        name = alert_apart(night, "FailedOver")
        approved_and_delayed(night, name)
        server.stop("immediate")
        (server.data_dir / "standby.signal").touch()
        server.start()
        with server.connect() as superuser:
            assert superuser.execute("SELECT pg_promote(true, 30)").fetchone() == (True,)
        swapped(night, name, "The target is no longer the server that was shown")


def test_a_change_freeze_of_the_policy_waits_visibly(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze = {"from": "2026-01-01T00:00:00Z", "until": "2036-01-01T00:00:00Z", "reason": "the year's end"}
    policy_with(monkeypatch, lambda fields: fields.update(freezes=[freeze]))
    with opened(server, tmp_path) as night, leak(server) as leaked:
        name = alert_apart(night, "Frozen")
        assert night.answer(night.until(name, "awaiting_approval"))[0] == 200
        waits = night.until_true(name, lambda i: "delayed" in events(i))
        assert "A change freeze is on: the year's end" in sentence(waits, "delayed")
        assert all(alive(session) for session in leaked)
        pause(night)
