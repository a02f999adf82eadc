"""The handoff: everything a stranger needs to go on, built from the incident as it stands."""

from datetime import datetime
from typing import Any

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.escalation import SENTENCES, Handoff, Stop
from ratchet.domain.hypothesis import Found, Hypothesis, said
from ratchet.domain.incident import Incident
from ratchet.domain.left_out import left_out_sentence
from ratchet.domain.op import Op
from ratchet.domain.ports import Shelf
from ratchet.domain.target import Target
from ratchet.execution.undo import TAKE_BACK

SECURITY, COMMANDER, NOBODY = "group:default/security", "group:default/incident-commander", "group:default/on-call"
SHOWN = 6
"""Hypotheses in a handoff: the confirmed ones and the likeliest others."""


def hand_over(
    incident: Incident, stop: Stop, detail: str, now: datetime, known: tuple[Shelf, Target | None]
) -> Handoff:
    """The handoff packet for an escalation."""
    shelf, target = known
    to, ask = _asked(incident, stop, shelf, target)
    hypotheses = incident.conclusion.hypotheses if incident.conclusion else ()
    return Handoff(
        incident_id=incident.name,
        escalated_at=now,
        escalation_reason=stop,
        sentence=SENTENCES[stop],
        detail=_whole(detail, left_out_sentence(shelf.left_out())),
        to=to,
        target=incident.target,
        symptom=incident.alert.title,
        diagnostic_results={f"hypothesis_{n}": _result(h) for n, h in enumerate(_worth_reading(hypotheses), start=1)},
        attempted_fix=_attempted(incident),
        verification_result=_verification(incident),
        human_action_required=ask,
        suggested_commands=_commands(incident, target),
        in_flight=_in_flight(incident.op),
    )


def _whole(detail: str, left_out: str) -> str:
    """The detail with the playbooks that had no part in it, said once."""
    return detail if not left_out or left_out in detail else f"{detail} {left_out}".strip()


def _worth_reading(hypotheses: tuple[Hypothesis, ...]) -> list[Hypothesis]:
    order = {"confirmed": 0, "contradictory": 1, "unknown": 2, "undecided": 3, "refuted": 4}
    return sorted(hypotheses, key=lambda h: (order[h.verdict], -h.confidence))[:SHOWN]


def _result(h: Hypothesis) -> dict[str, Any]:
    return {
        "title": h.title, "cause": h.cause, "verdict": h.verdict, "confidence": h.confidence, "playbook": h.playbook,
        "objects": [{"kind": o.kind, "id": o.id, "name": o.name} for o in h.objects],
        "evidence": [r.text for r in h.evidence], "against": [r.text for r in h.against],
        "evidence_said": list(said(h.evidence)), "against_said": list(said(h.against)),
        "evidence_ids": sorted({e for r in (*h.evidence, *h.against) for e in r.evidence}),
    }  # fmt: skip


def _attempted(incident: Incident) -> dict[str, Any] | None:
    packet, op = incident.packet, incident.op
    if packet is None:
        before = _before(incident, None)
        return {**before, "sent": True} if before else None
    runs = "way_back" if packet.undo_of else "statements"
    tried: dict[str, Any] = {
        "action": packet.title.removeprefix(TAKE_BACK), "tool": packet.act.tool, "target": packet.act.target,
        "decision": packet.id, runs: [s.sql or " ".join(s.argv) for s in packet.act.statements],
        "parameters": [s.params for s in packet.act.statements], "sent": False,
        "rollback_plan": packet.rollback_plan,
    }  # fmt: skip
    if op is None or (op.grant.decision != packet.id and packet.undo_of is None):
        return {**tried, "result": "not performed", **_before(incident, None)}
    return {**tried, **_performed(op), **_taken_back(incident), **_before(incident, op)}


def _before(incident: Incident, told: Op | None) -> dict[str, Any]:
    """Every other step that was performed, or may have been; nothing where there is none."""
    titles = {step.id: step.title for step in incident.plan.steps} if incident.plan is not None else {}
    others = [op for op in incident.ops if op is not told and op.state not in ("failed_clean", "absent")]
    said = [
        {"step": op.step, **_performed(op), "text": f"{titles.get(op.step, op.step)}: {op.state}, {op.grant.op_id}"}
        for op in others
    ]
    return {"performed": said} if said else {}


def _performed(op: Op) -> dict[str, Any]:
    return {
        "sent": True, "op_id": op.grant.op_id, "approved_by": list(op.grant.approved_by), "result": op.state,
        "return_code": op.return_code, "touched": list(op.touched), "because": op.because or op.stopped,
    }  # fmt: skip


def _taken_back(incident: Incident) -> dict[str, Any]:
    """Whether the step was undone: true when the state is proved to be what it was, false when the effect stands."""
    if incident.packet is None or incident.packet.undo_of is None:
        return {}
    rolled, op = incident.rolled_back, incident.op
    if rolled is not None:
        return {"rolled_back": rolled.proved, "rollback": rolled.because}
    state = op.state if op is not None and op.grant.decision == incident.packet.id else ""
    if state in ("intended", "unknown", "unsure"):
        return {"rolled_back": None, "rollback": "Nobody knows yet whether it was taken back; look at the target."}
    if state in ("done", "took"):
        return {"rolled_back": None, "rollback": "It was taken back; nobody looked yet whether the state is as before."}
    return {"rolled_back": False, "rollback": "It was not taken back; the step's effect stands."}


