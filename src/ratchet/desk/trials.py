"""What a certification says that it tried: borne out by the kept runs and their incidents, part by part, or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ratchet.domain.certificate import Certification, Tried
from ratchet.domain.drill import Run
from ratchet.domain.errors import Refusal
from ratchet.domain.fault import Fault, as_healthy
from ratchet.domain.incident import Incident
from ratchet.domain.observed import observe
from ratchet.domain.ports import Store
from ratchet.domain.trial import declined, repeated

LISTED = 200
ANOTHER_GROUP = "another group "
"""How the group begins that `Practice.fire_again` hands in beside the drill's own alert; its incident's id follows."""
LOST = frozenset({"took", "absent"})
"""What became of an act whose answer nobody heard: it was looked for."""


@dataclass(frozen=True)
class Trials:
    """One claim, and what it is held against."""

    store: Store
    faults: Mapping[str, Fault]
    found: Certification
    runs: Mapping[str, Run]

    def hold(self, one: Tried) -> bool:
        """Whether a part that is said to be passed is borne out."""
        its = [self.runs[name] for name in one.runs]
        if not one.passed or not all(self._belongs(run, one) for run in its):
            return False
        match one.part:
            case "faults":
                wanted = set(product(self.found.faults, self.found.seeds))
                return {(run.fault, run.seed) for run in its} == wanted and all(self._proves(run) for run in its)
            case "look_alikes":
                return all(run.verdict == "pass" if self._own(run) else declined(run, self.found.series) for run in its)
            case "healthy":
                return {run.fault for run in its} == self._quiet() and all(run.verdict == "pass" for run in its)
            case "double_fire":
                return all(run.fault in self.found.faults and self._once(run) for run in its)
            case "crash":
                return all(self._proves(run) and self._settled(run) for run in its)

    def _belongs(self, run: Run, one: Tried) -> bool:
        """Whether it was made for this part, here, with these seeds and this text, and nothing stayed behind."""
        its = run.environment.playbook.partition("@")[0] == self.found.series
        text = not its or run.environment.playbook_digest == self.found.playbook_digest
        there = (run.trial, run.target) == (one.part, self.found.target) and run.seed in self.found.seeds
        return there and text and run.verdict != "error" and not run.left

    def _own(self, run: Run) -> bool:
        return run.series == self.found.series

    def _proves(self, run: Run) -> bool:
        """A pass with remediation of one of its own faults, concluded by this very text."""
        own = self._own(run) and run.fault in self.found.faults
        same = run.environment.playbook_digest == self.found.playbook_digest
        return own and same and run.verdict == "pass" and run.remediate

    def _quiet(self) -> set[str]:
        return {as_healthy(self.faults[name]).id for name in self.found.faults if name in self.faults}

    def _once(self, run: Run) -> bool:
        """Each step once in both incidents together, and one of them proved the recovery."""
        first = self._incident(run)
        other = self._beside(first) if first is not None else None
        if first is None or other is None:
            return False
        steps = [step for each in (first, other) for step in observe(each, (), run.ended_at).steps]
        proved = any(each.verified is not None and each.verified.passed for each in (first, other))
        return proved and not repeated(steps)

    def _settled(self, run: Run) -> bool:
        """Once, and an answer was lost on the way: else nothing died after a send."""
        incident = self._incident(run)
        return incident is not None and not repeated(run.steps) and any(op.state in LOST for op in incident.ops)

    def _incident(self, run: Run) -> Incident | None:
        try:
            return self.store.incident(run.incident)
        except Refusal:
            return None

    def _beside(self, first: Incident) -> Incident | None:
        """The incident that the other group of alerts opened: the first such drill after it."""
        found: list[Incident] = []
        cursor: str | None = None
        while True:
            page = self.store.incidents(limit=LISTED, cursor=cursor)
            later = [each for each in page.items if each.number > first.number]
            found += [each for each in later if _is_beside(each, first)]
            cursor = page.next_cursor
            if cursor is None or len(later) < len(page.items):
                return min(found, key=lambda each: each.number, default=None)


def _is_beside(each: Incident, first: Incident) -> bool:
    same = (each.origin, each.fault, each.target) == ("drill", first.fault, first.target)
    return same and each.alert.group_key == f"{ANOTHER_GROUP}{each.id}"


def causes_of(runs: Sequence[Run]) -> tuple[str, ...]:
    """The causes for which these runs did something."""
    return tuple(sorted({run.expected_cause for run in runs if run.steps}))
