"""The vault over HTTP: the same verbs as in process."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx2

from ratchet.desk.vault_views import (
    Arrival,
    Arrived,
    BundleRequest,
    BundleView,
    Examination,
    HistoryLine,
    PageForm,
    ReviewLine,
    Started,
)
from ratchet.desk.views import PlaybookView
from ratchet.domain.backtest import Backtest
from ratchet.domain.diff import Difference
from ratchet.domain.ports import Page
from ratchet.vault.coverage import Coverage
from ratchet.vault.report import VaultDrift, VaultStatus

PATIENT = httpx2.Timeout(300.0, connect=2.0)
"""For a replay of everything that was ever recorded."""


class HttpVault:
    """`ratchet.desk.vault_contract.VaultDesk` that asks a gateway by its client's own ways of asking."""

    def __init__(self, ask: Callable[..., Any], send: Callable[..., httpx2.Response]) -> None:
        self._ask = ask
        self._send = send

    def render(self, reference: str, form: PageForm = "md") -> str:
        return self._send("GET", "playbooks", reference, "render", params={"form": form}).text

    def edit(self, version_id: str, changes: dict[str, str], expected: str = "") -> PlaybookView:
        headers = {"If-Match": f'"{expected}"'} if expected else {}
        return self._ask(PlaybookView, "PUT", "fleet", "playbooks", version_id, json=changes, headers=headers)

    def retire(self, reference: str, reason: str) -> PlaybookView:
        return self._ask(PlaybookView, "POST", "fleet", "playbooks", reference, "retire", json={"reason": reason})

    def new_draft(self, reference: str, reason: str) -> PlaybookView:
        return self._ask(PlaybookView, "POST", "fleet", "playbooks", reference, "draft", json={"reason": reason})

    def history(self, series: str) -> list[HistoryLine]:
        return list(self._ask(Page[HistoryLine], "GET", "fleet", "series", series, "history").items)

    def difference(self, reference: str, against: str = "") -> Difference:
        params = {"against": against} if against else {}
        return self._ask(Difference, "GET", "fleet", "playbooks", reference, "diff", params=params)

    def backtest(self, reference: str, since: datetime | None = None) -> Backtest:
        body = {"since": since.isoformat()} if since else {}
        return self._ask(Backtest, "POST", "fleet", "playbooks", reference, "backtest", json=body, timeout=PATIENT)

    def examine(self, reference: str) -> Examination:
        return self._ask(Examination, "GET", "fleet", "playbooks", reference, "review")

    def bring(self, arrival: Arrival) -> Arrived:
        return self._ask(Arrived, "POST", "fleet", "playbooks", json=arrival.model_dump(mode="json"))

    def draft_from(self, reference: str) -> PlaybookView:
        return self._ask(PlaybookView, "POST", "fleet", "playbooks", "from-trace", json={"incident": reference})

    def create_incident_bundle(self, request: BundleRequest) -> BundleView:
        body = request.model_dump(mode="json")
        return self._ask(BundleView, "POST", "incidents", "bundle", json=body, timeout=PATIENT)

    def run(self, reference: str, target: str) -> Started:
        return self._ask(Started, "POST", "fleet", "playbooks", reference, "run", json={"target": target})

    def reviews(self) -> list[ReviewLine]:
        return list(self._ask(Page[ReviewLine], "GET", "fleet", "reviews").items)

    def coverage(self, target: str = "") -> Coverage:
        return self._ask(Coverage, "GET", "fleet", "vault", params=_on(target), timeout=PATIENT)

    def status(self, days: int, target: str = "") -> VaultStatus:
        params = {"since_days": days, **_on(target)}
        return self._ask(VaultStatus, "GET", "fleet", "vault", "status", params=params, timeout=PATIENT)

    def drift(self, days: int, target: str = "") -> VaultDrift:
        params = {"since_days": days, **_on(target)}
        return self._ask(VaultDrift, "GET", "fleet", "vault", "drift", params=params, timeout=PATIENT)


def _on(target: str) -> dict[str, str]:
    return {"target": target} if target else {}
