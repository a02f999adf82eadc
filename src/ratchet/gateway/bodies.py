"""What requests may carry: closed bodies, written by the client and read by the routes alike."""

from pydantic import Field

from ratchet.desk.hands_over import Criterion
from ratchet.desk.learning_contract import SignState
from ratchet.domain.alert import Alert
from ratchet.domain.house import Role
from ratchet.domain.noun import Noun

REASON = 4000
"""Characters that a reason may have."""


class AlertBatch(Noun):
    """Alerts in Ratchet's own words."""

    alerts: tuple[Alert, ...]


class Received(Noun):
    """The incidents that alerts belong to."""

    incidents: tuple[str, ...]


class FiredAgain(Noun):
    """The incident that the other group of alerts opened."""

    incident: str


class AnswerBody(Noun):
    """An answer to a decision; it names the digest of the packet that was read."""

    digest: str = Field(min_length=1, max_length=100)
    reason: str = Field(default="", max_length=REASON)


class ReasonBody(Noun):
    """Why a thing is done."""

    reason: str = Field(default="", max_length=REASON)


class ActivateBody(Noun):
    """Why a draft is activated, and the digest of the text that was read; required where it takes a second person."""

    reason: str = Field(default="", max_length=REASON)
    digest: str = Field(default="", max_length=100)


class WhyBody(Noun):
    """Why a thing is done, when it may not be left out."""

    reason: str = Field(min_length=1, max_length=REASON)


class NoteBody(Noun):
    """What is written down."""

    text: str = Field(min_length=1, max_length=REASON)


class ResolveBody(Noun):
    """What it was, by a name of the cause vocabulary, and how it ended."""

    cause: str = Field(min_length=1, max_length=100)
    reason: str = Field(min_length=1, max_length=REASON)


class SignBody(Noun):
    """A person's word on a follow-up, and why."""

    state: SignState
    reason: str = Field(min_length=1, max_length=REASON)


class SuggestBody(Noun):
    """A series whose likelihoods are to be corrected."""

    series: str = Field(min_length=1, max_length=100)


class EscalateBody(Noun):
    """Why a person hands over, and by which criterion."""

    reason: str = Field(min_length=1, max_length=REASON)
    criterion: Criterion = "by_person"


class DraftChange(Noun):
    """What changes in a draft; what is absent stays."""

    guidance: str | None = None
    owner: str | None = None
    team: str | None = None
    text: str | None = None


class LintBody(Noun):
    """A playbook text to be judged; `where` is how the mistakes name it."""

    text: str
    where: str = Field(default="body", max_length=400)


class TokenBody(Noun):
    """A token to be made."""

    name: str = Field(min_length=1, max_length=100)
    person: bool
    role: Role
    days: int | None = Field(default=None, ge=1, le=3650)


class Who(Noun):
    """Who asks, and in which role."""

    who: str
    role: Role
