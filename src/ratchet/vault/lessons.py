"""What an incident taught, in plain words: every line says where in the timeline, or in which evidence, it stands."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from ratchet.domain.evidence import Evidence
from ratchet.domain.fault import Fault
from ratchet.domain.hypothesis import Hypothesis
from ratchet.domain.incident import Incident
from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Series
from ratchet.domain.timeline import Acted, Event, Intended, Noted, Recorded, Settled
from ratchet.domain.unseen import STEERS
from ratchet.security.redact import Redactor
from ratchet.vault.wording import LEFT

GENERAL = "What the series says in general:"
AGAIN = "- Again in "
_LONGEST = 400
_SHOWN_NOTES = 12
_SHOWN_OBJECTS = 5
_SHOWN_AGAIN = 5
_SHOWN_FAR = 8
_WORKED = ("done", "took")
_FAR = ("unknown", "refuted")
_LESSON = re.compile(r"^Learned from ", re.MULTILINE)
_CONTROL = re.compile(rf"(?:[\t\n]|{STEERS.pattern})+")


@dataclass(frozen=True)
class Told:
    """All that is known of a verified incident: fold, timeline, evidence, and the series where the draft will stand."""

    incident: Incident
    timeline: Sequence[Recorded[Event]]
    evidence: Sequence[Evidence]
    series: Series
    fault: Fault | None
    at: datetime
    service_owner: str = ""
    """The person who answers for the target, when its registration names one."""
    said: Hypothesis | None = None
    """The cause that a person named at the end, when it is not what was concluded."""

    @property
    def leading(self) -> Hypothesis | None:
        """What it was: a person's word first, else the conclusion's."""
        if self.said is not None:
            return self.said
        return self.incident.conclusion.leading if self.incident.conclusion else None

    @property
    def proved(self) -> bool:
        """Whether the recovery was proved: by our window, or, where a person mended it, by the monitor's all-clear."""
        verified = self.incident.verified
        if verified is not None and verified.passed:
            return True
        return self.by_person and self.incident.alert_resolved

    @property
    def by_person(self) -> bool:
        """Whether a person said that it is over."""
        resolved = self.incident.resolved
        return resolved is not None and resolved.by.startswith("user:")

    def source(self, *kinds: str, op: str = "") -> str:
        """`# from INC-1 event 7`, for the last events of these kinds; with `op` for those of one operation."""
        seen = [r for r in self.timeline if r.event.kind in kinds and op in ("", _op_of(r.event))]
        last = sorted({r.event.kind: r.seq for r in seen}.values())
        return f"# from {self.incident.name}" + (f" event {', '.join(map(str, last))}" if last else "")

    @property
    def heading(self) -> str:
        """`INC-1, 2026-11-21, a drill of db-max-connections on shop-db`."""
        incident = self.incident
        drill = f", a drill of {incident.fault}" if incident.fault else ""
        return f"{incident.name}, {self.at.date().isoformat()}{drill} on {spoken(incident.target or 'no target')}"


def _op_of(event: Event) -> str:
    match event:
        case Intended():
            return event.grant.op_id
        case Acted() | Settled():
            return event.op_id
        case _:
            return ""


def spoken(text: str) -> str:
    """Somebody else's words, fit to stand in a file: one line, no secret, nothing that reads like a placeholder."""
    line = Redactor((), b"draft").text(_CONTROL.sub(" ", text))
    line = " ".join(line.split()).replace("{{", "{ {").replace("}}", "} }")
    line = LEFT.sub(lambda found: found.group().strip("<>").lower(), line).strip()
    return line if len(line) <= _LONGEST else line[: _LONGEST - 4].rpartition(" ")[0][: _LONGEST - 4] + " ..."


def guidance(told: Told, base: Playbook, leading: Hypothesis) -> str:
    """The draft's prose: what incidents taught, a lesson per cause, then what the series says in general.

    A cause that was met before keeps its lesson, as people may have edited it, and gets the lines that are new.
    """
    lessons, general = earlier(base.spec.guidance)
    name = re.compile(rf"\b{re.escape(told.incident.name)}\b,")
    if any(name.search(lesson) for lesson in lessons):
        return base.spec.guidance
    same = re.compile(rf"^- Cause: {re.escape(leading.cause)}[ ,]", re.MULTILINE)
    known = next((n for n, lesson in enumerate(lessons) if same.search(lesson)), None)
    if known is None:
        lessons.insert(0, "\n".join([f"Learned from {told.heading}:", "", *_lesson(told, base, leading)]))
    else:
        lessons[known] = _met_again(lessons[known], told, leading)
    tail = [f"{GENERAL}\n\n{general}"] if general else []
    return "\n\n".join([*lessons, *tail]).rstrip() + "\n"


