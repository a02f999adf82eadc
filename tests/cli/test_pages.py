"""The pages, over views that were made by hand: what stands where, and that nothing is invented."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from ratchet.cli.page import Block, Heading, markdown, plain
from ratchet.cli.pages.decision import decision_page, question
from ratchet.cli.pages.handoff import handoff_page
from ratchet.cli.pages.incident import incident_page, timeline
from ratchet.cli.pages.playbook import playbook_page
from ratchet.cli.pages.target import in_order, report_page
from ratchet.cli.terminal import Terminal
from ratchet.cli.words import columns, grounds, span, until
from ratchet.desk.views import (
    DecisionView,
    EndingView,
    EventView,
    HypothesisView,
    IncidentView,
    ObjectView,
    PlaybookView,
    TargetReport,
    TargetView,
    VerificationView,
)
from ratchet.domain.gate import DecisionPacket, Signal
from ratchet.domain.plan import Act, Preview, Statement, Undo, Verification
from ratchet.domain.playbook import Risk
from ratchet.domain.ports import Missing
from ratchet.domain.target import Fingerprint

NOW = datetime(2026, 11, 20, 2, 20, 0, tzinfo=UTC)
WINDOW = Verification(wait_before=0, every=0.5, sustain=3, min_samples=4, give_up_after=30, checks=())
SQL = "SELECT pg_terminate_backend(pid)\n  FROM pg_stat_activity WHERE pid = %(pid)s"


def hypothesis(name: str, verdict: str, confidence: float, against: tuple[str, ...] = ()) -> HypothesisView:
    return HypothesisView(
        id=name, title=f"title of {name}", cause=f"cause_{name}", verdict=verdict, confidence=confidence,
        playbook="pbs_x@1.0", objects=(ObjectView(kind="session", id="42", name="app"),),
        evidence=("(a >= 3 → 4 >= 3 → true) and (b → true)  →  true",), against=against, evidence_ids=("ev_1",),
    )  # fmt: skip


def packet() -> DecisionPacket:
    undo = Undo.none("an ended session is gone")
    statement = Statement(sql=SQL, params={"pid": 42})
    return DecisionPacket(
        id="dec_1", revision=1, incident_id="01J", incident_epoch=0, step="end", title="End the session",
        playbook="pbs_x@1.0", playbook_digest="sha256:aa", proposed_action={}, action_digest="sha256:bb",
        act=Act(
            tool="postgres.terminate_sessions", target="shop-db", args={}, effect="disruptive", klass="B",
            scope="exact", statements=(statement,), identities=(), cap=1, credential="file:act.dsn", deadline=15,
            undo=undo,
        ),
        fingerprint=Fingerprint(
            system_identifier="7", timeline=1, in_recovery=False, server_version=150000, clock=NOW, taken_at=NOW
        ),
        conflict_group="shop-db", evidence=(Signal(source="postgres.slots", signal="17 of 17 slots"),),
        against=(Signal(source="", signal="a deploy 21 min ago"),), preconditions=(), precondition_checks=(),
        risk=Risk(blast_radius="one session", user_impact="one request", data_risk="none"), rollback_plan="reconnects",
        verification=("slots: used < 70 %",), verification_checks=(),
        verification_window=WINDOW,
        preview=Preview(
            rows=({"pid": 42, "since": "2026-11-20T02:00:01.5+00:00"},), statements=(), summary="1 session", undo=undo
        ),
        preview_taken_at=NOW - timedelta(seconds=12), approval_prompt="End it?", quorum=1, proposer="ratchet",
        nonce="n", created_at=NOW, expires_at=NOW + timedelta(minutes=9), if_nothing="it is escalated",
    )  # fmt: skip


def decision() -> DecisionView:
    whole = packet()
    return DecisionView(
        id="dec_1", incident="INC-1", title=whole.title, target="shop-db", effect="disruptive", digest=whole.digest,
        state="pending", prompt="End it?", created_at=NOW, expires_at=whole.expires_at, packet=whole,
    )  # fmt: skip


@pytest.fixture
def view() -> IncidentView:
    others = tuple(hypothesis(f"other{n}", "refuted", 0.01, ("strong word", "weak word")) for n in range(9))
    return IncidentView(
        id="INC-1", ulid="01J", status="awaiting_approval", origin="drill", symptom="Checkout fails", target="shop-db",
        cause="cause_leak", confidence=0.9, owner="ratchet", opened_at=NOW - timedelta(minutes=12), updated_at=NOW,
        fault="db-max-connections", severity="critical", alerts=(), target_reason="label target=shop-db",
        outcome="cause",
        why="17 of 17", hypotheses=(hypothesis("leak", "confirmed", 0.9), *others), suggested_action="End it",
        decision=decision(), verification=VerificationView(passed=None, samples=2, sustained_seconds=1, because="open"),
        handoff=None, draft=None, needs="A person answers dec_1.", triage_seconds=0.2, grant_to_effect_seconds=None,
        resolved_by=None,
        timeline=(EventView(time=NOW, event="alert_fired", sentence="Checkout fails", by="service:am", seq=1),),
    )  # fmt: skip


def in_80_columns(blocks: Iterable[Block]) -> list[str]:
    """A page as a terminal of 80 columns shows it."""
    stream = StringIO()
    shown = Terminal(stream)
    shown.console.width = 80
    shown.page(blocks)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def labels(lines: list[str]) -> list[str]:
    """The labels of a plain page, in order."""
    return [line[:19].strip() for line in lines if line[:19].strip() and line[:1] != " "]


def test_an_incident_says_the_ten_second_things_first(view):
    lines = list(plain(incident_page(view, NOW)))
    assert lines[0] == "INC-1  Checkout fails  [awaiting_approval]"
    assert labels(lines)[1:6] == ["SINCE", "TARGET", "CAUSE", "RECOVERY", "NEEDED"]
    assert "12m ago" in lines[1]
    assert any("cause_leak, 90% sure" in line for line in lines)


def test_a_confirmed_cause_shows_its_evidence_and_what_speaks_against_it(view):
    lines = list(plain(incident_page(view, NOW)))
    assert any(line.endswith("+ a >= 3 → 4 >= 3 → true") for line in lines)
    assert any(line.endswith("and b → true  →  true") for line in lines)
    assert any("nothing found against it" in line for line in lines)
    assert any("session 42 (app)" in line for line in lines)


def test_five_hypotheses_stand_on_the_page_the_confirmed_first_and_all_of_them_on_the_wide_one(view):
    late = (*(hypothesis(f"blind{n}", "unknown", 0.1, ("could not look",)) for n in range(31)), *view.hypotheses[:2])
    narrow = "\n".join(plain(incident_page(view.model_copy(update={"hypotheses": late}), NOW)))
    assert narrow.index("32. confirmed") < narrow.index("1. unknown") < narrow.index("4. unknown")
    assert "5. unknown" not in narrow
    assert "and 28 more (-o wide)" in narrow
    wide = "\n".join(plain(incident_page(view.model_copy(update={"hypotheses": late}), NOW, wide=True)))
    assert wide.index("31. unknown") < wide.index("32. confirmed") < wide.index("33. refuted")
    assert "more (-o wide)" not in wide


def test_a_cause_that_was_not_confirmed_shows_the_strongest_word_against_it_only(view):
    text = "\n".join(plain(incident_page(view, NOW)))
    assert text.count("strong word") == 4
    assert "weak word" not in text


def test_an_open_decision_shows_the_line_that_answers_it(view):
    text = "\n".join(plain(incident_page(view, NOW)))
    digest = decision().digest.removeprefix("sha256:")[:12]
    assert f"ratchet decision approve dec_1 --digest sha256:{digest}" in text


def test_a_yes_that_expired_unused_is_not_said_to_be_how_the_decision_ended(view):
    late = decision().model_copy(update={"state": "expired", "answered_by": "user:ana", "reason": "agreed"})
    for page in (incident_page(view.model_copy(update={"decision": late}), NOW), decision_page(late, NOW)):
        text = "\n".join(plain(page))
        assert "expired; user:ana had approved" in text and "expired by" not in text
    said_no = decision().model_copy(update={"state": "denied", "answered_by": "user:ana"})
    assert "denied by user:ana" in "\n".join(plain(decision_page(said_no, NOW)))


@pytest.mark.parametrize("window", [80, 100, 120])
def test_a_list_on_a_terminal_cuts_its_longest_words_and_never_the_state_or_who(window, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(window))
    stream = StringIO()
    row = (
        "INC-1",
        "escalated",
        "12m ago",
        "shop-db",
        "connection_exhaustion_idle_leak",
        "90%",
        "word " * 30,
        "user:ana",
    )
    Terminal(stream).table(
        ("INCIDENT", "STATUS", "AGE", "TARGET", "CAUSE", "SURE", "SYMPTOM", "BY"), [row], whole=False
    )
    shown = stream.getvalue().splitlines()
    assert len(shown) == 2 and max(map(len, shown)) <= window
    for word in (row[0], "escalated", "12m ago", "90%", "user:ana"):
        assert word in shown[1], shown[1]


def test_an_incident_that_rests_with_people_says_what_they_may_say_next_and_nothing_twice(view):
    asked = "Free slots by hand, then hand it back."
    handoff = {
        "to": "group:default/dba",
        "human_action_required": f"{asked} Decide.",
        "detail": asked,
        "sentence": "Why.",
    }
    resting = {"status": "escalated", "decision": None, "handoff": handoff, "suggested_action": asked}
    page = view.model_copy(update={**resting, "needs": f"group:default/dba: {asked} Decide."})
    text = "\n".join(plain(incident_page(page, NOW)))
    assert text.count(asked) == 2, "in what is needed and in what is to be done"
    assert "ratchet incident take|handback|close INC-1 --reason" in text
    assert "ratchet incident resolve INC-1 --cause CAUSE" in text
    word = EndingView(by="user:ana", verb="close", cause=None, reason="over", because="Two.", confirm="x")
    for other in (view, page.model_copy(update={"ending": word})):
        assert "take|handback" not in "\n".join(plain(incident_page(other, NOW)))


def test_a_step_that_was_put_before_a_person_is_no_longer_suggested(view):
    said_no = decision().model_copy(update={"state": "denied", "answered_by": "user:ana"})
    page = view.model_copy(update={"status": "escalated", "decision": said_no, "needs": "group:default/dba: Decide."})
    assert "Suggested first action" not in "\n".join(plain(incident_page(page, NOW)))
    before = page.model_copy(update={"decision": None})
    assert "Suggested first action: End it" in "\n".join(plain(incident_page(before, NOW)))


def test_a_run_of_samples_is_one_line_on_the_page_and_whole_in_the_timeline(view):
    def event(seq: int, name: str) -> EventView:
        return EventView(time=NOW, event=name, sentence=f"Sample good: slots {seq}", by="ratchet", seq=seq)

    events = tuple(event(n, "verification_sampled" if n > 1 else "fix_completed") for n in range(1, 6))
    shown = list(plain(incident_page(view.model_copy(update={"timeline": events}), NOW)))
    assert shown[-1].endswith("verification_sampled: 4 samples, the last: Sample good")
    assert len(list(plain(timeline(events)))) == 5


def test_a_packet_is_shown_in_the_order_in_which_it_is_decided():
    lines = list(plain(decision_page(decision(), NOW)))
    assert lines[0] == "End the session on shop-db  [pending]"
    assert labels(lines)[1:] == [
        "EFFECT", "WHY", "AGAINST", "WILL RUN", "PREVIEW", "RISK", "IF IT GOES WRONG", "IF YOU DO NOTHING",
        "PROVENANCE", "DIGEST",
    ]  # fmt: skip


def test_a_packet_shows_what_will_run_exactly_and_its_whole_digest():
    text = "\n".join(plain(decision_page(decision(), NOW)))
    assert "SELECT pg_terminate_backend(pid)" in text
    assert "  FROM pg_stat_activity WHERE pid = %(pid)s" in text
    assert "pid = 42" in text
    assert "cap = 1" in text
    assert "not_after = 15 s after it is sent, on the clock of shop-db" in text
    assert packet().digest in text
    assert "expires in 9m" in text
    assert "taken 12s ago" in text


def begun(number: int) -> str:
    return f"01:{number // 60:02d}:{number % 60:02d}"


def leak(count: int) -> DecisionView:
    """A packet that ends so many sessions of one application."""
    rows = tuple(
        {"pid": 4711 + n, "backend_start": f"2026-11-20T{begun(n)}.123456+00:00", "app": "cart-svc", "state": "idle"}
        for n in range(count)
    )
    params = {"pids": [row["pid"] for row in rows], "starts": [row["backend_start"] for row in rows], "min_idle_s": 60}
    whole = packet()
    act = whole.act.model_copy(update={"statements": (Statement(sql=SQL, params=params),), "identities": rows})
    preview = whole.preview.model_copy(update={"rows": rows, "summary": f"{count} sessions would be ended"})
    whole = whole.model_copy(update={"act": act, "preview": preview})
    return decision().model_copy(update={"packet": whole, "digest": whole.digest})


@pytest.mark.parametrize("form", [plain, markdown, in_80_columns])
def test_everything_that_a_yes_binds_stands_on_the_page_to_the_last_row(form):
    text = "\n".join(form(decision_page(leak(13), NOW)))
    for n in range(13):
        assert f"\n{4711 + n}  {begun(n)}" in text, "a row"
        assert f"2026-11-20T{begun(n)}.123456+00:00" in text, "a parameter"
    assert "4722, 4723]" in text.replace("\n", " ")
    assert "..." not in text


def test_a_long_act_is_told_in_short_first_and_the_question_repeats_it():
    text, whole = "\n".join(in_80_columns(decision_page(leak(200), NOW))).split(
        "\nPreview, whole (200 rows, exactly these)\n"
    )
    few = "\n".join(in_80_columns(decision_page(leak(5), NOW))).partition("\nPreview, whole")[0]
    assert text.count("\n") == few.count("\n") and whole.count("\n") > 300
    assert "pids, starts: lists, whole below" in text and "min_idle_s = 60" in text
    assert "each: app cart-svc, state idle" in text
    assert "and 196 more; all 200 whole below" in text
    assert question(leak(200)) == (
        "Disruptive, exactly these: 200 sessions would be ended. End the session on shop-db?"
    )


def test_of_a_small_act_nothing_is_told_twice():
    text = "\n".join(plain(decision_page(leak(3), NOW)))
    assert text.count("SELECT pg_terminate_backend") == text.count("  4713") == 1
    assert "below" not in text and "4711, 4712, 4713]" in text


def test_nothing_against_is_said_and_not_left_out():
    quiet = decision().model_copy(update={"packet": packet().model_copy(update={"against": ()})})
    assert any("nothing was found against it" in line for line in plain(decision_page(quiet, NOW)))


def test_a_handoff_folds_what_was_tried_and_does_not_suggest_what_was_just_typed():
    handoff = {
        "attempted_fix": {"statements": [SQL, "SELECT 1"], "parameters": [{"pids": [1, 2, 3, 4, 5]}], "sent": True},
        "suggested_commands": ["ratchet incident show INC-1", "SELECT 2"],
    }
    text = "\n".join(plain(handoff_page(handoff, typed="ratchet incident show INC-1")))
    assert "SELECT pg_terminate_backend(pid) ... (-o json shows all)" in text
    assert "FROM pg_stat_activity" not in text
    assert "pids = [1, 2, 3, ...] (5 values)" in text
    assert "parameters" not in text
    assert "SELECT 1" in text and "SELECT 2" in text
    assert "ratchet incident show" not in text
    assert "ratchet incident show INC-1" in "\n".join(plain(handoff_page(handoff)))


def test_a_handoff_begins_with_what_is_asked_of_whom():
    lines = list(plain(handoff_page({
        "escalation_reason": "denied", "to": "group:default/dba", "human_action_required": "Decide",
        "sentence": "A person denied it.", "detail": "too early", "attempted_fix": {"result": "not performed"},
        "verification_result": None, "suggested_commands": ["ratchet incident show INC-1"],
        "diagnostic_results": {"hypothesis_1": {"title": "Leak", "cause": "leak", "verdict": "confirmed",
                                                "confidence": 0.9, "evidence": ["17 of 17"], "against": []}},
    })))  # fmt: skip
    assert labels(lines)[:5] == ["Handoff  [denied]", "ASKED OF", "TO DO", "WHY", "TRIED"]
    text = "\n".join(lines)
    for words in (
        "group:default/dba",
        "Decide",
        "too early",
        "not performed",
        "ratchet incident show INC-1",
    ):
        assert words in text
    assert "17 of 17" not in text


def test_of_a_step_that_was_never_sent_a_handoff_tells_only_what_it_would_have_been():
    tried = {"action": "End it", "result": "not performed", "sent": False, "statements": [SQL], "rollback_plan": "none"}
    text = "\n".join(plain(handoff_page({"attempted_fix": tried})))
    assert "not performed; nothing was sent" in text
    assert "pg_terminate_backend" not in text and "rollback" not in text


def test_hypotheses_stand_once_on_the_page_of_an_escalated_incident(view):
    handoff = {"diagnostic_results": {"hypothesis_1": {"title": "title of leak", "evidence": ["17 of 17"]}}}
    escalated = view.model_copy(update={"handoff": handoff, "status": "escalated", "why": ""})
    assert "\n".join(plain(incident_page(escalated, NOW))).count("title of leak") == 1


def test_what_was_seen_is_told_in_words_where_there_are_words(view):
    spoken = view.hypotheses[0].model_copy(update={"evidence_said": ("holders: web idle 42 (>= 5)",)})
    against = view.hypotheses[1].model_copy(update={"against_said": ("slots: used 3 (< 5)",)})
    text = "\n".join(plain(incident_page(view.model_copy(update={"hypotheses": (spoken, against)}), NOW)))
    assert "+ holders: web idle 42 (>= 5)" in text
    assert "title of other0: slots: used 3 (< 5)" in text
    assert "strong word" not in text
    signal = Signal(source="", signal="a >= 3 → 4 >= 3 → true", said=("a 4 (>= 3)",))
    whole = packet().model_copy(update={"evidence": (signal,)})
    lines = list(plain(decision_page(decision().model_copy(update={"packet": whole}), NOW)))
    assert "a 4 (>= 3)" in lines[2]


def test_a_target_that_lacks_a_right_shows_the_line_that_grants_it():
    target = TargetView(
        name="t", kind="postgres", tags=(), owner="user:default/a", replica_of=None, pooler_of=None, address="h:1/d",
        system_identifier="7", diag="env:D", act="env:A", canary="-",
    )  # fmt: skip
    missing = Missing(
        what="may not read the log", remedy="GRANT x TO y", probes=("postgres.log",), playbooks=("pbs_x@1.0",)
    )
    report = TargetReport(target=target, reachable=True, answer="ok", server="PostgreSQL 15", missing=(missing,))
    blocks = list(report_page(report))
    assert isinstance(blocks[0], Heading)
    assert blocks[0].aside == "not ok"
    text = "\n".join(plain(blocks))
    assert "GRANT x TO y" in text
    assert "disables pbs_x@1.0" in text
    assert not in_order(report)


def test_a_target_that_lacks_only_what_is_optional_is_in_order_and_says_what_comes_next():
    target = TargetView(
        name="t", kind="postgres", tags=(), owner="user:default/a", replica_of=None, pooler_of=None, address="h:1/d",
        system_identifier="7", diag="env:D", act="env:A", canary="-",
    )  # fmt: skip
    lines = ("pbs_x@1.0: step drop_slot",)
    missing = Missing(what="the attribute REPLICATION", remedy="ALTER ROLE y REPLICATION", weakens=lines, optional=True)
    report = TargetReport(target=target, reachable=True, answer="ok", server="PostgreSQL 15", missing=(missing,))
    text = "\n".join(plain(report_page(report)))
    assert in_order(report)
    assert text.startswith("t  [ok]")
    assert "OPTIONAL" in text and "MISSING" not in text
    assert "weakens pbs_x@1.0: step drop_slot" in text
    assert "ratchet serve" in text.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("plain words", ["plain words"]),
        ("(a → true) or (b → false)  →  true", ["a → true", "or b → false  →  true"]),
        ("any(x and y for x in r)  →  1 of 2  →  true", ["any(x and y for x in r)  →  1 of 2  →  true"]),
        ("((a) and (b)) or (c)  →  true", ["(a) and (b)", "or c  →  true"]),
        ("(a and (b  →  true", ["(a and (b  →  true"]),
    ],
)
def test_grounds_are_split_at_their_outermost_words_only(text, lines):
    assert grounds(text) == lines


def test_rows_stand_below_their_names():
    assert columns([{"pid": 1, "app": None}, {"pid": 22, "app": "x"}]) == ["pid  app", "1    -", "22   x"]
    assert columns([]) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(41, "41s"), (720, "12m"), (11_400, "3h 10m"), (400_000, "4d"), (-3, "0s")]
)
def test_a_span_is_in_the_unit_that_a_person_would_use(seconds, words):
    assert span(seconds) == words


def test_what_is_past_has_expired():
    assert until(NOW, NOW) == "expired"
    assert until(NOW + timedelta(seconds=30), NOW) == "in 30s"


@pytest.mark.parametrize(
    ("blanks", "says", "says_not"),
    [
        ((), "ratchet playbook activate pb_1 --reason", "playbook edit"),
        (("owner",), "ratchet playbook edit pb_1 --owner user:default/you", "activate"),
        (("owner", "prevention"), "ratchet playbook edit pb_1 --text draft.playbook.yaml", "activate"),
    ],
)
def test_a_draft_says_how_its_blanks_are_filled_before_it_says_activate(blanks, says, says_not):
    view = PlaybookView(
        id="pb_1", name="Name", series_id="pbs_x", version="1.1", source="generated", is_active=False, state="draft",
        title="Clients wait", guidance="", created_at=NOW, created_by="ratchet", digest="sha256:aa", revision=1,
        incident=None, fault=None, blanks=blanks, text="",
    )  # fmt: skip
    text = "\n".join(plain(playbook_page(view)))
    assert says in text
    assert says_not not in text
