"""Names in a file against what is registered: probes, tools with their arguments, causes, and where `then` leads."""

import re
from collections.abc import Iterator
from typing import Any

from ratchet.domain.errors import Mistake
from ratchet.domain.sheet import Fields, Path, Sheet, names, nearest, text
from ratchet.vault.arguments import misfits
from ratchet.vault.known import KnownTools
from ratchet.vault.placeholders import placeholder_mistakes

_SERIES = re.compile(r"playbook:pbs_[a-z0-9_]{1,60}")
HYPOTHESES: Path = ("spec", "triage", "hypotheses")
STEPS: Path = ("spec", "steps")
PROBES: Path = ("spec", "probes")


def binding_mistakes(sheet: Sheet, known: KnownTools, causes: frozenset[str]) -> Iterator[Mistake]:
    """Every name that is not registered or declared, and everything declared that nothing uses."""
    yield from _probes(sheet, known)
    yield from _steps(sheet, known)
    yield from _hypotheses(sheet, known, causes)
    yield from _probe_names(sheet)
    yield from _unused(sheet)
    yield from placeholder_mistakes(sheet)


def _probes(sheet: Sheet, known: KnownTools) -> Iterator[Mistake]:
    for path, probe in sheet.each(*PROBES):
        uses = text(probe, "uses")
        if not uses or uses in known.probes:
            continue
        place = (*path, "uses")
        if uses in known.tools:
            remedy = "Probes only look; move it to a step, or name a read probe here."
            yield sheet.mistake(place, "PB014", f"the probe {path[-1]!r} uses the write tool {uses!r}", remedy)
        else:
            yield sheet.mistake(place, "PB010", f"no probe is named {uses!r}", nearest(uses, known.probes))


def _steps(sheet: Sheet, known: KnownTools) -> Iterator[Mistake]:
    steps = sheet.fields(*STEPS)
    for path, step in sheet.each(*STEPS):
        uses, capability = text(step, "uses"), text(step, "capability")
        if bool(uses) == bool(capability):
            remedy = "Name a tool in `uses`, or what is wanted in `capability`; one of the two."
            yield sheet.mistake(path, "PB010", f"the step {path[-1]!r} must name a tool or a capability", remedy)
        if capability and capability not in known.capabilities:
            message = f"no tool offers the capability {capability!r}"
            yield sheet.mistake((*path, "capability"), "PB010", message, nearest(capability, known.capabilities))
        if uses:
            yield from _tool(sheet, (path, step), uses, known)
        following = text(step, "next")
        if following and following != "verify" and following not in steps:
            message = f"`next` of {path[-1]!r} names no step: {following!r}"
            yield sheet.mistake((*path, "next"), "PB010", message, nearest(following, [*steps, "verify"]))


def _tool(sheet: Sheet, entry: tuple[Path, Fields], uses: str, known: KnownTools) -> Iterator[Mistake]:
    path, step = entry
    tool = known.tools.get(uses)
    if tool is None and uses in ("shell", "exec", "sql"):
        message = f"the step {path[-1]!r} would run free text through {uses!r}"
        yield sheet.mistake((*path, "uses"), "PB019", message, "Name a registered tool; ask for one that is missing.")
    elif tool is None:
        said = "it is a read probe" if uses in known.probes else "no such write tool is registered"
        message = f"the step {path[-1]!r} uses {uses!r}: {said}"
        yield sheet.mistake((*path, "uses"), "PB010", message, nearest(uses, known.tools))
    else:
        args: Any = step.get("args", {})
        for place, message, remedy in misfits(args, tool.arguments, (*path, "args")):
            yield sheet.mistake(place, "PB001", f"{uses}: {message}", remedy)


def _hypotheses(sheet: Sheet, known: KnownTools, causes: frozenset[str]) -> Iterator[Mistake]:
    targets = [*sheet.fields(*STEPS), "escalate"]
    seen: set[str] = set()
    for path, rule in sheet.each(*HYPOTHESES):
        own = text(rule, "id")
        if own and own in seen:
            yield sheet.mistake((*path, "id"), "PB010", f"two hypotheses have the id {own!r}", "Give each its own id.")
        seen.add(own)
        cause = text(rule, "cause")
        if cause and cause not in causes:
            message = f"the cause {cause!r} is not in causes.yaml"
            yield sheet.mistake((*path, "cause"), "PB010", message, nearest(cause, causes))
        for name in names(rule, "then"):
            if name in targets or name in known.capabilities or _SERIES.fullmatch(name):
                continue
            message = f"`then` of {own!r} leads to {name!r}, which is no step, capability or playbook"
            yield sheet.mistake((*path, "then"), "PB010", message, nearest(name, targets))
        if names(rule, "then") == ("escalate",) and not text(rule, "action").strip():
            message = f"the hypothesis {own!r} ends with a person and does not say what to do"
            yield sheet.mistake(path, "PB028", message, "Add `action:` with the first thing that person does.")


def _probe_names(sheet: Sheet) -> Iterator[Mistake]:
    declared = sheet.fields(*PROBES)
    sections = ((HYPOTHESES, "probes"), (("spec", "preconditions"), "probe"), (("spec", "verify", "criteria"), "probe"))
    looks = [(path, key, rule) for section, key in sections for path, rule in sheet.each(*section)]
    for path, key, rule in looks:
        for name in names(rule, key):
            if name not in declared:
                message = f"{rule.get('id', path[-1])!r} looks at {name!r}, which is no probe of this file"
                yield sheet.mistake((*path, key), "PB010", message, nearest(name, declared))


def _unused(sheet: Sheet) -> Iterator[Mistake]:
    rules = [rule for _, rule in sheet.each(*HYPOTHESES)]
    reached = {name for rule in rules for name in names(rule, "then")}
    reached |= {text(step, "next") for _, step in sheet.each(*STEPS)}
    for name in sheet.fields(*STEPS):
        if name not in reached:
            remedy = "Lead a hypothesis to it with `then:`, or remove the step."
            yield sheet.mistake((*STEPS, name), "PB027", f"nothing leads to the step {name!r}", remedy)
    looked = {name for rule in rules for name in names(rule, "probes")}
    for section in (("spec", "preconditions"), ("spec", "verify", "criteria")):
        looked |= {text(rule, "probe") for _, rule in sheet.each(*section)}
    for name in sheet.fields(*PROBES):
        if name not in looked:
            remedy = "Remove it, or name it in a hypothesis, a precondition or a criterion."
            yield sheet.mistake((*PROBES, name), "PB027", f"nothing looks at the probe {name!r}", remedy)
