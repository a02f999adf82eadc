"""Standing grants: a person's yes in advance, within bounds, counted, and gone at the first false action."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, model_validator

from ratchet.domain.gate import DecisionPacket, interested
from ratchet.domain.noun import Noun
from ratchet.domain.target import Target

LONGEST = timedelta(days=90)


class Bound(Noun):
    """What one argument may be: one of some values, or a number within limits."""

    among: tuple[Any, ...] | None = None
    least: float | None = None
    most: float | None = None

    def holds(self, value: Any) -> bool:
        """Whether a value stays within this bound; what is no number never lies between two."""
        if self.among is not None:
            return value in self.among
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


class StandingGrant(Noun):
    """A person's approval in advance of one step of one exact playbook text, on some targets, a number of times."""

    id: str
    given_by: str
    given_at: datetime
    reason: str = Field(min_length=4)
    series: str
    playbook_digest: str
    step: str
    targets: tuple[str, ...] = ()
    tag: str | None = None
    bounds: dict[str, Bound] = {}
    cap: int = Field(default=100, ge=1, le=1000)
    """Most objects that one use may touch."""
    uses: int = Field(ge=1, le=1000)
    used: int = 0
    expires_at: datetime
    fault: str | None = None
    """Only for drills of this fault, when set."""
    revoked: str = ""
    """Why it no longer counts, or empty."""

    @model_validator(mode="after")
    def _within_reason(self) -> "StandingGrant":
        if not self.targets and self.tag is None:
            raise ValueError("a standing grant names targets or a tag; none is for everything")
        if self.expires_at - self.given_at > LONGEST:
            raise ValueError("a standing grant lasts 90 days at most")
        return self

    @property
    def left(self) -> int:
        """Uses that remain."""
        return max(0, self.uses - self.used)

    def dead(self, now: datetime) -> str:
        """Why it does not count now, or an empty text."""
        if self.revoked:
            return f"it was revoked: {self.revoked}"
        if now >= self.expires_at:
            return f"it expired at {self.expires_at.isoformat(timespec='seconds')}"
        return "its last use is spent" if self.left == 0 else ""

    def outside(self, packet: DecisionPacket, target: Target | None, now: datetime, fault: str | None) -> str:
        """Why this packet is not covered, or an empty text."""
        reasons = (
            (bool(self.dead(now)), self.dead(now)),
            (packet.playbook.partition("@")[0] != self.series, "it is for another series"),
            (packet.playbook_digest != self.playbook_digest, "the playbook's text is not the one it was given for"),
            (packet.step != self.step, "it is for another step"),
            (target is None or not self._meets(target), "it is for other targets"),
            (self.fault is not None and fault != self.fault, "it is for drills of another fault"),
            (len(packet.act.identities) > self.cap, f"more than {self.cap} objects would be touched"),
            (packet.preview.writes, "a session has uncommitted writes: that is never approved in advance"),
            (self.given_by.casefold() in interested(packet), "nobody approves their own text, in advance or not"),
            (packet.quorum > 1, "the step asks for more than one person"),
            (not self._fits(packet.act.args), "an argument is outside its bounds"),
        )
        return next((why for hit, why in reasons if hit), "")

    def _meets(self, target: Target) -> bool:
        return target.name in self.targets or (self.tag is not None and self.tag in target.tags)

    def _fits(self, args: dict[str, Any]) -> bool:
        return all(name in args and bound.holds(args[name]) for name, bound in self.bounds.items())
