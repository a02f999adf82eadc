"""Learning on paper: what the gateway must carry there and back, unchanged."""

from collections.abc import Callable
from datetime import UTC, datetime

from ratchet.desk.learning_contract import SignState
from ratchet.desk.views import IncidentView, PlaybookView
from ratchet.domain.accuracy import Bin
from ratchet.domain.errors import invalid, not_found
from ratchet.domain.measure import Measure
from ratchet.domain.prevention import Owed, Recurrence
from ratchet.domain.quality import Blame, IncidentType, Origin, Quality, Violation
from ratchet.domain.rating import Rating
from ratchet.security.principal import Permission, Principal, require

NOON = datetime(2026, 11, 20, 12, 0, 0, 250000, tzinfo=UTC)
OWED = Owed(
    id="INC-1.2", kind="change", title="Lower the pool ü", series="pbs_x", type="leak", target="db-1", service="shop",
    incidents=("INC-1", "INC-4"), called_out="It came 2 times.",
)  # fmt: skip
BLAME = Blame(type="leak", incidents=2, named=("INC-4", "INC-1"), help="ratchet vault show pb_1")


def report(origin: Origin) -> Quality:
    """Known and unknown, met and missed."""
    known = Measure(
        name="agreement", unit="share", value=0.5, hits=1, known=2, of=4, goal=0.75, better="more", met=False
    )
    unknown = Measure(name="mttr", unit="seconds", value=None, known=0, of=3)
    return Quality(
        origin=origin, since=NOON, until=NOON, incidents=5, over=4, abstained=1, measures=(known, unknown),
        calibration=(Bin(least=0.9, most=0.95, runs=2, confidence=0.91, right=0.5),), brier=0.41,
        violations=(Violation(measure="agreement", value=0.5, goal=0.75, types=(BLAME,)),),
        types=(IncidentType(name="leak", incidents=2, escalated=1, alone=0, wrong=1, named=("INC-4",)),),
        recurrences=(Recurrence(type="leak", target="db-1", incidents=("INC-1", "INC-4"), owed=(), because="ü"),),
    )  # fmt: skip


class PaperLearning:
    """Learning of one principal on paper."""

    def __init__(
        self, note: Callable[[str], None], principal: Principal, incident: Callable[[str], IncidentView],
        playbook: Callable[[str], PlaybookView],
    ) -> None:  # fmt: skip
        self._note, self._principal, self._incident, self._playbook = note, principal, incident, playbook

    def _may(self, permission: Permission, said: str) -> None:
        require(self._principal, permission)
        self._note(said)

    def rate(self, reference: str, rating: Rating) -> IncidentView:
        self._may("operate", f"rate {reference} {rating.model_dump_json()}")
        if rating.cause == "unheard_of":
            raise invalid("'unheard_of' is not a cause that is known here.", "Name one of: real_load.")
        return self._incident(reference)

    def quality(self, days: int = 30, origin: Origin = "production") -> Quality:
        self._may("read", f"quality {days} {origin}")
        return report(origin)

    def follow_ups(self, state: SignState | None = None, days: int = 365) -> list[Owed]:
        self._may("read", f"follow_ups {state} {days}")
        return [OWED]

    def sign(self, owed_id: str, state: SignState, reason: str) -> Owed:
        self._may("operate", f"sign {owed_id} {state} {reason}")
        if owed_id != OWED.id:
            raise not_found("follow-up", owed_id, "List them: `ratchet followup list`.")
        return OWED.model_copy(update={"state": state, "by": self._principal.id, "at": NOON, "reason": reason})

    def suggest(self, series: str) -> PlaybookView:
        self._may("activate", f"suggest {series}")
        return self._playbook("pb_faulttest_a1b2c3")
