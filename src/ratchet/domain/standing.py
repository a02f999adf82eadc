"""Standing grants: a person's yes in advance, within bounds, counted, and gone at the first false action."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, model_validator

from ratchet.domain.certificate import Certificate, environment_of, no_proof
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


class KnownServer(Noun):
    """Who stood behind a target's name when a standing grant was given: where it was reached, and its identity."""

    address: str
    system_identifier: str


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
    servers: dict[str, KnownServer] = {}
    """By target, who stood behind it when this was given. One that is not among them, because its identity was not
    known or because this is older than the list, is covered only if it was registered before."""
    bounds: dict[str, Bound] = {}
    cap: int = Field(default=100, ge=1, le=1000)
    """Most objects that one use may touch."""
    uses: int = Field(ge=1, le=1000)
    used: int = 0
    expires_at: datetime
    fault: str | None = None
    """Only for drills of this fault, when set."""
    drill: str | None = None
    """Only for the drill with this incident's ULID, when set; it ends with it."""
    certificate: str | None = None
    """Only while this certificate counts, only on servers of its environment, and only for the faults and causes that
    it was given by, when set."""
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

    def dead(self, now: datetime, certificates: Sequence[Certificate]) -> str:
        """Why it does not count now, or an empty text; `certificates` are those of its series."""
        return self.ended(now, certificates) or ("its last use is spent" if self.left == 0 else "")

    def ended(self, now: datetime, certificates: Sequence[Certificate]) -> str:
        """The same for an act that it was charged for already, which may be its last use."""
        if self.revoked:
            return f"it was revoked: {self.revoked}"
        if now >= self.expires_at:
            return f"it expired at {self.expires_at.isoformat(timespec='seconds')}"
        return no_proof(self.certificate, certificates, now) if self.certificate is not None else ""

    def outside(self, packet: DecisionPacket, use: "Use") -> str:
        """Why this packet is not covered, or an empty text."""
        target, dead = use.target, self.dead(use.now, use.certificates)
        stranger = self._stranger(target, packet, use.registered_at) if target is not None else ""
        reasons = (
            (bool(dead), dead),
            (packet.playbook.partition("@")[0] != self.series, "it is for another series"),
            (packet.playbook_digest != self.playbook_digest, "the playbook's text is not the one it was given for"),
            (packet.step != self.step, "it is for another step"),
            (target is None or not self._meets(target), "it is for other targets"),
            (bool(stranger), stranger),
            (self.fault is not None and use.fault != self.fault, "it is for drills of another fault"),
            (self.drill is not None and use.incident != self.drill, "it is for another drill"),
            (len(packet.act.identities) > self.cap, f"more than {self.cap} objects would be touched"),
            (packet.preview.writes, "a session has uncommitted writes: that is never approved in advance"),
            (self.given_by.casefold() in interested(packet), "nobody approves their own text, in advance or not"),
            (packet.quorum > 1, "the step asks for more than one person"),
            (not self._fits(packet.act.args), "an argument is outside its bounds"),
        )
        return next((why for hit, why in reasons if hit), "") or self._unproved(packet, use)

    def _unproved(self, packet: DecisionPacket, use: "Use") -> str:
        """Whether its certificate is about another text, or was given in another environment than this server's, or
        without what goes wrong here."""
        certificate = next((one for one in use.certificates if one.id == self.certificate), None)
        if certificate is None:
            return ""
        here = environment_of(packet.fingerprint.server_version)
        if certificate.playbook_digest != packet.playbook_digest:
            return f"certificate {certificate.id} is for another text"
        if certificate.environment != here:
            return f"certificate {certificate.id} was given for {certificate.environment}, and this is {here}"
        return certificate.leaves_out(use.fault, use.cause)

    def knows(self, target: Target) -> bool:
        """Whether the identity of its server was kept; else it matters when the target was registered."""
        return target.name in self.servers

    def gone(self, registered: Sequence[Target]) -> str:
        """Why none of the targets that are registered now is covered, or an empty text; each use looks for itself."""
        meant = [each for each in registered if self._meets(each)]
        unknown = [each for each in meant if not self.knows(each) or not each.system_identifier]
        if unknown or any(servers_of([each])[each.name] == self.servers[each.name] for each in meant):
            return ""
        names = " and ".join(each.name for each in meant)
        return f"another server stands behind {names} than when it was given" if meant else "its targets are gone"

    def _stranger(self, target: Target, packet: DecisionPacket, registered_at: datetime | None) -> str:
        """A name is no server: why another one may stand behind it by now, or an empty text."""
        if not self.knows(target):
            late = registered_at is None or registered_at > self.given_at
            return f"{target.name} was registered, or registered anew, after it was given" if late else ""
        here = KnownServer(address=target.address, system_identifier=packet.fingerprint.system_identifier)
        same = here == self.servers[target.name]
        return "" if same else f"another server stands behind {target.name} than when it was given"

    def _meets(self, target: Target) -> bool:
        return target.name in self.targets or (self.tag is not None and self.tag in target.tags)

    def _fits(self, args: dict[str, Any]) -> bool:
        return all(name in args and bound.holds(args[name]) for name, bound in self.bounds.items())


class Use(Noun):
    """What a use of a standing grant is judged by, beside the packet: `certificates` are those of the series."""

    target: Target | None
    registered_at: datetime | None = None
    """When the target got its present registration, for a grant that does not know its server; None: not known."""
    now: datetime
    fault: str | None = None
    cause: str | None = None
    """What was concluded."""
    incident: str = ""
    """The incident's ULID."""
    certificates: tuple[Certificate, ...] = ()


def servers_of(targets: Sequence[Target]) -> dict[str, KnownServer]:
    """Who stands behind these targets, as far as their registrations know it."""
    return {
        each.name: KnownServer(address=each.address, system_identifier=each.system_identifier)
        for each in targets
        if each.system_identifier
    }
