"""An incident as an on-call person reads it: ten seconds first, then the grounds, then the whole story."""

from collections.abc import Iterator
from datetime import datetime

from ratchet.cli.page import Block, Field, Heading, Line, Tone, field
from ratchet.cli.pages.decision import answered
from ratchet.cli.pages.handoff import handoff_page
from ratchet.cli.words import ago, clock, grounds, share, short_digest, until
from ratchet.desk.views import DecisionView, EventView, HypothesisView, IncidentView, ObjectView

VERDICT_TONES: dict[str, Tone] = {"confirmed": "good", "refuted": "dim", "undecided": "", "unknown": "warn"}
NAMED_AT_MOST = 4
GROUNDED = ("confirmed", "contradictory")
"""Verdicts whose grounds stand on the page."""
SAMPLE = "verification_sampled"
WAYS_ON = {
    "escalated": "take|handback|close",
    "held": "handback|escalate|close",
}
"""What a person may say next, besides what it was, of an incident that rests with people."""
JUDGED_SHOWN = 5
"""Hypotheses on the page, confirmed ones first and always; the rest is for who asks for it."""


def incident_page(view: IncidentView, now: datetime, *, wide: bool = False) -> Iterator[Block]:
    """The whole page; `wide` with every hypothesis that was judged."""
    yield from strip(view, now)
    yield from hypotheses(view.hypotheses, wide=wide)
    if view.decision is not None:
        yield Heading("Decision", view.decision.state, level=2)
        yield from decision_lines(view.decision, now)
    if view.handoff is not None:
        yield from handoff_page(view.handoff, typed=f"ratchet incident show {view.id}")
    yield Heading("Timeline", level=2)
    yield from timeline(without_samples(view.timeline))


def strip(view: IncidentView, now: datetime) -> Iterator[Block]:
    """What must be known within ten seconds."""
    yield Heading(f"{view.id}  {view.symptom}", view.status)
    yield field("SINCE", f"{clock(view.opened_at)} UTC, {ago(view.opened_at, now)}" if view.opened_at else "-")
    drill = f", a drill of {view.fault}" if view.origin == "drill" else ""
    yield field("TARGET", f"{view.target or 'unknown'} ({view.target_reason}){drill}")
    yield field("CAUSE", *_cause(view))
    if view.verification is not None:
        words = f"{view.verification.samples} samples over {view.verification.sustained_seconds:.1f} s"
        yield field("RECOVERY", Line(f"{words}: {view.verification.because}", _proved(view.verification.passed)))
    yield field("NEEDED", Line(view.needs or "Nothing.", "strong"))
    if view.status in WAYS_ON and view.ending is None:
        yield field(
            "WAYS ON", Line(f"ratchet incident {WAYS_ON[view.status]} {view.id} --reason ...", "code"),
            Line(f"ratchet incident resolve {view.id} --cause CAUSE --reason ...", "code"),
        )  # fmt: skip
    if view.ending is not None:
        said = f"{view.ending.by}: {view.ending.reason}"
        yield field("PROPOSED END", Line(said, "warn"), view.ending.because, Line(view.ending.confirm, "code"))
    if view.draft is not None:
        yield field("DRAFT", f"{view.draft.id} ({view.draft.series} {view.draft.version})")


def _proved(passed: bool | None) -> Tone:
    return "" if passed is None else ("good" if passed else "bad")


def _said_by_a_person(view: IncidentView) -> bool:
    return (view.resolved_by or "ratchet") != "ratchet"


def _cause(view: IncidentView) -> Iterator[Line]:
    if view.cause is None:
        yield Line(view.outcome.replace("_", " ") if view.outcome else "not known yet", "warn" if view.outcome else "")
    else:
        word = view.rated_by or (view.resolved_by if _said_by_a_person(view) else None)
        sure = f"as {word} says" if word else f"{share(view.confidence)} sure"
        yield Line(f"{view.cause}, {sure}", "strong")
    if view.why:
        # The strip names the cause; the hypothesis below it has the grounds.
        yield Line(next((each.title for each in view.hypotheses if view.why.startswith(each.title)), view.why))
    # Once a step was put before a person, or the handoff asks for it, it is told there.
    told = view.decision is not None or view.suggested_action in view.needs
    if view.suggested_action and not told and view.status not in ("resolved", "closed"):
        yield Line(f"Suggested first action: {view.suggested_action}")


