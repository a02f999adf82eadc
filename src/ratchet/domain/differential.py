"""The differential: every hypothesis of every candidate judged at once over the same evidence; pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from ratchet.domain.condition import Condition, Unknown
from ratchet.domain.evidence import Answer, Evidence, ProbeCall, not_looked
from ratchet.domain.history import kept_open, with_prior
from ratchet.domain.hypothesis import Conclusion, Found, Hypothesis, Reason, Verdict, groups
from ratchet.domain.noun import Noun
from ratchet.domain.playbook import HypothesisRule, ObjectRule, Playbook
from ratchet.domain.priors import Priors
from ratchet.domain.ranking import by_weight, rank_of, yields
from ratchet.domain.substitute import Unresolved, substitute

MATCH_BONUS = 3.0
"""How much more likely a playbook is when the alert names it."""
BESIDE = 0.35
"""From this share of the leader's confidence on, a second confirmed cause stands beside it even where the alert or one
playbook's own likelihoods speak for the leader."""


class Candidate(Noun):
    """A playbook in the differential, with the calls behind its probe names and whether the alert names it."""

    playbook: Playbook
    version_id: str
    calls: dict[str, tuple[ProbeCall, ...]]
    named: bool = False
    params: dict[str, Any] = {}


class Moment(Noun):
    """What a differential is judged over: evidence by call, the alert's labels, the time, what was confirmed before."""

    evidence: dict[str, Evidence]
    alert: dict[str, Any]
    now: datetime
    priors: Priors = Priors()
    target: str = ""
    """The name of the target that the alert is about; only for words."""


@lru_cache(maxsize=4096)
def parsed(text: str) -> Condition:
    """A condition, parsed once per process."""
    return Condition.parse(text)


def scope_of(candidate: Candidate, moment: Moment) -> dict[str, Any]:
    """The names that a candidate's conditions may use, with their values."""
    scope: dict[str, Any] = {"alert": moment.alert, "params": dict(candidate.params)}
    for name, calls in candidate.calls.items():
        scope[name] = merged([moment.evidence.get(call.key) for call in calls], calls, moment.now)
    return scope


def merged(seen: Sequence[Evidence | None], calls: Sequence[ProbeCall], now: datetime) -> dict[str, Any]:
    """One name space over one or several looks; each row says which target it is from. No member to meet: no rows.

    A member that could not be asked hides none that failed, and leaves a gap behind the rows of those that answered.
    """
    spaces = [
        (call.target, evidence.scope(now) if evidence is not None else not_looked(call.probe))
        for evidence, call in zip(seen, calls, strict=True)
    ]
    asked = [(target, space) for target, space in spaces if space["answer"] != Answer.UNREGISTERED]
    failed = [space for _, space in asked if isinstance(space["rows_data"], Unknown)]
    if failed or (spaces and not asked):
        return failed[0] if failed else spaces[0][1]
    rows: list[Any] = [_from(row, target) for target, space in asked for row in space["rows_data"]]
    rows += [space["rows_data"] for _, space in spaces if space["answer"] == Answer.UNREGISTERED]
    counts = [space["rows"] for _, space in spaces if isinstance(space["rows"], Unknown)]
    return {
        "answer": "ok", "available": True, "age_s": max((space["age_s"] for _, space in asked), default=0.0),
        "rows": counts[0] if counts else len(rows), "first": rows[0] if rows else None, "rows_data": rows,
    }  # fmt: skip


def _from(row: Any, target: str) -> Any:
    return row if isinstance(row, Unknown) else {**row, "target": target}


def judge(candidates: Sequence[Candidate], moment: Moment) -> Conclusion:
    """Judge all hypotheses. What people confirmed before orders them; between two that the evidence leaves open, or
    against the one that it finds, history does not choose."""
    judged = [
        (rule.likelihood, _hypothesis(candidate, rule, scope, moment))
        for candidate in candidates
        for scope in [scope_of(candidate, moment)]
        for rule in candidate.playbook.spec.triage.hypotheses
    ]
    gaps = {c.playbook.pin: c.playbook.spec.triage.ambiguity.min_gap for c in candidates}
    share = 1.0 / max(1, len(candidates))
    alone = _conclude(by_weight([h for _, h in judged], share), gaps)
    if moment.priors.silent:
        return alone
    learned = [with_prior(h, moment.priors.of(h.cause, declared)) for declared, h in judged]
    return kept_open(_conclude(by_weight(learned, share), gaps), alone)