def earlier(text: str) -> tuple[list[str], str]:
    """The lessons that a guidance holds, newest first, and what it says in general."""
    head, mark, general = text.rpartition(f"{GENERAL}\n\n")
    if not mark:
        head, general = (text, "") if _LESSON.match(text) else ("", text)
    starts = [found.start() for found in _LESSON.finditer(head)]
    cuts = [0, *(start for start in starts if start), len(head)]
    parts = [head[begin:end].strip() for begin, end in pairwise(cuts)]
    return [part for part in parts if part], general.strip()


def _lesson(told: Told, base: Playbook, leading: Hypothesis) -> Iterator[str]:
    yield from _seen(told)
    yield from _reasons(told, leading)
    yield from _mattered(told, base, leading)
    yield from _done(told)
    yield from _by_hand(told)
    yield from _proved(told)
    yield from _considered(told, leading)
    yield from _tried(told)


def _met_again(lesson: str, told: Told, leading: Hypothesis) -> str:
    """The lesson with this incident's line, and what it adds; of earlier such lines the newest stay."""
    if told.said is not None and told.incident.resolved is not None:
        cause = f"{leading.cause}, as {spoken(told.incident.resolved.by)} said; mended by hand"
        return _with_line(lesson, told, f"{AGAIN}{told.heading}: {cause}. {told.source('resolved')}")
    steps = ", ".join(op.step for op in told.incident.ops if op.state in _WORKED) or "no step"
    verified = told.incident.verified
    held = f"; {verified.samples} samples held for {verified.sustained_seconds:g} s" if verified else ""
    where = told.source("concluded", "acted", "verified")
    return _with_line(
        lesson, told, f"{AGAIN}{told.heading}: {leading.confidence:.0%} sure; {steps} worked{held}. {where}"
    )


def _with_line(lesson: str, told: Told, line: str) -> str:
    lines = lesson.splitlines()
    old = [n for n, one in enumerate(lines) if one.startswith(AGAIN)]
    dropped = set(old[: max(0, len(old) - _SHOWN_AGAIN + 1)])
    kept = [one for n, one in enumerate(lines) if n not in dropped]
    return "\n".join([*kept, line, *_by_hand(told), *_tried(told)])


def _seen(told: Told) -> Iterator[str]:
    alert = told.incident.alert
    yield f'- Alert: {spoken(alert.name)}, "{spoken(alert.title)}". {told.source("opened")}'
    yield f"- Looked at once: {len(told.incident.evidence)} answers are kept. {told.source('looked')}"


def _reasons(told: Told, leading: Hypothesis) -> Iterator[str]:
    resolved = told.incident.resolved
    if told.said is not None and resolved is not None:
        who = f"as {spoken(resolved.by)} said at its end"
        yield f"- Cause: {leading.cause}, {who}: {spoken(resolved.because)}. {told.source('resolved')}"
    else:
        share = f"{leading.confidence:.0%}"
        yield f"- Cause: {leading.cause} ({share}): {spoken(leading.title)}. {told.source('concluded')}"
    probes = {e.id: e.probe for e in told.evidence}
    for reason in leading.evidence:
        seen = ", ".join(f"{probes.get(one, 'evidence')} {one}" for one in reason.evidence)
        yield f"- It showed: {spoken('; '.join(reason.said))}. # {seen or 'no evidence kept'}"
    if leading.objects:
        yield f"- Concerned: {_named(leading)}. {told.source('concluded')}"


def _named(leading: Hypothesis) -> str:
    """`role search_app`; what has no name but a number, such as a pid, is told by its kind."""
    named = dict.fromkeys(
        f"{one.kind} {spoken(one.name or one.id)}" if not (one.name or one.id).isdigit() else one.kind
        for one in leading.objects
    )
    more = f" and {len(named) - _SHOWN_OBJECTS} more" if len(named) > _SHOWN_OBJECTS else ""
    return ", ".join(list(named)[:_SHOWN_OBJECTS]) + more


