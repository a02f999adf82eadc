"""What the desk shows of a version's life: its history, what speaks for it, what comes from outside, what is due."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from ratchet.desk.views import DraftView, PlaybookView
from ratchet.domain.backtest import Backtest
from ratchet.domain.certificate import Certificate
from ratchet.domain.diff import Difference
from ratchet.domain.errors import Mistake
from ratchet.domain.noun import Noun
from ratchet.vault.outline import FileForm

PageForm: TypeAlias = Literal["md", "prompt"]
What: TypeAlias = Literal["failed", "overdue", "environment", "draft", "unproved", "due"]


class HistoryLine(Noun):
    """One event in the life of a series."""

    seq: int
    at: datetime
    by: str
    event: str
    id: str
    version: str
    reason: str = ""
    digest: str = ""
    """Of the text that the event kept; empty when it kept none."""


class Examination(Noun):
    """Everything that a person judges a version by before it is activated."""

    playbook: PlaybookView
    difference: Difference
    mistakes: tuple[Mistake, ...]
    backtest: Backtest | None
    certificates: tuple[Certificate, ...]
    derived_from: dict[str, str]
    authors: tuple[str, ...]
    writers: tuple[str, ...] = ()
    """Who wrote what the text does; they approve no step of it."""
    commit: str
    secrets_removed: int
    """How many places of the text stand as `[secret:....]`."""
    objections: tuple[str, ...]
    """Why the one who asks may not activate it now; empty when nothing stands against it."""


class Arrival(Noun):
    """A text from outside. `form` is told from the text when it is not given; `commit` names where it was kept."""

    text: str = Field(min_length=1, max_length=300_000)
    where: str = Field(default="body", max_length=400)
    form: FileForm | None = None
    commit: str = Field(default="", pattern=r"^([0-9a-f]{7,64})?$")


class Arrived(Noun):
    """The draft that a text became, or the version that it already is; `notes` say what was dropped or left blank."""

    playbook: PlaybookView
    new: bool
    notes: tuple[str, ...] = ()


class BundleRequest(Noun):
    """`create_incident_bundle`: how an incident ended. An incident that is still open needs `cause` and `reason`."""

    incident: str = Field(min_length=1, max_length=100)
    outcome: Literal["resolved", "escalated"] = "resolved"
    cause: str = Field(default="", max_length=100)
    reason: str = Field(default="", max_length=4000)


class BundleView(Noun):
    """Where the bundle of an incident is read, and the draft that it left; `why_no_draft` when it left none."""

    incident: str
    outcome: str
    status: str
    bundle: str
    sha256: str
    """Of the bundle in hexadecimal; another one once anything more happens to the incident."""
    draft: DraftView | None = None
    why_no_draft: str = ""


class Started(Noun):
    """The incident in which a playbook is now being followed."""

    incident: str
    playbook: str


class ReviewLine(Noun):
    """One thing for a person to look at, the most pressing first."""

    id: str
    series: str
    version: str
    what: What
    because: str
    owner: str
    since: datetime | None = None
