"""The playbook file: the text that a person reviews and code decides by."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ratchet.domain.duration import Duration
from ratchet.domain.hypothesis import Bearing
from ratchet.domain.noun import Noun

ID = r"^[a-z][a-z0-9_]{0,62}$"
Effect = Literal["read", "reversible", "disruptive", "destructive"]
EFFECTS: tuple[Effect, ...] = ("read", "reversible", "disruptive", "destructive")
"""Least to most: what a step may do to the world."""
Where = Literal["target", "primary", "replicas", "poolers", "host"]
"""Which member of the target's conflict group a probe or step meets."""


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class Metadata(Noun):
    """Which text this is: a stable series, a version that is immutable once activated, and the symptom as title."""

    series: str = Field(pattern=r"^pbs_[a-z0-9_]{1,60}$")
    version: str = Field(pattern=r"^\d+\.\d+$")
    title: str = Field(min_length=8, max_length=120)
    name: str = Field(min_length=3, max_length=80)
    source: Literal["system", "manual", "imported", "generated"] = "manual"
    derived_from: dict[str, str] = {}


class Param(Noun):
    """A typed value that a run needs: from the alert, a default, or a person."""

    type: Literal["string", "int", "number", "bool", "duration", "target"]
    kind: str | None = None
    required: bool = False
    default: Any = None
    pattern: str | None = None
    min: Any = None
    max: Any = None
    source: str | None = Field(default=None, alias="from")


class ProbeUse(Noun):
    """A registered read probe under a local name; conditions speak of it by that name."""

    uses: str
    where: Where = "target"
    args: dict[str, Any] = {}
    timeout: Duration = 5.0
    optional: bool = False


class Precondition(Noun):
    """What must hold before the playbook may act, and what happens when it does not."""

    id: str = Field(pattern=ID)
    probe: str
    expect: str
    otherwise: Literal["stop", "escalate"] = Field(default="escalate", alias="else")


class ObjectRule(Noun):
    """How a confirmed hypothesis names the objects concerned, out of captured rows bound to `o`."""

    kind: Literal[
        "session", "application", "slot", "table", "index", "setting", "role", "database", "sequence",
        "target", "prepared_transaction", "statement", "publication", "subscription", "file", "process",
    ]  # fmt: skip
    each: str | None = None
    when: str | None = None
    id: str
    name: str | None = None
    keep: dict[str, str] = {}
    limit: int = Field(default=20, ge=1, le=200)


class HypothesisRule(Noun):
    """A possible cause with what would confirm it, what would refute it, and what then."""

    id: str = Field(pattern=ID)
    title: str
    cause: str
    likelihood: float = Field(gt=0, le=1)
    bearing: Bearing = "acute"
    """Of two confirmed causes the more pressing one is the cause, and the other is found beside it."""
    probes: Names = ()
    confirm: str
    refute: str
    objects: tuple[ObjectRule, ...] = ()
    security: bool = False
    then: Names
    action: str = ""
    """The suggested first action in plain words, for hypotheses that end with a person."""


class Ambiguity(Noun):
    """How near a second confirmed cause may come before a person must decide."""

    min_gap: float = Field(default=0.20, ge=0.05, le=0.95)
    otherwise: Literal["escalate"] = Field(default="escalate", alias="else")


class Triage(Noun):
    """The hypotheses, judged all at once."""

    ambiguity: Ambiguity = Ambiguity()
    hypotheses: tuple[HypothesisRule, ...] = Field(min_length=1)
    otherwise: Literal["escalate"] = "escalate"


class Preview(Noun):
    """The dry run whose rows stand in the packet, and what it must show."""

    require: str


class ApprovalRule(Noun):
    """What the file asks beyond policy: more people or a shorter expiry, never less."""

    mode: Literal["required"] = "required"
    approvers: Names = ()
    quorum: int = Field(default=1, ge=1, le=5)
    expires: Duration = 600.0
    prompt: str = ""


class Risk(Noun):
    """What can be hurt, in the words of the person who answers for it."""

    blast_radius: str
    user_impact: str
    data_risk: str
    cost_risk: str = ""


