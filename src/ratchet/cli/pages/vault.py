"""Reviewing a version: its difference, its backtest, and everything else that a person judges it by."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import groupby

from ratchet.cli.page import Block, Heading, Line, Tone, field
from ratchet.cli.words import counted, day
from ratchet.desk.vault_views import Examination
from ratchet.domain.backtest import Backtest
from ratchet.domain.diff import Change, Difference

PROSE = "guidance"
LONG = 160
"""Characters from which a reader would have to search for what differs."""
AROUND = 5
"""Words that are shown on either side of it."""


def difference_page(found: Difference) -> Iterator[Block]:
    """The changes, what may harm first; those of one kind in one place stand together."""
    aside = "needs a second person" if found.widens else ""
    yield Heading(f"{found.before or '(nothing)'} -> {found.after}", aside)
    if not found.changes:
        yield field("CHANGES", "none")
    for (kind, place, says), alike in groupby(found.changes, lambda one: (one.kind, one.place, one.says)):
        changes = list(alike)
        count = f" ({len(changes)})" if len(changes) > 1 else ""
        lines = [Line(f"{place}: {says}{count}", "strong"), *(line for one in changes for line in _sides(one))]
        yield field(kind.replace("_", " "), *lines, tone="bad" if changes[0].widens else "")
    if found.digest:
        yield field("DIGEST", found.digest)


def _sides(change: Change) -> Iterator[Line]:
    """Both sides whole; of long ones the places that differ come first, with the words around each."""
    if min(len(change.before), len(change.after)) > LONG:
        yield from (Line(f"~ {each}", "strong") for each in _places(change.before.split(" "), change.after.split(" ")))
    if change.before:
        yield Line(f"- {change.before}", "dim")
    if change.after:
        yield Line(f"+ {change.after}")


def _places(was: list[str], now: list[str]) -> Iterator[str]:
    """`... and not [h.superuser -> h.listening] for h in ...`, a line for each place."""
    for tag, a, b, c, d in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        gone, new = (" ".join(words) or "(nothing)" for words in (was[a:b], now[c:d]))
        before, after = was[max(0, a - AROUND) : a], was[b : b + AROUND]
        head, tail = "... " if a > AROUND else "", " ..." if b + AROUND < len(was) else ""
        yield f"{head}{' '.join([*before, f'[{gone} -> {new}]', *after])}{tail}"


def backtest_page(found: Backtest) -> Iterator[Block]:
    """The sentence, then every incident that comes out otherwise."""
    yield Heading(found.sentence())
    yield field("AGAINST", found.against or "a library without this series")
    if found.passed_by:
        yield field("NOT REPLAYED", f"{found.passed_by}: their target is gone, or nothing was recorded")
    if found.unseen:
        yield field("NEVER RECORDED", ", ".join(found.unseen), "unknown in the incidents that did not look there")
    tones: dict[str, Tone] = {"better": "good", "worse": "bad", "other": ""}
    for one in found.changes:
        known = f"; it was {one.confirmed}" if one.confirmed else ""
        line = f"{one.before} -> {one.after}{known}"
        yield field(f"{one.incident} {one.judgement}", Line(line, tones[one.judgement]))


def examination_page(found: Examination) -> Iterator[Block]:
    """One page to decide by."""
    view = found.playbook
    yield Heading(f"{view.series_id} {view.version}  {view.name}", view.state)
    yield field("SYMPTOM", view.title)
    yield field("ID", f"{view.id}, revision {view.revision}")
    yield field("FROM", *_origin(found))
    yield field("LINT", *([Line(str(one), "bad") for one in found.mistakes] or [Line("no mistakes", "good")]))
    test = found.backtest
    tone: Tone = "warn" if test is None else "bad" if test.worse else "warn" if test.other else "good"
    yield field("BACKTEST", Line(test.sentence() if test else "not yet; activation makes it", tone))
    yield field("CERTIFICATE", *([Line(_certificate(found, n)) for n in range(len(found.certificates))] or ["none"]))
    removed = counted(found.secrets_removed, "secret")
    yield field("REDACTED", f"{removed} taken out of its texts" if found.secrets_removed else "nothing")
    writers = [one for one in found.writers if one.startswith("user:")]
    if writers:
        yield field("APPROVALS", f"not by {' or '.join(writers)}, who wrote what it does")
    if view.state == "draft":
        lines = [Line(one, "bad") for one in found.objections] or [Line("nothing stands against it", "good")]
        yield field("ACTIVATION", *lines)
    yield from difference_page(_without_prose(found.difference))
    yield Heading("Guidance", _prose(found.difference), level=2)
    for line in view.guidance.strip().splitlines() or ["-"]:
        yield field("", line)


def _without_prose(found: Difference) -> Difference:
    """The guidance stands below as a whole."""
    kept = tuple(change for change in found.changes if change.place != PROSE)
    return found.model_copy(update={"changes": kept})


def _prose(found: Difference) -> str:
    prose = [change for change in found.changes if change.place == PROSE]
    new, gone = (sum(bool(getattr(change, side)) for change in prose) for side in ("after", "before"))
    return f"{counted(new, 'line')} new, {gone} gone" if found.before and prose else ""


def _origin(found: Examination) -> Iterator[str]:
    view = found.playbook
    yield f"{view.source}, {day(view.created_at)}, by {', '.join(found.authors) or view.created_by}"
    word = " (says the file)" if view.source == "imported" else ""
    for name, value in found.derived_from.items():
        yield f"{name}: {value}{word}"
    grown, active = found.derived_from.get("playbook", ""), found.difference.before
    if view.state == "draft" and active and grown.startswith(f"{view.series_id}@") and grown != active:
        yield f"{active} is active by now: what it has and this lacks would be gone again"
    if found.commit:
        yield f"commit: {found.commit}"


def _certificate(found: Examination, number: int) -> str:
    one = found.certificates[number]
    word = f"failed {', '.join(one.failed)}" if one.failed else f"passed {', '.join(one.passed)}"
    return f"{one.id}: {word}; {one.environment}; until {day(one.expires_at)}"
