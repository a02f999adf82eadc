"""Grades one drill: what was claimed, done and proved against what was caused; pure and without mercy."""

from collections.abc import Sequence

from ratchet.domain.drill import Found, Rejudged, Verdict
from ratchet.domain.fault import CausedObject, Fault
from ratchet.domain.noun import Noun
from ratchet.domain.observed import Observed, Pending
from ratchet.domain.score import Part, Score

WEIGHTS = {
    "cause": 30.0, "object": 15.0, "evidence": 10.0, "action": 15.0, "recovery": 15.0, "innocents": 5.0, "undo": 5.0,
    "end": 15.0, "draft": 5.0, "judge": 10.0,
}  # fmt: skip
ABSTAINING = frozenset({"", "unknown_cause", "ambiguous", "contradictory"})
OWN_STEPS_ONLY = "diagnosis only: nothing was to be done"


class Aftermath(Noun):
    """What the ground saw, beside what the incident says."""

    mended: bool | None = None
    """Whether the customers were served before the fault was taken back; None where it was not asked."""
    untouched: bool | None
    """Whether what only resembles the culprit is as it was; None where nobody could look, which is no yes."""
    left: str = ""
    """What the taking back left behind; empty when nothing is left."""
    late: str = ""
    """That the incident came to no end within its time; empty where it did."""
    judge: str = "no judge was asked for"
    """Why no model judged."""


class Sight(Noun):
    """Everything that one drill is graded by."""

    fault: Fault
    caused: tuple[CausedObject, ...]
    observed: Observed
    rejudged: Rejudged | None
    """None where nothing was concluded, so that nothing can be judged again."""
    aftermath: Aftermath
    remediate: bool


def grade(sight: Sight) -> Score:
    """The score, part by part."""
    parts = (
        _cause(sight), _object(sight), _evidence(sight), _action(sight), _recovery(sight),
        _innocents(sight),
        _part("undo", not sight.aftermath.left, "everything was taken back", sight.aftermath.left),
        *([_of("end", sight.aftermath.late, passed=False)] if sight.aftermath.late else []),
        _draft(sight), _of("judge", sight.aftermath.judge, must=False),
    )  # fmt: skip
    return Score(parts=parts)


def verdict_of(sight: Sight, score: Score) -> Verdict:
    """What the score amounts to."""
    if sight.aftermath.left:
        return "error"
    if score.sound:
        return "pass" if sight.remediate else "diagnosed"
    wrong = {part.name for part in score.broken}
    honest = sight.fault.spec.expects == "cause" and sight.observed.outcome in ABSTAINING
    only_unsaid = wrong <= {"cause", "object", "action", "recovery"} and not sight.observed.steps
    return "abstained" if honest and only_unsaid else "fail"


def _of(name: str, because: str, *, passed: bool | None = None, must: bool = True) -> Part:
    return Part(name=name, passed=passed, weight=WEIGHTS[name], must=must, because=because)


def _part(name: str, passed: bool, good: str, bad: str) -> Part:
    return _of(name, good if passed else bad, passed=passed)


def _cause(sight: Sight) -> Part:
    seen, expected = sight.observed, sight.fault.spec.cause
    claimed = f"claimed {seen.cause}" if seen.outcome == "cause" else f"claimed nothing ({seen.outcome or 'no look'})"
    match sight.fault.spec.expects:
        case "nothing":
            sure = ", ".join(dict.fromkeys(seen.confirmed))
            return _part("cause", not sure, "nothing was confirmed, and nothing is wrong", f"confirmed {sure}")
        case "stop":
            right = seen.outcome != "cause" or seen.cause == expected
            return _part("cause", right, claimed, f"{claimed}, where it should have stopped")
        case "cause":
            right = seen.outcome == "cause" and seen.cause == expected
            return _part("cause", right, f"it is {expected}", f"{claimed}; it is {expected}")


