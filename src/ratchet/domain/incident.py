"""The incident: the fold of its timeline. This value *is* the checkpoint."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, TypeAlias

from ratchet.domain import timeline as t
from ratchet.domain.alert import Alert
from ratchet.domain.escalation import Handoff, Stop
from ratchet.domain.gate import Approval, DecisionPacket
from ratchet.domain.hypothesis import Conclusion
from ratchet.domain.noun import Noun
from ratchet.domain.op import Op, Sample, answered, since, unbroken
from ratchet.domain.plan import Plan

Status = Literal[
    "open", "triaging", "awaiting_approval", "acting", "verifying", "resolved", "escalated", "held", "closed"
]  # fmt: skip
LIVE: frozenset[str] = frozenset({"open", "triaging", "awaiting_approval", "acting", "verifying"})
"""Statuses in which the automation still has something to do."""


class Incident(Noun):
    """One incident, whole. `seq` is the number of events behind it."""

    id: str
    tenant: str = "main"
    seq: int = 0
    number: int = 0
    origin: Literal["production", "drill"] = "production"
    fault: str | None = None
    status: Status = "open"
    opened_at: datetime | None = None
    began_at: datetime | None = None
    """Since when the automation works on it: from its opening, or from the last handing back."""
    updated_at: datetime | None = None
    owner: str = "ratchet"
    epoch: int = 0
    alerts: tuple[Alert, ...] = ()
    target: str | None = None
    target_reason: str = ""
    candidates: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    looked_at: datetime | None = None
    looks: int = 0
    conclusion: Conclusion | None = None
    concluded_at: datetime | None = None
    plan: Plan | None = None
    cursor: int = 0
    packet: DecisionPacket | None = None
    revision: int = 0
    approvals: tuple[Approval, ...] = ()
    standing: str | None = None
    delayed: str = ""
    """Why an approved step waits, or empty."""
    answered: Literal["", "refused", "expired", "superseded"] = ""
    answer_detail: str = ""
    ops: tuple[Op, ...] = ()
    samples: tuple[Sample, ...] = ()
    verified: t.Verified | None = None
    rolled_back: t.RolledBack | None = None
    handoff: Handoff | None = None
    grave: str = ""
    """Why it is of high impact, once it was escalated for that; it stays so."""
    ending: t.EndProposed | None = None
    """One person's word that it is over, while nothing but notes came after it."""
    resolved: t.Resolved | None = None
    draft: t.Drafted | None = None
    rated: t.Rated | None = None
    signed: tuple[t.FollowedUp, ...] = ()
    """The last word on each follow-up that somebody signed."""

    @property
    def name(self) -> str:
        """`INC-1`: the short name that people say."""
        return f"INC-{self.number}"

    @property
    def stream(self) -> str:
        """The name of its event stream."""
        return f"incident/{self.id}"

    @property
    def op(self) -> Op | None:
        """The latest attempt at a step, if any."""
        return self.ops[-1] if self.ops else None

    @property
    def alert(self) -> Alert:
        """The alert that opened it."""
        return self.alerts[0]

    @property
    def alert_resolved(self) -> bool:
        """Whether every alert attached has resolved at its source."""
        return bool(self.alerts) and all(a.status == "resolved" for a in self.alerts)

    @property
    def joinable(self) -> bool:
        """Whether it can take another alert. What a person still holds while its monitor says that it is over takes
        no new trouble: that would go unseen."""
        return self.status in LIVE or (self.status in ("escalated", "held") and not self.alert_resolved)

    def streak(self) -> tuple[Sample, ...]:
        """The unbroken run of true samples at the end of the window."""
        return unbroken(self.samples, self.plan.verification.every if self.plan is not None else 0.0)

    @property
    def may_land(self) -> datetime | None:
        """Until when, on the target's clock, an act of unknown outcome may still take effect; None without one."""
        op = self.op
        return op.grant.not_after if op is not None and op.state in ("intended", "unknown") else None

    @property
    def effects(self) -> tuple[Op, ...]:
        """The acts that took effect since the automation began, whoever told it."""
        return tuple(op for op in since(self.ops, self.began_at) if op.state in ("done", "took"))

    @property
    def turned(self) -> bool:
        """Whether what was proved had failed just before an act that was done by its own answer: else it recovered by
        itself, or anybody may have brought what was found when the answer was lost."""
        return any(op.before is False and answered(op) for op in self.effects)

    def effect_at(self) -> datetime | None:
        """When the act's result was known; verification counts from here."""
        return self.op.ended_at if self.op else None

    def apply(self, recorded: t.Recorded[t.Event]) -> "Incident":
        """The incident after one more event; pure."""
        change = _FOLD[recorded.event.kind](self, recorded.event, recorded.at)
        if recorded.event.kind not in ("noted", "end_proposed", "rated", "followed_up"):
            change = {**change, "ending": None}
        return self.model_copy(update={**change, "seq": recorded.seq, "updated_at": recorded.at})