def _hypothesis(candidate: Candidate, rule: HypothesisRule, scope: dict[str, Any], moment: Moment) -> Hypothesis:
    confirm, refute = parsed(rule.confirm).evaluate(scope), parsed(rule.refute).evaluate(scope)
    verdict = verdict_of(confirm.value, refute.value)
    found = _objects(rule.objects, scope) if verdict == "confirmed" else ()
    pro = _reason(rule.confirm, confirm, candidate, moment)
    contra = _reason(rule.refute, refute, candidate, moment)
    return Hypothesis(
        id=rule.id,
        playbook=candidate.playbook.pin,
        version_id=candidate.version_id,
        title=rule.title,
        cause=rule.cause,
        verdict=verdict,
        prior=rule.likelihood * (MATCH_BONUS if candidate.named else 1.0),
        confidence=0.0,
        objects=found,
        evidence=(pro,) if confirm.value is not False else (),
        against=(contra,) if refute.value is not False else ((pro,) if confirm.value is False else ()),
        then=rule.then,
        bearing=rule.bearing,
        named=candidate.named,
        security=rule.security,
        action=rule.action or _step_title(candidate.playbook, rule, found, moment.target),
    )


def verdict_of(confirm: bool | None, refute: bool | None) -> Verdict:
    """The verdict of a pair of three-valued answers; both true is an authoring fault, shown as contradictory."""
    match (confirm, refute):
        case (True, True):
            return "contradictory"
        case (True, False):
            return "confirmed"
        case (_, True):
            return "refuted"
        case (False, False):
            return "undecided"
        case _:
            return "unknown"


def _step_title(playbook: Playbook, rule: HypothesisRule, found: Sequence[Found], target: str) -> str:
    """What the first step would do, in its own title, with the objects that were named."""
    step = playbook.spec.steps.get(rule.then[0])
    if step is None:
        return ""
    try:
        return str(substitute(step.title, {"objects": groups(found), "target": target}))
    except (Unresolved, ValueError):
        return rule.title


def _reason(text: str, verdict: Any, candidate: Candidate, moment: Moment) -> Reason:
    names = [name for name in parsed(text).names if name in candidate.calls]
    calls = [call for name in sorted(names) for call in candidate.calls[name]]
    seen = [moment.evidence[call.key].id for call in calls if call.key in moment.evidence]
    line = verdict.trace.render()
    if verdict.value is None and verdict.reason not in line:
        line = f"{line} ({verdict.reason})"
    probes = tuple(dict.fromkeys(call.probe for call in calls))
    return Reason(text=line, trace=verdict.trace, evidence=tuple(seen), probes=probes)


def _objects(rules: Sequence[ObjectRule], scope: dict[str, Any]) -> tuple[Found, ...]:
    return tuple(found for rule in rules for found in objects_of(rule, scope))


def objects_of(rule: ObjectRule, scope: Mapping[str, Any]) -> list[Found]:
    """The objects that a rule names over captured rows; rows that cannot be read are left out, never guessed."""
    rows: Any = [None] if rule.each is None else parsed(rule.each).value(scope)
    if not isinstance(rows, list):
        return []
    found: list[Found] = []
    for row in cast("list[Any]", rows):
        inner: dict[str, Any] = {**scope, "o": row}
        if rule.when is not None and parsed(rule.when).evaluate(inner).value is not True:
            continue
        name = parsed(rule.name).value(inner) if rule.name else ""
        key = parsed(rule.id).value(inner)
        kept = {field: parsed(text).value(inner) for field, text in rule.keep.items()}
        if key is None or any(isinstance(value, Unknown) for value in (key, *kept.values())):
            continue
        label = "" if name is None or isinstance(name, Unknown) else str(name)
        found.append(Found(kind=rule.kind, id=str(key), name=label, values=kept))
    return list({(f.kind, f.id): f for f in found}.values())[: rule.limit]


