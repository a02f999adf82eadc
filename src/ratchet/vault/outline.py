"""What another format's file says, as prose: an outline, and the draft with explicit blanks that it becomes.

Nothing of it can be carried out: commands become lines of guidance, and steps are written by a person who names a
registered tool.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ratchet.domain.playbook import (
    EscalationRule,
    FollowUp,
    HypothesisRule,
    Metadata,
    Playbook,
    Spec,
    Tags,
    Triage,
)
from ratchet.vault.lessons import spoken
from ratchet.vault.making import PERSON
from ratchet.vault.making import short as digest_of

FileForm: TypeAlias = Literal["ratchet", "markdown", "ansible", "rundeck", "cacao"]
_SLUG = re.compile(r"[^a-z0-9]+")
_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~/?=&%#-]*)?")
_MOST = 40
"""Lines of each kind (symptoms, prose, steps, preventions) that are taken over; the rest is counted in the notes."""
_LONGEST_NAME = 48


@dataclass(frozen=True)
class Outline:
    """A file of another format, in plain lines."""

    form: FileForm | Literal["incident"]
    title: str
    symptoms: tuple[str, ...] = ()
    prose: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    """What the file would have run, one line each, as words."""
    prevention: tuple[str, ...] = ()
    owner: str = ""
    alerts: tuple[str, ...] = ()


def series_of(outline: Outline) -> str:
    """`pbs_` and the title's plain words. Where they do not say the whole title, because it is long or written in
    other letters, a digest of it follows: two titles never share a series by what was left out."""
    title = " ".join(outline.title.lower().split())
    words = _SLUG.sub("_", title).strip("_")
    short = words[:_LONGEST_NAME].strip("_")
    whole = short == words and not any(letter.isalnum() and not letter.isascii() for letter in title)
    return f"pbs_{words}" if words and whole else f"pbs_{short or 'imported'}_{digest_of(title, 8)}"


def left_out(outline: Outline) -> tuple[str, ...]:
    """What is not taken over, counted; empty when everything is."""
    kinds = (
        ("symptoms", outline.symptoms), ("lines of prose", outline.prose), ("steps", outline.steps),
        ("preventions", outline.prevention),
    )  # fmt: skip
    return tuple(
        f"{len(lines) - _MOST} of {len(lines)} {kind} were left out: read them in the file"
        for kind, lines in kinds
        if len(lines) > _MOST
    )


def guidance_of(outline: Outline) -> str:
    """The file's words, what it would have run told apart from the rest."""
    lines = [f"Imported from a file of the form {outline.form}. Nothing here runs."]
    lines += ["", *(f"- {line}" for line in _plain(outline.prose))] if outline.prose else []
    if outline.steps:
        lines += ["", "What the file would have done, to be written as steps with registered tools:", ""]
        lines += [f"{number}. {line}" for number, line in enumerate(_plain(outline.steps), 1)]
    lines += ["", *(f"- {line}." for line in left_out(outline))]
    return "\n".join(lines).rstrip() + "\n"


def drafted(outline: Outline, version: str = "1.0") -> Playbook:
    """A playbook of its own, with everything blank that only a person knows."""
    title = spoken(outline.title)[:120]
    said = f"{title} (imported)" if len(title) < 8 else title
    rule = HypothesisRule(
        id="imported", title="<WHAT THE CAUSE LOOKS LIKE>", cause="<CAUSE>", likelihood=0.5,
        confirm="<WHAT CONFIRMS IT>", refute="<WHAT REFUTES IT>", then=("escalate",), action="<FIRST ACTION>",
    )  # fmt: skip
    return Playbook(
        metadata=Metadata(
            series=series_of(outline), version=version, title=said, name=said[:80], source="imported",
            derived_from={"form": outline.form},
        ),
        spec=Spec(
            symptoms=symptoms_of(outline),
            tags=Tags(alert=tuple(name for name in outline.alerts if re.fullmatch(r"[A-Za-z0-9_.:-]{1,100}", name))),
            owner=outline.owner if PERSON.fullmatch(outline.owner) else "",
            probes={},
            triage=Triage(hypotheses=(rule,)),
            escalation=EscalationRule(to="<WHOM TO ASK>", ask="<WHAT THEY MUST DECIDE>"),
            follow_ups=follow_ups_of(outline),
            guidance=guidance_of(outline),
        ),
    )  # fmt: skip


def symptoms_of(outline: Outline) -> tuple[str, ...]:
    """The symptoms in the file's own words."""
    return tuple(line for line in _plain(outline.symptoms) if len(line) >= 4)


def follow_ups_of(outline: Outline) -> tuple[FollowUp, ...]:
    """What the file says against a repeat; a whole address in it becomes the link."""
    found: list[FollowUp] = []
    for line in _plain(outline.prevention):
        link = _LINK.search(line)
        if len(line) >= 4:
            found.append(FollowUp(kind="ticket", title=line, link=link.group() if link else ""))
    return tuple(found)


def _plain(lines: tuple[str, ...]) -> list[str]:
    return [line for line in (spoken(one) for one in lines[:_MOST]) if line]