def _verification(incident: Incident) -> dict[str, Any] | None:
    if incident.verified is None:
        return None
    samples = [s.value for s in incident.samples]
    return {
        "passed": incident.verified.passed, "because": incident.verified.because, "samples": len(samples),
        "true": samples.count(True), "false": samples.count(False), "unknown": samples.count(None),
    }  # fmt: skip


def _asked(incident: Incident, stop: Stop, shelf: Shelf, target: Target | None) -> tuple[str, str]:
    owner = target.owner if target is not None and target.owner else NOBODY
    if stop is Stop.SECURITY:
        return SECURITY, "Decide whether this is a compromise. Change nothing before that; evidence is kept."
    if stop is Stop.HIGH_IMPACT:
        return COMMANDER, "Take command: decide who acts and who tells the customers."
    leading = incident.conclusion.leading if incident.conclusion else None
    if leading is None:
        return owner, _no_leader(incident, stop)
    try:
        playbook = shelf.version(leading.version_id)[1]
    except Refusal as no:
        if no.code is Code.UNAVAILABLE:
            raise
        return owner, f"{_lead_in(incident, stop)} {no.message} {no.remedy}".strip()
    ask = playbook.spec.escalation.ask
    words = [_lead_in(incident, stop), leading.action if stop is Stop.NO_SAFE_STEP else "", ask]
    return playbook.spec.escalation.to or owner, " ".join(word for word in words if word)


def _no_leader(incident: Incident, stop: Stop) -> str:
    if stop is Stop.NO_TARGET:
        return "Say which server this is: register it (`ratchet target add`) or give the alert a `target` label."
    if incident.conclusion is not None:
        return f"Find the cause by hand. {incident.conclusion.suggested_action}"
    return "Look at the target by hand; nothing could be concluded."


_LEADS: dict[Stop, str] = {
    Stop.DENIED: "The proposed step was denied: decide what is done instead.",
    Stop.EXPIRED: "No answer that counts came in time: hand the incident back to be asked afresh, or act by hand.",
    Stop.FIX_FAILED: "The step did not bring recovery: do not repeat it before the cause is looked at again.",
    Stop.BY_PERSON: "Somebody asked for you: read why, then go on where they stopped.",
    Stop.IN_DOUBT: "Find out on the target whether the step happened before doing anything else.",
    Stop.AMBIGUOUS_CAUSE: "Choose between the confirmed causes.",
    Stop.TARGET_CHANGED: "The target kept changing under the approved step: look at what it is now.",
    Stop.UNKNOWN_VALUE: "Read by hand what Ratchet could not.",
    Stop.PRECONDITION: "A condition for acting safely does not hold: check it by hand.",
}


def _lead_in(incident: Incident, stop: Stop) -> str:
    lead = _LEADS.get(stop, "")
    if stop is Stop.AMBIGUOUS_CAUSE and incident.conclusion is not None:
        return f"{lead} {incident.conclusion.why}"
    if stop is Stop.EXPIRED and incident.delayed:
        return "It was approved and could not begin in time: hand the incident back to be asked afresh, or act by hand."
    return lead


def _in_flight(op: Op | None) -> str:
    if op is not None and op.state == "unsure":
        return f"Nobody knows whether {op.grant.op_id} happened; nothing new is sent before that is known."
    if op is None or op.state not in ("intended", "unknown"):
        return ""
    return f"1 action may still land until {op.grant.not_after:%H:%M:%S} UTC on the target's clock ({op.grant.op_id})."


_LOOKS = {
    "session": "SELECT * FROM pg_stat_activity WHERE pid = {id}",
    "application": "SELECT state, count(*) FROM pg_stat_activity WHERE application_name = '{id}' GROUP BY 1",
    "slot": "SELECT * FROM pg_replication_slots WHERE slot_name = '{id}'",
    "table": "SELECT * FROM pg_stat_user_tables WHERE schemaname || '.' || relname = '{id}'",
    "setting": "SELECT name, setting, source, sourcefile FROM pg_settings WHERE name = '{id}'",
    "role": "SELECT * FROM pg_roles WHERE rolname = '{id}'",
    "database": "SELECT * FROM pg_database WHERE datname = '{id}'",
}


def _commands(incident: Incident, target: Target | None) -> tuple[str, ...]:
    """Looks that a person may type: read-only, about the objects that were named."""
    leading = incident.conclusion.leading if incident.conclusion else None
    looks = [_look(o, _road(target)) for o in leading.objects[:3]] if leading else []
    return (f"ratchet incident show {incident.name}", *(look for look in looks if look))


def _road(target: Target | None) -> str:
    """How psql reaches the server that was looked at; a person gives their own login."""
    place, _, database = target.address.rpartition("/") if target is not None else ("", "", "")
    host, _, port = place.rpartition(":")
    plain = all(c.isalnum() or c in "_.-" for part in (host, port, database) for c in part)
    return f"psql -h {host} -p {port} -d {database}" if host and port and database and plain else "psql"


def _look(found: Found, road: str) -> str:
    """Names come from the target and are untrusted: anything but plain characters is left for a person to quote."""
    template = _LOOKS.get(found.kind)
    plain = all(c.isalnum() or c in "_.- " for c in found.id)
    return f'{road} -c "{template.format(id=found.id)}"' if template and plain else ""
