"""The recovery state of an incident under five keys: a reading of its timeline from which any program can go on."""

from collections.abc import Sequence
from datetime import datetime

from ratchet.desk.sentences import event_view
from ratchet.domain import timeline as t
from ratchet.domain.errors import not_found
from ratchet.domain.gate import DecisionPacket
from ratchet.domain.incident import Incident
from ratchet.domain.noun import Json
from ratchet.domain.op import Op
from ratchet.domain.timeline import Event, Recorded

KEYS = ("status", "steps", "checkpoint", "timeline", "owner")
Timeline = Sequence[Recorded[Event]]

_CATEGORIES: dict[str, str] = {
    "hung": "timeout", "too_late": "timeout", "refused": "connection", "lost_connection": "connection",
    "too_many_clients": "connection", "starting": "connection", "name_resolution": "connection", "auth": "permission",
    "no_database": "connection", "server_login": "connection", "missing": "not_found", "unregistered": "not_found",
    "nothing_matched": "precondition", "in_recovery": "precondition", "in_use": "conflict",
    "error": "nonzero_exit", "warning": "unknown",
}  # fmt: skip
"""Our words for what went wrong, in the closed list of step records."""
CATEGORIES = frozenset({
    "none", "timeout", "connection", "permission", "not_found", "precondition", "conflict", "nonzero_exit", "parse",
    "policy", "cancelled", "unknown",
})  # fmt: skip


def category(word: str) -> str:
    """An error category of the step record; `unknown` for a word that nobody foresaw."""
    mapped = _CATEGORIES.get(word, word)
    return mapped if mapped in CATEGORIES else "unknown"


def kv(incident: Incident, timeline: Timeline) -> dict[str, Json]:
    """`incident:INC-1:status|steps|checkpoint|timeline|owner`, as JSON values."""
    values: dict[str, Json] = {
        "status": incident.status,
        "steps": [*steps(incident, timeline)],
        "checkpoint": checkpoint(incident),
        "timeline": [line(one) for one in timeline],
        "owner": incident.owner,
    }
    return {f"incident:{incident.name}:{key}": values[key] for key in KEYS}


def pick(found: dict[str, Json], key: str) -> Json:
    """One value by `steps` or by its whole key; raises Refusal(NOT_FOUND)."""
    hits = [value for name, value in found.items() if key in (name, name.rpartition(":")[2])]
    if not hits:
        raise not_found("key", key, f"There are: {', '.join(KEYS)}.")
    return hits[0]


def line(recorded: Recorded[Event]) -> dict[str, Json]:
    """An event in the shape `time, event, ...` that postmortems share; `details` is the sentence a person reads."""
    view = event_view(recorded)
    named = {
        key: view.details[key] for key in ("root_cause", "action", "approved_by", "channel") if key in view.details
    }
    return {
        "time": _moment(view.time), "event": view.event, "agent": recorded.by == "ratchet", "by": recorded.by,
        "seq": recorded.seq, "details": view.sentence, **named,
    }  # fmt: skip


def checkpoint(incident: Incident) -> dict[str, Json]:
    """Where the incident stands: what a successor must know before doing anything."""
    op, plan, packet = incident.op, incident.plan, incident.packet
    step = plan.steps[incident.cursor].id if plan is not None and incident.cursor < len(plan.steps) else None
    return {
        "seq": incident.seq, "epoch": incident.epoch, "updated_at": _moment(incident.updated_at),
        "target": incident.target, "cause": incident.conclusion.cause if incident.conclusion else None,
        "playbook": plan.playbook if plan else None, "step": step, "step_index": incident.cursor,
        "steps_planned": len(plan.steps) if plan else 0, "decision": packet.id if packet else None,
        "packet_digest": packet.digest if packet else None, "idempotency_key": op.grant.op_id if op else None,
        "outcome": op.state if op else None, "may_land_until": _open_until(op), "handoff_to": _to(incident),
    }  # fmt: skip


def _to(incident: Incident) -> str | None:
    return incident.handoff.to if incident.handoff else None


def _open_until(op: Op | None) -> str | None:
    """Until when an act of unknown outcome may still land."""
    return _moment(op.grant.not_after) if op is not None and op.state in ("intended", "unknown", "unsure") else None


def steps(incident: Incident, timeline: Timeline) -> list[dict[str, Json]]:
    """A record per operation, in the order in which they were intended."""
    packets = {one.event.packet.id: one.event.packet for one in timeline if isinstance(one.event, t.Asked)}
    intents = {one.event.grant.op_id: one for one in timeline if isinstance(one.event, t.Intended)}
    return [_step(op, intents[op.grant.op_id], packets.get(op.grant.decision), timeline) for op in incident.ops]


def _step(op: Op, intended: Recorded[Event], packet: DecisionPacket | None, timeline: Timeline) -> dict[str, Json]:
    event = intended.event
    acted = next((one.event for one in timeline if _of(one, op) and isinstance(one.event, t.Acted)), None)
    return {
        "action": event.action if isinstance(event, t.Intended) else op.step,
        "started_at": _moment(acted.started_at if acted else op.intended_at),
        "ended_at": _moment(acted.ended_at if acted else op.ended_at),
        "return_code": op.return_code,
        "error_category": category(op.error_category),
        "human_override": _overridden(op, intended, timeline),
        "step": op.step,
        "tool": packet.act.tool if packet else None,
        "effect": packet.act.effect if packet else None,
        "attempt": op.attempt,
        "outcome": op.state,
        "packet_digest": op.grant.packet_digest,
        "idempotency_key": op.grant.op_id,
        "approved_by": [*op.grant.approved_by],
        "decision": op.grant.decision,
    }


def _of(recorded: Recorded[Event], op: Op) -> bool:
    return getattr(recorded.event, "op_id", None) == op.grant.op_id


def _overridden(op: Op, intended: Recorded[Event], timeline: Timeline) -> bool:
    """A person told its outcome, or took the incident while the outcome was open."""
    for one in timeline:
        if one.seq <= intended.seq:
            continue
        if _of(one, op) and not isinstance(one.event, t.Doubted):
            return one.by.startswith("user:")
        if isinstance(one.event, t.Taken | t.Resolved | t.Closed) and one.by.startswith("user:"):
            return True
    return False


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