def _conclude(ranked: tuple[Hypothesis, ...], gaps: Mapping[str, float]) -> Conclusion:
    sure = [n for n, h in enumerate(ranked) if h.verdict == "confirmed"]
    alarms = [n for n in sure if ranked[n].security]
    if alarms:
        lead = ranked[alarms[0]]
        why = f"A security hypothesis is confirmed: {lead.title}."
        return _of("security", ranked, alarms[0], "Change nothing; call security.", why)
    broken = [h for h in ranked if h.verdict == "contradictory"]
    if not sure and broken:
        why = f"{broken[0].playbook}: hypothesis {broken[0].id} is confirmed and refuted by the same evidence."
        return _of("contradictory", ranked, None, "Mend the playbook; decide by hand tonight.", why)
    if not sure:
        return _of("unknown_cause", ranked, None, _look_further(ranked), _why_unknown(ranked))
    most = min(rank_of(ranked[n]) for n in sure)
    pressing = [n for n in sure if not yields(ranked[n], most)]
    first, lead = pressing[0], ranked[pressing[0]]
    gap = gaps.get(lead.playbook, 0.20)
    others = [ranked[n] for n in pressing[1:]]
    near = [h for h in others if lead.confidence - h.confidence < gap or _beside(h, lead)]
    if near:
        names = "; ".join(f"{h.title} ({h.confidence:.0%})" for h in (lead, *near))
        return _of("ambiguous", ranked, first, "Decide between the confirmed causes.", f"Too close to choose: {names}.")
    why = f"{lead.title}: {_first(lead)}{_found_too([ranked[n] for n in sure], lead)}"
    return _of("cause", ranked, first, lead.action or lead.title, why)


def _beside(other: Hypothesis, lead: Hypothesis) -> bool:
    """Whether another cause is confirmed too: two things are wrong, or one explains both, and priors do not choose.
    Only an alert does, where it speaks of the one and not of the other, and whoever wrote both into one playbook."""
    if other.cause == lead.cause:
        return False
    told = lead.named and not other.named and rank_of(other) >= rank_of(lead)
    weighed = told or other.playbook == lead.playbook
    return not weighed or other.confidence >= lead.confidence * BESIDE


def _found_too(others: Sequence[Hypothesis], lead: Hypothesis) -> str:
    """What else was found and presses less."""
    titles = dict.fromkeys(h.title for h in others if h.cause != lead.cause)
    return f" Found beside it, and less pressing: {'; '.join(titles)}." if titles else ""


def _of(outcome: Any, ranked: tuple[Hypothesis, ...], chosen: int | None, action: str, why: str) -> Conclusion:
    lead = None if chosen is None else ranked[chosen]
    return Conclusion(
        outcome=outcome,
        cause=lead.cause if lead is not None and outcome in ("cause", "security") else None,
        confidence=round(lead.confidence, 4) if lead is not None else 0.0,
        hypotheses=tuple(h.model_copy(update={"confidence": round(h.confidence, 4)}) for h in ranked),
        chosen=chosen,
        suggested_action=action,
        why=why,
    )


def _first(hypothesis: Hypothesis) -> str:
    return hypothesis.evidence[0].text if hypothesis.evidence else "no evidence line"


def _look_further(ranked: tuple[Hypothesis, ...]) -> str:
    blind = sorted({p for h in ranked if h.verdict == "unknown" for r in (*h.evidence, *h.against) for p in r.probes})
    if blind:
        return "Look by hand where Ratchet could not: " + ", ".join(blind[:6]) + "."
    return "Look beyond the library's hypotheses: all of them are refuted or undecided."


def _why_unknown(ranked: tuple[Hypothesis, ...]) -> str:
    counts = {verdict: sum(h.verdict == verdict for h in ranked) for verdict in ("refuted", "undecided", "unknown")}
    told = ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n)
    return f"Of {len(ranked)} hypotheses none is confirmed ({told or 'none was judged'})."
