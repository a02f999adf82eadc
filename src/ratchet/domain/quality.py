"""How good Ratchet was in a span: measures, which incidents missed goals come from, and what would help; pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Literal

from ratchet.domain.accuracy import Bin
from ratchet.domain.case import Case
from ratchet.domain.measure import ROUTINE, Measure, Name, calibration, measures, routine, wrong
from ratchet.domain.noun import Noun
from ratchet.domain.playbook import FollowUp
from ratchet.domain.policy import Objectives
from ratchet.domain.prevention import Recurrence, recurrences

NAMED = 5
"""Incidents that a line names."""
Origin = Literal["production", "drill"]


class Proposal(Noun):
    """A draft in the vault, by what it could help with."""

    id: str
    series: str
    causes: tuple[str, ...] = ()
    incident: str = ""


class Library(Noun):
    """What there is to help: which active series knows a cause, and the drafts that wait."""

    series: dict[str, str] = {}
    proposals: tuple[Proposal, ...] = ()
    follow_ups: dict[str, tuple[FollowUp, ...]] = {}
    """By version of a playbook, what it asks for afterwards."""


class IncidentType(Noun):
    """Incidents of one type: one cause, or one alert where nobody knows the cause."""

    name: str
    incidents: int
    escalated: int
    alone: int
    """Resolved with no more of a person than a yes."""
    wrong: int
    """Of those in which something was done, how often it was wrong."""
    series: str = ""
    """The active playbook that knows the cause; empty for a candidate for the next one."""
    candidate: bool = False
    """Whether it repeats, and nothing here resolves it."""
    named: tuple[str, ...] = ()
    """The latest of them."""
    help: str = ""


class Blame(Noun):
    """How many of the incidents behind a missed goal were of one type, and what would help."""

    type: str
    incidents: int
    named: tuple[str, ...]
    help: str


class Violation(Noun):
    """A goal that was missed, with the types of incident that it was missed by, most first."""

    measure: Name
    value: float
    goal: float
    types: tuple[Blame, ...]


class Quality(Noun):
    """A report, as of `until`. What is not over yet counts in its own times alone."""

    origin: Origin
    since: datetime | None
    until: datetime
    incidents: int
    over: int
    abstained: int
    """Of those that a person rated, how often Ratchet had said that it does not know."""
    measures: tuple[Measure, ...]
    calibration: tuple[Bin, ...]
    brier: float | None
    violations: tuple[Violation, ...]
    types: tuple[IncidentType, ...]
    recurrences: tuple[Recurrence, ...] = ()


def quality(
    cases: Sequence[Case], goals: Objectives, library: Library, span: tuple[Origin, datetime | None, datetime]
) -> Quality:
    """The report over the cases of a span; those of the other origin are left out."""
    origin, since, until = span
    counted = [case for case in cases if case.origin == origin]
    found = measures(counted, goals)
    bins, brier = calibration(counted)
    return Quality(
        origin=origin, since=since, until=until, incidents=len(counted), over=sum(case.over for case in counted),
        abstained=sum(case.agreed is not None and not case.claimed for case in counted), measures=found,
        calibration=bins, brier=brier, violations=_violations(found, counted, goals, library),
        types=_types(counted, library), recurrences=recurrences(counted, library.follow_ups),
    )  # fmt: skip


def _violations(
    found: Sequence[Measure], cases: Sequence[Case], goals: Objectives, library: Library
) -> tuple[Violation, ...]:
    bad = _bad(cases, goals)
    return tuple(
        Violation(
            measure=each.name,
            value=each.value,
            goal=each.goal,
            types=_blamed(bad[each.name](cases), library, each.name),
        )
        for each in found
        if each.met is False and each.value is not None and each.goal is not None
    )


def _bad(cases: Sequence[Case], goals: Objectives) -> Mapping[str, Callable[[Sequence[Case]], list[Case]]]:
    """By measure, the cases that speak against it."""
    often = {case.id for case in routine(cases)}

    def slow(read: Callable[[Case], float | None], goal: float | None) -> Callable[[Sequence[Case]], list[Case]]:
        return lambda some: [c for c in some if goal is not None and (read(c) or 0.0) > goal]

    return {
        "mttd": slow(lambda c: c.detection, goals.mttd),
        "mttr": slow(lambda c: c.recovery if c.over else None, goals.mttr),
        "escalation_rate": lambda some: [c for c in some if c.escalated],
        "false_action_rate": lambda some: [c for c in some if c.over and wrong(c)],
        "agreement": lambda some: [c for c in some if c.over and c.agreed is False],
        "routine_share": lambda some: [c for c in some if c.over and c.id in often and not c.alone],
    }


def _blamed(bad: Sequence[Case], library: Library, measure: Name) -> tuple[Blame, ...]:
    lines = [
        Blame(type=kind, incidents=len(group), named=_latest(group), help=_help(kind, group, library, measure))
        for kind, group in _by_kind(bad).items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.incidents, line.type)))


def _types(cases: Sequence[Case], library: Library) -> tuple[IncidentType, ...]:
    """Every type, the most frequent first."""
    lines = [_type(kind, group, library) for kind, group in _by_kind(cases).items()]
    return tuple(sorted(lines, key=lambda line: (-line.incidents, line.name)))


def _type(kind: str, group: Sequence[Case], library: Library) -> IncidentType:
    alone, escalated = sum(c.alone for c in group), sum(bool(c.escalated) for c in group)
    candidate = len(group) >= ROUTINE and not alone and any(c.over for c in group)
    return IncidentType(
        name=kind, incidents=len(group), escalated=escalated, alone=alone, wrong=sum(wrong(c) is True for c in group),
        series=library.series.get(kind, ""), candidate=candidate, named=_latest(group),
        help=_help(kind, group, library, "routine_share") if candidate else "",
    )  # fmt: skip


def _by_kind(cases: Sequence[Case]) -> dict[str, list[Case]]:
    ordered = sorted(cases, key=lambda c: (c.kind, c.number))
    return {kind: list(group) for kind, group in groupby(ordered, key=lambda c: c.kind)}


def _latest(group: Sequence[Case]) -> tuple[str, ...]:
    return tuple(case.name for case in sorted(group, key=lambda c: -c.number)[:NAMED])


def _help(kind: str, group: Sequence[Case], library: Library, measure: Name) -> str:
    """The draft that would help, or how to come to one; the first that applies."""
    if measure == "mttd":
        return "No draft helps here: look at how the alert reaches Ratchet, and at whether it had time to look."
    names = {case.name for case in group}
    drafts = [each for each in library.proposals if each.incident in names or kind in each.causes]
    if drafts:
        best = max(drafts, key=lambda each: (each.incident in names, each.id))
        return f"Review the draft {best.id} of {best.series}: ratchet vault show {best.id}"
    series = library.series.get(kind)
    if series and measure == "agreement":
        return f"Let what was confirmed correct its likelihoods: ratchet quality suggest {series}"
    mended = [case for case in group if case.ended == "resolved" and case.confirmed]
    if mended:
        last = max(mended, key=lambda c: c.number)
        return f"Draft what a person did: ratchet vault draft {last.name}"
    if series:
        return f"{series} knows this cause: read why it stopped in the handoff of {_latest(group)[0]}"
    newest = max(group, key=lambda c: c.number)
    if not newest.ended:
        typed = f"ratchet incident resolve {newest.name} --cause CAUSE; ratchet vault draft {newest.name}"
        return f"End it with its cause, then draft what was done: {typed}"
    return f"Say what it was, then write a playbook for it: ratchet incident rate {newest.name} --cause CAUSE"
