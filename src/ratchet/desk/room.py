"""The desk in process: every verb asks who may, then does one thing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ratchet.desk.alerts import Intake
from ratchet.desk.automation import Automation
from ratchet.desk.decisions import Answers
from ratchet.desk.drill_contract import Practice
from ratchet.desk.drills import Drills, LocalPractice
from ratchet.desk.hands_over import Criterion, HandsOver
from ratchet.desk.incidents import decision_view, incident_line, incident_view
from ratchet.desk.learning import LearningRooms, LocalLearning
from ratchet.desk.learning_contract import Learning
from ratchet.desk.narrowing import STATES, STATUSES, known
from ratchet.desk.records import Records
from ratchet.desk.resolution import Resolution
from ratchet.desk.standing import Standing
from ratchet.desk.targets import Targets
from ratchet.desk.tokens import Tokens
from ratchet.desk.vault_contract import VaultDesk
from ratchet.desk.vault_room import LocalVault, VaultRooms
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
from ratchet.domain.errors import not_found
from ratchet.domain.evidence import Evidence
from ratchet.domain.house import Role
from ratchet.domain.noun import Json
from ratchet.domain.ports import Page, Store
from ratchet.security.principal import Permission, Principal, require


@dataclass(frozen=True)
class Rooms:
    """What the desk passes work to; wiring puts it together."""

    store: Store
    intake: Intake
    answers: Answers
    vault: VaultRooms
    learning: LearningRooms
    targets: Targets
    tokens: Tokens
    records: Records
    hands_over: HandsOver
    automation: Automation
    standing: Standing
    drills: Drills
    nudge: Callable[[], None]
    doctor: Callable[[], list[CheckView]]


class LocalDesk:
    """The desk for one principal; implements `ratchet.desk.contract.Desk`."""

    def __init__(self, rooms: Rooms, who: Principal) -> None:
        self._r = rooms
        self._who = who

    def _may(self, permission: Permission) -> str:
        require(self._who, permission)
        return self._who.id

    def _scrub(self, said: str) -> str:
        """A person's words without secrets: every one of them is kept for ever, and told to viewers and sinks."""
        return self._r.hands_over.scrub(said)

    @property
    def drills(self) -> Practice:
        return LocalPractice(self._r.drills, self._who)

    @property
    def learning(self) -> Learning:
        return LocalLearning(self._r.learning, self._who, self.incident)

    def whoami(self) -> tuple[str, Role]:
        return self._who.id, self._who.role

    def receive(self, alerts: Sequence[Alert]) -> list[str]:
        names = self._r.intake.receive(alerts, self._may("ingest"))
        self._r.nudge()
        return names

    def incidents(
        self, *, status: Sequence[str] = (), limit: int = 50, cursor: str | None = None
    ) -> Page[IncidentLine]:
        self._may("read")
        page = self._r.store.incidents(status=known(status, STATUSES, "status"), limit=limit, cursor=cursor)
        return Page(items=tuple(incident_line(i) for i in page.items), next_cursor=page.next_cursor)

    def incident(self, reference: str) -> IncidentView:
        self._may("read")
        incident = self._r.store.incident(reference)
        timeline = self._r.store.timeline(incident.id)
        packet = incident.packet
        row = self._r.store.decision(packet.id)[0] if packet is not None else None
        decision = decision_view(row, packet, timeline) if row is not None else None
        return incident_view(incident, timeline, decision)

    def kv(self, reference: str) -> dict[str, Json]:
        self._may("read")
        return self._r.records.kv(reference)

    def resolution(self, reference: str) -> Resolution:
        self._may("read")
        return self._r.records.resolution(reference)

    def bundle(self, reference: str) -> bytes:
        self._may("read")
        return self._r.records.bundle(reference)

    def take(self, reference: str, reason: str) -> IncidentView:
        self._may("operate")
        self._r.hands_over.take(self._who, reference, reason)
        return self._told(reference)

    def hand_back(self, reference: str, reason: str) -> IncidentView:
        self._may("operate")
        self._r.hands_over.hand_back(self._who, reference, reason)
        return self._told(reference)

    def note(self, reference: str, text: str) -> IncidentView:
        self._may("operate")
        self._r.hands_over.note(self._who, reference, text)
        return self._told(reference)

    def resolve(self, reference: str, cause: str, reason: str) -> IncidentView:
        self._may("operate")
        self._r.hands_over.resolve(self._who, reference, cause, reason)
        return self._told(reference)

    def escalate(self, reference: str, reason: str, criterion: Criterion = "by_person") -> IncidentView:
        self._may("operate")
        self._r.hands_over.escalate(self._who, reference, reason, criterion)
        return self._told(reference)

    def close_incident(self, reference: str, reason: str) -> IncidentView:
        self._may("operate")
        self._r.hands_over.close(self._who, reference, reason)
        return self._told(reference)

    def _told(self, reference: str) -> IncidentView:
        self._r.nudge()
        return self.incident(reference)

    def automation(self) -> AutomationView:
        self._may("read")
        return self._r.automation.view()

    def pause(self, reason: str) -> AutomationView:
        self._may("operate")
        self._r.automation.pause(self._who, self._scrub(reason))
        return self._r.automation.view()

    def resume(self, reason: str) -> AutomationView:
        self._may("operate")
        self._r.automation.resume(self._who, self._scrub(reason))
        self._r.nudge()
        return self._r.automation.view()

    def grants(self) -> list[GrantView]:
        self._may("read")
        return self._r.standing.list()

    def give_grant(self, request: GrantRequest) -> GrantView:
        self._may("answer")
        clean = request.model_copy(update={"reason": self._scrub(request.reason)})
        return self._r.standing.give(self._who, clean)

    def revoke_grant(self, grant_id: str, reason: str) -> GrantView:
        self._may("answer")
        return self._r.standing.revoke(self._who, grant_id, self._scrub(reason))

    def evidence(self, evidence_id: str) -> Evidence:
        self._may("read")
        found = self._r.store.evidence([evidence_id])
        if not found:
            raise not_found("evidence", evidence_id, "Take the id from an incident's hypotheses.")
        return found[0]

    def decisions(self, *, state: Sequence[str] = (), limit: int = 50, cursor: str | None = None) -> Page[DecisionView]:
        self._may("read")
        page = self._r.store.decisions(state=known(state, STATES, "state"), limit=limit, cursor=cursor)
        return Page(items=tuple(decision_view(row, None) for row in page.items), next_cursor=page.next_cursor)

    def decision(self, decision_id: str) -> DecisionView:
        self._may("read")
        return self._r.answers.view(decision_id)

    def approve(self, decision_id: str, digest: str, reason: str) -> DecisionView:
        return self._answer(decision_id, digest, (True, reason))

    def deny(self, decision_id: str, digest: str, reason: str) -> DecisionView:
        return self._answer(decision_id, digest, (False, reason))

    def _answer(self, decision_id: str, digest: str, said: tuple[bool, str]) -> DecisionView:
        self._may("answer")
        view = self._r.answers.answer(self._who, decision_id, digest, said)
        self._r.nudge()
        return view

    @property
    def vault(self) -> VaultDesk:
        return LocalVault(self._r.vault, self._who)

    def playbooks(self, *, source: str | None = None, series: str | None = None) -> list[PlaybookView]:
        self._may("read")
        return self._r.vault.playbooks.list(source, series)

    def playbook(self, reference: str) -> PlaybookView:
        self._may("read")
        return self._r.vault.playbooks.show(reference)

    def render(self, reference: str) -> str:
        self._may("read")
        return self._r.vault.playbooks.render(reference, "md")

    def lint(self, text: str, where: str) -> LintView:
        self._may("read")
        return self._r.vault.playbooks.lint(text, where)

    def edit(self, version_id: str, changes: dict[str, str]) -> PlaybookView:
        by = self._may("activate")
        return self._r.vault.playbooks.edit(version_id, changes, "", by)

    def activate(self, version_id: str, reason: str, digest: str = "") -> PlaybookView:
        by = self._may("activate")
        return self._r.vault.reviewing.activate(version_id, self._scrub(reason), by, digest, self._who.channel)

    def discard(self, version_id: str, reason: str) -> None:
        by = self._may("activate")
        self._r.vault.playbooks.discard(version_id, self._scrub(reason), by)

    def targets(self) -> list[TargetView]:
        self._may("read")
        return self._r.targets.list()

    def add_target(self, request: TargetRequest) -> TargetReport:
        by = self._may("admin")
        return self._r.targets.add(request, by)

    def check_target(self, name: str) -> TargetReport:
        self._may("read")
        return self._r.targets.check(name)

    def make_token(self, name: str, *, person: bool, role: Role, days: int | None = None) -> NewToken:
        by = self._may("admin")
        return self._r.tokens.make(name, role, by, (person, days))

    def tokens(self) -> list[TokenView]:
        self._may("admin")
        return self._r.tokens.list()

    def revoke_token(self, token_id: str) -> None:
        self._r.tokens.revoke(token_id, self._may("admin"))

    def audit_verify(self, *, full: bool = False) -> AuditReport:
        self._may("operate" if full else "read")
        return self._r.records.verify(full=full)

    def audit_tail(self, *, limit: int = 50, cursor: str | None = None) -> Page[AuditEntry]:
        self._may("read")
        return self._r.records.tail(limit, cursor)

    def audit_export(
        self, form: Form = "jsonl", *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[str]:
        self._may("read")
        return self._r.records.export(form, since, until)

    def audit_key(self) -> AuditKey:
        self._may("read")
        return self._r.records.key()

    def doctor(self) -> list[CheckView]:
        self._may("read")
        return self._r.doctor()