def hypotheses(judged: tuple[HypothesisView, ...], *, wide: bool = False) -> Iterator[Block]:
    """Ranked, with evidence and values; those that were not confirmed get one line each."""
    if not judged:
        return
    yield Heading("Hypotheses", f"{len(judged)} judged", level=2)
    ranked = list(enumerate(judged, 1))
    first = [(rank, each) for rank, each in ranked if each.verdict in GROUNDED]
    rest = [(rank, each) for rank, each in ranked if each.verdict not in GROUNDED]
    shown = ranked if wide else [*first, *rest[: max(JUDGED_SHOWN - len(first), 0)]]
    for rank, each in shown:
        yield hypothesis_field(rank, each, whole=each.verdict in GROUNDED or (wide and each.verdict != "refuted"))
    if len(shown) < len(judged):
        yield field("", Line(f"and {len(judged) - len(shown)} more (-o wide)", "dim"))


def hypothesis_field(rank: int, each: HypothesisView, *, whole: bool) -> Field:
    """One hypothesis; `whole` with all its evidence, else one line with the strongest word against it."""
    tone = VERDICT_TONES.get(each.verdict, "bad")
    label = f"{rank}. {each.verdict}"
    if not whole:
        against = each.against_said or each.against
        because = f": {against[0]}" if against else ""
        return field(label, Line(f"{each.title}{because}", "dim"), tone=tone)
    lines = [Line(f"{each.title} ({share(each.confidence)})", "strong"), Line(f"{each.cause} · {each.playbook}", "dim")]
    lines += [Line(each.prior.said, "dim")] if each.prior is not None else []
    lines += [Line(objects_line(each.objects))] if each.objects else []
    lines += [line for reason in each.evidence_said or each.evidence for line in _reason("+", reason, "good")]
    if each.against:
        lines += [line for reason in each.against_said or each.against[:1] for line in _reason("-", reason, "bad")]
    else:
        lines.append(Line("- nothing found against it", "dim"))
    return field(label, *lines, tone=tone)


def _reason(mark: str, reason: str, tone: Tone) -> list[Line]:
    """A judged condition with its values; the parts of a longer one stand below each other."""
    first, *more = grounds(reason)
    return [Line(f"{mark} {first}", tone), *(Line(f"  {line}", tone) for line in more)]


def objects_line(objects: tuple[ObjectView, ...]) -> str:
    """The objects concerned, so that a person can point at them."""
    named = [
        f"{each.kind} {each.id}" + (f" ({each.name})" if each.name and each.name != each.id else "")
        for each in objects[:NAMED_AT_MOST]
    ]
    more = f" and {len(objects) - NAMED_AT_MOST} more" if len(objects) > NAMED_AT_MOST else ""
    return ", ".join(named) + more


def decision_lines(view: DecisionView, now: datetime) -> Iterator[Block]:
    """A decision on its incident's page, with the lines that answer it while it is open."""
    yield field(view.id, f"{view.title} on {view.target} ({view.effect})")
    if view.state == "pending":
        digest = short_digest(view.digest)
        yield field(
            "ANSWER", Line(f"ratchet decision show {view.id}", "code"), f"expires {until(view.expires_at, now)}"
        )
        yield field("", Line(f"ratchet decision approve {view.id} --digest {digest} --reason ...", "code"))
        yield field("", Line(f"ratchet decision deny {view.id} --digest {digest} --reason ...", "code"))
    elif view.answered_by:
        yield field("ANSWERED", answered(view) + (f": {view.reason}" if view.reason else ""))


def without_samples(events: tuple[EventView, ...]) -> tuple[EventView, ...]:
    """The timeline with each unbroken run of verification samples as its last one, which says how many there were."""
    shown: list[EventView] = []
    run = 0
    for event in events:
        run = run + 1 if event.event == SAMPLE else 0
        if run > 1:
            last = event.sentence.partition(":")[0]
            shown[-1] = event.model_copy(update={"sentence": f"{run} samples, the last: {last}"})
        else:
            shown.append(event)
    return tuple(shown)


def timeline(events: tuple[EventView, ...]) -> Iterator[Block]:
    """Every event, a line each."""
    for event in events:
        by = "" if event.by == "ratchet" or event.sentence.startswith(event.by) else f"  ({event.by})"
        yield field(clock(event.time), f"{event.event}: {event.sentence}{by}")
