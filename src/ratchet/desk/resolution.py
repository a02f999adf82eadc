"""How an incident ended: the record that objectives are counted from. Times, who resolved it, whether the fix held."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ratchet.desk.recovery import line
from ratchet.domain import timeline as t
from ratchet.domain.incident import Incident
from ratchet.domain.noun import Noun
from ratchet.domain.timeline import Event, Recorded

AGENT = "agent"
"""Who resolved it, when it was Ratchet."""


class FollowUpView(Noun):
    """What keeps the incident from happening again; `ticket` is where that work is kept, when it is known."""

    ticket: str | None
    title: str


class Resolution(Noun):
    """The resolution export. `mttd_seconds` = alert fired to work started; `mttr_seconds` = from there to the proof."""

    incident_id: str
    service: str
    timeline: tuple[dict[str, Any], ...]
    resolution_time: str | None
    resolved_by: str | None
    escalated: bool
    follow_up: FollowUpView | None
    detected_at: datetime
    agent_started_at: datetime | None
    resolved_at: datetime | None
    fix_correct: bool | None
    """True when the recovery was proved after our act, false when it was not; None without an act or a verdict."""
    mttd_seconds: float | None
    mttr_seconds: float | None
    status: str
    cause: str | None
    target: str | None
    without_action: bool


def resolution(
    incident: Incident, timeline: Sequence[Recorded[Event]], follow_up: FollowUpView | None = None
) -> Resolution:
    """The export of an incident at any time of its life; what has not happened yet is None."""
    started, resolved, proved = _started(timeline), _at(timeline, t.Resolved), _proved(timeline)
    detected = incident.alert.starts_at
    ended = resolved or _at(timeline, t.Closed)
    return Resolution(
        incident_id=incident.name,
        service=incident.alert.labels.get("service") or incident.target or incident.alert.name,
        timeline=tuple(line(one) for one in timeline),
        resolution_time=None if ended is None else _span(ended - detected),
        resolved_by=_by(incident),
        escalated=any(isinstance(one.event, t.Escalated) for one in timeline),
        follow_up=follow_up,
        detected_at=detected,
        agent_started_at=started,
        resolved_at=resolved,
        fix_correct=_fix_correct(incident),
        mttd_seconds=_seconds(detected, started),
        mttr_seconds=_seconds(started, proved),
        status=incident.status,
        cause=_cause(incident),
        target=incident.target,
        without_action=incident.resolved.without_action if incident.resolved else False,
    )


def as_lines(found: Resolution) -> list[dict[str, Any]]:
    """An object per event and then the summary, which has every field but the timeline."""
    return [*found.timeline, found.model_dump(mode="json", exclude={"timeline"})]


def _started(timeline: Sequence[Recorded[Event]]) -> datetime | None:
    """When the first look began; it is written down when it ended."""
    for one in timeline:
        if isinstance(one.event, t.Looked):
            return one.at - timedelta(milliseconds=one.event.elapsed_ms)
    return None


def _proved(timeline: Sequence[Recorded[Event]]) -> datetime | None:
    return next((one.at for one in timeline if isinstance(one.event, t.Verified) and one.event.passed), None)


def _at(timeline: Sequence[Recorded[Event]], kind: type[Any]) -> datetime | None:
    return next((one.at for one in reversed(timeline) if isinstance(one.event, kind)), None)


def _by(incident: Incident) -> str | None:
    if incident.resolved is None:
        return None
    return AGENT if incident.resolved.by == "ratchet" else incident.resolved.by


def _fix_correct(incident: Incident) -> bool | None:
    """Whether what was done was right; None where nothing was, or nobody knows that it was our act that helped."""
    if incident.verified is None or not any(op.state in ("done", "took") for op in incident.ops):
        return None
    return incident.turned or None if incident.verified.passed else False


def _cause(incident: Incident) -> str | None:
    """A person's rating before all, then how it was ended, then what was concluded."""
    said = incident.rated or incident.resolved
    return (said and said.cause) or (incident.conclusion and incident.conclusion.cause)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 3)


def _span(length: timedelta) -> str:
    """`1h 02m 05s`, `4m 12s`, `38s`."""
    whole = max(0, int(length.total_seconds()))
    hours, minutes, seconds = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours}h {minutes:02d}m {seconds:02d}s"
    return f"{minutes}m {seconds:02d}s" if minutes else f"{seconds}s"
