"""The measures of quality over cases: each a number only where something is known, with how much that was; pure."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Literal

from ratchet.domain.accuracy import BINS, Bin
from ratchet.domain.case import Case
from ratchet.domain.noun import Noun
from ratchet.domain.policy import Objectives

ROUTINE = 3
"""A type of incident that came so often within the time of a report is routine."""
Name = Literal[
    "mttd", "mttr", "escalation_rate", "false_action_rate", "agreement", "helpful", "routine_share",
    "diagnosis_assisted", "diagnosis_manual",
]  # fmt: skip


class Measure(Noun):
    """One number over `known` of `of` incidents; None where nothing is known, which is never a zero and never a pass.

    A share lies between 0 and 1 and has `hits` of `known` behind it; a time is a mean in seconds.
    """

    name: Name
    unit: Literal["share", "seconds"]
    value: float | None
    hits: int = 0
    known: int
    of: int
    goal: float | None = None
    better: Literal["less", "more"] = "less"
    met: bool | None = None
    median: float | None = None
    """Of a time, in seconds."""


def measures(cases: Sequence[Case], goals: Objectives) -> tuple[Measure, ...]:
    """All measures, in the order in which a report shows them."""
    over = [case for case in cases if case.over]
    acted = [case for case in over if case.acts]
    often = [case for case in routine(cases) if case.over]
    assisted, manual = diagnosed(over)
    return (
        _share("agreement", over, lambda c: c.agreed, (goals.agreement, "more")),
        _share("helpful", over, lambda c: c.helpful, (None, "more")),
        _share("false_action_rate", acted, wrong, (goals.false_action_rate, "less")),
        _share("escalation_rate", over, lambda c: bool(c.escalated), (goals.escalation_rate, "less")),
        _share("routine_share", often, lambda c: c.alone, (goals.routine_share, "more")),
        _mean("mttd", [case.detection for case in cases], goals.mttd),
        _mean("mttr", [case.recovery for case in over], goals.mttr),
        _mean("diagnosis_assisted", assisted, None),
        _mean("diagnosis_manual", manual, None),
    )


def wrong(case: Case) -> bool | None:
    """Whether what was done was wrong; None where nobody can tell."""
    return None if case.fix_correct is None else not case.fix_correct


def routine(cases: Sequence[Case]) -> list[Case]:
    """The cases whose type came at least `ROUTINE` times."""
    by_kind = groupby(sorted(cases, key=lambda c: c.kind), key=lambda c: c.kind)
    return [case for group in (list(g) for _, g in by_kind) if len(group) >= ROUTINE for case in group]


def diagnosed(over: Sequence[Case]) -> tuple[list[float | None], list[float | None]]:
    """Seconds from the alert to the cause: as Ratchet found it and nobody said otherwise; and as a person named it
    where Ratchet had not. A person knows before the word is written, so that the second is an upper bound."""
    assisted: list[float | None] = []
    manual: list[float | None] = []
    for case in over:
        if case.outcome == "cause" and case.agreed is not False:
            assisted.append(case.seconds(case.fired_at, case.concluded_at))
        else:
            manual.append(case.seconds(case.fired_at, case.confirmed_at))
    return assisted, manual


def calibration(cases: Sequence[Case]) -> tuple[tuple[Bin, ...], float | None]:
    """How often it was right where it was about as sure, over incidents that a person rated; and the Brier score."""
    rated = [(case.confidence, case.agreed) for case in cases if case.agreed is not None and case.claimed]
    if not rated:
        return (), None
    brier = sum((sure - float(right)) ** 2 for sure, right in rated) / len(rated)
    bins: list[Bin] = []
    for least, most in BINS:
        inside = [(sure, right) for sure, right in rated if least <= sure < most or (most == 1.0 == sure)]
        if inside:
            n = len(inside)
            bins.append(Bin(
                least=least, most=most, runs=n, confidence=round(sum(s for s, _ in inside) / n, 4),
                right=round(sum(r for _, r in inside) / n, 4),
            ))  # fmt: skip
    return tuple(bins), round(brier, 4)


def _share(
    name: Name, cases: Sequence[Case], holds: Callable[[Case], bool | None],
    goal: tuple[float | None, Literal["less", "more"]],
) -> Measure:  # fmt: skip
    told = [answer for answer in map(holds, cases) if answer is not None]
    value = sum(told) / len(told) if told else None
    return Measure(
        name=name, unit="share", value=value, hits=sum(told), known=len(told), of=len(cases), goal=goal[0],
        better=goal[1], met=_met(value, *goal),
    )  # fmt: skip


def _mean(name: Name, seconds: Sequence[float | None], goal: float | None) -> Measure:
    told = sorted(each for each in seconds if each is not None)
    value = round(sum(told) / len(told), 3) if told else None
    middle = round((told[(len(told) - 1) // 2] + told[len(told) // 2]) / 2, 3) if told else None
    return Measure(
        name=name, unit="seconds", value=value, known=len(told), of=len(seconds), goal=goal,
        met=_met(value, goal, "less"), median=middle,
    )  # fmt: skip


def _met(value: float | None, goal: float | None, better: Literal["less", "more"]) -> bool | None:
    if value is None or goal is None:
        return None
    return value <= goal if better == "less" else value >= goal
