"""The fault file: a failure caused on purpose, how it is seen, and how it is taken back."""

from typing import Annotated, Any, Literal

from pydantic import Field

from ratchet.domain.duration import Duration
from ratchet.domain.noun import Noun
from ratchet.domain.playbook import FollowUp

Part = Literal["primary", "replica", "pgbouncer", "contrib", "root", "alone"]
"""What a fault cannot do without: servers, the pooler, contrib modules, root's rights (tier 1), no replica beside."""
Strength = Literal["named", "symptom", "bare"]
STRENGTHS: tuple[Strength, ...] = ("named", "symptom", "bare")
"""Most to least that an alert gives away: the monitor's own name, the symptom's words, only that something is wrong."""
FAULT_ID = r"^[a-z][a-z0-9-]{2,62}$"


class FaultMetadata(Noun):
    """Which fault this is; aliases are other catalogues' names for the same thing."""

    id: str = Field(pattern=FAULT_ID)
    title: str = Field(min_length=8, max_length=120)
    aliases: tuple[Annotated[str, Field(pattern=FAULT_ID)], ...] = ()


class FaultStep(Noun):
    """A named injector with its arguments."""

    uses: str
    args: dict[str, Any] = {}


class FaultCheck(Noun):
    """A named check that must become true within a time."""

    uses: str
    args: dict[str, Any] = {}
    within: Duration = 10.0


class FaultObject(Noun):
    """What kind of object a right diagnosis points at; which one it is shows only when the fault is caused."""

    kind: Literal[
        "none", "session", "application", "slot", "table", "index", "sequence", "setting", "role", "database",
        "subscription", "file", "process", "target",
    ] = "none"  # fmt: skip


class CausedObject(Noun):
    """The object of one caused fault: `id` is what a diagnosis must name (pid, slot, application, target)."""

    kind: str
    id: str
    name: str = ""


class AlertText(Noun):
    """What the monitor would say. Labels and annotations only; times and fingerprints come with the event."""

    labels: dict[str, str] = Field(min_length=1)
    annotations: dict[str, str] = {}


BARE = AlertText(
    labels={"alertname": "ServiceDegraded", "severity": "warning", "service": "shop"},
    annotations={"summary": "Something is wrong with the shop", "description": "Customers complain."},
)


class FaultAlert(Noun):
    """The same failure, told at three strengths."""

    named: AlertText
    symptom: AlertText
    bare: AlertText = BARE

    def at(self, strength: Strength) -> AlertText:
        texts = {"named": self.named, "symptom": self.symptom, "bare": self.bare}
        return texts[strength]


SHOP_IS_WELL = FaultCheck(uses="shop.healthy", within=15.0)


class FaultSpec(Noun):
    """The body of a fault: what it needs, what it is, and how it is caused, seen and undone."""

    series: str = Field(default="", pattern=r"^(pbs_[a-z0-9_]{1,60})?$")
    """The playbook that is to meet it; empty where there is none yet."""
    needs: tuple[Part, ...] = Field(min_length=1)
    cause: str = Field(pattern=r"^[a-z][a-z0-9_]{2,62}$")
    control: bool = False
    """A case in which acting, or acting on, would be wrong; it proves restraint and not skill."""
    expects: Literal["cause", "nothing", "stop"] = "cause"
    """The right end: the cause named; no act and no hypothesis confirmed; a stop that says why."""
    remedy: Literal["acted", "handoff", "none"] = "acted"
    """Whether the approved remedy is carried out, a person's next step is named, or there is nothing to do."""
    ends_sessions: bool = False
    """The failure itself throws every session out, the innocent ones too."""
    object: FaultObject = FaultObject()
    alert: FaultAlert
    inject: tuple[FaultStep, ...] = Field(min_length=1)
    undo: tuple[FaultStep, ...] = Field(min_length=1)
    baseline: tuple[FaultCheck, ...] = Field(default=(SHOP_IS_WELL,), min_length=1)
    symptom: tuple[FaultCheck, ...] = Field(min_length=1)
    ttl: Duration = 600.0
    owner: str = Field(pattern=r"^user:[a-z0-9_.-]+/[A-Za-z0-9_.-]+$")
    prevention: tuple[FollowUp, ...] = Field(min_length=1)


class Fault(Noun):
    """One `<id>.fault.yaml` as typed values."""

    api_version: Literal["ratchet/v1"] = Field(alias="apiVersion")
    kind: Literal["Fault"]
    metadata: FaultMetadata
    spec: FaultSpec

    @property
    def id(self) -> str:
        return self.metadata.id

    @property
    def tier(self) -> Literal[0, 1]:
        """1 where it takes root's rights."""
        return 1 if "root" in self.spec.needs else 0

    def answers_to(self, name: str) -> bool:
        """Whether `name` is this fault's id or one of its aliases."""
        return name == self.id or name in self.metadata.aliases


def as_healthy(fault: Fault) -> Fault:
    """The fault as it is graded where only its alert comes, and nothing is wrong."""
    quiet = {"control": True, "expects": "nothing", "remedy": "none", "cause": "healthy", "ends_sessions": False}
    name = fault.metadata.model_copy(update={"id": f"healthy-{fault.id}"[:63], "aliases": ()})
    return fault.model_copy(update={"metadata": name, "spec": fault.spec.model_copy(update=quiet)})
