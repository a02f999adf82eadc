"""Look and conclude: run what the candidate playbooks name, then judge all hypotheses over what was captured."""

from collections.abc import Callable, Sequence
from typing import Any

from ratchet.domain.binding import calls_of, params_of
from ratchet.domain.denied import told_what_is_denied
from ratchet.domain.differential import Candidate, Moment, judge
from ratchet.domain.errors import not_found
from ratchet.domain.evidence import Evidence, ProbeCall
from ratchet.domain.hypothesis import Conclusion
from ratchet.domain.incident import Incident
from ratchet.domain.left_out import told_what_was_left_out
from ratchet.domain.named import is_named
from ratchet.domain.ports import Clock, Shelf, Toolbox
from ratchet.domain.priors import Priors
from ratchet.domain.target import Target
from ratchet.domain.timeline import Looked

MAX_CALLS = 120
"""Probe calls of one look, over all candidates and members of a group."""


def nothing_learned(_: Incident, _targets: Sequence[Target]) -> Priors:
    """The priors of somebody who was never told what an incident was: what the playbooks declare."""
    return Priors()


class Investigator:
    """Triage without a model."""

    def __init__(
        self, toolbox: Toolbox, shelf: Shelf, targets: Callable[[], Sequence[Target]], clock: Clock,
        learned: Callable[[Incident, Sequence[Target]], Priors] = nothing_learned,
    ) -> None:  # fmt: skip
        self._toolbox = toolbox
        self._shelf = shelf
        self._targets = targets
        self._clock = clock
        self._learned = learned

    def look(self, incident: Incident) -> tuple[Looked, list[Evidence]]:
        """Run every probe that a candidate names, each call once, in parallel."""
        candidates = self._candidates(incident)
        calls: dict[str, ProbeCall] = {}
        for candidate in candidates:
            calls.update({call.key: call for bound in candidate.calls.values() for call in bound})
        began = self._clock()
        seen = self._toolbox.look(list(calls.values())[:MAX_CALLS])
        elapsed = (self._clock() - began).total_seconds() * 1000
        looked = Looked(
            candidates=tuple(c.playbook.pin for c in candidates),
            evidence=tuple(dict.fromkeys(e.id for e in seen)),
            answers={f"{e.probe}@{e.target}": e.answer.value for e in seen},
            elapsed_ms=round(elapsed, 1),
        )
        return looked, seen

    def conclude(self, incident: Incident, evidence: Sequence[Evidence]) -> Conclusion:
        """Judge all hypotheses of all candidates over captured evidence."""
        found = judge(self._candidates(incident), self.moment(incident, evidence))
        return told_what_was_left_out(told_what_is_denied(found, evidence), self._shelf.left_out())

    def moment(self, incident: Incident, evidence: Sequence[Evidence]) -> Moment:
        """What conditions see: evidence by call, the alert's own words, when it was looked; and what was learned."""
        alert: dict[str, Any] = {"labels": dict(incident.alert.labels), "name": incident.alert.name}
        when = incident.looked_at or self._clock()
        priors = self._learned(incident, self._targets())
        looks = {e.call_key: e for e in evidence}
        return Moment(evidence=looks, alert=alert, now=when, priors=priors, target=incident.target or "")

    def _candidates(self, incident: Incident) -> list[Candidate]:
        """Every active playbook for the kind of target; one that the alert names is likelier, none is left out."""
        targets = self._targets()
        target = next((t for t in targets if t.name == incident.target), None)
        if target is None:
            raise not_found("target", str(incident.target), "Register it: `ratchet target add`.")
        found: list[Candidate] = []
        for version, playbook in self._shelf.candidates(target.kind):
            params = params_of(playbook, incident.alert, target)
            calls = calls_of(playbook, target, targets, params)
            named = is_named(playbook, incident.alert)
            found.append(Candidate(playbook=playbook, version_id=version.id, calls=calls, named=named, params=params))
        return found
