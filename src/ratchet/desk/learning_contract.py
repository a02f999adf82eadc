"""What the desk answers about learning: ratings, quality, follow-ups; one interface, in process and over HTTP."""

from typing import Literal, Protocol

from ratchet.desk.views import IncidentView, PlaybookView
from ratchet.domain.prevention import Owed
from ratchet.domain.quality import Origin, Quality
from ratchet.domain.rating import Rating

SignState = Literal["open", "done", "wont"]


class Learning(Protocol):
    """What one principal may ask. Every verb raises Refusal, with the same codes on every road."""

    def rate(self, reference: str, rating: Rating) -> IncidentView:
        """Say what an incident really was. Of several ratings the last counts."""
        ...

    def quality(self, days: int = 30, origin: Origin = "production") -> Quality:
        """How good Ratchet was over the last days, against the objectives of the policy."""
        ...

    def follow_ups(self, state: SignState | None = None, days: int = 365) -> list[Owed]:
        """What is to be done so that incidents of the last days do not come again, newest first."""
        ...

    def sign(self, owed_id: str, state: SignState, reason: str) -> Owed:
        """Sign a follow-up such as `INC-4.1`."""
        ...

    def suggest(self, series: str) -> PlaybookView:
        """A draft of a series whose likelihoods are corrected by what people confirmed."""
        ...
