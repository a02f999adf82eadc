"""The quality report as a person reads it: measures with what they rest on, what missed its goal, what would help."""

from collections.abc import Iterator

from ratchet.cli.page import Block, Heading, Line, Tone, field
from ratchet.cli.words import counted, day, share, span
from ratchet.domain.measure import Measure
from ratchet.domain.quality import Blame, IncidentType, Quality

TITLES = {
    "agreement": "first hypothesis was the confirmed cause",
    "helpful": "rated as helpful",
    "false_action_rate": "what was done was wrong",
    "escalation_rate": "escalated",
    "routine_share": "routine, resolved without escalation",
    "mttd": "alert to first look (MTTD)",
    "mttr": "first look to proved recovery (MTTR)",
    "diagnosis_assisted": "alert to cause, found by Ratchet",
    "diagnosis_manual": "alert to cause, named by a person",
}
TYPES_SHOWN = 10
TONES: dict[bool | None, Tone] = {True: "good", False: "bad", None: ""}


def quality_page(found: Quality, days: int, *, wide: bool = False) -> Iterator[Block]:
    """The whole report; `wide` with every type of incident."""
    what = "drills" if found.origin == "drill" else "incidents"
    yield Heading(f"Quality, last {counted(days, 'day')}", f"{found.over} of {found.incidents} {what} over")
    for each in found.measures:
        yield field(each.name, Line(f"{number(each)}  {TITLES[each.name]}{_goal(each)}", TONES[each.met]))
    if found.abstained:
        yield field("abstained", f"{found.abstained} of the rated: Ratchet had said that it does not know")
    yield from _calibration(found)
    yield from _violations(found)
    yield Heading("Types of incident", "most frequent first", level=2)
    shown = found.types if wide else found.types[:TYPES_SHOWN]
    for line in shown:
        yield field(str(line.incidents), *_type(line))
    if len(shown) < len(found.types):
        yield field("", Line(f"and {len(found.types) - len(shown)} more (-o wide)", "dim"))
    if not found.types:
        yield field("", "none")
    yield from _recurrences(found)


def number(each: Measure) -> str:
    """`75% (6 of 8; 4 of 12 not known)`, `41s (8; 2 of 10 not known)`, or `n/a (0 of 12)`."""
    if each.value is None:
        return f"n/a (0 of {each.of})"
    missing = f"; {each.of - each.known} of {each.of} not known" if each.known < each.of else ""
    if each.unit == "share":
        return f"{_exact(each)} ({each.hits} of {each.known}{missing})"
    middle = f", median {seconds(each.median)}" if each.median is not None else ""
    return f"{seconds(each.value)} (mean of {each.known}{middle}{missing})"


def _exact(each: Measure) -> str:
    """0 and 100 % stand only where they are exact."""
    whole = round((each.value or 0.0) * 100)
    return f"{whole if each.hits in (0, each.known) else min(99, max(1, whole))}%"


def seconds(value: float) -> str:
    """Short times with a decimal, longer ones as people say them."""
    return f"{value:.1f}s" if value < 10 else span(value)


def _goal(each: Measure) -> str:
    if each.goal is None:
        return ""
    word = "at most" if each.better == "less" else "at least"
    goal = share(each.goal) if each.unit == "share" else span(each.goal)
    return f"; {word} {goal}: {({True: 'met', False: 'MISSED', None: 'not known'})[each.met]}"


def _calibration(found: Quality) -> Iterator[Block]:
    if not found.calibration:
        yield field("calibration", "n/a: nobody rated an incident that had a cause")
        return
    lines = [
        f"{share(b.least)} to {share(b.most)} sure: right {share(b.right)} of {counted(b.runs, 'incident')}"
        for b in found.calibration
    ]
    yield field("calibration", *lines, f"Brier score {found.brier:.3f} (0 is best)")


def _violations(found: Quality) -> Iterator[Block]:
    if not found.violations:
        return
    yield Heading("Goals that were missed", "and what they come from", level=2)
    for each in found.violations:
        yield field(each.measure, *[line for blame in each.types for line in _blame(blame)], tone="bad")


def _blame(each: Blame) -> Iterator[Line]:
    yield Line(f"{each.incidents} of type {each.type} ({', '.join(each.named)})", "strong")
    yield Line(f"  {each.help}")


def _type(each: IncidentType) -> Iterator[Line]:
    parts = [f"{each.alone} resolved alone", f"{each.escalated} escalated"]
    parts += [f"{each.wrong} acted on wrongly"] if each.wrong else []
    yield Line(f"{each.name}: {', '.join(parts)}; {each.series or 'no playbook knows it'}", "strong")
    if each.candidate:
        yield Line(f"candidate for the next playbook. {each.help}", "warn")


def _recurrences(found: Quality) -> Iterator[Block]:
    if not found.recurrences:
        return
    yield Heading("Came again without prevention", level=2)
    for each in found.recurrences:
        names = ", ".join(each.incidents[-5:])
        more = f" Open: {', '.join(each.owed)} (ratchet followup list)." if each.owed else ""
        line = f"{counted(len(each.incidents), 'time')} {each.type} on {each.target or 'no target'} ({names})"
        yield field("", Line(line, "bad"), f"{each.because}{more}")


def since_line(found: Quality) -> str:
    """From when to when, for a line on stderr."""
    return f"From {day(found.since)} to {day(found.until)}."
