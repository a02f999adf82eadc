"""The vault's part of the desk in process: every verb asks who may, then does one thing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ratchet.desk.arriving import Arriving
from ratchet.desk.playbooks import Playbooks
from ratchet.desk.reviewing import Reviewing
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
from ratchet.domain.errors import invalid
from ratchet.security.principal import Permission, Principal, require
from ratchet.vault.coverage import Coverage
from ratchet.vault.report import Reports, VaultDrift, VaultStatus

LONGEST_DAYS = 3650


@dataclass(frozen=True)
class VaultRooms:
    """What the vault's verbs pass work to."""

    playbooks: Playbooks
    reviewing: Reviewing
    arriving: Arriving
    reports: Reports
    nudge: Callable[[], None]
    scrub: Callable[[str], str]
    """Takes secrets out of a reason."""


class LocalVault:
    """The vault for one principal; implements `ratchet.desk.vault_contract.VaultDesk`."""

    def __init__(self, rooms: VaultRooms, who: Principal) -> None:
        self._v = rooms
        self._who = who

    def _may(self, permission: Permission) -> str:
        require(self._who, permission)
        return self._who.id

    def render(self, reference: str, form: PageForm = "md") -> str:
        self._may("read")
        return self._v.playbooks.render(reference, form)

    def edit(self, version_id: str, changes: dict[str, str], expected: str = "") -> PlaybookView:
        by = self._may("activate")
        return self._v.playbooks.edit(version_id, changes, expected, by)

    def retire(self, reference: str, reason: str) -> PlaybookView:
        by = self._may("activate")
        return self._v.playbooks.retire(reference, self._v.scrub(reason), by)

    def new_draft(self, reference: str, reason: str) -> PlaybookView:
        by = self._may("activate")
        return self._v.playbooks.new_draft(reference, self._v.scrub(reason), by)

    def history(self, series: str) -> list[HistoryLine]:
        self._may("read")
        return self._v.playbooks.history(series)

    def difference(self, reference: str, against: str = "") -> Difference:
        self._may("read")
        return self._v.reviewing.difference(reference, against)

    def backtest(self, reference: str, since: datetime | None = None) -> Backtest:
        by = self._may("operate")
        return self._v.reviewing.backtest(reference, since, by)

    def examine(self, reference: str) -> Examination:
        by = self._may("read")
        return self._v.reviewing.examine(reference, by, self._who.channel)

    def bring(self, arrival: Arrival) -> Arrived:
        by = self._may("activate")
        return self._v.arriving.bring(arrival, by)

    def draft_from(self, reference: str) -> PlaybookView:
        by = self._may("operate")
        return self._v.arriving.draft_from(reference, by)

    def create_incident_bundle(self, request: BundleRequest) -> BundleView:
        self._may("operate")
        view = self._v.arriving.bundle(request, self._who)
        self._v.nudge()
        return view

    def run(self, reference: str, target: str) -> Started:
        by = self._may("operate")
        started = self._v.arriving.run(reference, target, by)
        self._v.nudge()
        return started

    def reviews(self) -> list[ReviewLine]:
        self._may("read")
        return self._v.reviewing.reviews()

    def coverage(self, target: str = "") -> Coverage:
        self._may("read")
        return self._v.reports.coverage(target)

    def status(self, days: int, target: str = "") -> VaultStatus:
        self._may("read")
        return self._v.reports.status(_days(days), target)

    def drift(self, days: int, target: str = "") -> VaultDrift:
        self._may("read")
        return self._v.reports.drift(_days(days), target)


def _days(days: int) -> int:
    if not 1 <= days <= LONGEST_DAYS:
        raise invalid(f"{days} days cannot be looked back.", f"Say a number from 1 to {LONGEST_DAYS}.")
    return days
