"""Random but possible lives of an incident: each step follows `next_move`, or a person or an alert breaks in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ratchet.domain import timeline as e
from ratchet.domain.alert import Alert
from ratchet.domain.escalation import Handoff, Stop
from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.gate import Approval, DecisionPacket, Grant
from ratchet.domain.hypothesis import Conclusion, Found, Hypothesis
from ratchet.domain.incident import Incident
from ratchet.domain.move import next_move
from ratchet.domain.plan import Act, Check, Plan, PlannedStep, Preview, Statement, Undo, Verification
from ratchet.domain.playbook import Risk
from ratchet.domain.target import Fingerprint

START = datetime(2026, 1, 31, 2, 0, tzinfo=UTC)


def alert(name: str = "f1", status: Any = "firing", starts_at: datetime = START) -> Alert:
    return Alert(
        source="am", fingerprint=name, starts_at=starts_at, status=status, labels={"alertname": "TooManyConnections"}
    )


def opened(number: int, target: str | None = "shop") -> e.Opened:
    return e.Opened(number=number, alert=alert(), target=target, target_reason="the only target")


def look(rows: int = 2, taken_at: datetime = START) -> Evidence:
    call = ProbeCall(probe="sessions", target="shop")
    found = tuple({"pid": n, "query": f"select {n}"} for n in range(rows))
    return Evidence.of(call, taken_at, 1.5, answer=Answer.OK, columns=("pid", "query"), rows=found)


def conclusion(outcome: Any = "cause") -> Conclusion:
    hypothesis = Hypothesis(
        id="idle_sessions", playbook="pbs_connection_triage@1.0", version_id="v1", title="Idle sessions hold slots",
        cause="connection_exhaustion", verdict="confirmed", prior=0.5, confidence=0.9,
        objects=(Found(kind="session", id="4711", values={"query_id": 2**60}),), then=("free_slots",),
    )  # fmt: skip
    chosen = 0 if outcome == "cause" else None
    return Conclusion(outcome=outcome, cause="connection_exhaustion", hypotheses=(hypothesis,), chosen=chosen, why="so")


def risk() -> Risk:
    fields = {name: _least(field.annotation) for name, field in Risk.model_fields.items() if field.is_required()}
    return Risk.model_validate(fields)


def _least(annotation: Any) -> Any:
    options = getattr(annotation, "__args__", None)
    return options[0] if options else annotation()


def step(name: str) -> PlannedStep:
    return PlannedStep(
        id=name, title="Free slots", tool="terminate", target="shop", args={}, effect="disruptive", cap=5, require="",
        prompt="Go?", quorum=1, expires=600, risk=risk(), rollback_plan="none", deadline=10, cooldown=0,
    )  # fmt: skip


def plan(steps: int = 1) -> Plan:
    window = Verification(
        wait_before=0, every=1, sustain=2, min_samples=2, give_up_after=20,
        checks=(Check(id="slots", expect="true", probe="sessions"),),
    )  # fmt: skip
    return Plan(
        playbook="pbs_connection_triage@1.0", version_id="v1", playbook_digest="sha256:0", hypothesis="idle_sessions",
        steps=tuple(step(f"step_{n}") for n in range(steps)), preconditions=(), verification=window, calls={},
    )  # fmt: skip


def packet(incident: Incident, now: datetime, quorum: int = 1) -> DecisionPacket:
    back = Statement(sql="select 2")
    undo = Undo.none("it is gone") if quorum == 1 else Undo(possible=True, statements=(back,), note="set it back")
    act = Act(
        tool="terminate", target="shop", args={}, effect="disruptive", klass="A", scope="exact",
        statements=(Statement(sql="select 1", params={"pid": 4711}),), identities=({"pid": 4711},), cap=5,
        credential="env:ACT", deadline=10, undo=undo,
    )  # fmt: skip
    server = Fingerprint(
        system_identifier="7", timeline=1, in_recovery=False, server_version=150000, clock=now, taken_at=now
    )
    revision = incident.revision + 1
    return DecisionPacket(
        id=f"D-{incident.id}-{incident.epoch}-{revision}", revision=revision, incident_id=incident.id,
        incident_epoch=incident.epoch, step="step_0", title="Free slots", playbook="pbs_connection_triage@1.0",
        playbook_digest="sha256:0", proposed_action={"tool": "terminate"}, act=act, action_digest=act.digest,
        fingerprint=server, conflict_group="shop", evidence=(), preconditions=(), precondition_checks=(), risk=risk(),
        rollback_plan="none", verification=(), verification_checks=(), verification_window=plan().verification,
        preview=Preview(rows=({"pid": 4711},), statements=(), summary="one session", undo=undo), preview_taken_at=now,
        approval_prompt="Go?", quorum=quorum, proposer="ratchet", nonce="n", created_at=now,
        expires_at=now + timedelta(minutes=10), if_nothing="it stays full",
    )  # fmt: skip


def approval(asked: DecisionPacket, by: str, now: datetime) -> Approval:
    return Approval(
        decision=asked.id,
        digest=asked.digest,
        by=by,
        channel="console",
        reason="ok",
        at=now,
        epoch=asked.incident_epoch,
    )


def intended(incident: Incident, now: datetime) -> e.Intended:
    asked = incident.packet
    assert asked is not None
    grant = Grant(
        op_id=f"{incident.id}.{len(incident.ops) + 1}", decision=asked.id, packet_digest=asked.digest,
        action_digest=asked.action_digest, incident_id=incident.id, approved_by=("user:ana",),
        not_after=now + timedelta(seconds=10), settle_after=now + timedelta(seconds=10),
    )  # fmt: skip
    return e.Intended(grant=grant, attempt=1, action="terminate", before=False)


def handoff(incident: Incident, now: datetime, stop: Stop) -> e.Escalated:
    return e.Escalated(
        handoff=Handoff(
            incident_id=incident.id, escalated_at=now, escalation_reason=stop, sentence="s", detail="d", to="user:dba",
            target=incident.target, symptom="full", diagnostic_results={}, attempted_fix=None,
            verification_result=None, human_action_required="look",
        )
    )  # fmt: skip


def following(incident: Incident, now: datetime, pick: int) -> tuple[list[e.Event], datetime]:
    """The events that may come next, chosen by `pick`, and the moment after them."""
    breaks_in = _break_in(incident, now, pick // 16) if pick % 16 == 0 else None
    if breaks_in:
        return breaks_in, now + timedelta(seconds=1)
    move = next_move(incident, now)
    if move.kind == "rest" and incident.status in ("held", "escalated"):
        return [e.HandedBack(by="user:ana", reason="yours")], now + timedelta(seconds=1)
    if move.kind == "wait":
        answer = _answer(incident, now, pick // 16)
        return answer, (now + timedelta(seconds=1) if answer else move.until)
    return _events(move, incident, now, pick // 16), now + timedelta(seconds=1)


def _answer(incident: Incident, now: datetime, pick: int) -> list[e.Event]:
    asked = incident.packet
    if incident.status != "awaiting_approval" or asked is None or incident.answered or pick % 8 == 0:
        return []
    if pick % 8 == 1:
        return [e.Refused(decision=asked.id, digest=asked.digest, by="user:bo", reason="not now")]
    return [e.Granted(approval=approval(asked, f"user:p{pick % 3}", now))]


def _break_in(incident: Incident, now: datetime, pick: int) -> list[e.Event]:
    choices: list[list[e.Event]] = [
        [e.Joined(alert=alert("f2"))],
        [e.Joined(alert=alert(status="resolved"))],
        [e.Noted(by="user:ana", text="looking ☕")],
        [e.Taken(by="user:ana", reason="mine")],
        [e.HandedBack(by="user:ana", reason="yours")] if incident.status in ("held", "escalated") else [],
        _ends(pick % 5),
    ]
    return choices[pick % len(choices)]


def _ends(pick: int) -> list[e.Event]:
    if pick == 1:
        return [e.EndProposed(by="user:ana", verb="close", reason="enough", because="it is grave")]
    if pick == 2:
        return [e.Rated(by="user:ana", cause="lock_contention", helpful=True)]
    if pick == 3:
        return [e.FollowedUp(by="user:ana", number=1, title="Lower the pool", state="done", reason="done ☕")]
    return [e.Closed(by="user:ana", reason="done")] if pick == 0 else []


def _events(move: Any, incident: Incident, now: datetime, pick: int) -> list[e.Event]:
    match move.kind:
        case "look":
            seen = look()
            return [e.Looked(candidates=("v1",), evidence=(seen.id,), answers={"sessions": "ok"}, elapsed_ms=2.5)]
        case "conclude":
            outcomes = (*["cause"] * 7, "ambiguous", "unknown_cause", "security")
            return [e.Concluded(conclusion=conclusion(outcomes[pick % 10]))]
        case "plan":
            return [e.Planned(plan=plan(1 + pick % 2))]
        case "ask":
            asked = packet(incident, now, quorum=1 + pick % 2)
            standing = e.Covered(decision=asked.id, standing="sg_1", given_by="user:ana")
            return [e.Asked(packet=asked), *([standing] if pick % 9 == 0 else [])]
        case "expire":
            return [e.Expired(decision=incident.packet.id if incident.packet else "")]
        case "draft":
            return [e.Drafted(draft="v9", series="pbs_connection_triage", version="1.1")]
        case "escalate":
            return [handoff(incident, now, move.stop)]
        case "resolve":
            return [e.Resolved(by="ratchet", cause=None, without_action=move.without_action, because=move.because)]
        case _:
            return _acts(move, incident, now, pick)


def _acts(move: Any, incident: Incident, now: datetime, pick: int) -> list[e.Event]:
    match move.kind:
        case "act" if pick % 6 == 0 and incident.packet:
            return [e.Superseded(decision=incident.packet.id, because="the preview changed")]
        case "act" if pick % 11 == 0:
            return [e.Delayed(guard="lock", because="another operation holds the target")]
        case "undo" if incident.op is not None:
            back = packet(incident, now).model_copy(update={"undo_of": incident.op.grant.op_id})
            return [e.Asked(packet=back)]
        case "prove_undo" if incident.op is not None:
            return [e.RolledBack(op_id=incident.op.grant.op_id, proved=pick % 2 == 0, because="compared")]
        case "act":
            intent = intended(incident, now)
            outcome: Any = ("done", "done", "done", "failed_clean")[pick % 4]
            result = e.Acted(
                op_id=intent.grant.op_id, outcome=outcome, started_at=now, ended_at=now, return_code="0",
                touched=({"pid": 4711, "share": 0.1},), stopped="too many" if pick % 7 == 1 else "",
            )  # fmt: skip
            return [intent] if pick % 5 == 0 else [intent, result]
        case "judge":
            return [e.Verified(passed=move.passed, samples=2, sustained_seconds=2.0, because=move.because)]
        case "verify":
            value = (*[True] * 7, False, None)[pick % 9]
            return [e.Sampled(at=now, value=value, lines={"slots": "free"}, evidence=())]
        case "doubt":
            return [e.Doubted(op_id=move.op_id, because="no answer", error_category="timeout")]
        case "settle":
            return [e.Settled(op_id=move.op_id, took=("yes", "no", "cannot_tell")[pick % 3], because="looked")]
        case _:
            return []
