"""The timeline in plain words: one sentence per event, and the details that programs read."""

from datetime import datetime
from typing import Any

from ratchet.desk.views import EventView
from ratchet.domain import timeline as t
from ratchet.domain.escalation import Handoff
from ratchet.domain.hypothesis import Conclusion, said
from ratchet.domain.timeline import Event, Recorded

LEFT_OUT = "left out here"
"""How a sample's line begins for a criterion that the case does not need."""


def event_view(recorded: Recorded[Event]) -> EventView:
    """One event as a line that a person reads, with the field's name for it."""
    event = recorded.event
    label = event.label
    if isinstance(event, t.Verified) and not event.passed:
        label = event.label_else
    if isinstance(event, t.Joined) and event.alert.status == "resolved":
        label = event.label_else
    return EventView(
        time=recorded.at, event=label, sentence=sentence(event), by=recorded.by, seq=recorded.seq,
        details=details(event),
    )  # fmt: skip


def sentence(event: Event) -> str:  # noqa: C901, PLR0912 - one sentence per event kind
    """What happened, in one line."""
    match event:
        case t.Opened():
            return f"{event.alert.title} (target {event.target or 'unknown'}: {event.target_reason})"
        case t.Joined():
            said = "is over, says its monitor" if event.alert.status == "resolved" else "fires, and belongs here"
            return f"Alert {event.alert.name} {said}: {event.alert.title}"
        case t.Looked():
            odd = [f"{probe}: {answer}" for probe, answer in event.answers.items() if answer != "ok"]
            tail = f"; not ok: {', '.join(odd[:4])}" if odd else ""
            n = len(event.answers)
            return f"{n} probes for {len(event.candidates)} playbooks in {event.elapsed_ms:.0f} ms{tail}"
        case t.Concluded():
            return _concluded(event.conclusion)
        case t.Planned():
            steps = ", ".join(s.title for s in event.plan.steps)
            return f"{event.plan.playbook} bound to this target: {steps}"
        case t.Asked():
            return f"{event.packet.approval_prompt} ({event.packet.act.effect}, {event.packet.id})"
        case t.Granted():
            return f"{event.approval.by} approved by {event.approval.channel}{_because(event.approval.reason)}"
        case t.Refused():
            return f"{event.by} denied{_because(event.reason)}"
        case t.Covered():
            return f"Approved in advance by {event.given_by}: standing grant {event.standing}"
        case t.Delayed():
            return f"The approved step waits: {event.because}"
        case t.RolledBack():
            return event.because
        case t.Expired():
            return "The decision expired before its step was begun."
        case t.Superseded():
            return f"The packet counts no longer: {event.because}"
        case t.Intended():
            return f"{event.action}: intent durable, target refuses it after {event.grant.not_after:%H:%M:%S} UTC"
        case t.Acted():
            return _acted(event)
        case t.Doubted():
            return f"Outcome unknown: {event.because}"
        case t.Settled():
            return f"Looked for the effect: {event.took.replace('_', ' ')}. {event.because}"
        case t.Sampled():
            return _sampled(event)
        case t.Verified():
            return event.because
        case t.Resolved():
            return _resolved(event)
        case t.Escalated():
            return _escalated(event.handoff)
        case _:
            return _said(event)


def _concluded(conclusion: Conclusion) -> str:
    """The cause with what speaks for it, in words; otherwise why there is none."""
    leading = conclusion.leading
    if conclusion.outcome != "cause" or leading is None:
        return conclusion.why
    return f"{leading.title}, {conclusion.confidence:.0%} sure. {'; '.join(said(leading.evidence))}".rstrip()


def _said(
    event: t.Drafted | t.Noted | t.Taken | t.HandedBack | t.EndProposed | t.Closed | t.Rated | t.FollowedUp,
) -> str:
    """What people, and the vault, did about it."""
    match event:
        case t.Drafted():
            return f"Draft {event.draft} ({event.series} {event.version}) waits for a person to review it."
        case t.Noted():
            return event.text
        case t.Taken():
            void = " Approvals are void."
            return f"{event.by} took over{_because(event.reason)}{void} {in_flight(event.may_land)}".rstrip()
        case t.HandedBack():
            return f"{event.by} handed back{_because(event.reason)} Ratchet looks afresh; old approvals stay void."
        case t.EndProposed():
            what = f"resolved as {event.cause}" if event.verb == "resolve" else "closed"
            said = f"{event.by} proposed that it is {what}{_because(event.reason)}"
            return f"{said} Another person must say the same. {event.because}"
        case t.Closed():
            return f"{event.by} closed the incident{_because(event.reason)}"
        case t.Rated():
            return _rated(event)
        case t.FollowedUp():
            word = {"done": "signed as done", "wont": "will not do", "open": "opened again"}[event.state]
            return f"{event.by} {word}: follow-up {event.number}, {event.title}{_because(event.reason)}"


def _sampled(event: t.Sampled) -> str:
    """A sample by what was watched; a criterion that has no part here is not told each time anew."""
    words = {True: "good", False: "not yet", None: "unknown"}[event.value]
    told = {name: line for name, line in event.lines.items() if not line.startswith(LEFT_OUT)} or event.lines
    return f"Sample {words}: " + "; ".join(f"{name}: {line}" for name, line in told.items())


def _rated(event: t.Rated) -> str:
    helped = {True: ", and Ratchet helped", False: ", and Ratchet did not help", None: ""}[event.helpful]
    about = f" ({', '.join(event.objects)})" if event.objects else ""
    return f"{event.by} says that it was {event.cause}{about}{helped}{_because(event.reason)}"


def in_flight(may_land: datetime | None) -> str:
    """What was sent and may still take effect; empty without such an act."""
    return f"1 action may still land until {may_land:%H:%M:%S} UTC." if may_land is not None else ""


def _because(reason: str) -> str:
    """A person's reason after what they did, ended as a sentence."""
    said = reason.rstrip()
    return f": {said}{'' if said.endswith(('.', '!', '?')) else '.'}" if said else "."


def _resolved(event: t.Resolved) -> str:
    alone = "Resolved without action: " if event.without_action and event.by == "ratchet" else ""
    word = f"{event.by} resolved it as {event.cause}: " if event.by != "ratchet" else ""
    return f"{alone}{word}{event.because}"


def _acted(event: t.Acted) -> str:
    if event.outcome == "failed_clean":
        return f"Nothing was changed: {event.return_code}"
    touched = f"{len(event.touched)} touched" if event.touched else event.return_code
    return f"Done, {touched}" + (f"; stopped: {event.stopped}" if event.stopped else "")


def _escalated(handoff: Handoff) -> str:
    said_twice = handoff.detail.strip() in handoff.human_action_required
    detail = "" if said_twice else f"{handoff.detail.rstrip('.')}. "
    return f"{handoff.sentence} {detail}To {handoff.to}: {handoff.human_action_required}"


def details(event: Event) -> dict[str, Any]:
    """The event's own fields, without what has a place of its own (packet, plan, conclusion, handoff)."""
    heavy = {"kind", "packet", "plan", "conclusion", "handoff", "alert"}
    body = event.model_dump(mode="json", exclude=heavy)
    match event:
        case t.Asked():
            return {"decision": event.packet.id, "action": event.packet.title, "digest": event.packet.digest}
        case t.Concluded():
            return {"root_cause": event.conclusion.cause, "outcome": event.conclusion.outcome}
        case t.Granted():
            return {"approved_by": event.approval.by, "channel": event.approval.channel, **body["approval"]}
        case t.Escalated():
            return {"reason": event.handoff.escalation_reason.value, "to": event.handoff.to}
        case _:
            return body
