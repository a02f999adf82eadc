"""The plan: a playbook bound to what exists here and now, and the act it would perform."""

from typing import Any, Literal

from ratchet.domain.evidence import ProbeCall
from ratchet.domain.noun import Noun, digest_of
from ratchet.domain.playbook import Effect, Risk, StopRule

Scope = Literal["exact", "bounded"]
Class = Literal["A", "B", "C"]
"""SAFETY.md 1.4: A absolute and repeatable, B observable and guarded by a deadline, C neither: a person settles it."""


class Statement(Noun):
    """What is sent, whole: SQL with bound parameters, or an argument list; never a text to be filled later."""

    sql: str = ""
    params: dict[str, Any] = {}
    argv: tuple[str, ...] = ()


class Undo(Noun):
    """How an act is taken back; `none` with the reason is an answer."""

    possible: bool
    statements: tuple[Statement, ...] = ()
    note: str

    @staticmethod
    def none(because: str) -> "Undo":
        """An act that cannot be taken back, and why."""
        return Undo(possible=False, note=f"none, because {because}")


class ToolSpec(Noun):
    """What a write tool declares about itself."""

    name: str
    summary: str
    kind: str
    effect: Effect
    klass: Class
    scope: Scope
    capabilities: tuple[str, ...] = ()
    arguments: dict[str, Any] = {}
    """JSON Schema of the arguments."""


class Preview(Noun):
    """A dry run: the identities that the act would touch and the statements that would be sent."""

    rows: tuple[dict[str, Any], ...]
    statements: tuple[Statement, ...]
    summary: str
    writes: bool = False
    """Whether a session with uncommitted writes is among them: then the scope is exact, the effect one step higher."""
    undo: Undo
    clock: str = ""


class Act(Noun):
    """One bounded action exactly as it will be sent. Its digest is what a person approves."""

    tool: str
    target: str
    args: dict[str, Any]
    effect: Effect
    klass: Class
    scope: Scope
    statements: tuple[Statement, ...]
    identities: tuple[dict[str, Any], ...]
    cap: int
    credential: str
    """The reference of the act credential, never the credential."""
    deadline: float
    """Seconds from the send after which the target itself must refuse the act."""
    undo: Undo

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical bytes of the act."""
        return digest_of(self.model_dump(mode="json"))


class Check(Noun):
    """A condition bound to the probe calls it reads, by local name."""

    id: str
    expect: str
    probe: str
    required_if: str | None = None
    user_visible: bool = False
    otherwise: str = "escalate"


class Verification(Noun):
    """The window in which recovery must hold: seconds, and the checks."""

    wait_before: float
    every: float
    sustain: float
    min_samples: int
    give_up_after: float
    checks: tuple[Check, ...]


class Leave(Noun):
    """How many people must say yes, and the seconds in which they may."""

    quorum: int
    expires: float


class PlannedStep(Noun):
    """A step with everything resolved but the preview, which is read when it is asked and again when it is done."""

    id: str
    title: str
    tool: str
    target: str
    args: dict[str, Any]
    effect: Effect
    cap: int
    require: str
    prompt: str
    quorum: int
    expires: float
    risk: Risk
    rollback_plan: str
    deadline: float
    cooldown: float
    stop_if: tuple[StopRule, ...] = ()
    graver: Leave | None = None
    """What is asked instead where the preview shows uncommitted writes, which raise the effect."""

    def leave(self, *, writes: bool) -> Leave:
        """What the gate asks; never less for writes."""
        asked = Leave(quorum=self.quorum, expires=self.expires)
        if not writes or self.graver is None:
            return asked
        return Leave(quorum=max(asked.quorum, self.graver.quorum), expires=min(asked.expires, self.graver.expires))


class Plan(Noun):
    """What Ratchet would do, bound to this target: the steps in order, the checks before and after."""

    playbook: str
    version_id: str
    playbook_digest: str
    hypothesis: str
    steps: tuple[PlannedStep, ...]
    preconditions: tuple[Check, ...]
    verification: Verification
    calls: dict[str, tuple[ProbeCall, ...]]
    """Local probe name to the calls behind it; several where a probe meets every replica."""
    text_scope: dict[str, Any] = {}
    escalate_to: str = ""
    ask: str = ""