def _mattered(told: Told, base: Playbook, leading: Hypothesis) -> Iterator[str]:
    spec = base.spec
    if leading.id not in {rule.id for rule in spec.triage.hypotheses}:
        return
    ruled = next((rule.probes for rule in spec.triage.hypotheses if rule.id == leading.id), ())
    proving = tuple(criterion.probe for criterion in spec.verify.criteria) if spec.verify else ()
    parts = {"the cause": ruled, "before acting": tuple(c.probe for c in spec.preconditions), "recovery": proving}
    said = [f"for {what} {_uses(base, names)}" for what, names in parts.items() if names]
    if said:
        yield f"- Probes that mattered: {'; '.join(said)}. {told.source('concluded', 'verified')}"


def _uses(base: Playbook, names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(base.spec.probes[name].uses for name in names))


def _done(told: Told) -> Iterator[str]:
    plan = told.incident.plan
    steps = plan.steps if plan else ()
    for op in told.incident.ops:
        tool = next((step.tool for step in steps if step.id == op.step), op.step)
        word = {"done": "it worked", "took": "it took effect, as was looked up afterwards"}.get(
            op.state, f"it was {op.state}"
        )
        touched = f"; {len(op.touched)} object{'s' if len(op.touched) > 1 else ''} touched" if op.touched else ""
        people = ", ".join(_leave(told, name) for name in op.grant.approved_by)
        where = told.source("intended", "acted", op=op.grant.op_id)
        yield f"- Did: {tool} (step {op.step}), approved {people}; {word}{touched}. {where}"


def _leave(told: Told, name: str) -> str:
    """Who let a step be done; a yes in advance is told as such."""
    if name.startswith("standing:"):
        return f"in advance{' for this drill' if told.incident.origin == 'drill' else ''} ({spoken(name)})"
    return f"by {spoken(name)}"


def _by_hand(told: Told) -> Iterator[str]:
    """What people wrote down that they did; their words, which nothing carries out."""
    notes = [one for one in told.timeline if isinstance(one.event, Noted) and one.by.startswith("user:")]
    for one in notes[:_SHOWN_NOTES]:
        said = spoken(one.event.text if isinstance(one.event, Noted) else "")
        yield f'- By hand, {spoken(one.by)}: "{said}" # from {told.incident.name} event {one.seq}'


def _proved(told: Told) -> Iterator[str]:
    verified = told.incident.verified
    if verified is None and told.by_person:
        yield f"- Recovery: the monitor itself called it over; it was not measured here. {told.source('joined')}"
    if verified is not None:
        drill = ", the short window of a drill" if told.incident.origin == "drill" else ""
        took = _took(told)
        held = f"{verified.samples} samples held for {verified.sustained_seconds:.1f} s{drill}{took}"
        yield f"- Recovery was proved: {held}. {told.source('verified')}"


def _took(told: Told) -> str:
    """`; 12 s from the alert to the end of the window`."""
    moments = {r.event.kind: r.at for r in told.timeline if r.event.kind in ("opened", "verified")}
    if len(moments) < 2:
        return ""
    return f"; {(moments['verified'] - moments['opened']).total_seconds():.0f} s from the alert to its end"


def _considered(told: Told, leading: Hypothesis) -> Iterator[str]:
    """The other hypotheses of the series: what looked alike a line each, what was refuted or not seen in one."""
    conclusion = told.incident.conclusion
    others = [h for h in conclusion.hypotheses if h.id != leading.id] if conclusion else []
    same = [h for h in others if h.playbook == leading.playbook] or others
    for other in (h for h in same if h.verdict not in _FAR):
        yield f"- Considered, {other.verdict}: {spoken(other.title)} ({other.cause}). {told.source('concluded')}"
    for verdict in _FAR:
        named = [other.id for other in same if other.verdict == verdict]
        if named:
            more = f" and {len(named) - _SHOWN_FAR} more" if len(named) > _SHOWN_FAR else ""
            yield f"- Considered, {verdict}: {', '.join(named[:_SHOWN_FAR])}{more}. {told.source('concluded')}"


def _tried(told: Told) -> Iterator[str]:
    for op in told.incident.ops:
        if op.state in ("failed_clean", "absent", "unsure"):
            said = spoken(op.because or op.return_code)
            where = told.source("acted", "settled", op=op.grant.op_id)
            yield f"- Tried, did not help: step {op.step} ({op.state}). {said} {where}"
