"""What people say about an incident beside their answers: each an event of its timeline."""

from datetime import datetime
from typing import ClassVar, Literal

from ratchet.domain.errors import invalid
from ratchet.domain.gate import TERMINAL
from ratchet.domain.noun import Noun

LONGEST = 4000
"""Characters of a reason or a note."""


def spoken(text: str, what: str) -> str:
    """A reason or note that says something."""
    said = text.strip()
    if not said:
        raise invalid(f"{what} is needed.", "Write a few words; they stand in the timeline for whoever reads it next.")
    if len(said) > LONGEST:
        raise invalid(f"{what} has {len(said)} characters.", f"Say it in {LONGEST}, and link to the rest.")
    return said


class Noted(Noun):
    """A person wrote something down."""

    label: ClassVar[str] = "note"
    kind: Literal["noted"] = "noted"
    by: str
    text: str


class Taken(Noun):
    """A person took the incident over."""

    label: ClassVar[str] = "taken_over"
    kind: Literal["taken"] = "taken"
    by: str
    reason: str
    may_land: datetime | None = None
    """Until when, on the target's clock, an act that was under way may still take effect."""


class HandedBack(Noun):
    """A person gave the incident back to the automation."""

    label: ClassVar[str] = "handed_back"
    kind: Literal["handed_back"] = "handed_back"
    by: str
    reason: str


class EndProposed(Noun):
    """One person says that an incident of high impact is over; it ends when another one says the same."""

    label: ClassVar[str] = "end_proposed"
    kind: Literal["end_proposed"] = "end_proposed"
    by: str
    verb: Literal["resolve", "close"]
    cause: str | None = None
    """With `resolve`: what it was. The second person names the same."""
    reason: str
    because: str
    """Why it takes two people."""
    channel: str = ""
    """How they came; empty in words of earlier releases, which count as said at the terminal of the state."""

    def confirmed_by(self, other: "EndProposed") -> bool:
        """Whether somebody else says the same; reasons are each person's own."""
        other_name = self.same_as(other) and self.by.casefold() != other.by.casefold()
        return other_name and not (self.own_word and other.own_word)

    def same_as(self, other: "EndProposed") -> bool:
        """Whether both say the same of the incident."""
        return (self.verb, self.cause) == (other.verb, other.cause)

    @property
    def own_word(self) -> bool:
        """Whether only the terminal of the state stands for the name: two of these may be one person."""
        return self.channel in (TERMINAL, "")


class Closed(Noun):
    """A person closed the incident."""

    label: ClassVar[str] = "closed"
    kind: Literal["closed"] = "closed"
    by: str
    reason: str


class Rated(Noun):
    """A person says what it really was, and whether Ratchet helped; a later rating replaces an earlier one."""

    label: ClassVar[str] = "rated"
    kind: Literal["rated"] = "rated"
    by: str
    cause: str
    objects: tuple[str, ...] = ()
    """What it was about, as `kind:name`, such as `application:billing`."""
    helpful: bool | None = None
    reason: str = ""


class FollowedUp(Noun):
    """A person signed a follow-up: it is done, will not be done, or is open again."""

    label: ClassVar[str] = "follow_up"
    kind: Literal["followed_up"] = "followed_up"
    by: str
    number: int
    """Which of the follow-ups that the playbook asks for, from 1."""
    title: str
    state: Literal["open", "done", "wont"]
    reason: str
