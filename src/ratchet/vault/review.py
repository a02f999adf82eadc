"""What a reviewer would send back although the file is well formed: the rules PB002 to PB026 that need no registry."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from ratchet.domain.errors import Mistake
from ratchet.domain.playbook import EFFECTS
from ratchet.domain.sheet import Sheet, number, seconds, text
from ratchet.vault.known import KnownTools

REMEDY_VERBS = frozenset((
    "restart", "kill", "terminate", "drop", "vacuum", "analyze", "analyse", "run", "fix", "clean", "delete", "remove",
    "resume", "reset", "scale", "increase", "raise", "lower", "start", "stop", "cancel", "reboot", "rebuild", "repair",
    "clear", "purge", "rotate", "failover", "promote", "enable", "disable", "add", "apply",
))  # fmt: skip
_PERSON = re.compile(r"user:[a-z0-9_.-]+/[A-Za-z0-9_.-]+")
_AHEAD = timedelta(days=1)
"""Somewhere it is tomorrow already."""
_HYPOTHESES = ("spec", "triage", "hypotheses")


def review_mistakes(sheet: Sheet, known: KnownTools, today: date | None) -> Iterator[Mistake]:
    """Everything that people, not types, decide. Without `today` the review date is not judged."""
    yield from _metadata(sheet)
    yield from _owner(sheet)
    yield from _overdue(sheet, today)
    yield from _triage(sheet)
    yield from _steps(sheet, known)
    yield from _verification(sheet)
    if not sheet.at(("spec", "follow_ups")):
        remedy = "Add what keeps this from coming back: an alert, a ticket, a change or a review."
        yield sheet.mistake(("spec", "follow_ups"), "PB023", "there is no follow-up", remedy)


def _metadata(sheet: Sheet) -> Iterator[Mistake]:
    title = text(sheet.fields("metadata"), "title")
    first = re.split(r"\W+", title.strip().lower(), maxsplit=1)[0]
    if first in REMEDY_VERBS:
        remedy = "Say what the person on call sees; the remedy is what the steps are for."
        yield sheet.mistake(("metadata", "title"), "PB002", f"the title names a remedy: {title!r}", remedy)
    symptoms = sheet.at(("spec", "symptoms"))
    if not isinstance(symptoms, list) or not any(str(item).strip() for item in symptoms):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        remedy = "Copy the words of the alert, the log or the customer, exactly as they were."
        yield sheet.mistake(("spec", "symptoms"), "PB003", "there is no literal symptom", remedy)


def _owner(sheet: Sheet) -> Iterator[Mistake]:
    owner = text(sheet.fields("spec"), "owner")
    if not owner and text(sheet.fields("metadata"), "source") == "system":
        return
    if not _PERSON.fullmatch(owner):
        said = f"the owner is {owner!r}, not a person" if owner else "nobody owns this playbook"
        remedy = "Name one person as `user:default/name`; the team goes into `team:`."
        yield sheet.mistake(("spec", "owner"), "PB004", said, remedy)


def _overdue(sheet: Sheet, today: date | None) -> Iterator[Mistake]:
    review = sheet.fields("spec", "review")
    last = text(review, "last")
    if not last or today is None:
        return
    try:
        read = date.fromisoformat(last[:10])
        due = read + timedelta(seconds=seconds(review, "every", 90 * 86400.0))
    except (ValueError, OverflowError):
        yield sheet.mistake(("spec", "review", "last"), "PB005", f"{last!r} is no date", "Write it like 2026-08-14.")
        return
    if read > today + _AHEAD:
        remedy = "Set `last:` to the day on which somebody read it."
        message = f"the last review lies in the future: {read.isoformat()}"
        yield sheet.mistake(("spec", "review", "last"), "PB005", message, remedy)
        return
    if due < today:
        remedy = "Read it against the system as it is now, then set `last:` to today."
        yield sheet.mistake(("spec", "review"), "PB005", f"the review was due on {due.isoformat()}", remedy)


def _triage(sheet: Sheet) -> Iterator[Mistake]:
    total = 0.0
    for path, rule in sheet.each(*_HYPOTHESES):
        total += number(rule, "likelihood", 0.0)
        confirm, refute = (" ".join(text(rule, key).split()) for key in ("confirm", "refute"))
        if "refute" in rule and (not refute or refute == confirm or refute.lower() in ("true", "false")):
            said = "equals confirm" if refute and refute == confirm else "can never decide"
            remedy = "Write what a healthy server, or the look-alike, shows."
            yield sheet.mistake((*path, "refute"), "PB011", f"refute of {rule.get('id')!r} {said}", remedy)
    if total > 1.0 + 1e-9:
        remedy = "Lower them: what is left below 1 is the chance that none of these is the cause."
        yield sheet.mistake(_HYPOTHESES, "PB012", f"the likelihoods add up to {total:.2f}", remedy)


def _steps(sheet: Sheet, known: KnownTools) -> Iterator[Mistake]:
    for path, step in sheet.each("spec", "steps"):
        name, tool, effect = path[-1], known.tools.get(text(step, "uses")), text(step, "effect")
        if tool and effect in EFFECTS and EFFECTS.index(effect) < EFFECTS.index(tool.effect):
            message = f"the step {name!r} calls itself {effect}, but {tool.name} is {tool.effect}"
            yield sheet.mistake((*path, "effect"), "PB015", message, f"Write `effect: {tool.effect}` or more.")
        require = text(sheet.fields(*path, "preview"), "require")
        if "preview" in step and "preview" not in require:
            message = f"the preview of {name!r} asks nothing of its rows"
            yield sheet.mistake((*path, "preview"), "PB016", message, 'Write `require: "preview.rows >= 1"` or more.')
        rollback = sheet.fields(*path, "rollback")
        if "rollback" in step and not rollback.get("possible") and not text(rollback, "plan").strip():
            remedy = "Write what a person does when the step made it worse."
            yield sheet.mistake((*path, "rollback"), "PB018", f"{name!r} has no rollback and no plan", remedy)
        if step.get("idempotent") is False and seconds(step, "cooldown", 900.0) <= 0:
            remedy = "Give it a cooldown, or make it safe to repeat."
            yield sheet.mistake(path, "PB017", f"{name!r} is not idempotent and may follow itself at once", remedy)


def _verification(sheet: Sheet) -> Iterator[Mistake]:
    verify: Any = sheet.at(("spec", "verify"))
    if not sheet.fields("spec", "steps"):
        return
    rules = [rule for _, rule in sheet.each("spec", "verify", "criteria")]
    if verify is None or (rules and not any(rule.get("user_visible") is True for rule in rules)):
        remedy = "Mark the criterion that users feel with `user_visible: true`, such as a canary login."
        yield sheet.mistake(("spec", "verify"), "PB021", "recovery is not judged by anything users see", remedy)
    fields = sheet.fields("spec", "verify")
    if verify is not None and seconds(fields, "sustain", 60.0) < 2 * seconds(fields, "every", 10.0):
        remedy = "Make `sustain` at least twice `every`; one good sample proves nothing."
        yield sheet.mistake(("spec", "verify", "sustain"), "PB022", "the window holds less than two samples", remedy)
    if any(text(step, "uses").startswith("postgres.") for _, step in sheet.each("spec", "steps")):
        conditions = [text(rule, "expect") for _, rule in sheet.each("spec", "preconditions")]
        if not any("can_see_others" in condition for condition in conditions):
            remedy = 'Add {id: can_see, probe: ping, expect: "ping.first.can_see_others", else: stop}.'
            message = "nothing makes sure that the diagnosis login sees other sessions"
            yield sheet.mistake(("spec", "preconditions"), "PB026", message, remedy)
