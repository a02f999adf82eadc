"""Judging two texts of a series over one record: what they share is judged once, and what cannot matter not at all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratchet.domain.binding import calls_of, params_of
from ratchet.domain.differential import Candidate, Moment, judge, objects_of, parsed, scope_of, verdict_of
from ratchet.domain.evidence import Evidence, ProbeCall
from ratchet.domain.hypothesis import Conclusion, Found
from ratchet.domain.named import is_named
from ratchet.domain.noun import canonical
from ratchet.domain.past import Past
from ratchet.domain.playbook import HypothesisRule, Playbook
from ratchet.domain.series import Version
from ratchet.domain.target import Target

Text = tuple[Version, Playbook]
Look = Callable[[Sequence[ProbeCall]], Sequence[Evidence]]
"""A toolbox's way of looking; what was not recorded is left out."""
NOTHING = "unknown_cause"
_JUDGED = ("cause", "likelihood", "bearing", "probes", "confirm", "refute", "objects", "security", "then")


class Bench:
    """A version, the active version of its series if there is one, and the rest of the library."""

    def __init__(self, version: Text, active: Text | None, others: Sequence[Text]) -> None:
        self.playbook = version[1]
        self._version = version
        self._active = active
        self._others = others
        self.differing = differing(active[1] if active else None, version[1])
        self.probes = frozenset(use.uses for use in version[1].spec.probes.values())
        self._kept: dict[bytes, tuple[Candidate, Candidate | None, list[Candidate]]] = {}

    def bound(self, past: Past, target: Target, targets: Sequence[Target]) -> "Bound":
        """Every text bound to the target as the incident's alert would bind it."""
        texts = [self._version, *([self._active] if self._active else []), *self._others]
        params = [params_of(playbook, past.alert, target) for _, playbook in texts]
        key = canonical([target.name, *params])
        if key not in self._kept:
            found = [_candidate(text, given, target, targets) for text, given in zip(texts, params, strict=True)]
            cut = 2 if self._active else 1
            self._kept[key] = (found[0], found[1] if self._active else None, found[cut:])
        version, active, others = self._kept[key]
        return Bound(past, version, active, others, self.differing)


def _candidate(text: Text, params: dict[str, Any], target: Target, targets: Sequence[Target]) -> Candidate:
    version, playbook = text
    calls = calls_of(playbook, target, targets, params)
    return Candidate(playbook=playbook, version_id=version.id, calls=calls, params=params)


def differing(active: Playbook | None, version: Playbook) -> frozenset[str]:
    """The ids of the hypotheses that may come out otherwise in one text than in the other."""
    if active is None:
        return frozenset(rule.id for rule in version.spec.triage.hypotheses)
    old = {rule.id: rule for rule in active.spec.triage.hypotheses}
    new = {rule.id: rule for rule in version.spec.triage.hypotheses}
    if active.spec.params != version.spec.params:
        return frozenset({*old, *new})
    return frozenset(name for name in {*old, *new} if not _alike(name, (active, old), (version, new)))


def _alike(name: str, *sides: tuple[Playbook, Mapping[str, HypothesisRule]]) -> bool:
    (a, old), (b, new) = sides
    if name not in old or name not in new:
        return False
    if any(getattr(old[name], part) != getattr(new[name], part) for part in _JUDGED):
        return False
    return all(a.spec.probes.get(probe) == b.spec.probes.get(probe) for probe in new[name].probes)


@dataclass(frozen=True)
class Light:
    """A judged hypothesis without its explanation."""

    id: str
    cause: str
    verdict: str
    objects: tuple[Found, ...]
    weight: float
    bearing: str
    then: tuple[str, ...]


