"""A playbook as a Markdown page for the person who is awake at two in the morning."""

import re
from collections.abc import Iterator

from ratchet.domain.duration import show_duration
from ratchet.domain.playbook import HypothesisRule, Playbook, StepRule

_SPECIAL = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\\": "\\\\", "|": "\\|", "`": "'", "[": "\\[", "]": "\\]"}
)
_TICKS = re.compile("`+")
_WORDS = re.compile(r"\w+")
_HEADS = re.compile(r"^(\s*)(#|=+\s*$|-+\s*$|~~~)")


def markdown(playbook: Playbook) -> str:
    """Symptom, Diagnosis, Resolution, Verification, Escalation, Prevention, Owner; nothing in it runs."""
    lines = [
        *_head(playbook),
        *_diagnosis(playbook),
        *_resolution(playbook),
        *_verification(playbook),
        *_escalation(playbook),
        *_prevention(playbook),
        *_owner(playbook),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _plain(text: str) -> str:
    """Text of the file as text of the page: it never becomes markup."""
    return _seen(" ".join(text.split())).translate(_SPECIAL)


def _prose(line: str) -> str:
    """A line of the guidance: lists and indents stay, but it never begins a part of the page."""
    return _HEADS.sub(r"\1\\\2", _seen(line).translate(_SPECIAL))


def _code(text: str) -> str:
    """Text of the file letter for letter, as code; a run of ticks inside never ends it."""
    line = _seen(" ".join(text.split()))
    longest = max((len(run) for run in _TICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"`{line}`"


def _seen(text: str) -> str:
    """A stand-in for every character that steers a terminal or that nobody sees."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def _head(playbook: Playbook) -> Iterator[str]:
    meta, spec = playbook.metadata, playbook.spec
    yield f"# {_plain(meta.title)}"
    yield ""
    yield f"{_plain(meta.name)} · {_code(playbook.pin)} · {meta.source}"
    yield ""
    yield "## Symptom"
    yield ""
    yield from (f"- {_code(symptom)}" for symptom in spec.symptoms)
    if spec.tags.alert:
        yield ""
        yield f"Alerts: {', '.join(_plain(name) for name in spec.tags.alert)}"
    yield ""


def _diagnosis(playbook: Playbook) -> Iterator[str]:
    yield "## Diagnosis"
    yield ""
    for rule in sorted(playbook.spec.triage.hypotheses, key=lambda rule: -rule.likelihood):
        yield from _hypothesis(playbook, rule)
    if playbook.spec.guidance:
        yield "### Guidance"
        yield ""
        yield from (_prose(line) for line in playbook.spec.guidance.rstrip().splitlines())
        yield ""


def _hypothesis(playbook: Playbook, rule: HypothesisRule) -> Iterator[str]:
    yield f"### {_plain(rule.title)}"
    yield ""
    yield f"Cause `{rule.cause}`, likelihood {rule.likelihood:.0%} before anything is looked at."
    yield ""
    yield f"- Look at: {', '.join(_code(playbook.spec.probes[name].uses) for name in rule.probes)}"
    yield f"- Speaks for it: {_code(rule.confirm)}"
    yield f"- Speaks against it: {_code(rule.refute)}"
    if rule.then == ("escalate",):
        yield f"- Then a person: {_plain(rule.action)}"
    else:
        steps = [playbook.spec.steps[name].title if name in playbook.spec.steps else name for name in rule.then]
        yield f"- Then: {'; '.join(_plain(title) for title in steps)}"
    yield ""


def _resolution(playbook: Playbook) -> Iterator[str]:
    yield "## Resolution"
    yield ""
    if not playbook.spec.steps:
        yield "Ratchet does nothing here by itself; it hands over with what it found."
        yield ""
    for number, step in enumerate(playbook.spec.steps.values(), 1):
        yield from _step(number, step)


def _step(number: int, step: StepRule) -> Iterator[str]:
    yield f"{number}. **{_plain(step.title)}** ({_code(step.uses or step.capability or '')}, {step.effect})"
    yield f"   - Only when: {_code(step.preview.require)}"
    people = "one approver" if step.approval.quorum == 1 else f"{step.approval.quorum} approvers"
    answer = f"{show_duration(step.approval.expires)} to answer"
    yield f"   - Asks {people}, {answer}: {_plain(step.approval.prompt)}"
    risk = step.risk
    yield f"   - Risk: {_plain(risk.blast_radius)}; users: {_plain(risk.user_impact)}; data: {_plain(risk.data_risk)}"
    taken_back = "can be taken back" if step.rollback.possible else "cannot be taken back"
    yield f"   - It {taken_back}. {_plain(step.rollback.plan)}"
    yield ""


def _verification(playbook: Playbook) -> Iterator[str]:
    yield "## Verification"
    yield ""
    rule = playbook.spec.verify
    if rule is None:
        yield "By the person who takes over."
        yield ""
        return
    yield (
        f"All of this, unbroken for {show_duration(rule.sustain)} with at least {rule.min_samples} samples; "
        f"given up after {show_duration(rule.give_up_after)}:"
    )
    yield ""
    for criterion in rule.criteria:
        seen = " (what users feel)" if criterion.user_visible else ""
        yield f"- {criterion.id}{seen}: {_code(criterion.expect)}"
    yield ""


def _escalation(playbook: Playbook) -> Iterator[str]:
    rule = playbook.spec.escalation
    yield "## Escalation"
    yield ""
    via = f" via {', '.join(_plain(way) for way in rule.via)}" if rule.via else ""
    yield f"To {_plain(rule.to)}{via}. {_plain(rule.ask)}"
    yield ""


def _prevention(playbook: Playbook) -> Iterator[str]:
    yield "## Prevention"
    yield ""
    once = {" ".join(_WORDS.findall(item.title.casefold())): item for item in reversed(playbook.spec.follow_ups)}
    for item in reversed(once.values()):
        yield f"- {item.kind}: {_plain(item.title)}{f' ({_code(item.link)})' if item.link else ''}"
    if not playbook.spec.follow_ups:
        yield "Nothing is written down yet; a person must add it."
    yield ""


def _owner(playbook: Playbook) -> Iterator[str]:
    spec = playbook.spec
    yield "## Owner"
    yield ""
    nobody = "Ships with Ratchet; the person who adopts it becomes its owner."
    yield _plain(spec.owner) or (nobody if playbook.metadata.source == "system" else "Nobody yet.")
    if spec.team:
        yield f"Team: {_plain(spec.team)}"
    yield f"Reviewed every {show_duration(spec.review.every)}; last: {spec.review.last or 'never'}."
    if spec.links:
        yield ""
        yield from (f"- {_plain(link.rel)}: {_code(link.href)}" for link in spec.links)
