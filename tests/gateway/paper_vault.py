"""The life of versions on paper: what the gateway must carry there and back, unchanged."""

from collections.abc import Callable
from datetime import UTC, datetime

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
from ratchet.desk.views import DraftView, PlaybookView
from ratchet.domain.backtest import Backtest, Replayed
from ratchet.domain.diff import Change, Difference
from ratchet.domain.drift import Drift, Factor, Share
from ratchet.domain.errors import Mistake, Outdated, not_found
from ratchet.security.principal import Permission, Principal, require
from ratchet.vault.coverage import Coverage, CoverageLine
from ratchet.vault.report import BatchLine, VaultDrift, VaultStatus

NOON = datetime(2026, 11, 20, 12, 0, 0, 250000, tzinfo=UTC)
DIFFERENCE = Difference(
    before="pbs_x@1.0", after="pbs_x@1.1",
    changes=(Change(place="steps.end.cap", kind="wider", says="how many", before="10", after="90 ü"),),
)  # fmt: skip
CHANGED = Replayed(incident="INC-7", before="a", after="b", confirmed="a", judgement="worse")
TEST = Backtest(digest="sha256:1", against="pbs_x@1.0", at=NOON, incidents=41, worse=1, changes=(CHANGED,))


class PaperVault:
    """The vault of one principal on paper; `playbook` finds a version, `edit` changes it."""

    def __init__(
        self, note: Callable[[str], None], principal: Principal, playbook: Callable[[str], PlaybookView],
        edit: Callable[[str, dict[str, str]], PlaybookView],
    ) -> None:  # fmt: skip
        self._note, self._principal, self._playbook, self._edit = note, principal, playbook, edit

    def _may(self, permission: Permission, said: str = "") -> None:
        require(self._principal, permission)
        if said:
            self._note(said)

    def render(self, reference: str, form: PageForm = "md") -> str:
        return f"# {self._playbook(reference).title} ü{'' if form == 'md' else ' for a program'}\n"

    def edit(self, version_id: str, changes: dict[str, str], expected: str = "") -> PlaybookView:
        self._may("activate")
        if expected not in ("", "*", self._playbook(version_id).digest):
            raise Outdated(f"{version_id} was edited meanwhile.")
        return self._edit(version_id, changes)

    def retire(self, reference: str, reason: str) -> PlaybookView:
        self._may("activate", f"retire {reference} {reason}")
        return self._playbook(reference)

    def new_draft(self, reference: str, reason: str) -> PlaybookView:
        self._may("activate", f"new_draft {reference} {reason}")
        return self._playbook(reference)

    def history(self, series: str) -> list[HistoryLine]:
        if series != "pbs_x":
            raise not_found("series", series, "List them.")
        return [HistoryLine(seq=1, at=NOON, by="user:ana", event="activated", id="pb_1", version="1.0", reason="so ü")]

    def difference(self, reference: str, against: str = "") -> Difference:
        self._playbook(reference)
        return DIFFERENCE.model_copy(update={"before": against or DIFFERENCE.before})

    def backtest(self, reference: str, since: datetime | None = None) -> Backtest:
        self._may("operate")
        self._playbook(reference)
        return TEST.model_copy(update={"since": since})

    def examine(self, reference: str) -> Examination:
        wrong = Mistake(where="x", line=3, message="no owner", remedy="Name a person.")
        return Examination(
            playbook=self._playbook(reference), difference=DIFFERENCE, mistakes=(wrong,), backtest=TEST,
            certificates=(), derived_from={"incident": "INC-7"}, authors=("user:ana",), commit="a1b2c3d",
            secrets_removed=2, objections=("no",),
        )  # fmt: skip

    def bring(self, arrival: Arrival) -> Arrived:
        self._may("activate", f"bring {arrival.where} {arrival.form} {arrival.commit} {len(arrival.text)}")
        return Arrived(playbook=self._playbook("pb_faulttest_a1b2c3"), new=True, notes=("dropped ü",))

    def draft_from(self, reference: str) -> PlaybookView:
        self._may("operate", f"draft_from {reference}")
        return self._playbook("pb_faulttest_a1b2c3")

    def create_incident_bundle(self, request: BundleRequest) -> BundleView:
        self._may("operate", f"bundle {request.incident} {request.outcome} {request.cause} {request.reason}")
        draft = DraftView(id="pb_1", series="pbs_x", version="1.1")
        return BundleView(
            incident=request.incident, outcome=request.outcome, status="resolved", bundle="/b", sha256="0", draft=draft
        )

    def run(self, reference: str, target: str) -> Started:
        self._may("operate", f"run {reference} {target}")
        return Started(incident="INC-3", playbook="pbs_x@1.0")

    def reviews(self) -> list[ReviewLine]:
        return [
            ReviewLine(id="pb_1", series="pbs_x", version="1.0", what="overdue", because="long", owner="", since=NOON)
        ]

    def coverage(self, target: str = "") -> Coverage:
        self._may("read", f"coverage {target}")
        line = CoverageLine(
            fault="db-max-connections", title="New logins are refused ü", aliases=("pg-conn-leak",), playbook="pbs_x",
            last_run=NOON, status="PASS", certificate="expired", certificate_because="old", changed=("ratchet",),
            remedy="acted", newest="diagnosed", newest_at=NOON,
        )  # fmt: skip
        return Coverage(items=(line,))

    def status(self, days: int, target: str = "") -> VaultStatus:
        self._may("read", f"status {days} {target}")
        line = BatchLine(run_id="a1b2c3d4", ended_at=NOON, passed=7, samples=10, errors=1, targets=("db-1",))
        return VaultStatus(days=days, targets=("db-1",), batches=(line,))

    def drift(self, days: int, target: str = "") -> VaultDrift:
        self._may("read", f"drift {days} {target}")
        ends = Share(passed=4, samples=4), Share(passed=2, samples=4)
        factor = Factor(name="playbook", first=ends[:1], second=ends[1:], p_value=None)
        fault = Drift(
            fault="db-lock-contention", first=ends[0], second=ends[1], points=-50.0, p_value=0.43, significant=False,
            factors=(factor,), outcomes=(True, False), since=NOON, until=NOON,
        )  # fmt: skip
        return VaultDrift(days=days, targets=("db-1",), faults=(fault,), errors=1)
