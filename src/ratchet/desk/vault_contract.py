"""The vault's part of the desk: versions and their whole life, the same in process and over HTTP."""

from datetime import datetime
from typing import Protocol

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
from ratchet.vault.coverage import Coverage
from ratchet.vault.report import VaultDrift, VaultStatus


class VaultDesk(Protocol):
    """What may be asked of the vault. A reference is an id, `series@version`, or a series (its active version)."""

    def render(self, reference: str, form: PageForm = "md") -> str:
        """A version as a Markdown page, or as a prompt for a program that reads and proposes."""
        ...

    def edit(self, version_id: str, changes: dict[str, str], expected: str = "") -> PlaybookView:
        """Change a draft: `guidance`, `owner`, `team` or the whole `text`. The id stays, the revision moves.

        `expected` is the digest of the text that was read: Refusal(CONFLICT) when it is another one by now.
        """
        ...

    def retire(self, reference: str, reason: str) -> PlaybookView:
        """Take the active version out of use; its series then has none."""
        ...

    def new_draft(self, reference: str, reason: str) -> PlaybookView:
        """A draft with a version's text, to be edited."""
        ...

    def history(self, series: str) -> list[HistoryLine]:
        """Everything that happened in a series, oldest first."""
        ...

    def difference(self, reference: str, against: str = "") -> Difference:
        """What a version changes against another; without one, against the active version of its series."""
        ...

    def backtest(self, reference: str, since: datetime | None = None) -> Backtest:
        """Replay a version over past incidents; kept with the version when it covers all of them."""
        ...

    def examine(self, reference: str) -> Examination:
        """A version with all that speaks for and against it."""
        ...

    def bring(self, arrival: Arrival) -> Arrived:
        """A text from outside becomes a draft, never more."""
        ...

    def draft_from(self, reference: str) -> PlaybookView:
        """The draft of what worked in an incident; the same one when it was drafted before."""
        ...

    def create_incident_bundle(self, request: BundleRequest) -> BundleView:
        """Say how an incident ended; `resolved` drafts what worked by itself."""
        ...

    def run(self, reference: str, target: str) -> Started:
        """Follow an active playbook on a target: an incident in which everything is looked at and asked as always."""
        ...

    def reviews(self) -> list[ReviewLine]:
        """What a person should look at: failed, overdue, changed surroundings, drafts that wait."""
        ...

    def coverage(self, target: str = "") -> Coverage:
        """Every fault of the catalogue, the series that is to meet it, and whether that was proved."""
        ...

    def status(self, days: int, target: str = "") -> VaultStatus:
        """The pass rate of every batch that ended in the last `days`."""
        ...

    def drift(self, days: int, target: str = "") -> VaultDrift:
        """How the pass rate of every fault moved within the last `days`, and what else moved."""
        ...
