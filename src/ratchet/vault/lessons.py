"""What an incident taught, in plain words: every line says where in the timeline, or in which evidence, it stands."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ratchet.domain.evidence import Evidence
from ratchet.domain.fault import Fault
from ratchet.domain.hypothesis import Hypothesis
from ratchet.domain.incident import Incident
from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Series
from ratchet.domain.timeline import Event, Noted, Recorded
from ratchet.security.redact import Redactor
from ratchet.vault.wording import LEFT

GENERAL = "What the series says in general:"
_LONGEST = 400
_SHOWN_DEAD_ENDS = 8
_SHOWN_NOTES = 12
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]+"
)


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

    def source(self, *kinds: str) -> str:
        """`# from INC-1 event 7`, for the last events of these kinds."""
        last = sorted({r.event.kind: r.seq for r in self.timeline if r.event.kind in kinds}.values())
        return f"# from {self.incident.name}" + (f" event {', '.join(map(str, last))}" if last else "")


def spoken(text: str) -> str:
    """Somebody else's words, fit to stand in a file: one line, no secret, nothing that reads like a placeholder."""
    line = Redactor((), b"draft").text(_CONTROL.sub(" ", text))
    line = " ".join(line.split())[:_LONGEST].replace("{{", "{ {").replace("}}", "} }")
    return LEFT.sub(lambda found: found.group().strip("<>").lower(), line).strip()


def guidance(told: Told, base: Playbook, leading: Hypothesis) -> str:
    """The draft's prose: what this incident taught first, then what the series said before."""
    lines = [
        f"Learned from {told.incident.name}, {told.at.date().isoformat()}"
        f"{f', a drill of {told.incident.fault}' if told.incident.fault else ''}:",
        "",
        *_seen(told),
        *_reasons(told, leading),
        *_mattered(told, base, leading),
        *_done(told),
        *_by_hand(told),
        *_proved(told),
        *_dead_ends(told, leading),
    ]
    general = base.spec.guidance.rpartition(f"{GENERAL}\n\n")[2].strip()
    tail = ["", GENERAL, "", general] if general else []
    return "\n".join([*lines, *tail]).rstrip() + "\n"


def _seen(told: Told) -> Iterator[str]:
    alert = told.incident.alert
    yield f'- Alert: {spoken(alert.name)}, "{spoken(alert.title)}". {told.source("opened")}'
    yield f"- Looked at once, in parallel; answers kept: {len(told.incident.evidence)}. {told.source('looked')}"


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
    kinds = sorted({found.kind for found in leading.objects})
    if kinds:
        yield f"- Concerned: {len(leading.objects)} object(s) of kind {', '.join(kinds)}. {told.source('concluded')}"


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
        word = {"done": "worked", "took": "took effect, as was looked up afterwards"}.get(op.state, f"was {op.state}")
        touched = f"; it touched {len(op.touched)} object(s)" if op.touched else ""
        people = ", ".join(spoken(name) for name in op.grant.approved_by)
        where = told.source("intended", "acted")
        yield f"- Did: {tool} (step {op.step}), approved by {people}; it {word}{touched}. {where}"


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
        held = f"{verified.samples} samples held for {verified.sustained_seconds:g} s"
        yield f"- Recovery was proved: {held}. {told.source('verified')}"


def _dead_ends(told: Told, leading: Hypothesis) -> Iterator[str]:
    conclusion = told.incident.conclusion
    others = [h for h in conclusion.hypotheses if h.id != leading.id] if conclusion else []
    same = [h for h in others if h.playbook == leading.playbook] or others
    for other in same[:_SHOWN_DEAD_ENDS]:
        yield f"- Considered, {other.verdict}: {spoken(other.title)} ({other.cause}). {told.source('concluded')}"
    for op in told.incident.ops:
        if op.state in ("failed_clean", "absent", "unsure"):
            said = spoken(op.because or op.return_code)
            yield f"- Tried, did not help: step {op.step} ({op.state}). {said} {told.source('acted', 'settled')}"
