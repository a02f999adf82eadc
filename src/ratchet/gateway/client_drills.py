"""Drills over HTTP: the same verbs as in process."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx2

from ratchet.domain.certificate import Certificate, Certification, Proof
from ratchet.domain.drill import Drill, DrillRequest, Ground, Rejudged, Run
from ratchet.domain.observed import Observed
from ratchet.domain.ports import Page
from ratchet.gateway.bodies import FiredAgain

PATIENT = httpx2.Timeout(90.0, connect=2.0)
"""For verbs that meet a target, or judge a whole incident again."""


class HttpPractice:
    """`ratchet.desk.drill_contract.Practice` that asks a gateway by its client's own ways of asking."""

    def __init__(self, ask: Callable[..., Any], send: Callable[..., httpx2.Response]) -> None:
        self._ask = ask
        self._send = send

    def ground(self, target: str) -> Ground:
        return self._ask(Ground, "GET", "targets", target, "ground", timeout=PATIENT)

    def start(self, request: DrillRequest) -> Drill:
        return self._ask(Drill, "POST", "drills", json=request.model_dump(mode="json"))

    def observed(self, reference: str) -> Observed:
        return self._ask(Observed, "GET", "drills", reference)

    def rejudge(self, reference: str) -> Rejudged:
        return self._ask(Rejudged, "GET", "drills", reference, "rejudged", timeout=PATIENT)

    def end(self, reference: str, reason: str) -> None:
        self._send("POST", "drills", reference, "end", json={"reason": reason})

    def keep(self, run: Run) -> None:
        self._send("POST", "runs", json=run.model_dump(mode="json"))

    def runs(self, *, since: datetime | None = None, fault: str = "", batch: str = "", limit: int = 1000) -> list[Run]:
        asked: dict[str, Any] = {"fault": fault, "batch": batch, "limit": limit}
        if since is not None:
            asked["since"] = since.isoformat()
        return list(self._ask(Page[Run], "GET", "runs", params=asked).items)

    def fire_again(self, reference: str) -> str:
        return self._ask(FiredAgain, "POST", "drills", reference, "fire-again").incident

    def certify(self, found: Certification) -> Certificate:
        body = found.model_dump(mode="json")
        return self._ask(Certificate, "POST", "fleet", "certificates", json=body, timeout=PATIENT)

    def certificates(self, series: str = "") -> list[Proof]:
        params = {"series": series} if series else {}
        return list(self._ask(Page[Proof], "GET", "fleet", "certificates", params=params).items)