class Rollback(Noun):
    """How the step is taken back: by its tool's undo, or the plan when it cannot be."""

    possible: bool
    plan: str = ""


class StopRule(Noun):
    """A result that ends the run at once."""

    when: str
    reason: str


class StepRule(Noun):
    """One bounded action: a registered tool, or a capability bound to what exists here."""

    title: str
    uses: str | None = None
    capability: str | None = None
    where: Where = "target"
    target: str | None = None
    args: dict[str, Any] = {}
    effect: Effect
    preview: Preview
    approval: ApprovalRule = ApprovalRule()
    risk: Risk
    cap: int | None = Field(default=None, ge=1, le=10_000)
    idempotent: bool = True
    timeout: Duration = 30.0
    cooldown: Duration = 900.0
    rollback: Rollback
    stop_if: tuple[StopRule, ...] = ()
    next: str = "verify"


class Criterion(Noun):
    """One thing that must be true for the whole window."""

    id: str = Field(pattern=ID)
    probe: str
    expect: str
    user_visible: bool = False
    required_if: str | None = None


class VerifyRule(Noun):
    """When recovery counts as proved: every criterion true, unbroken, with enough samples."""

    wait_before: Duration = 5.0
    every: Duration = 10.0
    sustain: Duration = 60.0
    min_samples: int = Field(default=4, ge=2, le=1000)
    give_up_after: Duration = 300.0
    criteria: tuple[Criterion, ...] = Field(min_length=1)


class EscalationRule(Noun):
    """Who is asked when the playbook ends, by which way, and what they must decide."""

    to: str
    routes: dict[str, str] = {}
    via: Names = ()
    ask: str = Field(min_length=8)


class FollowUp(Noun):
    """What keeps this from happening again."""

    kind: Literal["alert", "ticket", "change", "review"]
    title: str = Field(min_length=4)
    link: str = ""


class Link(Noun):
    """A place to read on."""

    rel: str
    href: str


class Review(Noun):
    """When the owner last looked, and how often that must be."""

    every: Duration = 90 * 86400.0
    last: str | None = None
    by: str | None = None


class Limits(Noun):
    """Budgets of one run."""

    probes: int = Field(default=60, ge=1, le=200)
    steps: int = Field(default=4, ge=1, le=20)
    mutations: int = Field(default=2, ge=0, le=5)
    wall_clock: Duration = 1800.0


class Tags(Noun):
    """What search and match look for."""

    service: Names = ()
    alert: Names = ()
    dashboard: Names = ()
    fault: Names = ()


class Spec(Noun):
    """The body of a playbook."""

    kind: Literal["postgres"] = "postgres"
    symptoms: tuple[str, ...]
    match: tuple[dict[str, str], ...] = ()
    tags: Tags = Tags()
    owner: str = ""
    team: str = ""
    review: Review = Review()
    ai_executable: bool = False
    environments: Names = ()
    params: dict[str, Param] = {}
    limits: Limits = Limits()
    preconditions: tuple[Precondition, ...] = ()
    probes: dict[str, ProbeUse]
    triage: Triage
    steps: dict[str, StepRule] = {}
    verify: VerifyRule | None = None
    escalation: EscalationRule
    follow_ups: tuple[FollowUp, ...] = ()
    guidance: str = ""
    links: tuple[Link, ...] = ()


class Playbook(Noun):
    """One `<series>.playbook.yaml` as typed values."""

    api_version: Literal["ratchet/v1"] = Field(default="ratchet/v1", alias="apiVersion")
    kind: Literal["Playbook"] = "Playbook"
    metadata: Metadata
    spec: Spec

    @property
    def pin(self) -> str:
        """`series@version`, the way a run names what it used."""
        return f"{self.metadata.series}@{self.metadata.version}"

    def hypothesis(self, hypothesis_id: str) -> HypothesisRule:
        """The hypothesis of that id; KeyError when the file has none."""
        found = [h for h in self.spec.triage.hypotheses if h.id == hypothesis_id]
        if not found:
            raise KeyError(hypothesis_id)
        return found[0]
