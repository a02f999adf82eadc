"""What differs between two lists of hypotheses: above all, whether a step is asked for where it was not before."""

from collections.abc import Iterator, Sequence

from ratchet.domain.diff_conditions import Joined, only_added, same
from ratchet.domain.diff_words import Change, Kind, changed, laid_out
from ratchet.domain.hypothesis import BEARINGS
from ratchet.domain.playbook import HypothesisRule, ObjectRule

LEAP = 2.0
"""A declared likelihood that grows beyond so many times its former value counts as wider: it decides which cause leads
and so which step is asked for, and one person could move it far in few drafts."""
_CONDITIONS = (("confirm", "what confirms it"), ("refute", "what refutes it"))


def cause_changes(was: Sequence[HypothesisRule], now: Sequence[HypothesisRule]) -> Iterator[Change]:
    """What changes in the causes that are considered, each told under its id."""
    old, new = {rule.id: rule for rule in was}, {rule.id: rule for rule in now}
    for name in dict.fromkeys([*new, *old]):
        yield from _hypothesis(f"hypotheses.{name}", old.get(name), new.get(name))
    order = [name for name in new if name in old]
    if order != [name for name in old if name in new]:
        yield Change(place="hypotheses", kind="words", says="the order of the hypotheses")


def acts(rule: HypothesisRule, beyond: Sequence[str] = ()) -> bool:
    """Whether something other than an escalation follows it that is not among `beyond`."""
    return any(name != "escalate" and name not in beyond for name in rule.then)


def _hypothesis(place: str, was: HypothesisRule | None, now: HypothesisRule | None) -> Iterator[Change]:
    if was is None or now is None:
        rule, word = (now, "new cause") if now else (was, "cause no longer considered")
        if rule is not None:
            kind = _alone(rule, new=now is not None)
            says = f"{word}: {rule.cause} ({rule.title}), then {', '.join(rule.then)}"
            yield Change(place=place, kind=kind, says=says)
            yield from laid_out(place, rule, kind, gone=now is None, aside=frozenset({"id"}))
        return
    wider = acts(now, beyond=was.then)
    yield from changed(f"{place}.then", was.then, now.then, ("wider" if wider else "cause", "what follows it"))
    yield from _judged(place, was, now)
    kind: Kind = "weaker" if was.security else "narrower"
    yield from changed(f"{place}.security", was.security, now.security, (kind, "whether it stops everything"))
    yield from changed(f"{place}.cause", was.cause, now.cause, ("cause", "cause"))
    leaps = now.likelihood > LEAP * was.likelihood
    yield from changed(
        f"{place}.likelihood", was.likelihood, now.likelihood, ("wider" if leaps else "cause", "likelihood")
    )
    pressing = BEARINGS.index(now.bearing) < BEARINGS.index(was.bearing)
    yield from changed(
        f"{place}.bearing", was.bearing, now.bearing, ("wider" if pressing else "cause", "how it bears on users")
    )
    yield from changed(f"{place}.probes", was.probes, now.probes, ("probe", "what it looks at"))
    yield from changed(f"{place}.title", was.title, now.title, ("words", "title"))
    yield from changed(f"{place}.action", was.action, now.action, ("words", "suggested first action"))


def _alone(rule: HypothesisRule, *, new: bool) -> Kind:
    """A cause on one side only. One that leads to a step is a new way to that step, also when it is an old one under
    another name: what confirms it and which objects it names have nothing to be compared with."""
    if new:
        return "wider" if acts(rule) else "cause"
    return "weaker" if rule.security else "cause"


def _judged(place: str, was: HypothesisRule, now: HypothesisRule) -> Iterator[Change]:
    """What confirms it, what refutes it, and which objects it names: that decides whether a step is asked for and what
    it touches, so that only what provably leads there less often is left to one person."""
    kind: Kind = "narrower" if _fewer(was.objects, now.objects) else "wider"
    yield from changed(f"{place}.objects", was.objects, now.objects, (kind, "which objects it names to a step"))
    stops, steps = was.security or now.security, acts(was) or acts(now)
    for field, word in _CONDITIONS:
        old, new = getattr(was, field), getattr(now, field)
        if same(old, new):
            continue
        rarer: Joined = "and" if (field == "confirm") is not stops else "or"
        kind = "weaker" if stops else "wider" if steps else "condition"
        if kind != "condition" and only_added(old, new, rarer):
            kind = "narrower"
        yield from changed(f"{place}.{field}", old, new, (kind, word))


def _fewer(was: Sequence[ObjectRule], now: Sequence[ObjectRule]) -> bool:
    """Whether every rule names the same objects or provably fewer of them."""
    if len(was) != len(now):
        return False
    for old, new in zip(was, now, strict=True):
        kept = new.model_copy(update={"when": old.when, "limit": old.limit}) == old
        rarer = old.when is None or (new.when is not None and only_added(old.when, new.when, "and"))
        if not kept or not rarer or new.limit > old.limit:
            return False
    return True