Change: TypeAlias = dict[str, Any]


def _opened(_: Incident, e: t.Opened, at: datetime) -> Change:
    return {
        "number": e.number, "origin": e.origin, "fault": e.fault, "alerts": (e.alert,), "target": e.target,
        "target_reason": e.target_reason, "opened_at": at, "began_at": at, "status": "open",
    }  # fmt: skip


def _joined(i: Incident, e: t.Joined, _: datetime) -> Change:
    same = [n for n, a in enumerate(i.alerts) if a.fingerprint == e.alert.fingerprint and a.key == e.alert.key]
    if same:
        return {"alerts": tuple(e.alert if n == same[0] else a for n, a in enumerate(i.alerts))}
    return {"alerts": (*i.alerts, e.alert)}


def _looked(i: Incident, e: t.Looked, at: datetime) -> Change:
    return {
        "status": "triaging", "candidates": e.candidates, "evidence": e.evidence, "looked_at": at,
        "looks": i.looks + 1, "conclusion": None,
    }  # fmt: skip


def _concluded(_: Incident, e: t.Concluded, at: datetime) -> Change:
    return {"conclusion": e.conclusion, "concluded_at": at}


def _planned(i: Incident, e: t.Planned, _: datetime) -> Change:
    return {"plan": e.plan, "cursor": 0, "evidence": (*i.evidence, *(x for x in e.evidence if x not in i.evidence))}


def _asked(i: Incident, e: t.Asked, _: datetime) -> Change:
    return {
        "status": "awaiting_approval", "packet": e.packet, "revision": i.revision + 1, "approvals": (),
        "answered": "", "answer_detail": "", "standing": None, "delayed": "",
    }  # fmt: skip


def _granted(i: Incident, e: t.Granted, _: datetime) -> Change:
    return {"approvals": (*i.approvals, e.approval)}


def _covered(_: Incident, e: t.Covered, _at: datetime) -> Change:
    return {"standing": e.standing}


def _delayed(_: Incident, e: t.Delayed, _at: datetime) -> Change:
    return {"delayed": e.because}


def _refused(_: Incident, e: t.Refused, _at: datetime) -> Change:
    return {"answered": "refused", "answer_detail": f"{e.by}: {e.reason}", "approvals": ()}


def _expired(_: Incident, _e: t.Expired, _at: datetime) -> Change:
    return {"answered": "expired", "approvals": ()}


def _superseded(_: Incident, e: t.Superseded, _at: datetime) -> Change:
    return {"answered": "superseded", "answer_detail": e.because, "approvals": ()}


def _intended(i: Incident, e: t.Intended, at: datetime) -> Change:
    step = i.packet.step if i.packet else ""
    op = Op(grant=e.grant, step=step, attempt=e.attempt, state="intended", intended_at=at, before=e.before)
    return {"status": "acting", "ops": (*i.ops, op), "delayed": ""}


def _op(i: Incident, op_id: str, **update: Any) -> Change:
    return {"ops": tuple(o.model_copy(update=update) if o.grant.op_id == op_id else o for o in i.ops)}


