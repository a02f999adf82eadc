"""What keeps incidents from coming again: follow-ups with their sign-off, and what came again all the same; pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Literal

from ratchet.domain.case import Case, Signed
from ratchet.domain.noun import Noun
from ratchet.domain.playbook import FollowUp

Asked = Mapping[str, Sequence[FollowUp]]
"""By version, what its playbook asks for afterwards."""


class Owed(Noun):
    """One thing to be done after incidents of one series on one target, as it stands.

    It is one line however often it came, until somebody signs it; what comes after that begins a new one.
    """

    id: str
    """`INC-4.1`: the first incident that asked for it, and which of its follow-ups it is."""
    kind: str
    title: str
    link: str = ""
    series: str
    type: str
    target: str
    service: str
    incidents: tuple[str, ...]
    """All that asked for it, oldest first."""
    state: Literal["open", "done", "wont"] = "open"
    by: str = ""
    at: datetime | None = None
    reason: str = ""
    called_out: str = ""
    """Why it is not enough as it stands: it came again; empty when nothing is wrong with it."""


class Recurrence(Noun):
    """Incidents of one type on one target that came more than once with nothing signed that would prevent it."""

    type: str
    target: str
    incidents: tuple[str, ...]
    owed: tuple[str, ...]
    """The open follow-ups; empty when nobody wrote down what would prevent it."""
    because: str


def owed(cases: Sequence[Case], asked: Asked) -> tuple[Owed, ...]:
    """Every follow-up of production incidents that are over, the newest first."""
    lines: dict[tuple[str, str, str], list[Owed]] = {}
    for case in sorted(cases, key=lambda c: c.number):
        if case.origin != "production" or not case.over:
            continue
        for number, item in enumerate(asked.get(case.version_id, ()), 1):
            key = (case.series, item.title, case.target or "")
            lines[key] = _grown(lines.get(key, []), case, item, number)
    return tuple(line for group in reversed(list(lines.values())) for line in reversed(group))


def recurrences(cases: Sequence[Case], asked: Asked) -> tuple[Recurrence, ...]:
    """What came again without prevention, most often first."""
    counted = [c for c in cases if c.origin == "production"]
    ordered = sorted(counted, key=lambda c: (c.kind, c.target or "", c.number))
    groups = [list(g) for _, g in groupby(ordered, key=lambda c: (c.kind, c.target or ""))]
    lines = owed(cases, asked)
    found = [_recurrence(group, lines) for group in groups if len(group) > 1]
    return tuple(sorted((each for each in found if each is not None), key=lambda r: (-len(r.incidents), r.type)))


def _grown(lines: list[Owed], case: Case, item: FollowUp, number: int) -> list[Owed]:
    """The lines of one follow-up after one more incident that asks for it."""
    last = lines[-1] if lines else None
    signed = next((one for one in case.signed if one.word.number == number), None)
    if last is None or (last.state != "open" and last.at is not None and last.at <= case.fired_at):
        begun = Owed(
            id=f"{case.name}.{number}", kind=item.kind, title=item.title, link=item.link, series=case.series,
            type=case.kind, target=case.target or "", service=case.service, incidents=(case.name,),
            called_out=_again(last),
        )  # fmt: skip
        return [*lines, _signed(begun, signed)]
    more = last.model_copy(update={"incidents": (*last.incidents, case.name)})
    return [*lines[:-1], _signed(more, signed)]


def _again(before: Owed | None) -> str:
    if before is None:
        return ""
    word = "signed as done" if before.state == "done" else "given up"
    return f"It was {word} by {before.by} ({before.id}), and came again."


def _signed(line: Owed, signed: Signed | None) -> Owed:
    """The later sign-off counts; what is open and came again is called out."""
    if signed is not None and (line.at is None or signed.at >= line.at):
        word = signed.word
        line = line.model_copy(
            update={"state": word.state, "by": word.by, "at": signed.at, "reason": word.reason}
        )  # fmt: skip
    if line.state == "open" and len(line.incidents) > 1:
        return line.model_copy(update={"called_out": f"It came {len(line.incidents)} times, and nothing prevents it."})
    return line


def _recurrence(group: Sequence[Case], lines: Sequence[Owed]) -> Recurrence | None:
    names = tuple(case.name for case in group)
    own = [line for line in lines if set(line.incidents) & set(names)]
    still = tuple(line.id for line in own if line.state == "open")
    if own and not still:
        return None
    because = f"{len(still)} of {len(own)} follow-ups are open." if own else "Nobody wrote down what would prevent it."
    return Recurrence(
        type=group[0].kind, target=group[0].target or "", incidents=names, owed=still, because=because
    )  # fmt: skip