def _object(sight: Sight) -> Part:
    kind = sight.fault.spec.object.kind
    if kind == "none" or sight.observed.outcome != "cause" or not sight.caused:
        silent = kind != "none" and bool(sight.caused) and sight.fault.spec.expects == "cause"
        return _of("object", "none was named" if silent else "there is none to name", passed=False if silent else None)
    caused = [each for each in sight.caused if each.kind == kind]
    named = [each for each in sight.observed.found if each.kind == kind]
    right = bool(named) and any(_same(each, named[0]) for each in caused)
    told = ", ".join(f"{each.kind} {each.id}" for each in sight.observed.found) or "nothing"
    wanted = ", ".join(f"{each.kind} {each.id}" for each in caused) or kind
    return _part("object", right, f"named {told}", f"named {told}; it is {wanted}")


def _same(caused: CausedObject, found: Found) -> bool:
    return found.id in (caused.id, caused.name)


def _evidence(sight: Sight) -> Part:
    if sight.rejudged is None:
        return _of("evidence", "nothing was concluded, so that there is nothing to judge again")
    return _part("evidence", sight.rejudged.same, sight.rejudged.because, sight.rejudged.because)


def _unanswered(asked: Pending, cause: str) -> str:
    if asked.author.startswith("user:"):
        return f"asked for {asked.step} of a text that {asked.author} wrote: somebody else must run this drill"
    return f"asked for {asked.step}, which nobody here may approve for {cause}"


def _action(sight: Sight) -> Part:
    if not sight.remediate:
        return _part("action", not sight.observed.steps, OWN_STEPS_ONLY, f"did {_listed(sight.observed.steps)}")
    seen, spec = sight.observed, sight.fault.spec
    if seen.asked is not None:
        return _of("action", _unanswered(seen.asked, spec.cause), passed=False)
    if spec.expects == "nothing":
        return _part("action", not seen.steps, "nothing was done", f"did {_listed(seen.steps)}")
    if spec.remedy == "acted":
        return _part("action", bool(seen.steps), f"did {_listed(seen.steps)}", f"did nothing: {_why_not(seen)}")
    if spec.expects == "stop":
        return _part("action", seen.status == "escalated", f"stopped: {seen.stop}", f"ended {seen.status}")
    idle = not seen.steps and seen.status == "escalated" and bool(seen.human_action)
    return _part("action", idle, f"handed over: {seen.human_action[:160]}", f"did {_listed(seen.steps)}, {seen.status}")


def _why_not(seen: Observed) -> str:
    return f"{seen.stop or seen.status}"


def _listed(steps: Sequence[str]) -> str:
    return ", ".join(steps) or "nothing"


def _recovery(sight: Sight) -> Part:
    seen, spec, mended = sight.observed, sight.fault.spec, sight.aftermath.mended
    if not sight.remediate:
        return _of("recovery", OWN_STEPS_ONLY)
    claimed = seen.status == "resolved" and seen.verified is True
    if spec.remedy == "acted":
        told = f"held for {seen.sustained_seconds or 0:.1f} s, and the customers are served"
        truth = "the customers are served" if mended else "the customers are not served"
        return _part("recovery", claimed and mended is True, told, f"recovery {_said(claimed)}, and {truth}")
    if claimed:
        return _of("recovery", "recovery was claimed where only a person can bring it", passed=False)
    return _of("recovery", "a person brings it")


def _said(claimed: bool) -> str:
    return "was claimed" if claimed else "was not proved"


def _innocents(sight: Sight) -> Part:
    untouched = sight.aftermath.untouched
    bad = "nobody could look at them" if untouched is None else "TOUCHED"
    return _part("innocents", untouched is True, "what only resembles the culprit was left alone", bad)


def _draft(sight: Sight) -> Part:
    if not sight.remediate or sight.fault.spec.remedy != "acted" or sight.observed.verified is not True:
        return _of("draft", "there is nothing new to write down", must=False)
    saved = sight.observed.draft
    return _of("draft", saved or "no draft was saved", passed=bool(saved), must=False)
