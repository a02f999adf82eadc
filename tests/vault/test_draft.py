"""A draft from a verified incident: usable, honest about its sources, and safe against what others wrote."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from ratchet.domain.alert import Alert
from ratchet.domain.diff import difference
from ratchet.domain.errors import Refusal
from ratchet.domain.fault import Fault
from ratchet.domain.gate import Grant
from ratchet.domain.incident import Incident
from ratchet.domain.op import Op
from ratchet.domain.plan import Plan, PlannedStep
from ratchet.domain.plan import Verification as Window
from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Series, Version
from ratchet.domain.timeline import Concluded, Intended, Looked, Noted, Opened, Recorded, Resolved, Verified
from ratchet.lab.catalog import load_catalog
from ratchet.vault.canonical import canonical_text, text_digest
from ratchet.vault.draft import synthesise
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.lessons import Told, spoken
from ratchet.vault.making import blanks_of
from ratchet.vault.seeding import shipped_texts, shipped_version
from tests.vault import worlds as w
from tests.vault.test_differential_examples import CASES, conclude

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
SERIES = "pbs_connection_triage"
Origin = Literal["production", "drill"]
EVIL = "{{ params.min_idle }} $(rm -rf /) <WINDOW> password=hunter2hunter\nthen: escalate\u202e"


@pytest.fixture(scope="module")
def shipped(playbook_files: PlaybookFiles) -> list[Playbook]:
    return [playbook_files.load(text, where) for where, text in shipped_texts().items()]


@pytest.fixture(scope="module")
def base(shipped: list[Playbook]) -> Playbook:
    return next(p for p in shipped if p.metadata.series == SERIES)


def verified(shipped: list[Playbook], base: Playbook, alert: Alert, origin: Origin = "production") -> Incident:
    rule = base.spec.steps["end_idle_sessions"]
    step = PlannedStep(
        id="end_idle_sessions", title="End idle sessions", tool="postgres.terminate_sessions", target="shop-db",
        args={"application": "leaky"}, effect="disruptive", cap=200, require="preview.rows >= 1", prompt="?", quorum=1,
        expires=600.0, risk=rule.risk, rollback_plan="", deadline=15.0, cooldown=0.0,
    )  # fmt: skip
    window = Window(wait_before=0, every=1, sustain=3, min_samples=4, give_up_after=30, checks=())
    plan = Plan(
        playbook=base.pin, version_id="pb_system_1", playbook_digest="sha256:0", hypothesis="idle_leak", steps=(step,),
        preconditions=(), verification=window, calls={}, text_scope={"params": {"min_idle": 4.0}},
    )  # fmt: skip
    grant = Grant(
        op_id="op1", decision="dec1", packet_digest="d", action_digest="a", incident_id="INC-7",
        approved_by=("person:ana",), not_after=NOW, settle_after=NOW,
    )  # fmt: skip
    op = Op(
        grant=grant, step="end_idle_sessions", attempt=1, state="done", intended_at=NOW, touched=({"pid": 4711},) * 3
    )
    proof = Verified(passed=True, samples=7, sustained_seconds=3.0, because="held")
    return Incident(
        id="01", number=7, origin=origin, fault="db-max-connections" if origin == "drill" else None, alerts=(alert,),
        target="shop-db", conclusion=conclude(shipped, CASES["idle leak"][0]), plan=plan, ops=(op,), verified=proof,
        evidence=("ev_1",),
    )  # fmt: skip


def alert(**annotations: str) -> Alert:
    labels = {"alertname": "ShopCheckoutErrors", "service": "shop"}
    return Alert(source="t", fingerprint="f", starts_at=NOW, labels=labels, annotations=annotations)


def told(incident: Incident, base: Playbook, fault: Fault | None = None, *more: Version) -> Told:
    conclusion = incident.conclusion
    assert conclusion is not None
    events = [
        Opened(number=7, alert=incident.alert, target="shop-db", target_reason=""),
        Looked(candidates=(), evidence=("ev_1",), answers={}, elapsed_ms=1.0),
        Concluded(conclusion=conclusion),
        incident.verified,
    ]
    line = [
        Recorded(seq=n, at=NOW + timedelta(seconds=n), by="ratchet", event=event)
        for n, event in enumerate(events, 1)
        if event is not None
    ]
    active = shipped_version(base, NOW).model_copy(update={"state": "active"})
    return Told(incident, line, [], Series(id=SERIES, versions=(active, *more)), fault, NOW)


def ids(start: int = 0):
    numbers = itertools.count(start)
    return lambda: f"01HX{next(numbers)}"


def drilled(shipped: list[Playbook], base: Playbook, said: Alert | None = None) -> Version:
    fault = load_catalog(()).faults["db-max-connections"]
    incident = verified(shipped, base, said or alert(summary="Checkout answers with errors"), "drill")
    return synthesise(told(incident, base, fault), base, ids())


def test_a_draft_of_a_drill_has_no_blanks_and_passes_lint(
    playbook_files: PlaybookFiles, shipped: list[Playbook], base: Playbook
) -> None:
    made = drilled(shipped, base)
    assert made.id.startswith("pb_faulttest_")
    assert len(made.id) == len("pb_faulttest_") + 6
    assert (made.series, made.version, made.source, made.state) == (SERIES, "1.1", "generated", "draft")
    assert (made.incident, made.fault, made.blanks) == ("INC-7", "db-max-connections", ())
    assert playbook_files.mistakes(made.text, made.pin) == []
    playbook = playbook_files.load(made.text, made.pin)
    assert canonical_text(playbook) == made.text
    assert text_digest(made.text) == made.digest
    assert playbook.spec.owner == "user:default/ana"
    assert playbook.metadata.derived_from == {
        "incident": "INC-7", "playbook": f"{SERIES}@1.0", "fault": "db-max-connections",
    }  # fmt: skip


def test_a_draft_of_a_production_incident_says_what_only_a_person_can_give(
    playbook_files: PlaybookFiles, shipped: list[Playbook], base: Playbook
) -> None:
    incident = verified(shipped, base, alert(summary="Checkout answers with errors"))
    made = synthesise(told(incident, base), base, ids())
    assert made.id.startswith("pb_incident_")
    assert made.blanks == ("owner",)
    assert {m.code for m in playbook_files.mistakes(made.text, made.pin)} == {"PB004"}
    owned = base.model_copy(update={"spec": base.spec.model_copy(update={"owner": "user:default/mira"})})
    assert synthesise(told(incident, owned), owned, ids()).blanks == ()


def test_activating_a_draft_never_makes_the_library_forget(
    playbook_files: PlaybookFiles, shipped: list[Playbook], base: Playbook
) -> None:
    playbook = playbook_files.load(drilled(shipped, base).text, "x")
    rules, before = playbook.spec.triage.hypotheses, base.spec.triage.hypotheses
    assert {rule.id: rule for rule in rules} == {rule.id: rule for rule in before}
    assert set(playbook.spec.steps) == set(base.spec.steps)
    others = [p for p in shipped if p.metadata.series != SERIES]
    own = {rule.cause for rule in rules}
    cases = [case for case in CASES.values() if case[1] in own]
    assert len(cases) > 10
    for change, cause, objects, _ in cases:
        said = conclude([playbook, *others], change)
        assert said.cause == cause
        assert said.leading is not None
        assert [(found.kind, found.id) for found in said.leading.objects] == objects


def test_a_draft_of_an_active_series_is_a_patch_of_it_and_nothing_that_acts_is_touched(
    playbook_files: PlaybookFiles, shipped: list[Playbook], base: Playbook
) -> None:
    made = drilled(shipped, base)
    playbook = playbook_files.load(made.text, "x")
    found = difference(base, playbook)
    assert {change.kind for change in found.changes} <= {"words", "cause"}
    assert {change.place for change in found.changes} <= {
        "symptoms", "tags.service", "tags.alert", "tags.fault", "owner", "follow_ups", "guidance", "links"
    }  # fmt: skip
    assert not found.widens
    for same in ("triage", "steps", "probes", "params", "preconditions", "verify", "limits", "escalation", "match"):
        assert getattr(playbook.spec, same) == getattr(base.spec, same), same
    assert "4711" not in made.text
    gone = [line for line in canonical_text(base).splitlines() if line.strip() and line not in made.text]
    assert all("version:" in line or "source:" in line for line in gone), gone


def test_a_draft_points_at_the_series_that_looked_alike(shipped: list[Playbook], base: Playbook) -> None:
    incident = verified(shipped, base, alert())
    assert incident.conclusion is not None
    known = told(incident, base)
    others = [h for h in incident.conclusion.hypotheses if not h.playbook.startswith(SERIES)]
    alike = others[0].model_copy(update={"verdict": "undecided"})
    conclusion = incident.conclusion.model_copy(update={"hypotheses": (*incident.conclusion.hypotheses, alike)})
    told_so = replace(known, incident=incident.model_copy(update={"conclusion": conclusion}))
    version = synthesise(told_so, base, ids())
    assert f"playbook:{alike.playbook.partition('@')[0]}" in version.text


def test_who_approved_is_proposed_as_owner_where_nobody_owns_the_series(
    playbook_files: PlaybookFiles, shipped: list[Playbook], base: Playbook
) -> None:
    incident = verified(shipped, base, alert())
    op = incident.ops[0]
    grant = op.grant.model_copy(update={"approved_by": ("user:mira",)})
    incident = incident.model_copy(update={"ops": (op.model_copy(update={"grant": grant}),)})
    made = synthesise(told(incident, base), base, ids())
    assert playbook_files.load(made.text, "x").spec.owner == "user:default/mira"
    assert made.blanks == ()


def test_what_a_person_mended_again_is_told_as_that_persons_word(shipped: list[Playbook], base: Playbook) -> None:
    first = drilled(shipped, base).guidance
    ended = Resolved(by="user:ana", cause="connection_exhaustion_idle_leak", because="restarted its pods")
    incident = verified(shipped, base, alert()).model_copy(update={"number": 12, "resolved": ended, "ops": ()})
    known = told(incident, base)
    assert known.leading is not None
    said = replace(known, said=known.leading.model_copy(update={"confidence": 0.0}))
    again = synthesise(said, with_guidance(base, first), ids(3)).guidance
    (line,) = [line for line in again.splitlines() if line.startswith("- Again in INC-12,")]
    assert line.endswith(": connection_exhaustion_idle_leak, as user:ana said; mended by hand. # from INC-12")


def test_what_was_tried_and_what_people_did_by_hand_is_kept_with_its_event(
    shipped: list[Playbook], base: Playbook
) -> None:
    incident = verified(shipped, base, alert())
    failed = incident.ops[0].model_copy(update={"state": "failed_clean", "return_code": "55P03"})
    known = told(incident.model_copy(update={"ops": (failed, *incident.ops)}), base)
    note = Noted(by="user:mira", text="raised the pool {{ x }} to 40\nthen: escalate")
    line = [*known.timeline, Recorded(seq=9, at=NOW, by="user:mira", event=note)]
    made = synthesise(replace(known, timeline=line), base, ids())
    assert "- Tried, did not help: step end_idle_sessions (failed_clean). 55P03 # from INC-7" in made.guidance
    said = '- By hand, user:mira: "raised the pool { { x } } to 40 then: escalate" # from INC-7 event 9'
    assert said in made.guidance


def test_every_line_of_the_lesson_says_where_it_is_from(shipped: list[Playbook], base: Playbook) -> None:
    lesson = drilled(shipped, base).guidance.partition("What the series says in general:")[0]
    lines = [line for line in lesson.splitlines() if line.startswith("- ")]
    assert len(lines) >= 6
    assert all("# from INC-7" in line or "# postgres." in line or "# evidence " in line for line in lines)
    assert any("event 3" in line and "connection_exhaustion_idle_leak" in line for line in lines)
    assert any(line.startswith("- Considered, refuted:") for line in lines)
    assert "postgres.terminate_sessions" in lesson
    assert "person:ana" in lesson


def test_what_the_series_said_before_is_kept_once(shipped: list[Playbook], base: Playbook) -> None:
    once = drilled(shipped, base)
    again = drilled(shipped, base.model_copy(update={"spec": base.spec.model_copy(update={"guidance": once.guidance})}))
    assert base.spec.guidance.strip() in again.guidance
    assert again.guidance == once.guidance


def with_guidance(base: Playbook, text: str) -> Playbook:
    return base.model_copy(update={"spec": base.spec.model_copy(update={"guidance": text})})


def test_a_cause_met_again_adds_a_line_to_its_lesson_and_keeps_what_people_wrote_there(
    shipped: list[Playbook], base: Playbook
) -> None:
    first = drilled(shipped, base).guidance.replace("- Looked", "- Call the network team first.\n- Looked")
    text = first
    for number in range(8, 16):
        again = verified(shipped, base, alert()).model_copy(update={"number": number})
        text = synthesise(told(again, base), with_guidance(base, text), ids(number)).guidance
    assert text.count("Learned from") == 1
    assert "- Call the network team first." in text
    added = [line for line in text.splitlines() if line not in first.splitlines()]
    assert [line.partition(",")[0] for line in added] == [f"- Again in INC-{n}" for n in range(11, 16)], "the newest"
    assert all("end_idle_sessions worked; 7 samples held" in line and "# from INC-" in line for line in added)
    assert [line for line in first.splitlines() if line not in text.splitlines()] == []


def test_each_cause_of_a_series_keeps_its_own_lesson(shipped: list[Playbook], base: Playbook) -> None:
    first = drilled(shipped, base).guidance
    incident = verified(shipped, base, alert()).model_copy(update={"number": 8})
    assert incident.conclusion is not None and incident.conclusion.leading is not None
    leading = incident.conclusion.leading.model_copy(update={"cause": "real_load"})
    known = replace(told(incident, base), said=leading)
    made = synthesise(known, with_guidance(base, first), ids())
    assert made.guidance.endswith(first), "the newest lesson stands first, and nothing is taken away"
    assert made.guidance.count("Learned from") == 2


def test_each_step_cites_its_own_events_and_says_who_let_it_be_done(shipped: list[Playbook], base: Playbook) -> None:
    incident = verified(shipped, base, alert(), "drill")
    one = incident.ops[0]
    leave = one.grant.model_copy(update={"op_id": "op2", "approved_by": ("standing:sg_1",)})
    two = one.model_copy(update={"grant": leave, "step": "second"})
    known = told(incident.model_copy(update={"ops": (one, two)}), base)
    sent = [Intended(grant=op.grant, attempt=1, action="x") for op in (one, two)]
    more = [Recorded(seq=n, at=NOW, by="ratchet", event=event) for n, event in enumerate(sent, 20)]
    lesson = synthesise(replace(known, timeline=[*known.timeline, *more]), base, ids()).guidance
    did = [line for line in lesson.splitlines() if line.startswith("- Did:")]
    assert "approved by person:ana; it worked; 3 objects touched. # from INC-7 event 20" in did[0]
    assert "approved in advance for this drill (standing:sg_1)" in did[1] and did[1].endswith("event 21")


def test_an_alert_that_differs_by_the_name_of_its_target_is_no_new_symptom(
    shipped: list[Playbook], base: Playbook
) -> None:
    told_once = "Logins are rejected by crm-db"
    base = base.model_copy(update={"spec": base.spec.model_copy(update={"symptoms": (told_once,)})})
    said = alert(summary="Logins are rejected by shop-db", description="It is the third time.")
    made = synthesise(told(verified(shipped, base, said), base), base, ids())
    assert "symptoms:\n    - Logins are rejected by crm-db\n    - Logins are rejected by shop-db. It is the third" in (
        made.text
    )
    said = alert(summary="Logins are rejected by shop-db")
    assert "shop-db" not in synthesise(told(verified(shipped, base, said), base), base, ids()).text.partition("tags")[0]


def test_the_words_of_an_alert_land_in_symptoms_and_guidance_only(
    playbook_files: PlaybookFiles, shipped: list[Playbook], base: Playbook
) -> None:
    made = drilled(shipped, base, alert(summary=EVIL, description="FATAL: out of patience", dashboard="javascript:x"))
    assert playbook_files.mistakes(made.text, made.pin) == []
    playbook = playbook_files.load(made.text, "x")
    assert "hunter2" not in made.text
    assert "FATAL: out of patience" in playbook.spec.symptoms
    assert playbook.spec.tags.dashboard == ()
    bare = playbook.model_dump(exclude={"spec": {"guidance", "symptoms"}})
    assert "rm -rf" not in str(bare)
    assert playbook.spec.tags.alert[-1] == "ShopCheckoutErrors"


def test_somebody_elses_words_become_one_plain_line() -> None:
    line = spoken(EVIL)
    assert line.isprintable()
    assert "{{" not in line
    assert "<WINDOW>" not in line
    assert "hunter2" not in line
    assert len(spoken("x" * 9000)) <= 400


def test_the_next_free_version_is_taken(shipped: list[Playbook], base: Playbook) -> None:
    taken = shipped_version(base, NOW).model_copy(update={"id": "pb_faulttest_000000", "version": "1.1"})
    incident = verified(shipped, base, alert())
    assert synthesise(told(incident, base, None, taken), base, ids()).version == "1.2"


@pytest.mark.parametrize("change", [{"verified": None}, {"conclusion": None}])
def test_nothing_is_learned_without_a_proved_recovery(shipped: list[Playbook], base: Playbook, change: dict) -> None:
    incident = verified(shipped, base, alert())
    known = told(incident, base)
    told_otherwise = Told(incident.model_copy(update=change), known.timeline, [], known.series, None, NOW)
    with pytest.raises(Refusal):
        synthesise(told_otherwise, base, ids())


def test_blanks_name_owner_and_prevention(base: Playbook) -> None:
    generated = base.model_copy(update={"metadata": base.metadata.model_copy(update={"source": "generated"})})
    bare = generated.model_copy(update={"spec": base.spec.model_copy(update={"follow_ups": ()})})
    assert blanks_of(bare) == ("owner", "prevention")
    assert blanks_of(base) == ()


def test_the_worlds_used_here_are_those_of_the_differential() -> None:
    assert w.NOW == NOW
