"""Handing over, both ways: a person takes an incident, gives it back, notes, resolves, escalates or closes it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from ratchet.domain.errors import Code, Refusal, conflict, forbidden, invalid
from ratchet.domain.escalation import Stop
from ratchet.domain.incident import LIVE, Incident
from ratchet.domain.policy import Impact
from ratchet.domain.ports import Clock, Shelf, Store
from ratchet.domain.rating import Rating
from ratchet.domain.sheet import nearest
from ratchet.domain.spoken import spoken
from ratchet.domain.timeline import (
    Closed,
    EndProposed,
    Escalated,
    Event,
    FollowedUp,
    HandedBack,
    Joined,
    Noted,
    Opened,
    Rated,
    Resolved,
    Taken,
)
from ratchet.execution.handoffs import hand_over
from ratchet.security.principal import Principal

TRIES = 5
"""How often a word is written again when the timeline moved for another reason, such as a repeated alert."""
Criterion: TypeAlias = Literal["by_person", "high_impact", "security"]
"""Why a person escalates; it decides who is asked: the playbook's owner, the incident commander, security."""
CRITERIA: dict[str, Stop] = {"by_person": Stop.BY_PERSON, "high_impact": Stop.HIGH_IMPACT, "security": Stop.SECURITY}


def person(who: Principal, what: str) -> str:
    """Who it is, provided that it is a person."""
    if who.kind != "person":
        raise forbidden(f"{who.id} is not a person; only a person may {what}.", "Use a person's token.")
    return who.id


