"""Learning over HTTP: the same verbs as in process."""

from collections.abc import Callable
from typing import Any

import httpx2

from ratchet.desk.learning_contract import SignState
from ratchet.desk.views import IncidentView, PlaybookView
from ratchet.domain.ports import Page
from ratchet.domain.prevention import Owed
from ratchet.domain.quality import Origin, Quality
from ratchet.domain.rating import Rating

PATIENT = httpx2.Timeout(90.0, connect=2.0)
"""For what is folded from all events of many incidents."""


class HttpLearning:
    """`ratchet.desk.learning_contract.Learning` that asks a gateway by its client's own way of asking."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def rate(self, reference: str, rating: Rating) -> IncidentView:
        return self._ask(IncidentView, "POST", "incidents", reference, "rate", json=rating.model_dump(mode="json"))

    def quality(self, days: int = 30, origin: Origin = "production") -> Quality:
        params = {"since_days": days, "origin": origin}
        return self._ask(Quality, "GET", "quality", params=params, timeout=PATIENT)

    def follow_ups(self, state: SignState | None = None, days: int = 365) -> list[Owed]:
        params = {"since_days": days, **({"state": state} if state else {})}
        return list(self._ask(Page[Owed], "GET", "followups", params=params, timeout=PATIENT).items)

    def sign(self, owed_id: str, state: SignState, reason: str) -> Owed:
        body = {"state": state, "reason": reason}
        return self._ask(Owed, "POST", "followups", owed_id, "sign", json=body, timeout=PATIENT)

    def suggest(self, series: str) -> PlaybookView:
        return self._ask(PlaybookView, "POST", "quality", "suggest", json={"series": series}, timeout=PATIENT)
