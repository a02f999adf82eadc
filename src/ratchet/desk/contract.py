"""The desk's contract: one interface, in process and over HTTP; doors hold nothing else."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from ratchet.desk.drill_contract import Practice
from ratchet.desk.hands_over import Criterion
from ratchet.desk.learning_contract import Learning
from ratchet.desk.resolution import Resolution
from ratchet.desk.vault_contract import VaultDesk
from ratchet.desk.views import (
    AutomationView,
    CheckView,
    DecisionView,
    GrantRequest,
    GrantView,
    IncidentLine,
    IncidentView,
    LintView,
    NewToken,
    PlaybookView,
    TargetReport,
    TargetRequest,
    TargetView,
    TokenView,
)
from ratchet.domain.alert import Alert
from ratchet.domain.audit import AuditEntry, AuditKey, AuditReport
from ratchet.domain.audit_forms import Form
from ratchet.domain.evidence import Evidence
from ratchet.domain.house import Role
from ratchet.domain.noun import Json
from ratchet.domain.ports import Page


class Desk(Protocol):
    """What one principal may ask. Every verb raises Refusal, with the same codes on every road."""

    @property
    def drills(self) -> Practice:
        """What concerns faults that are caused on purpose, and the runs that are kept of them."""
        ...

    @property
    def learning(self) -> Learning:
        """Ratings, the quality report, follow-ups, and likelihoods corrected by what people confirmed."""
        ...

    def whoami(self) -> tuple[str, Role]:
        """Who asks, such as `user:ana`, and in which role."""
        ...

    def receive(self, alerts: Sequence[Alert]) -> list[str]:
        """Make alerts durable and give the incidents they belong to, `INC-1` and so on, in order without repeats."""
        ...

    def incidents(
        self, *, status: Sequence[str] = (), limit: int = 50, cursor: str | None = None
    ) -> Page[IncidentLine]:
        """Newest first; a status that there is not is Refusal(INVALID)."""
        ...

    def incident(self, reference: str) -> IncidentView:
        """One incident by `INC-1` or ULID."""
        ...

    def kv(self, reference: str) -> dict[str, Json]:
        """The recovery state: `incident:INC-1:status|steps|checkpoint|timeline|owner`."""
        ...

    def resolution(self, reference: str) -> Resolution:
        """How an incident ended, or how far it is, in the fields that postmortems and objectives use."""
        ...

    def bundle(self, reference: str) -> bytes:
        """Everything about an incident as one signed zip, which `ratchet audit verify` checks anywhere."""
        ...

    def take(self, reference: str, reason: str) -> IncidentView:
        """The caller has it: no new act is begun, approvals are void; `in_flight` says what may still land."""
        ...

    def hand_back(self, reference: str, reason: str) -> IncidentView:
        """A held incident goes back to the automation, which looks afresh."""
        ...

    def note(self, reference: str, text: str) -> IncidentView:
        """Write something into the timeline."""
        ...

    def resolve(self, reference: str, cause: str, reason: str) -> IncidentView:
        """A person says that it is over, and which known cause it had. No playbook is credited."""
        ...

    def escalate(self, reference: str, reason: str, criterion: Criterion = "by_person") -> IncidentView:
        """Hand over with everything known; `high_impact` goes to the incident commander, `security` to security."""
        ...

    def close_incident(self, reference: str, reason: str) -> IncidentView:
        """Put away what is resolved, escalated or held."""
        ...

    def automation(self) -> AutomationView:
        """Whether acts may begin, and what may still land."""
        ...

    def pause(self, reason: str) -> AutomationView:
        """Begin no act on any target from now on."""
        ...

    def resume(self, reason: str) -> AutomationView:
        """Let acts begin again; approved steps that waited go on."""
        ...

    def grants(self) -> list[GrantView]:
        """All standing grants, newest first, dead ones included."""
        ...

    def give_grant(self, request: GrantRequest) -> GrantView:
        """Approve a step of a series' active text in advance, within bounds; the answer names the text's digest."""
        ...

    def revoke_grant(self, grant_id: str, reason: str) -> GrantView:
        """A standing grant covers nothing from now on."""
        ...

    def evidence(self, evidence_id: str) -> Evidence:
        """Captured evidence, as captured."""
        ...

    def decisions(self, *, state: Sequence[str] = (), limit: int = 50, cursor: str | None = None) -> Page[DecisionView]:
        """Pending ones by expiry when only they are asked; else newest first. A state that there is not is
        Refusal(INVALID)."""
        ...

    def decision(self, decision_id: str) -> DecisionView:
        """One decision with its packet."""
        ...

    def approve(self, decision_id: str, digest: str, reason: str) -> DecisionView:
        """Say yes to exactly this packet. Repeating it gives the first answer."""
        ...

    def deny(self, decision_id: str, digest: str, reason: str) -> DecisionView:
        """Say no; final."""
        ...

    @property
    def vault(self) -> VaultDesk:
        """The life of versions: history, review, backtest, import, and what worked in an incident."""
        ...

    def playbooks(self, *, source: str | None = None, series: str | None = None) -> list[PlaybookView]:
        """All versions in the vault, by series, newest version first."""
        ...

    def playbook(self, reference: str) -> PlaybookView:
        """One version by id, by `series@version`, or a series' active one."""
        ...

    def render(self, reference: str) -> str:
        """A version as a Markdown page."""
        ...

    def lint(self, text: str, where: str) -> LintView:
        """Every mistake in a playbook text at once."""
        ...

    def edit(self, version_id: str, changes: dict[str, str]) -> PlaybookView:
        """Change a draft: `guidance`, `owner`, or the whole `text`. The id stays, the revision moves."""
        ...

    def activate(self, version_id: str, reason: str, digest: str = "") -> PlaybookView:
        """Make a draft the active version; refused while it has blanks or lint faults. `digest` is that of the text
        that was read: another one is refused, and none where it takes a second person."""
        ...

    def discard(self, version_id: str, reason: str) -> None:
        """Throw a draft away."""
        ...

    def targets(self) -> list[TargetView]:
        """All registered targets."""
        ...

    def add_target(self, request: TargetRequest) -> TargetReport:
        """Register a target, provision its roles when asked, and report what it lacks."""
        ...

    def check_target(self, name: str) -> TargetReport:
        """What a target lacks now."""
        ...

    def make_token(self, name: str, *, person: bool, role: Role, days: int | None = None) -> NewToken:
        """A new token; its text is shown once."""
        ...

    def tokens(self) -> list[TokenView]:
        """All tokens, newest first."""
        ...

    def revoke_token(self, token_id: str) -> None:
        """Revoke a token."""
        ...

    def audit_verify(self, *, full: bool = False) -> AuditReport:
        """Check the chain of events from the last seal on, or whole. A broken chain is an answer, not a refusal."""
        ...

    def audit_tail(self, *, limit: int = 50, cursor: str | None = None) -> Page[AuditEntry]:
        """The newest entries of the audit trail first."""
        ...

    def audit_export(
        self, form: Form = "jsonl", *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[str]:
        """A line per event, oldest first: JSON lines, OCSF or CEF."""
        ...

    def audit_key(self) -> AuditKey:
        """The public key under this house's seals and bundles."""
        ...

    def doctor(self) -> list[CheckView]:
        """Whether everything that Ratchet stands on is well."""
        ...
