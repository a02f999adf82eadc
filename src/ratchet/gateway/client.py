"""The desk over HTTP: the same verbs, the same views, the same refusals."""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError

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
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.evidence import Evidence
from ratchet.domain.house import Role
from ratchet.domain.noun import Json
from ratchet.domain.ports import Page
from ratchet.gateway.address import place_of
from ratchet.gateway.bodies import AlertBatch, Received, Who
from ratchet.gateway.client_drills import HttpPractice
from ratchet.gateway.client_learning import HttpLearning
from ratchet.gateway.client_vault import HttpVault
from ratchet.gateway.problem import STATUS, Problem
from ratchet.gateway.routes_playbooks import Playbooks

V = TypeVar("V", bound=BaseModel)
CODES: dict[int, Code] = {status: code for code, status in STATUS.items()}
"""For answers without a problem, such as a proxy's."""
_TIMEOUT = httpx2.Timeout(10.0, connect=2.0)
_PATIENT = httpx2.Timeout(90.0, connect=2.0)
"""For verbs that meet a target: it may hang, and its limits are longer than ours."""
_TOKEN = re.compile(r"[\x21-\x7e]{1,512}")


class HttpDesk:
    """A `Desk` that asks a gateway. The token stands in no exception and in no repr."""

    def __init__(self, url: str, token: str | None, transport: httpx2.BaseTransport | None = None) -> None:
        if token is not None and _TOKEN.fullmatch(token) is None:
            raise Refusal(Code.UNAUTHENTICATED, "The token has characters that no token has.", "Copy it again, whole.")
        self._place = place_of(url)
        self._client = httpx2.Client(
            base_url=self._place,
            headers={"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
            timeout=_TIMEOUT,
            transport=transport,
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"HttpDesk({self._place!r})"

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    @property
    def drills(self) -> Practice:
        return HttpPractice(self._ask, self._send)

    @property
    def learning(self) -> Learning:
        return HttpLearning(self._ask)

    def whoami(self) -> tuple[str, Role]:
        found = self._ask(Who, "GET", "whoami")
        return found.who, found.role

    def receive(self, alerts: Sequence[Alert]) -> list[str]:
        batch = AlertBatch(alerts=tuple(alerts)).model_dump(mode="json")
        return list(self._ask(Received, "POST", "alerts", json=batch).incidents)

    def incidents(
        self, *, status: Sequence[str] = (), limit: int = 50, cursor: str | None = None
    ) -> Page[IncidentLine]:
        return self._ask(Page[IncidentLine], "GET", "incidents", params=_list("status", status, limit, cursor))

    def incident(self, reference: str) -> IncidentView:
        return self._ask(IncidentView, "GET", "incidents", reference)

    def kv(self, reference: str) -> dict[str, Json]:
        return self._send("GET", "incidents", reference, "kv").json()

    def resolution(self, reference: str) -> Resolution:
        return self._ask(Resolution, "GET", "incidents", reference, "export")

    def bundle(self, reference: str) -> bytes:
        return self._send("GET", "incidents", reference, "bundle", timeout=_PATIENT).content

    def take(self, reference: str, reason: str) -> IncidentView:
        return self._ask(IncidentView, "POST", "incidents", reference, "take", json={"reason": reason})

    def hand_back(self, reference: str, reason: str) -> IncidentView:
        return self._ask(IncidentView, "POST", "incidents", reference, "handback", json={"reason": reason})

    def note(self, reference: str, text: str) -> IncidentView:
        return self._ask(IncidentView, "POST", "incidents", reference, "note", json={"text": text})

    def resolve(self, reference: str, cause: str, reason: str) -> IncidentView:
        body = {"cause": cause, "reason": reason}
        return self._ask(IncidentView, "POST", "incidents", reference, "resolve", json=body)

    def escalate(self, reference: str, reason: str, criterion: Criterion = "by_person") -> IncidentView:
        body = {"reason": reason, "criterion": criterion}
        return self._ask(IncidentView, "POST", "incidents", reference, "escalate", json=body)

    def close_incident(self, reference: str, reason: str) -> IncidentView:
        return self._ask(IncidentView, "POST", "incidents", reference, "close", json={"reason": reason})

    def automation(self) -> AutomationView:
        return self._ask(AutomationView, "GET", "automation")

    def pause(self, reason: str) -> AutomationView:
        return self._ask(AutomationView, "POST", "automation", "pause", json={"reason": reason})

    def resume(self, reason: str) -> AutomationView:
        return self._ask(AutomationView, "POST", "automation", "resume", json={"reason": reason})

    def grants(self) -> list[GrantView]:
        return list(self._ask(Page[GrantView], "GET", "grants").items)

    def give_grant(self, request: GrantRequest) -> GrantView:
        return self._ask(GrantView, "POST", "grants", json=request.model_dump(mode="json"))

    def revoke_grant(self, grant_id: str, reason: str) -> GrantView:
        return self._ask(GrantView, "DELETE", "grants", grant_id, params={"reason": reason})

    def evidence(self, evidence_id: str) -> Evidence:
        return self._ask(Evidence, "GET", "evidence", evidence_id)

    def decisions(self, *, state: Sequence[str] = (), limit: int = 50, cursor: str | None = None) -> Page[DecisionView]:
        return self._ask(Page[DecisionView], "GET", "decisions", params=_list("state", state, limit, cursor))

    def decision(self, decision_id: str) -> DecisionView:
        return self._ask(DecisionView, "GET", "decisions", decision_id)

    def approve(self, decision_id: str, digest: str, reason: str) -> DecisionView:
        body = {"digest": digest, "reason": reason}
        return self._ask(DecisionView, "POST", "decisions", decision_id, "approve", json=body)

    def deny(self, decision_id: str, digest: str, reason: str) -> DecisionView:
        body = {"digest": digest, "reason": reason}
        return self._ask(DecisionView, "POST", "decisions", decision_id, "deny", json=body)

    @property
    def vault(self) -> VaultDesk:
        return HttpVault(self._ask, self._send)

    def playbooks(self, *, source: str | None = None, series: str | None = None) -> list[PlaybookView]:
        params = {key: value for key, value in (("source", source), ("series", series)) if value is not None}
        return list(self._ask(Playbooks, "GET", "fleet", "playbooks", params=params).playbooks)

    def playbook(self, reference: str) -> PlaybookView:
        return self._ask(PlaybookView, "GET", "fleet", "playbooks", reference)

    def render(self, reference: str) -> str:
        return self._send("GET", "playbooks", reference, "render").text

    def lint(self, text: str, where: str) -> LintView:
        return self._ask(LintView, "POST", "playbooks", "lint", json={"text": text, "where": where})

    def edit(self, version_id: str, changes: dict[str, str]) -> PlaybookView:
        return self._ask(PlaybookView, "PUT", "fleet", "playbooks", version_id, json=changes)

    def activate(self, version_id: str, reason: str, digest: str = "") -> PlaybookView:
        said = {"reason": reason, "digest": digest}
        return self._ask(
            PlaybookView, "POST", "fleet", "playbooks", version_id, "activate", json=said, timeout=_PATIENT
        )

    def discard(self, version_id: str, reason: str) -> None:
        self._send("DELETE", "fleet", "playbooks", version_id, params={"reason": reason})

    def targets(self) -> list[TargetView]:
        return list(self._ask(Page[TargetView], "GET", "targets").items)

    def add_target(self, request: TargetRequest) -> TargetReport:
        body = request.model_dump(mode="json")
        return self._ask(TargetReport, "POST", "targets", json=body, timeout=_PATIENT)

    def check_target(self, name: str) -> TargetReport:
        return self._ask(TargetReport, "GET", "targets", name, "check", timeout=_PATIENT)

    def make_token(self, name: str, *, person: bool, role: Role, days: int | None = None) -> NewToken:
        body = {"name": name, "person": person, "role": role, "days": days}
        return self._ask(NewToken, "POST", "tokens", json=body)

    def tokens(self) -> list[TokenView]:
        return list(self._ask(Page[TokenView], "GET", "tokens").items)

    def revoke_token(self, token_id: str) -> None:
        self._send("DELETE", "tokens", token_id)

    def audit_verify(self, *, full: bool = False) -> AuditReport:
        params = {"full": "true"} if full else {}
        return self._ask(AuditReport, "GET", "audit", "verify", params=params, timeout=_PATIENT)

    def audit_tail(self, *, limit: int = 50, cursor: str | None = None) -> Page[AuditEntry]:
        params = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        return self._ask(Page[AuditEntry], "GET", "audit", params=params)

    def audit_export(
        self, form: Form = "jsonl", *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[str]:
        span = {name: at.isoformat() for name, at in (("since", since), ("until", until)) if at is not None}
        return self._lines("/api/v1/audit/export", {"form": form, **span})

    def audit_key(self) -> AuditKey:
        return self._ask(AuditKey, "GET", "audit", "key")

    def doctor(self) -> list[CheckView]:
        return list(self._ask(Page[CheckView], "GET", "doctor").items)

    def _ask(self, view: type[V], method: str, *parts: str, **extra: Any) -> V:
        answer = self._send(method, *parts, **extra)
        try:
            return view.model_validate_json(answer.content)
        except ValidationError:
            raise self._stranger(answer.status_code) from None

    def _send(self, method: str, *parts: str, **extra: Any) -> httpx2.Response:
        """Send once, never again: whether to repeat is the caller's to say."""
        path = "/api/v1/" + "/".join(quote(part, safe="") for part in parts)
        with self._reaching():
            answer = self._client.request(method, path, **extra)
        if not answer.is_success:
            raise self._refusal(answer)
        return answer

    def _lines(self, path: str, params: dict[str, str]) -> Iterator[str]:
        """The lines of an answer as they come; only a line feed ends one."""
        with self._reaching(), self._client.stream("GET", path, params=params, timeout=_PATIENT) as answer:
            if not answer.is_success:
                answer.read()
                raise self._refusal(answer)
            rest = b""
            for piece in answer.iter_bytes():
                *whole, rest = (rest + piece).split(b"\n")
                yield from (line.decode("utf-8") for line in whole)

    @contextmanager
    def _reaching(self) -> Generator[None]:
        """Answer what goes wrong on the way with a refusal."""
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise Refusal(
                Code.UNAVAILABLE,
                f"Nothing answers at {self._place}.",
                "Start it with `ratchet serve` or set RATCHET_URL.",
            ) from None
        except httpx2.HTTPError as error:
            raise Refusal(
                Code.UNAVAILABLE,
                f"{self._place} did not answer ({type(error).__name__}); what was asked may still have happened.",
                "Look at how it stands before you ask again.",
            ) from None

    def _refusal(self, answer: httpx2.Response) -> Refusal:
        try:
            said = Problem.model_validate_json(answer.content)
        except ValidationError:
            return self._stranger(answer.status_code)
        return Refusal(said.code, said.detail, said.remedy, said.mistakes)

    def _stranger(self, status: int) -> Refusal:
        return Refusal(
            CODES.get(status, Code.FAILED),
            f"{self._place} answered {status} in words that are not Ratchet's.",
            "Check RATCHET_URL, and what stands between here and there.",
        )


def _list(name: str, words: Sequence[str], limit: int, cursor: str | None) -> dict[str, Any]:
    return {name: list(words), "limit": limit, **({"cursor": cursor} if cursor else {})}
