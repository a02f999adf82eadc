"""A backtest: what a version of a playbook would have concluded in past incidents, beside what its series says now."""

from datetime import datetime
from typing import Literal

from ratchet.domain.noun import Noun

Judgement = Literal["better", "worse", "other"]


class Replayed(Noun):
    """One past incident that the version concludes otherwise. Sides are causes, or an outcome such as `ambiguous`."""

    incident: str
    before: str
    after: str
    confirmed: str = ""
    """The cause that a recovery proved or a person named; empty when nobody knows."""
    judgement: Judgement


class Backtest(Noun):
    """The replay of one text over recorded evidence; two replays of the same record are equal but for `at`."""

    digest: str
    against: str = ""
    """The pin of the active version it was compared with; empty for a series without one."""
    at: datetime
    since: datetime | None = None
    incidents: int
    """How many were replayed."""
    passed_by: int = 0
    """Incidents of a kind of target this playbook is for that could not be replayed: their target is gone, or nothing
    was recorded."""
    unseen: tuple[str, ...] = ()
    """Probes that the text names and that some replayed incident never recorded; there they were unknown."""
    better: int = 0
    worse: int = 0
    other: int = 0
    changes: tuple[Replayed, ...] = ()
    """The worst first; the first hundred at most, the counts are over all."""

    @property
    def changed(self) -> int:
        """How many conclusions it changes."""
        return self.better + self.worse + self.other

    def sentence(self) -> str:
        """`changes 3 of 41 conclusions: 2 better, 1 worse (INC-7)`."""
        if not self.incidents:
            return "nothing to replay: no past incident has evidence that this playbook could judge"
        if not self.changed:
            return f"changes none of {self.incidents} conclusions"
        counts = {"better": self.better, "worse": self.worse, "other": self.other}
        told = ", ".join(f"{n} {word}{self._where(word)}" for word, n in counts.items() if n)
        return f"changes {self.changed} of {self.incidents} conclusions: {told}"

    def _where(self, word: str) -> str:
        named = [one.incident for one in self.changes if one.judgement == word]
        return f" ({', '.join(named[:5])}{', ...' if len(named) > 5 else ''})" if named else ""
