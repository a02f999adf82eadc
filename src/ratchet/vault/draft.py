"""A verified incident becomes a draft: the series as it stands, with what worked lifted out and written down.

The hypotheses of the series that were not at issue stay: activating a draft must never make the library forget. What
other people wrote (alerts, rows of a database) goes into symptoms and guidance only, never into what code runs.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from ratchet.domain.duration import show_duration
from ratchet.domain.errors import conflict
from ratchet.domain.hypothesis import Hypothesis
from ratchet.domain.playbook import FollowUp, Metadata, Param, Playbook, Review, Spec, StepRule, Tags
from ratchet.domain.series import Version
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.lessons import Told, guidance, spoken
from ratchet.vault.seeding import numbers

__all__ = ["Told", "blanks_of", "synthesise"]

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~/?=&%#-]*)?")
_PERSON = re.compile(r"user:[a-z0-9_.-]+/[A-Za-z0-9_.-]+")
_SOURCE_KEYS = ("summary", "description")
_MOST_NEW_SYMPTOMS = 2


def synthesise(told: Told, base: Playbook, new_id: Callable[[], str]) -> Version:
    """The draft version. Raises Refusal(CONFLICT) when recovery was not proved or nothing was concluded."""
    incident = told.incident
    leading = incident.conclusion.leading if incident.conclusion else None
    if leading is None or incident.verified is None or not incident.verified.passed:
        message = f"{incident.name} has no proved recovery, so there is nothing to learn a playbook from."
        raise conflict(message, "Drafts come from incidents whose verification passed.")
    playbook = Playbook(metadata=_metadata(told, base), spec=_spec(told, base, leading))
    text = canonical_text(playbook)
    prefix = "pb_faulttest_" if incident.origin == "drill" else "pb_incident_"
    return Version(
        id=prefix + hashlib.sha256(new_id().encode()).hexdigest()[:6],
        series=playbook.metadata.series,
        version=playbook.metadata.version,
        name=playbook.metadata.name,
        title=playbook.metadata.title,
        source="generated",
        text=text,
        digest=text_digest(text),
        guidance=playbook.spec.guidance,
        created_at=told.at,
        created_by="ratchet",
        incident=incident.name,
        fault=incident.fault,
        blanks=blanks_of(playbook),
    )


def blanks_of(playbook: Playbook) -> tuple[str, ...]:
    """What only a person can give before this may be activated."""
    owned = playbook.metadata.source == "system" or _PERSON.fullmatch(playbook.spec.owner)
    blanks = ("" if owned else "owner", "" if playbook.spec.follow_ups else "prevention")
    return tuple(blank for blank in blanks if blank)


def _metadata(told: Told, base: Playbook) -> Metadata:
    derived = {"incident": told.incident.name, "playbook": base.pin}
    if told.incident.fault:
        derived["fault"] = told.incident.fault
    return base.metadata.model_copy(
        update={"version": next_version(told, base), "source": "generated", "derived_from": derived}
    )


def next_version(told: Told, base: Playbook) -> str:
    """The next minor version of the base that no version of the series has taken."""
    major, minor = numbers(base.metadata.version)
    taken = {numbers(version.version) for version in told.series.versions}
    minor += 1
    while (major, minor) in taken:
        minor += 1
    return f"{major}.{minor}"


def _spec(told: Told, base: Playbook, leading: Hypothesis) -> Spec:
    spec = base.spec
    rules = sorted(spec.triage.hypotheses, key=lambda rule: rule.id != leading.id)
    used = {op.step for op in told.incident.ops if op.state in ("done", "took")}
    steps: dict[str, StepRule] = {}
    params = _as_used(told, spec.params)
    for name, step in spec.steps.items():
        steps[name], more = _lifted(name, step) if name in used else (step, {})
        params.update(more)
    return spec.model_copy(
        update={
            "symptoms": _symptoms(told, base),
            "tags": _tags(told, base),
            "owner": _owner(told, base),
            "review": Review(every=spec.review.every),
            "params": params,
            "triage": spec.triage.model_copy(update={"hypotheses": tuple(rules)}),
            "steps": steps,
            "follow_ups": _follow_ups(told, base),
            "guidance": guidance(told, base, leading),
        }
    )


def _lifted(name: str, step: StepRule) -> tuple[StepRule, dict[str, Param]]:
    """A step that worked, its literal numbers made parameters with that number as default."""
    params: dict[str, Param] = {}
    args: dict[str, Any] = {}
    for key, value in step.args.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            args[key] = value
            continue
        lifted = f"{name}_{key}"
        params[lifted] = Param(type="int" if isinstance(value, int) else "number", default=value)
        args[key] = f"{{{{ params.{lifted} }}}}"
    return step.model_copy(update={"args": args}), params


def _as_used(told: Told, declared: Mapping[str, Param]) -> dict[str, Param]:
    """Parameters with the value that worked as default; values that came from an alert are never made defaults."""
    plan = told.incident.plan
    values: Mapping[str, Any] = plan.text_scope.get("params", {}) if plan else {}
    found: dict[str, Param] = {}
    for name, param in declared.items():
        value = values.get(name)
        known = value is not None and param.source is None and param.type not in ("target", "string")
        shown = show_duration(value) if known and param.type == "duration" and isinstance(value, int | float) else value
        found[name] = param.model_copy(update={"default": shown}) if known else param
    return found


def _symptoms(told: Told, base: Playbook) -> tuple[str, ...]:
    known = [symptom.casefold() for symptom in base.spec.symptoms]
    alert = told.incident.alert
    words = [spoken(alert.annotations.get(key, "")) for key in _SOURCE_KEYS]
    new = [line for line in dict.fromkeys(words) if len(line) >= 8 and not any(line.casefold() in one for one in known)]
    return (*base.spec.symptoms, *new[:_MOST_NEW_SYMPTOMS])


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
    """The series' owner, else the fault's, else whoever owns the target that was mended; never a team."""
    inherited = (base.spec.owner, told.fault.spec.owner if told.fault else "", told.service_owner)
    return next((owner for owner in inherited if _PERSON.fullmatch(owner)), "")


def _follow_ups(told: Told, base: Playbook) -> tuple[FollowUp, ...]:
    known = {item.title.casefold() for item in base.spec.follow_ups}
    more = told.fault.spec.prevention if told.fault else ()
    return (*base.spec.follow_ups, *(item for item in more if item.title.casefold() not in known))
