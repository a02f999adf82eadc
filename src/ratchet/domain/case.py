"""One incident as quality is counted from it: a fold over its events, in times, claims and words; pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from ratchet.domain import timeline as t
from ratchet.domain.noun import Noun
from ratchet.domain.timeline import Event, Recorded

KINDS = (
    "opened", "looked", "concluded", "planned", "asked", "taken", "intended", "acted", "settled", "verified",
    "rolled_back", "resolved", "closed", "escalated", "drafted", "rated", "followed_up",
)  # fmt: skip
"""The events that a case is folded from."""


class Signed(Noun):
    """A person's last word on one follow-up, and when it was said."""

    at: datetime
    word: t.FollowedUp


class Case(Noun):
    """An incident as it is counted. What did not happen yet is None, False or empty, and counts as not known."""

    id: str
    number: int
    origin: Literal["production", "drill"]
    alert: str
    """The alert's name."""
    service: str
    target: str | None
    fired_at: datetime
    started_at: datetime | None = None
    """When the first look began."""
    concluded_at: datetime | None = None
    asked_at: datetime | None = None
    proved_at: datetime | None = None
    outcome: str = ""
    """Of the first conclusion, as the further ones know what was done meanwhile."""
    claimed: str = ""
    """The cause that stood first in it, if any was found."""
    confidence: float = 0.0
    claimed_objects: tuple[str, ...] = ()
    looks: int = 0
    version_id: str = ""
    """The playbook's version that was followed, or that concluded first."""
    series: str = ""
    acted_on: str = ""
    """The cause that a step was done for."""
    acts: int = 0
    answered: bool = False
    """Whether the answer to an act said that it was done; else others may have brought what was found afterwards."""
    verified: bool | None = None
    rolled_back: bool = False
    escalated: str = ""
    """Why it was handed over the first time, or empty."""
    taken: bool = False
    ended: Literal["", "resolved", "closed"] = ""
    resolved_by: str = ""
    confirmed: str = ""
    """The cause as a person named it last."""
    confirmed_at: datetime | None = None
    """When a person named a cause first."""
    helpful: bool | None = None
    draft: str = ""
    signed: tuple[Signed, ...] = ()

    @property
    def name(self) -> str:
        """`INC-1`."""
        return f"INC-{self.number}"

    @property
    def kind(self) -> str:
        """The type of incident: the cause that a person named, else the one whose removal was proved, else the one that
        was found at first, else the alert's name."""
        proved = self.acted_on if self.verified else ""
        found = self.claimed if self.outcome == "cause" else ""
        return self.confirmed or proved or found or f"alert {self.alert}"

    @property
    def over(self) -> bool:
        """Whether it ended, or was handed over: nothing more of it is for the automation to do."""
        return bool(self.ended or self.escalated or self.taken)

    @property
    def alone(self) -> bool:
        """Whether it was resolved without a person having to take part beyond a yes."""
        return self.resolved_by == "ratchet" and not self.escalated and not self.taken

    @property
    def agreed(self) -> bool | None:
        """Whether the first hypothesis was the confirmed cause; None while nobody confirmed one or nothing was
        concluded. To say that the cause is unknown is no agreement."""
        if not self.confirmed or self.concluded_at is None:
            return None
        return self.claimed == self.confirmed

    @property
    def fix_correct(self) -> bool | None:
        """Whether what was done was right; None where nothing was, or nobody can tell."""
        if not self.acts:
            return None
        if self.rolled_back or self.verified is False or (self.confirmed and self.confirmed != self.acted_on):
            return False
        return True if self.verified and self.answered else None

    def seconds(self, start: datetime | None, end: datetime | None) -> float | None:
        """From one moment to another, never less than nothing; None where one is missing."""
        return None if start is None or end is None else max(0.0, (end - start).total_seconds())

    @property
    def detection(self) -> float | None:
        """From the alert to the first look, in seconds."""
        return self.seconds(self.fired_at, self.started_at)

    @property
    def recovery(self) -> float | None:
        """From the first look to the proof, in seconds."""
        return self.seconds(self.started_at, self.proved_at)


def case_of(incident_id: str, events: Sequence[Recorded[Event]]) -> Case | None:
    """The case that a timeline tells; None where it does not begin with an opening."""
    case: Case | None = None
    for one in events:
        if isinstance(one.event, t.Opened):
            case = _opened(incident_id, one.event)
        elif case is not None:
            case = case.model_copy(update=_change(case, one.event, one.at))
    return case


def _opened(incident_id: str, event: t.Opened) -> Case:
    alert = event.alert
    return Case(
        id=incident_id, number=event.number, origin=event.origin, alert=alert.name,
        service=alert.labels.get("service") or event.target or alert.name, target=event.target,
        fired_at=alert.starts_at,
    )  # fmt: skip


def _change(case: Case, event: Event, at: datetime) -> dict[str, Any]:
    match event:
        case t.Looked():
            began = case.started_at or at - timedelta(milliseconds=event.elapsed_ms)
            return {"looks": case.looks + 1, "started_at": began}
        case t.Concluded():
            return _concluded(case, event, at)
        case t.Planned():
            return {"version_id": event.plan.version_id, "series": event.plan.playbook.partition("@")[0]}
        case t.Asked():
            return {"asked_at": case.asked_at or at}
        case t.Acted() if event.outcome == "done":
            return {"acts": case.acts + 1, "acted_on": case.acted_on or case.claimed, "answered": True}
        case t.Settled() if event.took == "yes":
            return {"acts": case.acts + 1, "acted_on": case.acted_on or case.claimed}
        case t.Verified():
            return {"verified": event.passed, "proved_at": at if event.passed else case.proved_at}
        case _:
            return _ended(case, event, at)


def _concluded(case: Case, event: t.Concluded, at: datetime) -> dict[str, Any]:
    """The first conclusion is the one that is judged; a later one replaces it only in what a step is done for."""
    said = event.conclusion
    leading = said.leading
    if case.concluded_at is not None:
        return {"acted_on": leading.cause if leading is not None and not case.acts else case.acted_on}
    found: dict[str, Any] = {"concluded_at": at, "outcome": said.outcome, "confidence": said.confidence}
    if leading is None:
        return found
    return {
        **found, "claimed": leading.cause, "acted_on": leading.cause, "version_id": leading.version_id,
        "claimed_objects": tuple(f"{o.kind}:{o.name or o.id}" for o in leading.objects),
        "series": leading.playbook.partition("@")[0],
    }  # fmt: skip


def _ended(case: Case, event: Event, at: datetime) -> dict[str, Any]:
    match event:
        case t.RolledBack():
            return {"rolled_back": True}
        case t.Escalated():
            return {"escalated": case.escalated or event.handoff.escalation_reason.value}
        case t.Taken():
            return {"taken": True}
        case t.Resolved():
            word = event.cause if event.by.startswith("user:") else None
            return {"ended": "resolved", "resolved_by": event.by, **(_named(case, word, at) if word else {})}
        case t.Closed():
            return {"ended": case.ended or "closed"}
        case t.Rated():
            return {**_named(case, event.cause, at), "helpful": event.helpful}
        case t.FollowedUp():
            others = (one for one in case.signed if one.word.number != event.number)
            return {"signed": (*others, Signed(at=at, word=event))}
        case t.Drafted():
            return {"draft": event.draft}
        case _:
            return {}


def _named(case: Case, cause: str, at: datetime) -> dict[str, Any]:
    return {"confirmed": cause, "confirmed_at": case.confirmed_at or at}