def _acted(i: Incident, e: t.Acted, at: datetime) -> Change:
    change = _op(
        i, e.op_id, state=e.outcome, ended_at=at, return_code=e.return_code, error_category=e.error_category,
        touched=e.touched, result=e.result, stopped=e.stopped,
    )  # fmt: skip
    return {**change, **(_next_step(i) if e.outcome == "done" and not e.stopped else {})}


def _next_step(i: Incident) -> Change:
    """Where the incident goes after its act; one that a person has, or a rollback, goes nowhere by itself."""
    if i.status != "acting" or (i.packet is not None and i.packet.undo_of is not None):
        return {}
    last = i.plan is None or i.cursor + 1 >= len(i.plan.steps)
    return {"status": "verifying", "samples": ()} if last else {"cursor": i.cursor + 1, "packet": None}


def _doubted(i: Incident, e: t.Doubted, _: datetime) -> Change:
    return _op(i, e.op_id, state="unknown", because=e.because, error_category=e.error_category)


def _settled(i: Incident, e: t.Settled, at: datetime) -> Change:
    state = {"yes": "took", "no": "absent", "cannot_tell": "unsure"}[e.took]
    change = _op(i, e.op_id, state=state, ended_at=at, because=e.because)
    return {**change, **(_next_step(i) if e.took == "yes" else {})}


def _sampled(i: Incident, e: t.Sampled, _: datetime) -> Change:
    return {"samples": (*i.samples, Sample(at=e.at, value=e.value))}


def _kept(field: str, _: Incident, e: t.Event, _at: datetime) -> Change:
    """The event itself, under a name of the incident."""
    return {field: e}


def _resolved(_: Incident, e: t.Resolved, _at: datetime) -> Change:
    return {"status": "resolved", "resolved": e}


def _escalated(i: Incident, e: t.Escalated, _at: datetime) -> Change:
    grave = e.handoff.detail if e.handoff.escalation_reason is Stop.HIGH_IMPACT else i.grave
    return {"status": "escalated", "handoff": e.handoff, "owner": e.handoff.to, "grave": grave}


def _taken(i: Incident, e: t.Taken, _: datetime) -> Change:
    return {"status": "held", "owner": e.by, "epoch": i.epoch + 1, "approvals": (), "standing": None}


def _handed_back(i: Incident, _e: t.HandedBack, at: datetime) -> Change:
    return {
        "status": "open", "owner": "ratchet", "epoch": i.epoch + 1, "approvals": (), "packet": None, "plan": None,
        "conclusion": None, "evidence": (), "looked_at": None, "looks": 0, "handoff": None, "answered": "",
        "samples": (), "verified": None, "standing": None, "delayed": "", "cursor": 0, "began_at": at,
        "rolled_back": None,
    }  # fmt: skip


def _closed(_: Incident, _e: t.Closed, _at: datetime) -> Change:
    return {"status": "closed"}


def _noted(_: Incident, _e: t.Noted, _at: datetime) -> Change:
    return {}


def _followed_up(i: Incident, e: t.FollowedUp, _: datetime) -> Change:
    return {"signed": (*(one for one in i.signed if one.number != e.number), e)}


_FOLD: dict[str, Callable[..., Change]] = {
    "opened": _opened, "joined": _joined, "looked": _looked, "concluded": _concluded, "planned": _planned,
    "asked": _asked, "granted": _granted, "covered": _covered, "delayed": _delayed, "refused": _refused,
    "rolled_back": partial(_kept, "rolled_back"), "expired": _expired, "superseded": _superseded,
    "intended": _intended, "acted": _acted, "doubted": _doubted, "settled": _settled, "sampled": _sampled,
    "verified": partial(_kept, "verified"), "resolved": _resolved, "escalated": _escalated,
    "drafted": partial(_kept, "draft"), "noted": _noted, "taken": _taken, "handed_back": _handed_back,
    "end_proposed": partial(_kept, "ending"), "closed": _closed, "rated": partial(_kept, "rated"),
    "followed_up": _followed_up,
}  # fmt: skip

MARGIN = timedelta(seconds=2)
"""Waited beyond the deadline before a lost outcome is looked up."""
