"""Events of the house itself: targets, tokens, seeding; recorded so that the audit is whole."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ratchet.domain.certificate import Certificate
from ratchet.domain.drill import Run
from ratchet.domain.noun import Noun, digest_of
from ratchet.domain.standing import StandingGrant
from ratchet.domain.target import Target

Role = Literal["viewer", "operator", "approver", "admin", "source"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "approver", "admin", "source")


class Token(Noun):
    """A credential for Ratchet itself, of a person or a service. Only its hash is kept."""

    id: str
    name: str
    person: bool
    role: Role
    hashed: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked: bool = False

    @property
    def digest(self) -> str:
        """Over everything but the revocation."""
        return digest_of(self.model_dump(mode="json", exclude={"revoked"}))


class TargetAdded(Noun):
    """A target was registered or registered anew."""

    label: ClassVar[str] = "target_added"
    kind: Literal["target_added"] = "target_added"
    target: Target


class TokenMade(Noun):
    """A token was made; its hash is in the token table, never here."""

    label: ClassVar[str] = "token_made"
    kind: Literal["token_made"] = "token_made"
    id: str
    name: str
    person: bool
    role: Role
    digest: str = ""
    """Of the whole token as it was made; empty in the record of earlier releases."""

    def made(self, token: Token) -> bool:
        """Whether a token still is the one that was made; being revoked is another event."""
        same = (token.id, token.name, token.person, token.role) == (self.id, self.name, self.person, self.role)
        return same and self.digest in ("", token.digest)


class TokenRevoked(Noun):
    """A token was revoked."""

    label: ClassVar[str] = "token_revoked"
    kind: Literal["token_revoked"] = "token_revoked"
    id: str


class SeedCompleted(Noun):
    """The playbooks that ship with the release were offered to the vault."""

    label: ClassVar[str] = "seed_completed"
    kind: Literal["seed_completed"] = "seed_completed"
    seeded: int
    skipped: int


class Paused(Noun):
    """The kill switch was pulled: no new act on any target."""

    label: ClassVar[str] = "paused"
    kind: Literal["paused"] = "paused"
    by: str
    reason: str


class Resumed(Noun):
    """Automation may act again."""

    label: ClassVar[str] = "resumed"
    kind: Literal["resumed"] = "resumed"
    by: str
    reason: str


class StandingGiven(Noun):
    """A person approved a step in advance, within bounds."""

    label: ClassVar[str] = "standing_given"
    kind: Literal["standing_given"] = "standing_given"
    standing: StandingGrant


class StandingCharged(Noun):
    """One use of a standing grant was charged to an act."""

    label: ClassVar[str] = "standing_charged"
    kind: Literal["standing_charged"] = "standing_charged"
    id: str
    op_id: str
    left: int


class StandingRevoked(Noun):
    """A standing grant counts no longer."""

    label: ClassVar[str] = "standing_revoked"
    kind: Literal["standing_revoked"] = "standing_revoked"
    id: str
    because: str


class CertificateGiven(Noun):
    """A playbook text was certified, or failed to be."""

    label: ClassVar[str] = "certificate_given"
    kind: Literal["certificate_given"] = "certificate_given"
    certificate: Certificate


class CertificateRevoked(Noun):
    """A certificate proves nothing any longer."""

    label: ClassVar[str] = "certificate_revoked"
    kind: Literal["certificate_revoked"] = "certificate_revoked"
    id: str
    because: str


class RunKept(Noun):
    """A drill was run and graded."""

    label: ClassVar[str] = "run_kept"
    kind: Literal["run_kept"] = "run_kept"
    run: Run


HouseEvent = Annotated[
    TargetAdded | TokenMade | TokenRevoked | SeedCompleted | Paused | Resumed | StandingGiven | StandingCharged
    | StandingRevoked | CertificateGiven | CertificateRevoked | RunKept,
    Field(discriminator="kind"),
]  # fmt: skip
