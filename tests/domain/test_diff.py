"""The semantic diff: every change is found, what may harm comes first, and only that asks for a second person."""

from collections.abc import Callable
from typing import Any

import pytest

from ratchet.domain.diff import difference
from ratchet.domain.playbook import Playbook

BASE: dict[str, Any] = {
    "metadata": {"series": "pbs_x", "version": "1.0", "title": "Logins are refused", "name": "Logins"},
    "spec": {
        "symptoms": ["too many clients"],
        "environments": ["staging"],
        "params": {"min_idle": {"type": "duration", "default": "5m"}},
        "preconditions": [{"id": "seen", "probe": "seen", "expect": "seen.rows == 1"}],
        "probes": {
            "p": {"uses": "postgres.holders"}, "seen": {"uses": "postgres.ping"}, "canary": {"uses": "postgres.canary"},
            "logins": {"uses": "postgres.limits"}, "aside": {"uses": "postgres.limits"},
        },
        "triage": {
            "hypotheses": [
                {"id": "leak", "title": "A leak", "cause": "idle", "likelihood": 0.4, "probes": ["p"],
                 "confirm": "p.rows > 3", "refute": "p.rows < 2", "then": ["end"],
                 "objects": [{"kind": "session", "each": "p.rows_data", "when": "o.idle", "id": "o.pid"}]},
                {"id": "break_in", "title": "A break-in", "cause": "theft", "likelihood": 0.1, "probes": ["logins"],
                 "confirm": "logins.rows > 9", "refute": "logins.rows < 9", "security": True, "then": ["escalate"]},
                {"id": "told", "title": "Told", "cause": "load", "likelihood": 0.1, "probes": ["aside"],
                 "confirm": "aside.rows > 9", "refute": "aside.rows < 9", "then": ["escalate"]},
            ]
        },
        "steps": {
            "end": {
                "title": "End them", "uses": "postgres.terminate_sessions", "args": {"application": "x"}, "cap": 10,
                "effect": "reversible", "preview": {"require": "preview.rows >= 1"}, "timeout": "10s",
                "approval": {"quorum": 2, "expires": "5m"}, "cooldown": "15m",
                "stop_if": [{"when": "result.first.n == 0", "reason": "nothing"}],
                "risk": {"blast_radius": "a", "user_impact": "b", "data_risk": "c"},
                "rollback": {"possible": True},
            }
        },
        "verify": {"criteria": [{"id": "free", "probe": "canary", "expect": "canary.rows < 3", "user_visible": True}]},
        "escalation": {"to": "group:default/db", "ask": "Decide what to do."},
        "follow_ups": [{"kind": "alert", "title": "Warn early"}],
        "guidance": "Look first.\n",
    },
}  # fmt: skip
STEP = BASE["spec"]["steps"]["end"]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The base with one value replaced (None removes it); `path` is dotted, numbers index lists."""

    def put(inside: Any, parts: list[str]) -> Any:
        head, *rest = parts
        key: Any = int(head) if isinstance(inside, list) else head
        copy = list(inside) if isinstance(inside, list) else dict(inside)
        if rest:
            copy[key] = put(copy[key], rest)
        elif isinstance(copy, list) and key == len(copy):
            copy.append(value)
        elif value is None:
            del copy[key]
        else:
            copy[key] = value
        return copy

    return put(BASE, path.split("."))


def play(data: dict[str, Any]) -> Playbook:
    return Playbook.model_validate(data)


WIDENS = {
    "the effect is raised": ("spec.steps.end.effect", "destructive", "effect_raised"),
    "a mutating step is added": ("spec.steps.more", {**STEP, "uses": "postgres.drop_slot"}, "new_mutation"),
    "another tool acts": ("spec.steps.end.uses", "postgres.cancel_queries", "new_mutation"),
    "the arguments change": ("spec.steps.end.args", {"application": "%"}, "wider"),
    "it acts on every replica": ("spec.steps.end.where", "replicas", "wider"),
    "the cap grows": ("spec.steps.end.cap", 500, "wider"),
    "the cap goes": ("spec.steps.end.cap", None, "wider"),
    "a default moves": ("spec.params.min_idle.default", "1s", "wider"),
    "it runs anywhere": ("spec.environments", [], "wider"),
    "it runs in production too": ("spec.environments", ["staging", "production"], "wider"),
    "the automation may run it": ("spec.ai_executable", True, "wider"),
    "more mutations per run": ("spec.limits", {"mutations": 5}, "wider"),
    "an alarm leads to the step": ("spec.triage.hypotheses.1.then", ["end"], "wider"),
    "other objects are named": ("spec.triage.hypotheses.0.objects", [{"kind": "session", "id": "1"}], "wider"),
    "one of many objects is let in": (
        "spec.triage.hypotheses.0.objects.0.when", "o.idle or not o.superuser", "wider",
    ),
    "a cause is confirmed more easily": ("spec.triage.hypotheses.0.confirm", "p.rows > 2", "wider"),
    "a guard of a cause goes": ("spec.triage.hypotheses.0.confirm", "p.rows > 3 or seen.rows > 0 and true", "wider"),
    "a cause is refuted less": ("spec.triage.hypotheses.0.refute", "p.rows < 2 and seen.rows > 0", "wider"),
    "the alarm rings less": ("spec.triage.hypotheses.1.confirm", "logins.rows > 9 and logins.rows < 8", "weaker"),
    "the proof looks elsewhere": ("spec.probes.canary.uses", "postgres.ping", "weaker"),
    "the proof looks at another server": ("spec.probes.canary.where", "replicas", "weaker"),
    "the proof asks for something else": ("spec.probes.canary.args", {"database": "template1"}, "weaker"),
    "a precondition looks elsewhere": ("spec.probes.seen.uses", "postgres.slots", "weaker"),
    "the alarm looks elsewhere": ("spec.probes.logins.uses", "postgres.ping", "weaker"),
    "objects are looked up elsewhere": ("spec.probes.p.uses", "postgres.slots", "wider"),
    "objects are looked up on a replica": ("spec.probes.p.where", "replicas", "wider"),
    "a cause leaps": ("spec.triage.hypotheses.0.likelihood", 0.81, "wider"),
    "one approver is enough": ("spec.steps.end.approval.quorum", 1, "weaker"),
    "the approval lasts longer": ("spec.steps.end.approval.expires", "2h", "weaker"),
    "the dry run asks less": ("spec.steps.end.preview.require", "preview.rows >= 0", "weaker"),
    "a stop rule goes": ("spec.steps.end.stop_if", [], "weaker"),
    "it repeats sooner": ("spec.steps.end.cooldown", "0s", "weaker"),
    "a precondition goes": ("spec.preconditions", [], "weaker"),
    "a precondition asks less": ("spec.preconditions.0.expect", "seen.rows >= 0", "weaker"),
    "the proof is shorter": ("spec.verify.sustain", "20s", "weaker"),
    "the proof asks less": ("spec.verify.criteria.0.expect", "canary.rows < 99", "weaker"),
    "the alarm no longer stops": ("spec.triage.hypotheses.1.security", False, "weaker"),
    "the gap is smaller": ("spec.triage.ambiguity", {"min_gap": 0.05}, "weaker"),
    "the rollback is gone": ("spec.steps.end.rollback", {"possible": False, "plan": "none"}, "weaker"),
}  # fmt: skip
HOLDS = {
    "words": ("spec.guidance", "Look twice.\n", "words"),
    "an owner": ("spec.owner", "user:default/ana", "words"),
    "a title": ("metadata.title", "Logins are turned away", "words"),
    "another likelihood": ("spec.triage.hypotheses.0.likelihood", 0.5, "cause"),
    "twice the likelihood": ("spec.triage.hypotheses.0.likelihood", 0.8, "cause"),
    "another cause": ("spec.triage.hypotheses.0.cause", "load", "cause"),
    "another condition where nothing follows": ("spec.triage.hypotheses.2.confirm", "aside.rows > 5", "condition"),
    "another probe of a cause where nothing follows": ("spec.probes.aside.uses", "postgres.slots", "probe"),
    "a probe has more time": ("spec.probes.p.timeout", "9s", "probe"),
    "a guard is added": ("spec.triage.hypotheses.0.confirm", "p.rows > 3 and (p.rows > 5 or true)", "narrower"),
    "a way to refute is added": ("spec.triage.hypotheses.0.refute", "p.rows < 2 or p.rows > 99", "narrower"),
    "the alarm rings sooner": ("spec.triage.hypotheses.1.confirm", "logins.rows > 9 or logins.rows == 1", "narrower"),
    "fewer objects": ("spec.triage.hypotheses.0.objects.0.when", "o.idle and not o.superuser", "narrower"),
    "a lower limit of objects": ("spec.triage.hypotheses.0.objects.0.limit", 3, "narrower"),
    "a longer proof": ("spec.verify.sustain", "5m", "narrower"),
    "a lower cap": ("spec.steps.end.cap", 2, "narrower"),
    "more approvers": ("spec.steps.end.approval.quorum", 3, "narrower"),
    "a lower effect": ("spec.steps.end.effect", "read", "narrower"),
}


@pytest.mark.parametrize(("path", "value", "kind"), WIDENS.values(), ids=WIDENS)
def test_what_lets_a_playbook_do_more_or_holds_it_less_is_found_and_widens(path: str, value: Any, kind: str) -> None:
    found = difference(play(BASE), play(changed(path, value)))
    assert [change.kind for change in found.changes if not change.part] == [kind]
    assert found.widens


@pytest.mark.parametrize(("path", "value", "kind"), HOLDS.values(), ids=HOLDS)
def test_what_judges_or_says_otherwise_is_found_and_does_not_widen(path: str, value: Any, kind: str) -> None:
    found = difference(play(BASE), play(changed(path, value)))
    assert [change.kind for change in found.changes] == [kind]
    assert not found.widens


def test_equal_texts_have_no_difference_and_layout_is_none() -> None:
    assert difference(play(BASE), play(BASE)).changes == ()
    laid_out = changed("spec.triage.hypotheses.0.confirm", "p.rows   >\n 3")
    assert difference(play(BASE), play(laid_out)).changes == ()


def test_a_new_mutating_step_in_a_typo_fix_comes_before_the_typo() -> None:
    typo = changed("spec.guidance", "Look frist.\n")
    typo["spec"] = {**typo["spec"], "steps": {**typo["spec"]["steps"], "drop": {**STEP, "uses": "postgres.drop_slot"}}}
    found = difference(play(BASE), play(typo))
    assert str(found.changes[0]) == "new mutation: steps.drop, new step, postgres.drop_slot, reversible"
    assert [change.kind for change in found.changes if not change.part] == ["new_mutation", "words"]
    assert found.widens


def test_a_text_without_a_predecessor_is_shown_whole_and_widens_by_its_steps_alone() -> None:
    found = difference(None, play(BASE))
    assert [(change.kind, change.place) for change in found.changes if change.widens and not change.part] == [
        ("new_mutation", "steps.end"),
    ]  # fmt: skip
    assert (found.before, found.after) == ("", "pbs_x@1.0")
    told = {change.place: change.after for change in found.changes}
    assert told["verify.criteria.free"] == "id=free, probe=canary, expect=canary.rows < 3, user_visible=yes"
    assert told["steps.end.cooldown"] == "15m"
    assert told["steps.end.approval"].startswith("mode=required, quorum=2, expires=5m")
    harmless = play({**BASE, "spec": {**BASE["spec"], "steps": {}}})
    assert not difference(None, harmless).widens


def test_what_a_new_step_does_is_told_with_what_it_takes_by_default() -> None:
    bare = {key: STEP[key] for key in ("title", "effect", "preview", "risk", "rollback")}
    more = changed("spec.steps.kill", {**bare, "uses": "postgres.drop_slot", "args": {"state": "active"}})
    told = {change.place: (change.kind, change.after) for change in difference(play(BASE), play(more)).changes}
    assert told["steps.kill.args"] == ("new_mutation", "state=active")
    assert told["steps.kill.cap"] == ("new_mutation", "no cap in this text")
    assert told["steps.kill.cooldown"] == ("new_mutation", "15m")
    capped = play(changed("spec.steps.kill", {**bare, "uses": "postgres.drop_slot", "cap": 10_000}))
    caps = [one.after for one in difference(play(BASE), capped).changes if one.place == "steps.kill.cap"]
    assert caps == ["10000"]


def test_a_new_cause_and_a_new_proof_are_shown_with_all_that_they_say() -> None:
    rule = {**BASE["spec"]["triage"]["hypotheses"][0], "id": "more", "confirm": "true"}
    found = difference(play(BASE), play(changed("spec.triage.hypotheses.3", rule)))
    told = {change.place: change.after for change in found.changes}
    assert told["hypotheses.more.confirm"] == "true"
    assert told["hypotheses.more.refute"] == "p.rows < 2"
    assert told["hypotheses.more.objects"] == "kind=session, each=p.rows_data, when=o.idle, id=o.pid, limit=20"
    proof = difference(play(changed("spec.verify", None)), play(BASE))
    assert {"verify.sustain", "verify.criteria.free"} <= {change.place for change in proof.changes}


def test_a_cause_under_another_name_is_a_new_way_to_its_step_and_one_that_only_escalates_is_not() -> None:
    renamed = changed("spec.triage.hypotheses.0.id", "leek")
    renamed["spec"]["triage"]["hypotheses"][0]["confirm"] = "true"
    found = difference(play(BASE), play(renamed))
    assert [(change.kind, change.place) for change in found.changes if not change.part] == [
        ("wider", "hypotheses.leek"), ("cause", "hypotheses.leak"),
    ]  # fmt: skip
    assert ("hypotheses.leek.confirm", "true") in [(change.place, change.after) for change in found.changes]
    assert found.widens
    told = {**BASE["spec"]["triage"]["hypotheses"][0], "id": "spoken", "then": ["escalate"]}
    more = play(changed("spec.triage.hypotheses", [*BASE["spec"]["triage"]["hypotheses"], told]))
    found = difference(play(BASE), more)
    assert ({change.kind for change in found.changes}, found.widens) == ({"cause"}, False)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    match value:
        case dict():
            return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, str(key)))]
        case list():
            return [leaf for n, item in enumerate(value) for leaf in _leaves(item, (*path, str(n)))]
        case _:
            return [path]


OTHER: dict[type, Callable[[Any], Any]] = {
    str: lambda text: f"{text}x", bool: lambda flag: not flag, int: lambda n: n + 1, float: lambda n: n / 2,
}  # fmt: skip
FORMED = {
    "metadata.series": "pbs_y", "metadata.version": "1.1", "spec.steps.end.effect": "read",
    "spec.params.min_idle.type": "string", "spec.params.min_idle.default": "6m", "spec.steps.end.timeout": "11s",
    "spec.steps.end.approval.expires": "6m", "spec.steps.end.cooldown": "16m", "spec.follow_ups.0.kind": "ticket",
    "spec.preconditions.0.id": "other", "spec.verify.criteria.0.id": "other", "spec.triage.hypotheses.0.id": "other",
    "spec.triage.hypotheses.1.id": "other", "spec.triage.hypotheses.2.id": "other",
    "spec.triage.hypotheses.0.objects.0.kind": "role",
}  # fmt: skip


@pytest.mark.parametrize("path", [".".join(leaf) for leaf in _leaves(BASE)])
def test_no_field_can_change_unseen(path: str) -> None:
    value: Any = BASE
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    other = FORMED[path] if path in FORMED else OTHER[type(value)](value)
    found = difference(play(BASE), play(changed(path, other)))
    named = path in ("metadata.series", "metadata.version")
    assert bool(found.changes) is not named, "series and version are shown as the pins themselves"


@pytest.mark.parametrize("path", [".".join(leaf) for leaf in _leaves(BASE)])
def test_no_field_of_a_new_series_stays_unseen(path: str) -> None:
    value: Any = BASE
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    said = str(value) if not isinstance(value, bool) else "yes" if value else "no"
    found = difference(None, play(BASE))
    told = " ".join(f"{change.place} {change.says} {change.after}" for change in found.changes)
    assert said.strip() in f"{told} {found.after}"


ALIKE = {
    "the end of a long condition": ("p.rows > 3 and " * 60 + "p.rows > 4", "p.rows > 3 and " * 60 + "p.rows > 5"),
    "spaces inside a text": ("p.first.app == 'a b'", "p.first.app == 'a  b'"),
    "a letter of another script": ("p.first.app == 'cart'", "p.first.app == 'c\u0430rt'"),
    "a mark that nobody sees": ("p.first.app == 'cart'", "p.first.app == 'ca\u200brt'"),
    "a number as a text": ("p.first.n == 1", "p.first.n == '1'"),
    "one for true": ("p.first.n == 1", "p.first.n == true"),
}


@pytest.mark.parametrize(("was", "now"), ALIKE.values(), ids=ALIKE)
def test_two_conditions_that_differ_never_look_alike(was: str, now: str) -> None:
    path = "spec.triage.hypotheses.0.confirm"
    (change,) = difference(play(changed(path, was)), play(changed(path, now))).changes
    assert change.widens
    seen = ["".join(c for c in side if c.isprintable()) for side in (change.before, change.after)]
    assert seen[0] != seen[1]
    if not now.isascii():
        assert change.after.isascii(), "the letter is told by its number"


@pytest.mark.parametrize(("was", "now"), [("1", 1), (True, "yes"), (["a", "b"], "a; b"), ({"a": "b"}, "a=b")])
def test_two_arguments_that_differ_never_look_alike(was: Any, now: Any) -> None:
    path = "spec.steps.end.args.application"
    (change,) = difference(play(changed(path, was)), play(changed(path, now))).changes
    assert change.before != change.after


def test_a_long_value_is_never_cut() -> None:
    long = {"kind": "session", "each": "p.rows_data", "when": "o.idle and " * 90 + "o.pid > 1", "id": "o.pid"}
    (change,) = difference(play(BASE), play(changed("spec.triage.hypotheses.0.objects", [long]))).changes
    assert long["when"] in change.after
    (words,) = difference(play(BASE), play(changed("spec.guidance", "Look first. " * 90 + "End."))).changes
    assert words.after.endswith("End.")


def test_an_item_of_a_list_is_told_by_itself_and_a_change_at_the_end_of_a_long_line_is_one() -> None:
    long = "It showed: " + "x" * 400
    before = play(changed("spec.guidance", f"First.\n{long}\n"))
    after = play(changed("spec.guidance", f"First.\n{long} and y\nLast.\n"))
    found = [c for c in difference(before, after).changes if c.place == "guidance"]
    assert [(c.says, bool(c.before), c.after[:5]) for c in found] == [
        ("line", True, "It sh"), ("new line", False, "Last."),
    ]  # fmt: skip
    more = play(changed("spec.symptoms", ["too many clients", "sorry, no room"]))
    (only,) = difference(play(BASE), more).changes
    assert (only.kind, only.says, only.before, only.after) == (
        "cause", "new symptom, by which alerts are matched", "", "sorry, no room",
    )  # fmt: skip
