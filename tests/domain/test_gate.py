"""The gate: a yes counts for exactly one packet, from a person who did not propose it, while it is fresh."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.gate import (
    Approval,
    DecisionPacket,
    Grant,
    Reread,
    changed_since,
    check_answer,
    check_yes,
    quorum_met,
)
from ratchet.domain.plan import Act, Preview, Statement, Undo, Verification
from ratchet.domain.playbook import Risk
from ratchet.domain.target import Fingerprint

NOW = datetime(2026, 11, 20, 2, 3, 4, tzinfo=UTC)
HERE = Fingerprint(
    system_identifier="7301", timeline=1, in_recovery=False, server_version=150018, clock=NOW, taken_at=NOW
)
ROWS = ({"pid": 7, "backend_start": "2026-11-20T01:00:00.000001+00:00", "idle_s": 40},)


def preview(*rows: dict[str, Any], writes: bool = False) -> Preview:
    send = Statement(sql="SELECT 1", params={"pids": [row["pid"] for row in rows]})
    undo = Undo.none("clients reconnect")
    return Preview(rows=rows, statements=(send,), summary="1 session", writes=writes, undo=undo)


def packet(scope: str = "bounded", quorum: int = 1, **changes: Any) -> DecisionPacket:
    act = Act.model_validate({
        "tool": "postgres.terminate_sessions", "target": "shop-db", "args": {"application": "api"},
        "effect": "disruptive", "klass": "A", "scope": scope, "statements": preview(*ROWS).statements,
        "identities": ROWS, "cap": 3, "credential": "env:ACT", "deadline": 30.0, "undo": Undo.none("it is gone"),
    })  # fmt: skip
    window = Verification(wait_before=0.2, every=0.5, sustain=3, min_samples=4, give_up_after=30, checks=())
    return DecisionPacket.model_validate({
        "id": "dec_1", "revision": 1, "incident_id": "INC-1", "incident_epoch": 0, "step": "terminate",
        "title": "Terminate 1 session", "playbook": "pbs_x@1.0", "playbook_digest": "sha256:0",
        "proposed_action": {}, "act": act, "action_digest": act.digest, "fingerprint": HERE,
        "conflict_group": "shop-db", "evidence": (), "preconditions": (), "precondition_checks": (),
        "risk": Risk(blast_radius="1", user_impact="none", data_risk="none"), "rollback_plan": "none",
        "verification": (), "verification_checks": (), "verification_window": window, "preview": preview(*ROWS),
        "preview_taken_at": NOW, "approval_prompt": "Go?", "quorum": quorum, "proposer": "ratchet", "nonce": "n",
        "created_at": NOW, "expires_at": NOW + timedelta(minutes=10), "if_nothing": "escalates", **changes,
    })  # fmt: skip


def approval(by: str, of: DecisionPacket, epoch: int = 0) -> Approval:
    return Approval(decision=of.id, digest=of.digest, by=by, channel="http", reason="", at=NOW, epoch=epoch)


def reread(**changes: Any) -> Reread:
    return Reread.model_validate(
        {"fingerprint": HERE, "preview": preview(*ROWS), "preconditions_hold": True, "at": NOW, **changes}
    )


def refused(call: Any) -> Code:
    with pytest.raises(Refusal) as no:
        call()
    return no.value.code


def test_an_answer_to_another_revision_is_refused_as_a_conflict() -> None:
    old, new = packet(), packet(revision=2)
    assert refused(lambda: check_answer(new, old.digest, NOW, 0)) is Code.CONFLICT


def test_an_answer_at_the_very_moment_of_expiry_is_too_late() -> None:
    shown = packet()
    assert refused(lambda: check_answer(shown, shown.digest, shown.expires_at, 0)) is Code.GONE
    check_answer(shown, shown.digest, shown.expires_at - timedelta(microseconds=1), 0)


def test_the_proposer_cannot_approve_in_any_spelling_of_their_name() -> None:
    shown = packet(proposer="user:Ana")
    assert refused(lambda: check_yes(shown, "user:ANA")) is Code.FORBIDDEN
    check_yes(shown, "user:ben")


def test_an_answer_from_before_the_incident_changed_hands_is_refused() -> None:
    shown = packet()
    assert refused(lambda: check_answer(shown, shown.digest, NOW, 1)) is Code.CONFLICT


def test_a_quorum_counts_distinct_people_for_exactly_these_bytes() -> None:
    two = packet(quorum=2)
    ana, again, ben = (approval(by, two) for by in ("user:ana", "user:ANA", "user:ben"))
    assert not quorum_met(two, (ana, again))
    assert quorum_met(two, (ana, ben))
    assert not quorum_met(two, (ana, approval("user:ben", packet(quorum=2, revision=9))))
    assert not quorum_met(two, (ana, approval("user:ben", two, epoch=3)))
    assert not quorum_met(two, (ana, approval("ratchet", two)))
    here, there = (approval(by, two).model_copy(update={"channel": "cli"}) for by in ("user:ana", "user:ben"))
    assert not quorum_met(two, (here, there)), "one terminal under two names"
    assert quorum_met(two, (ana, there)) and quorum_met(two, (here, there, approval("user:cy", two)))


@given(
    st.sampled_from(["revision", "incident_epoch", "step", "title", "playbook_digest", "quorum", "proposer", "nonce"])
)
def test_changing_a_field_of_a_packet_changes_its_digest(field: str) -> None:
    shown = packet()
    value = getattr(shown, field)
    assert shown.model_copy(update={field: value + (1 if isinstance(value, int) else "x")}).digest != shown.digest


def test_changing_one_bound_parameter_deep_inside_changes_the_digests_of_act_and_packet() -> None:
    shown = packet()
    other = shown.act.model_copy(update={"statements": (Statement(sql="SELECT 1", params={"pids": [8]}),)})
    assert other.digest != shown.act.digest
    assert shown.model_copy(update={"act": other}).digest != shown.digest


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"fingerprint": HERE.model_copy(update={"timeline": 2})}, "no longer the server"),
        ({"fingerprint": HERE.model_copy(update={"in_recovery": True})}, "no longer the server"),
        ({"fingerprint": HERE.model_copy(update={"system_identifier": "9"})}, "no longer the server"),
        ({"preconditions_hold": False, "precondition_detail": "slots"}, "precondition"),
        ({"preview": preview()}, "Nothing is left"),
        ({"preview": preview(*({"pid": n, "backend_start": "x"} for n in range(4)))}, "more than the approved cap"),
        ({"preview": preview({"pid": 9, "backend_start": "y"})}, "others are in their place"),
        ({"preview": preview(*ROWS, writes=True)}, "uncommitted writes"),
    ],
)
def test_a_world_that_moved_since_the_approval_stops_the_act_with_its_own_words(
    changes: dict[str, Any], word: str
) -> None:
    assert word in (changed_since(packet(), reread(**changes)) or "")


@pytest.mark.parametrize("scope", ["bounded", "exact"])
def test_writes_that_nobody_was_shown_stop_an_act_of_either_scope(scope: str) -> None:
    writing = reread(preview=preview(*ROWS, writes=True))
    assert "uncommitted writes" in (changed_since(packet(scope), writing) or "")
    assert changed_since(packet(scope, preview=preview(*ROWS, writes=True)), writing) is None


@pytest.mark.parametrize("scope", ["bounded", "exact"])
def test_a_pid_that_was_reused_is_refused_and_named(scope: str) -> None:
    other = reread(preview=preview({**ROWS[0], "backend_start": "2026-11-20T02:00:00.000001+00:00"}))
    assert (changed_since(packet(scope), other) or "").endswith("Pid 7 was reused by another session.")
    fresh = reread(preview=preview({"pid": 9, "backend_start": "y"}))
    assert "reused" not in (changed_since(packet(scope), fresh) or "")


def test_a_bounded_act_bears_a_smaller_or_different_set_within_its_cap_and_an_exact_one_does_not() -> None:
    more = reread(preview=preview(*ROWS, {"pid": 9, "backend_start": "y"}))
    assert changed_since(packet(), more) is None
    assert "0 of the approved objects are gone, 1 are new" in (changed_since(packet("exact"), more) or "")
    aged = reread(preview=preview({**ROWS[0], "idle_s": 99}))
    assert changed_since(packet("exact"), aged) is None


def test_a_grant_of_an_earlier_release_is_read_and_names_no_server():
    told = {
        "op_id": "i.0.1", "decision": "dec_1", "packet_digest": "p", "action_digest": "a", "incident_id": "INC-1",
        "approved_by": ["user:ana"], "not_after": NOW.isoformat(), "settle_after": NOW.isoformat(),
    }  # fmt: skip
    assert Grant.model_validate(told).system_identifier == ""


def test_an_index_made_anew_under_its_name_is_another_object():
    row: dict[str, Any] = {"schema": "public", "index": "two", "oid": 7}
    asked = packet(scope="exact")
    asked = asked.model_copy(update={"act": asked.act.model_copy(update={"identities": (row,)})})
    assert changed_since(asked, reread(preview=preview(*ROWS).model_copy(update={"rows": (row,)}))) is None
    anew = preview(*ROWS).model_copy(update={"rows": ({**row, "oid": 8},)})
    assert changed_since(asked, reread(preview=anew))
