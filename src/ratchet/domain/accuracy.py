"""What a batch of runs says of the diagnosis: right, wrong and unsaid, how sure it was, and what was taken for what."""

from collections import Counter
from collections.abc import Sequence

from ratchet.domain.drill import Run
from ratchet.domain.noun import Noun

BINS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 0.99), (0.99, 1.0))
"""Confidence from (included) to (excluded); the last one includes 1."""
NOTHING = "(nothing)"


class Tally(Noun):
    """One row of counts. Errors count in `errors` alone, save for what was wrong in one that was graded: a wrong claim,
    an innocent that was touched, a false recovery. What stayed behind after it undoes none of these."""

    name: str
    runs: int = 0
    errors: int = 0
    right: int = 0
    """Cause and object; for a control, the restraint."""
    cause: int = 0
    """The cause, whatever the object."""
    abstained: int = 0
    """It said that it does not know, where there was a cause."""
    confident_and_wrong: int = 0
    acted: int = 0
    """Runs in which a step took effect."""
    recovered: int = 0
    touched: int = 0
    """Runs in which an innocent was touched, or nobody could look."""
    false_recovered: int = 0
    """Recovery was claimed while the customers were not served, or where only a person brings it."""
    clean: int = 0
    """Everything was taken back."""
    passed: int = 0

    @property
    def graded(self) -> int:
        """Runs that say something."""
        return self.runs - self.errors


class Confusion(Noun):
    """How often one cause was taken for another, or for nothing."""

    expected: str
    claimed: str
    runs: int


class Bin(Noun):
    """Runs that were about as sure: how sure on average, and how often right."""

    least: float
    most: float
    runs: int
    confidence: float
    right: float


class Accuracy(Noun):
    """A batch, folded. `brier` is over the runs that claimed a cause: 0 is best, None where none did."""

    total: Tally
    strengths: tuple[Tally, ...]
    faults: tuple[Tally, ...]
    controls: Tally
    confusions: tuple[Confusion, ...]
    brier: float | None
    reliability: tuple[Bin, ...]
    triage_seconds: tuple[float, ...] = ()
    """Sorted, of every run that was concluded."""


def accuracy(runs: Sequence[Run]) -> Accuracy:
    """Everything that a batch says; strengths from most to least that the alert gives away."""
    causes = [run for run in runs if run.expects == "cause"]
    answered = [run for run in causes if run.verdict != "error" and run.answered]
    strengths = [name for name in ("named", "symptom", "bare") if any(run.strength == name for run in causes)]
    return Accuracy(
        total=_tally("all", causes),
        strengths=tuple(_tally(name, [run for run in causes if run.strength == name]) for name in strengths),
        faults=tuple(
            _tally(name, [run for run in runs if run.fault == name]) for name in sorted({r.fault for r in runs})
        ),
        controls=_tally("controls", [run for run in runs if run.expects != "cause"]),
        confusions=_confusions(runs),
        brier=_brier(answered),
        reliability=tuple(each for each in (_bin(answered, *ends) for ends in BINS) if each.runs),
        triage_seconds=tuple(sorted(run.triage_seconds for run in runs if run.triage_seconds is not None)),
    )


def _tally(name: str, runs: Sequence[Run]) -> Tally:
    graded = [run for run in runs if run.verdict != "error"]
    return Tally(
        name=name,
        runs=len(runs),
        errors=len(runs) - len(graded),
        right=sum(run.right for run in graded),
        cause=sum(run.score.holds("cause") is True for run in graded),
        abstained=sum(_unsaid(run) for run in graded),
        confident_and_wrong=sum(run.confident_and_wrong for run in runs),
        acted=sum(bool(run.steps) for run in graded),
        recovered=sum(run.score.holds("recovery") is True for run in graded),
        touched=sum(run.score.holds("innocents") is False for run in runs),
        false_recovered=sum(_false(run) for run in runs),
        clean=sum(not run.left for run in runs),
        passed=sum(run.verdict == "pass" for run in graded),
    )


def _unsaid(run: Run) -> bool:
    return run.expects == "cause" and not run.answered


def _false(run: Run) -> bool:
    return run.status == "resolved" and bool(run.steps) and run.score.holds("recovery") is False


def _confusions(runs: Sequence[Run]) -> tuple[Confusion, ...]:
    pairs = Counter(
        (run.expected_cause, (run.cause if run.answered else None) or NOTHING) for run in runs if run.verdict != "error"
    )
    return tuple(Confusion(expected=a, claimed=b, runs=n) for (a, b), n in sorted(pairs.items()))


def _brier(answered: Sequence[Run]) -> float | None:
    if not answered:
        return None
    return round(sum((run.confidence - float(run.right)) ** 2 for run in answered) / len(answered), 4)


def _bin(answered: Sequence[Run], least: float, most: float) -> Bin:
    inside = [run for run in answered if least <= run.confidence < most or (most == 1.0 == run.confidence)]
    count = len(inside)
    return Bin(
        least=least,
        most=most,
        runs=count,
        confidence=round(sum(run.confidence for run in inside) / count, 4) if count else 0.0,
        right=round(sum(run.right for run in inside) / count, 4) if count else 0.0,
    )
