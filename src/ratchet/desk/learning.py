"""Learning at the desk: ratings, the quality report, follow-ups and their sign-off, corrected likelihoods."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ratchet.desk.hands_over import HandsOver
from ratchet.desk.learning_contract import SignState
from ratchet.desk.playbooks import Playbooks, view_of
from ratchet.desk.views import IncidentView, PlaybookView
from ratchet.domain.case import Case
from ratchet.domain.errors import Refusal, invalid, not_found
from ratchet.domain.playbook import FollowUp
from ratchet.domain.policy import Objectives
from ratchet.domain.ports import Clock, Lives, Shelf, Store
from ratchet.domain.prevention import Owed, owed
from ratchet.domain.quality import Library, Origin, Proposal, Quality, quality
from ratchet.domain.rating import Rating
from ratchet.domain.series import Version, VersionDrafted
from ratchet.domain.timeline import FollowedUp
from ratchet.security.principal import Permission, Principal, require
from ratchet.vault.weighing import reweighed

LONGEST_DAYS = 3650
KIND = "postgres"


@dataclass(frozen=True)
class LearningRooms:
    """What learning passes work to; wiring puts it together."""

    store: Store
    lives: Lives
    shelf: Shelf
    playbooks: Playbooks
    hands_over: HandsOver
    objectives: Objectives
    clock: Clock
    new_id: Callable[[], str]

    def quality(self, days: int, origin: Origin) -> Quality:
        """Folded now from the events of the incidents that were opened in the last days."""
        now = self.clock()
        since = _since(now, days)
        cases = list(self.lives.cases(since))
        return quality(cases, self.objectives, self._library(cases), (origin, since, now))

    def follow_ups(self, state: SignState | None, days: int) -> list[Owed]:
        """Newest first, of the incidents that were opened in the last days."""
        cases = list(self.lives.cases(_since(self.clock(), days)))
        return [line for line in owed(cases, self._asked(cases)) if state in (None, line.state)]

    def sign(self, who: Principal, owed_id: str, state: SignState, reason: str) -> Owed:
        """The word stands in the incident that asked for it first."""
        line = self._find(owed_id)
        reference, _, number = line.id.rpartition(".")
        word = FollowedUp(by=who.id, number=int(number), title=line.title, state=state, reason=reason)
        self.hands_over.sign(who, reference, word)
        return self._find(owed_id)

    def suggest(self, series_id: str, by: str) -> PlaybookView:
        """The draft with corrected likelihoods; the same one when nothing was confirmed since it was made."""
        series, version = self.playbooks.find(series_id)
        words, _ = self.lives.confirmed()
        playbook, told = self.shelf.version(version.id)[1], (words, version.activated_at)
        draft = reweighed(playbook, series, told, (self.new_id, self.clock(), by))
        same = next((v for v in series.versions if v.state == "draft" and v.guidance == draft.guidance), None)
        if same is None:
            self.store.commit_series(series, VersionDrafted(version=draft), by=by)
        return view_of(same or draft, whole=True)

    def _find(self, owed_id: str) -> Owed:
        """A line by the incident that asked first, or by any later one of the same line."""
        reference, _, number = owed_id.upper().rpartition(".")
        for line in self.follow_ups(None, LONGEST_DAYS):
            if line.id.rpartition(".")[2] == number and reference in line.incidents:
                return line
        raise not_found("follow-up", owed_id, "List them: `ratchet followup list`.")

    def _library(self, cases: Sequence[Case]) -> Library:
        known: dict[str, str] = {}
        for version, playbook in self.shelf.candidates(KIND):
            known |= {rule.cause: version.series for rule in playbook.spec.triage.hypotheses if rule.cause not in known}
        drafts = [v for one in self.store.all_series() for v in one.versions if v.state == "draft"]
        return Library(series=known, proposals=tuple(self._proposal(v) for v in drafts), follow_ups=self._asked(cases))

    def _proposal(self, version: Version) -> Proposal:
        try:
            rules = self.shelf.version(version.id)[1].spec.triage.hypotheses
        except Refusal:
            rules = ()
        causes = tuple(dict.fromkeys(rule.cause for rule in rules))
        return Proposal(id=version.id, series=version.series, causes=causes, incident=version.incident or "")

    def _asked(self, cases: Sequence[Case]) -> dict[str, tuple[FollowUp, ...]]:
        found: dict[str, tuple[FollowUp, ...]] = {}
        for version_id in {case.version_id for case in cases if case.version_id}:
            try:
                found[version_id] = self.shelf.version(version_id)[1].spec.follow_ups
            except Refusal:
                found[version_id] = ()
        return found


class LocalLearning:
    """Learning for one principal; implements `ratchet.desk.learning_contract.Learning`."""

    def __init__(self, rooms: LearningRooms, who: Principal, incident: Callable[[str], IncidentView]) -> None:
        self._l = rooms
        self._who = who
        self._incident = incident

    def _may(self, permission: Permission) -> str:
        require(self._who, permission)
        return self._who.id

    def rate(self, reference: str, rating: Rating) -> IncidentView:
        self._may("operate")
        self._l.hands_over.rate(self._who, reference, rating)
        return self._incident(reference)

    def quality(self, days: int = 30, origin: Origin = "production") -> Quality:
        self._may("read")
        return self._l.quality(days, origin)

    def follow_ups(self, state: SignState | None = None, days: int = 365) -> list[Owed]:
        self._may("read")
        return self._l.follow_ups(state, days)

    def sign(self, owed_id: str, state: SignState, reason: str) -> Owed:
        self._may("operate")
        return self._l.sign(self._who, owed_id, state, reason)

    def suggest(self, series: str) -> PlaybookView:
        return self._l.suggest(series, self._may("activate"))


def _since(now: datetime, days: int) -> datetime:
    if not 1 <= days <= LONGEST_DAYS:
        raise invalid(f"{days} days cannot be looked back.", f"Ask for 1 to {LONGEST_DAYS} days.")
    return now - timedelta(days=days)
