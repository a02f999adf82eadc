"""A verified incident becomes a draft: the series as it stands, with what was learned added and nothing taken away.

A draft of a series that has an active version is a patch of it: what it looks at, judges and does stays line for line,
so that activating it never makes the library forget. What other people wrote (alerts, rows of a database, notes) goes
into symptoms and guidance only, never into what code runs.
"""

import re
from collections.abc import Callable, Iterator

from ratchet.domain.errors import conflict
from ratchet.domain.hypothesis import Hypothesis
from ratchet.domain.playbook import FollowUp, Link, Metadata, Playbook, Spec, Tags
from ratchet.domain.series import Version
from ratchet.vault.lessons import Told, guidance, spoken
from ratchet.vault.making import PERSON, Made, free_version, new_version, short
from ratchet.vault.outline import Outline, drafted
from ratchet.vault.similar import words_of

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~/?=&%#-]*)?")
_SOURCE_KEYS = ("summary", "description")
_MOST_NEW_SYMPTOMS = 2
_MOST_RELATED = 3
_LOOK_ALIKE = ("confirmed", "undecided")
_LEANS = re.compile(r"(It|Its|They|Their|This|That|These|Those)\b")
"""How a sentence begins that says nothing without the one before it."""


def synthesise(told: Told, base: Playbook, new_id: Callable[[], str]) -> Version:
    """The draft version that grows from `base`. Raises Refusal(CONFLICT) when nothing was concluded or proved."""
    incident = told.incident
    prefix = "pb_faulttest_" if incident.origin == "drill" else "pb_incident_"
    made = Made(prefix + short(new_id(), 6), told.at, "ratchet")
    return new_version(drawn(told, base), "generated", made).model_copy(
        update={"incident": incident.name, "fault": incident.fault}
    )


def drawn(told: Told, base: Playbook) -> Playbook:
    """`base` with what was learned added. Raises Refusal(CONFLICT) when nothing was concluded or proved."""
    leading = told.leading
    if leading is None or not told.proved:
        message = f"{told.incident.name} has no proved recovery, so there is nothing to learn a playbook from."
        raise conflict(message, "Drafts come from incidents whose verification passed, or whose alert has resolved.")
    return base.model_copy(update={"metadata": _metadata(told, base), "spec": _spec(told, base, leading)})


def blank_sheet(told: Told, cause: str) -> Playbook:
    """A playbook for a cause that the library does not know yet: what only a person can say stands there as blanks."""
    alert = told.incident.alert
    playbook = drafted(Outline(form="incident", title=spoken(alert.title)))
    rule = playbook.spec.triage.hypotheses[0].model_copy(update={"cause": cause})
    spec = playbook.spec.model_copy(
        update={"triage": playbook.spec.triage.model_copy(update={"hypotheses": (rule,)}), "guidance": ""}
    )
    return playbook.model_copy(update={"spec": spec})


def _metadata(told: Told, base: Playbook) -> Metadata:
    derived = {"incident": told.incident.name, "playbook": base.pin}
    if told.incident.fault:
        derived["fault"] = told.incident.fault
    number = base.metadata.version
    if told.series.versions:
        number = free_version(number, told.series)
    else:
        derived.pop("playbook")
    return base.metadata.model_copy(update={"version": number, "source": "generated", "derived_from": derived})


def _spec(told: Told, base: Playbook, leading: Hypothesis) -> Spec:
    return base.spec.model_copy(
        update={
            "symptoms": _symptoms(told, base),
            "tags": _tags(told, base),
            "owner": _owner(told, base),
            "follow_ups": _follow_ups(told, base),
            "guidance": guidance(told, base, leading),
            "links": (*base.spec.links, *_related(told, base)),
        }
    )


def _symptoms(told: Told, base: Playbook) -> tuple[str, ...]:
    """The symptoms, and the alert's own words where no line says them already, if only of another target."""
    own = words_of([told.incident.target or ""])
    known = [(line.casefold(), words_of([line])) for line in base.spec.symptoms]
    new = [line for line in _alert_lines(told) if len(line) >= 8 and not _said(line, own, known)]
    return (*base.spec.symptoms, *new[:_MOST_NEW_SYMPTOMS])


def _said(line: str, own: frozenset[str], known: list[tuple[str, frozenset[str]]]) -> bool:
    words = words_of([line]) - own
    return any(line.casefold() in text or (words and words <= said) for text, said in known)


def _alert_lines(told: Told) -> list[str]:
    said = [spoken(told.incident.alert.annotations.get(key, "")) for key in _SOURCE_KEYS]
    summary, description = said
    if summary and _LEANS.match(description):
        said = [spoken(f"{summary.rstrip('.')}. {description}")]
    return list(dict.fromkeys(said))


def _tags(told: Told, base: Playbook) -> Tags:
    alert, tags = told.incident.alert, base.spec.tags
    boards = [text for key, text in alert.annotations.items() if "dashboard" in key and _LINK.fullmatch(text)]
    return Tags(
        service=_with(tags.service, alert.labels.get("service", "")),
        alert=_with(tags.alert, alert.labels.get("alertname", "")),
        dashboard=tuple(dict.fromkeys([*tags.dashboard, *boards])),
        fault=_with(tags.fault, told.incident.fault or ""),
    )


def _with(known: tuple[str, ...], word: str) -> tuple[str, ...]:
    return (*known, word) if word not in known and _WORD.fullmatch(word) else known


def _owner(told: Told, base: Playbook) -> str:
    """The series' owner, the target's, the fault's; else whoever ended or approved it is proposed; never a team."""
    inherited = (base.spec.owner, told.service_owner, told.fault.spec.owner if told.fault else "")
    proposed = (f"user:default/{name.removeprefix('user:')}" for name in _handled_by(told) if name.startswith("user:"))
    return next((owner for owner in (*inherited, *proposed) if PERSON.fullmatch(owner)), "")


def _handled_by(told: Told) -> Iterator[str]:
    incident = told.incident
    if incident.resolved is not None:
        yield incident.resolved.by
    for op in incident.ops:
        yield from op.grant.approved_by


def _follow_ups(told: Told, base: Playbook) -> tuple[FollowUp, ...]:
    known = {item.title.casefold() for item in base.spec.follow_ups}
    more = told.fault.spec.prevention if told.fault else ()
    return (*base.spec.follow_ups, *(item for item in more if item.title.casefold() not in known))


def _related(told: Told, base: Playbook) -> tuple[Link, ...]:
    """The other series that could not be told apart from this one by what was seen."""
    conclusion = told.incident.conclusion
    alike = [h for h in conclusion.hypotheses if h.verdict in _LOOK_ALIKE] if conclusion else []
    series = dict.fromkeys(h.playbook.partition("@")[0] for h in alike)
    known = {link.href for link in base.spec.links}
    hrefs = [f"playbook:{name}" for name in series if name != base.metadata.series]
    return tuple(Link(rel="related", href=href) for href in hrefs if href not in known)[:_MOST_RELATED]
