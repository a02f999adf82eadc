"""The backtest: a version judged over the recorded evidence of every past incident, beside what its series says now.

Both texts stand in the same library of today, so that a change is the version's own. Only hypotheses in which the two
texts differ are judged; where these come out alike, so does the conclusion, and the rest is not looked at.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from ratchet.domain.backtest import Backtest, Judgement, Replayed
from ratchet.domain.errors import Refusal
from ratchet.domain.evidence import Evidence
from ratchet.domain.hypothesis import Outcome
from ratchet.domain.past import Past
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Clock, Shelf, Store, Toolbox
from ratchet.domain.series import Version
from ratchet.domain.target import Target
from ratchet.vault.rejudge import Bench, Bound

SHOWN = 100
HEALTHY = "healthy"
"""What is true of a drill in which only the alert came."""
WITHOUT_CAUSE = frozenset(get_args(Outcome)) - {"cause"}
_ORDER: Mapping[Judgement, int] = {"worse": 0, "better": 1, "other": 2}
Replaying = Callable[[Iterable[Evidence]], Toolbox]


@dataclass
class _Tally:
    incidents: int = 0
    passed_by: int = 0
    unseen: set[str] = field(default_factory=set[str])
    changes: list[Replayed] = field(default_factory=list[Replayed])


class Backtests:
    """Replays versions. `truth` gives the cause of a fault that was caused on purpose, or an empty text."""

    def __init__(
        self, store: Store, shelf: Shelf, replaying: Replaying, clock: Clock, truth: Callable[[str], str]
    ) -> None:
        self._store = store
        self._shelf = shelf
        self._replaying = replaying
        self._clock = clock
        self._truth = truth

    def run(self, version: Version, playbook: Playbook, since: datetime | None = None) -> Backtest:
        """The replay over every past incident opened at `since` or later; the same record gives the same answer."""
        library = self._shelf.candidates(playbook.spec.kind)
        active = next(((v, p) for v, p in library if v.series == version.series), None)
        others = [(v, p) for v, p in library if v.series != version.series]
        bench = Bench((version, playbook), active, others)
        tally = _Tally()
        targets = {target.name: target for target in self._store.targets()}
        for past in self._store.past(since):
            self._one(bench, past, targets, tally)
        changes = sorted(tally.changes, key=lambda one: (_ORDER[one.judgement], len(one.incident), one.incident))
        counts = {word: sum(one.judgement == word for one in changes) for word in _ORDER}
        return Backtest(
            digest=version.digest, against=active[0].pin if active else "", at=self._clock(), since=since,
            incidents=tally.incidents, passed_by=tally.passed_by, unseen=tuple(sorted(tally.unseen)),
            better=counts["better"], worse=counts["worse"], other=counts["other"], changes=tuple(changes[:SHOWN]),
        )  # fmt: skip

    def _one(self, bench: Bench, past: Past, targets: Mapping[str, Target], tally: _Tally) -> None:
        target = targets.get(past.target or "")
        if target is not None and target.kind != bench.playbook.spec.kind:
            return
        if target is None or not past.evidence:
            tally.passed_by += 1
            return
        tally.incidents += 1
        tally.unseen |= bench.probes - past.seen
        bound = bench.bound(past, target, list(targets.values()))
        if not bound.may_differ():
            return
        sides = self._sides(bound, past)
        if sides[0] != sides[1]:
            tally.changes.append(self._compared(past, sides))

    def _sides(self, bound: Bound, past: Past) -> tuple[str, str]:
        recorded = self._replaying(self._store.evidence(past.evidence))
        return bound.conclusions(recorded.look)

    def _compared(self, past: Past, sides: tuple[str, str]) -> Replayed:
        before, after = sides
        confirmed = (HEALTHY if past.quiet else self._caused(past.fault)) or past.confirmed
        judgement: Judgement = "other"
        if confirmed and _worth(after, confirmed) != _worth(before, confirmed):
            judgement = "better" if _worth(after, confirmed) > _worth(before, confirmed) else "worse"
        return Replayed(incident=past.name, before=before, after=after, confirmed=confirmed, judgement=judgement)

    def _caused(self, fault: str | None) -> str:
        try:
            return self._truth(fault) if fault else ""
        except Refusal:
            return ""


def _worth(side: str, confirmed: str) -> int:
    """The right cause is worth most, none at all less, and a wrong one nothing: it would be acted on."""
    if side == confirmed:
        return 2
    return 1 if side in WITHOUT_CAUSE else 0
