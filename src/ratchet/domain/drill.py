"""A drill: an incident caused on purpose, what was seen of it, and the run that is kept of it for ever."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from ratchet.domain.certificate import TrialPart
from ratchet.domain.fault import FAULT_ID, CausedObject, Strength
from ratchet.domain.noun import Noun
from ratchet.domain.score import Score

Verdict: TypeAlias = Literal["pass", "fail", "error", "abstained", "diagnosed"]
"""`pass`: a proved recovery, or the right stop, with every part that must be true. `fail`: something was wrong.
`error`: the drill itself did not work, and what was right in it proves nothing. `abstained`: it said that it does not
know, where there was a cause. `diagnosed`: right as far as a run without remediation goes; never a pass."""
Remedy: TypeAlias = Literal["acted", "handoff", "none"]
Expects: TypeAlias = Literal["cause", "nothing", "stop"]


class Environment(Noun):
    """Where and with what a run was made: what drift is attributed to."""

    playbook: str = ""
    """The pin, `series@version`, that concluded or acted; the active one of the fault's series where none did."""
    playbook_digest: str = ""
    server_version: str = ""
    settings_hash: str = ""
    """Over the settings of the server that are not the default, read before anything was caused."""
    tools_digest: str = ""
    """Over the declarations of all probes and write tools."""
    ratchet_version: str = ""


class Found(Noun):
    """An object that the diagnosis named."""

    kind: str
    id: str


class Run(Noun):
    """One fault, caused once, and how Ratchet did; never changed once it is kept. All durations in seconds."""

    id: str = Field(min_length=1)
    batch: str = Field(pattern=r"^[0-9a-f]{8}$")
    fault: str = Field(pattern=FAULT_ID)
    title: str
    series: str
    """The series that the fault names."""
    seed: int
    strength: Strength
    target: str
    system_identifier: str = ""
    remediate: bool
    unattended: bool = False
    """Whether only what was approved in advance could be done."""
    trial: TrialPart | Literal[""] = ""
    """The part of a certification that it belongs to, or empty."""
    started_at: datetime
    ended_at: datetime
    verdict: Verdict
    score: Score = Score()
    expects: Expects = "cause"
    remedy: Remedy = "acted"
    expected_cause: str
    caused: tuple[CausedObject, ...] = ()
    """What a right diagnosis names."""
    outcome: str = ""
    """What the differential said: `cause`, `ambiguous`, `unknown_cause`, `security`, `contradictory`, or empty."""
    cause: str | None = None
    """The cause that was concluded."""
    found: tuple[Found, ...] = ()
    confidence: float = 0.0
    diagnosis: str = ""
    """One sentence."""
    incident: str = ""
    status: str = ""
    """Where the incident came to rest."""
    stop: str = ""
    """Why it was handed over, or empty."""
    steps: tuple[str, ...] = ()
    """The steps that took effect, in order."""
    draft: str = ""
    triage_seconds: float | None = None
    """Alert handed in -> concluded."""
    recovered_seconds: float | None = None
    """Grant -> first good sample of the window that passed."""
    detection_seconds: float | None = None
    """Alert handed in -> first good sample of the window that passed."""
    sustained_seconds: float | None = None
    """How long recovery was watched."""
    bare_seconds: float = 0.0
    """Causing, seeing that it took, and taking back: what the fault costs without Ratchet."""
    waited_seconds: float = 0.0
    """Windows: the baseline before, a second look, a doubt, the verification, and the customers' own after it."""
    environment: Environment = Environment()
    left: str = ""
    """What the taking back left behind; empty when nothing is left."""
    note: str = ""
    """Why the run is an error, or was ended early."""

    @property
    def answered(self) -> bool:
        """Whether a cause was claimed."""
        return self.outcome == "cause"

    @property
    def right(self) -> bool:
        """Whether the claim, or the restraint, was right in cause and object."""
        return self.score.holds("cause") is True and self.score.holds("object") is not False

    @property
    def confident_and_wrong(self) -> bool:
        """Whether a cause was claimed that is not the one, or an object that is not concerned. An error that was graded
        counts: what stayed behind makes no wrong claim right."""
        return bool(self.score.parts) and self.answered and not self.right

    @property
    def wrong_besides(self) -> bool:
        """Whether the grading found anything wrong beside the taking back."""
        return any(part.name != "undo" for part in self.score.broken)


class DrillRequest(Noun):
    """A drill to begin: the fault is in effect already unless the drill is quiet, and its alert is to be handed in."""

    fault: str = Field(pattern=FAULT_ID)
    target: str = Field(min_length=1, max_length=63)
    strength: Strength = "named"
    remediate: bool = False
    """Whether the steps that are right for the fault's cause may be done without being asked for one by one."""
    unattended: bool = False
    """Remediation by what persons granted in advance alone: the drill brings no leave of its own."""
    quiet: bool = False
    """Only the alert of the fault comes; nothing is caused."""


class Drill(Noun):
    """A drill under way."""

    incident: str
    fault: str
    target: str
    strength: Strength
    remediate: bool
    grants: tuple[str, ...] = ()
    """The standing grants that live as long as it does."""


class Ground(Noun):
    """A target as drills find it before anything is caused."""

    target: str
    address: str
    system_identifier: str
    environment: Environment


class Rejudged(Noun):
    """Whether the kept evidence, judged once more, leads to what was concluded."""

    same: bool
    because: str