class Bound:
    """One incident to be judged twice."""

    def __init__(
        self, past: Past, version: Candidate, active: Candidate | None, others: Sequence[Candidate], ids: frozenset[str]
    ) -> None:
        self._past = past
        self._version = version
        self._active = active
        self._others = others
        self._ids = ids

    @property
    def _own_calls(self) -> Iterable[ProbeCall]:
        """The calls of the two texts."""
        sides = [self._version, *([self._active] if self._active else [])]
        return {call.key: call for one in sides for bound in one.calls.values() for call in bound}.values()

    @property
    def _calls(self) -> Iterable[ProbeCall]:
        """Every call that any text of the library would make, each once."""
        others = {call.key: call for one in self._others for bound in one.calls.values() for call in bound}
        return {**others, **{call.key: call for call in self._own_calls}}.values()

    def may_differ(self) -> bool:
        """Whether the two texts could conclude otherwise at all, before anything recorded is read."""
        if self._ids or self._active is None:
            return True
        gaps = [side.playbook.spec.triage.ambiguity.min_gap for side in (self._active, self._version)]
        return gaps[0] != gaps[1] or self._named(self._active) != self._named(self._version)

    def conclusions(self, look: Look) -> tuple[str, str]:
        """What the library says with the active version and with the other: a cause, or an outcome without one."""
        if self._active is not None and self._unmoved(self._moment(look, self._own_calls)):
            return "", ""
        moment = self._moment(look, self._calls)
        before = self._conclude([self._active] if self._active else [], moment)
        return before, self._conclude([self._version], moment)

    def _unmoved(self, moment: Moment) -> bool:
        """Whether the hypotheses that differ come out alike, in verdict, objects, weight and consequence."""
        if self._active is None or self._named(self._active) != self._named(self._version):
            return False
        gaps = [side.playbook.spec.triage.ambiguity.min_gap for side in (self._active, self._version)]
        return gaps[0] == gaps[1] and self._light(self._active, moment) == self._light(self._version, moment)

    def _light(self, candidate: Candidate, moment: Moment) -> list[Light]:
        rules = [rule for rule in candidate.playbook.spec.triage.hypotheses if rule.id in self._ids]
        asked = frozenset(name for rule in rules for name in _asked(rule))
        calls = {name: calls for name, calls in candidate.calls.items() if name in asked}
        scope = scope_of(candidate.model_copy(update={"calls": calls}), moment)
        return sorted((_judged(rule, scope) for rule in rules), key=lambda one: one.id)

    def _conclude(self, own: Sequence[Candidate], moment: Moment) -> str:
        """The outcome of the whole differential. Only what is confirmed or contradictory bears on it while at most
        one is confirmed; where several are, the shares decide, and the differential itself is asked."""
        sides = [*own, *self._others]
        found = [light for one in sides for light in _standing(one, scope_of(one, moment))]
        confirmed = {(one.cause, _names(one.objects)) for one in found if one.verdict == "confirmed"}
        if not confirmed:
            return "contradictory" if found else NOTHING
        if len(confirmed) == 1:
            return next(iter(confirmed))[0]
        named = [one.model_copy(update={"named": self._named(one)}) for one in sides]
        return _said(judge(named, moment))

    def _named(self, candidate: Candidate) -> bool:
        return is_named(candidate.playbook, self._past.alert)

    def _moment(self, look: Look, calls: Iterable[ProbeCall]) -> Moment:
        alert = {"labels": dict(self._past.alert.labels), "name": self._past.alert.name}
        recorded = {call.key: one for call in calls for one in look([call])}
        return Moment(evidence=recorded, alert=alert, now=self._past.looked_at)


def _asked(rule: HypothesisRule) -> frozenset[str]:
    """Every name that a hypothesis reads, whether it says so in `probes` or not."""
    texts = [rule.confirm, rule.refute]
    for one in rule.objects:
        texts += [text for text in (one.each, one.when, one.id, one.name, *one.keep.values()) if text]
    return frozenset(rule.probes).union(*(parsed(text).names for text in texts))


def _judged(rule: HypothesisRule, scope: dict[str, Any]) -> Light:
    verdict = verdict_of(parsed(rule.confirm).answer(scope), parsed(rule.refute).answer(scope))
    objects = _objects(rule, scope) if verdict == "confirmed" else ()
    return Light(rule.id, rule.cause, verdict, objects, rule.likelihood, rule.bearing, rule.then)


def _objects(rule: HypothesisRule, scope: dict[str, Any]) -> tuple[Found, ...]:
    return tuple(found for one in rule.objects for found in objects_of(one, scope))


def _standing(candidate: Candidate, scope: dict[str, Any]) -> Iterable[Light]:
    """The hypotheses of a playbook that are confirmed or contradictory; what nothing speaks for is left at once."""
    for rule in candidate.playbook.spec.triage.hypotheses:
        if parsed(rule.confirm).answer(scope) is True:
            light = _judged(rule, scope)
            if light.verdict in ("confirmed", "contradictory"):
                yield light


def _names(objects: Sequence[Found]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((one.kind, one.id) for one in objects))


def _said(conclusion: Conclusion) -> str:
    """The cause, or the outcome where there is none that may be acted on."""
    return conclusion.cause or conclusion.outcome