@dataclass(frozen=True)
class HandsOver:
    """What people do to incidents. Every verb is one event, or a refusal that says what may be done instead."""

    store: Store
    shelf: Shelf
    clock: Clock
    causes: frozenset[str]
    impact: Impact
    scrub: Callable[[str], str]
    """Takes secrets out of what a person writes: notes and reasons go into records, exports and drafts."""

    def take(self, who: Principal, reference: str, reason: str) -> None:
        """The incident is this person's: no new act is begun, approvals are void; what was sent may still land."""
        by, because = person(who, "take an incident over"), self._spoken(reason, "A reason")

        def taken(incident: Incident) -> Event | None:
            _refuse(incident, {*LIVE, "escalated", "held"}, "taken over")
            mine = incident.status == "held" and incident.owner == by
            return None if mine else Taken(by=by, reason=_of(incident, by, because), may_land=incident.may_land)

        self._say(by, reference, taken)

    def hand_back(self, who: Principal, reference: str, reason: str) -> None:
        """The automation goes on from the beginning: it looks afresh, and nothing that was approved counts."""
        by, because = person(who, "hand an incident back"), self._spoken(reason, "A reason")

        def back(incident: Incident) -> Event | None:
            _refuse(incident, {"held", "escalated"}, "handed back")
            if incident.op is not None and incident.op.state == "unsure":
                raise conflict(
                    f"Nobody knows whether {incident.op.grant.op_id} happened, and {incident.name} acts on nothing new"
                    " before that is known.",
                    "Find out on the target, then resolve or close the incident; the next alert opens a new one.",
                )
            return HandedBack(by=by, reason=_of(incident, by, because))

        self._say(by, reference, back)

    def note(self, who: Principal, reference: str, text: str) -> None:
        """Write something down."""
        said = self._spoken(text, "A text")

        def noted(incident: Incident) -> Event | None:
            _refuse(incident, {*LIVE, "escalated", "held", "resolved"}, "noted on")
            return Noted(by=who.id, text=said)

        self._say(who.id, reference, noted)

    def resolve(self, who: Principal, reference: str, cause: str, reason: str) -> None:
        """A person says that it is over, and what it was; no playbook is credited with it. High impact takes two."""
        by, because = person(who, "resolve an incident"), self._spoken(reason, "A reason")
        self._refuse_unknown(cause)

        def resolved(incident: Incident) -> Event | None:
            _refuse(incident, {*LIVE, "escalated", "held"}, "resolved")
            word = EndProposed(
                by=by, verb="resolve", cause=cause, reason=because, because=self._two(incident), channel=who.channel
            )  # fmt: skip
            end = Resolved(by=by, cause=cause, without_action=not incident.ops, because=because)
            return _ended(incident, word, end)

        self._say(by, reference, resolved)

    def escalate(self, who: Principal, reference: str, reason: str, criterion: Criterion) -> None:
        """Hand over with everything that is known, to whom the criterion asks for."""
        because = self._spoken(reason, "A reason")

        def escalated(incident: Incident) -> Event | None:
            _refuse(incident, {*LIVE, "escalated", "held"}, "escalated")
            if incident.status == "held":
                person(who, "escalate an incident that a person has")
            target = next((t for t in self.store.targets() if t.name == incident.target), None)
            detail = f"{who.id}: {because}"
            stop = CRITERIA[criterion]
            return Escalated(handoff=hand_over(incident, stop, detail, self._now(), (self.shelf, target)))

        self._say(who.id, reference, escalated)

    def close(self, who: Principal, reference: str, reason: str) -> None:
        """Put away what is over, or what a person decides not to follow further; high impact takes two for that."""
        by, because = person(who, "close an incident"), self._spoken(reason, "A reason")

        def closed(incident: Incident) -> Event | None:
            _refuse(incident, {"escalated", "held", "resolved"}, "closed")
            needs = "" if incident.status == "resolved" else self._two(incident)
            word = EndProposed(by=by, verb="close", reason=because, because=needs, channel=who.channel)
            return _ended(incident, word, Closed(by=by, reason=because))

        self._say(by, reference, closed)

    def rate(self, who: Principal, reference: str, rating: Rating) -> None:
        """A person says what it really was, once nobody works on it any more; the last word counts."""
        by = person(who, "rate an incident")
        self._refuse_unknown(rating.cause)
        rating = rating.model_copy(update={"reason": self.scrub(rating.reason)})

        def rated(incident: Incident) -> Event | None:
            _refuse(incident, {"escalated", "held", "resolved", "closed"}, "rated")
            word = Rated(by=by, **rating.model_dump())
            return None if word == incident.rated else word

        self._say(by, reference, rated)

    def sign(self, who: Principal, reference: str, word: FollowedUp) -> None:
        """A person's word on a follow-up; `word.by` is overwritten by who says it."""
        by, because = person(who, "sign a follow-up"), self._spoken(word.reason, "A reason")
        signed = word.model_copy(update={"by": by, "reason": because})

        def said(incident: Incident) -> Event | None:
            _refuse(incident, {"escalated", "held", "resolved", "closed"}, "followed up")
            return None if signed in incident.signed else signed

        self._say(by, reference, said)

    def _spoken(self, text: str, what: str) -> str:
        return self.scrub(spoken(text, what))

    def _refuse_unknown(self, cause: str) -> None:
        if cause in self.causes:
            return
        near = [name for name in sorted(self.causes) if set(name.split("_")) & set(cause.casefold().split("_"))]
        remedy = f"Name one of: {', '.join(near)}." if near else nearest(cause, self.causes)
        raise invalid(f"{cause[:80]!r} is not a cause that is known here.", remedy)

    def _two(self, incident: Incident) -> str:
        """Why ending it takes two people, or an empty text. What was said of its impact once counts, also when a lower
        number was handed in since."""
        if incident.grave:
            return f"It was escalated for its impact: {incident.grave}"
        told = (one.event for one in self.store.timeline(incident.id))
        return self.impact.above([event.alert for event in told if isinstance(event, Opened | Joined)])

    def _now(self) -> datetime:
        return self.clock()

    def _say(self, by: str, reference: str, event_for: Callable[[Incident], Event | None]) -> None:
        """Write the event that fits the incident as it stands; None when it already stands so."""
        for _ in range(TRIES):
            incident = self.store.incident(reference)
            event = event_for(incident)
            if event is None:
                return
            try:
                self.store.commit(incident, event, by=by, wake_at=self._now())
            except Refusal as no:
                if no.code is not Code.CONFLICT:
                    raise
                continue
            return
        raise conflict(f"{reference} kept moving.", "Look at it, and say it again.")


def _of(incident: Incident, by: str, because: str) -> str:
    """The reason, with whose hands it was in where those were another person's: that person reads it, too."""
    others = incident.status == "held" and incident.owner != by
    return f"{because} ({incident.owner} had it)" if others else because


def _ended(incident: Incident, word: EndProposed, end: Event) -> Event | None:
    """The end itself, when one person is enough or another one said the same before; else this person's word."""
    before = incident.ending
    if not word.because or (before is not None and before.confirmed_by(word)):
        return end
    if before is None or not before.same_as(word):
        return word
    if before.by.casefold() != word.by.casefold():
        raise forbidden(
            "It takes two people, and at the terminal of the state two names are one person.",
            "One of the two says it with a token of their own (RATCHET_TOKEN_FILE), while `ratchet serve` runs.",
        )
    return word if before.own_word and not word.own_word else None


_INSTEAD = {
    "closed": "It is closed: a new alert opens a new incident.",
    "resolved": "It is resolved: close it, or wait for a new alert.",
    "escalated": "It is escalated: take it over, hand it back, resolve it or close it.",
    "held": "A person has it: hand it back, resolve it or close it.",
}


def _refuse(incident: Incident, allowed: set[str], what: str) -> None:
    if incident.status in allowed:
        return
    instead = _INSTEAD.get(incident.status, "Ratchet is working on it: take it over or resolve it first.")
    raise conflict(f"{incident.name} is {incident.status.replace('_', ' ')} and cannot be {what}.", instead)
