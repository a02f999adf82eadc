"""Certificates: the proof, with an end date, that one text of a series recovered its faults by drill."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from pydantic import Field, model_validator

from ratchet import __version__
from ratchet.domain.noun import Noun

LONGEST = timedelta(days=30)
"""A certificate lasts no longer: what was proved is proved again each month."""
TrialPart: TypeAlias = Literal["faults", "look_alikes", "healthy", "double_fire", "crash"]
"""Its own faults recover; what only resembles them it leaves alone; so it does with a healthy system; an alert that
comes twice and by two groups makes each step happen once; so does a worker that dies after the send."""


class Certificate(Noun):
    """What a certification of one playbook text found, whether it passed or not; never changed once it is kept.

    Whoever certifies issues one per text and environment and keeps it through `Store.put_certificate`, also when a
    part failed: a failed one ends every earlier certificate of the same text and environment. Contract:

    - `environment` is `environment_of(server_version)` of the server that was drilled on, and nothing else: it is
      compared, letter by letter, with the server that an act is about to be sent to.
    - `passed` and `failed` name the parts, such as `faults`, `look_alikes`, `healthy`, `double_fire`, `crash`; a part
      that was not run is in neither. Nothing passed, or anything failed: it proves nothing.
    - `runs` are the ids of the runs that it was given by, `seeds` what they were started with.
    """

    id: str = Field(min_length=1)
    series: str
    version_id: str
    playbook_digest: str
    issued_at: datetime
    expires_at: datetime
    environment: str = Field(min_length=1)
    faults: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    passed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    runs: tuple[str, ...] = Field(min_length=1)
    causes: tuple[str, ...] = ()
    """The causes of these faults for which something was done: for no other one does it let a step be done unasked."""
    target: str = ""
    """Where the faults were caused."""
    settings_hash: str = ""
    """Over what the text's own probes of settings saw there; empty where it asks for none, or nothing was seen."""
    tools_digest: str = ""
    """Over the declarations of all probes and write tools; with others it is revoked."""
    revoked: str = ""
    """Why it no longer counts, or empty."""

    @model_validator(mode="after")
    def _within_reason(self) -> "Certificate":
        if not timedelta(0) < self.expires_at - self.issued_at <= LONGEST:
            raise ValueError("a certificate ends after it was issued, and lasts 30 days at most")
        both = set(self.passed) & set(self.failed)
        if both:
            raise ValueError(f"a part passes or fails, not both: {', '.join(sorted(both))}")
        return self

    def dead(self, now: datetime) -> str:
        """Why it proves nothing now, by itself, or an empty text."""
        if self.revoked:
            return f"it was revoked: {self.revoked}"
        if self.failed or not self.passed:
            return f"it was not passed: {', '.join(self.failed) or 'nothing was tried'}"
        return f"it expired at {self.expires_at.isoformat(timespec='seconds')}" if now >= self.expires_at else ""

    def leaves_out(self, fault: str | None, cause: str | None) -> str:
        """Why it proves nothing of a drill of this fault, or of trouble with this cause, or an empty text. What was not
        tried is not proved: the lab may have lacked what a fault of the series needs."""
        if fault is not None and fault not in self.faults:
            return f"certificate {self.id} was given without the fault {fault}"
        return "" if cause in self.causes else f"certificate {self.id} was given without the cause {cause or 'none'}"

    def replaces(self, other: "Certificate") -> bool:
        """Whether this is a later word on the same text in the same environment."""
        same = (self.playbook_digest, self.environment) == (other.playbook_digest, other.environment)
        return self.id != other.id and same and self.issued_at >= other.issued_at


class Tried(Noun):
    """What one part of a certification found."""

    part: TrialPart
    passed: bool
    because: str = Field(max_length=4000)
    runs: tuple[str, ...] = Field(min_length=1, max_length=10_000)


class Certification(Noun):
    """What whoever certified hands in, passed or not; the desk holds it against the kept runs before it believes it."""

    series: str = Field(min_length=1, max_length=100)
    playbook_digest: str = Field(min_length=1, max_length=100)
    """The active text, as it was before the first fault was caused."""
    target: str = Field(min_length=1, max_length=63)
    batch: str = Field(pattern=r"^[0-9a-f]{8}$")
    faults: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    tried: tuple[Tried, ...] = Field(min_length=1)


class Proof(Noun):
    """A certificate as it stands now."""

    certificate: Certificate
    counts: bool
    because: str
    """Why it proves nothing now, or empty."""


def environment_of(server_version: int) -> str:
    """Where something was proved, as far as it can change what a playbook does: the server's major version, and the
    release of Ratchet with its probes and tools. `server_version` as PostgreSQL counts it: 150018."""
    return f"postgres {server_version // 10000}, ratchet {__version__}"


def no_proof(named: str, known: Sequence[Certificate], now: datetime) -> str:
    """Why the certificate of that id proves nothing now, or an empty text. `known` are those of its series."""
    certificate = next((one for one in known if one.id == named), None)
    if certificate is None:
        return f"certificate {named} is not known"
    dead = certificate.dead(now)
    failed = next((one for one in known if one.replaces(certificate) and (one.failed or not one.passed)), None)
    if not dead and failed is not None:
        dead = f"{failed.id} came after it and was not passed"
    return f"its certificate {named} does not count: {dead}" if dead else ""
