"""One write verb: what was committed is there, in order, once, and its checkpoint is its fold."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratchet.domain import timeline as e
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.escalation import Stop
from ratchet.domain.incident import Incident
from ratchet.domain.ports import Joining
from ratchet.store import incidents, memo
from ratchet.store.encoding import EVENT, VERSION, Entry, recorded, stamp, write_event
from ratchet.store.store import EventStore
from tests.store.walks import START, approval, conclusion, following, handoff, intended, look, opened, packet


def test_an_incident_reads_by_number_and_by_id(store):
    first = store.open("i1", opened, "ratchet")
    assert (first.name, first.seq, first.status) == ("INC-1", 1, "open")
    assert store.incident("INC-1") == store.incident("inc-1") == store.incident("i1") == first


def test_numbers_have_no_gaps_even_after_a_refused_open(store):
    store.open("i1", opened, "ratchet")
    with pytest.raises(Refusal) as refused:
        store.open("i1", opened, "ratchet")
    assert refused.value.code is Code.CONFLICT
    assert store.open("i2", opened, "ratchet").name == "INC-2"
    assert [i.name for i in store.incidents().items] == ["INC-2", "INC-1"]


def test_an_incident_cannot_be_opened_under_another_number(store):
    with pytest.raises(Refusal) as refused:
        store.open("i1", lambda number: opened(number + 4), "ratchet")
    assert refused.value.code is Code.INVALID
    assert store.incidents().items == ()


def test_what_nobody_opened_cannot_be_committed_to(store):
    with pytest.raises(Refusal) as refused:
        store.commit(Incident(id="ghost"), e.Noted(by="u", text="x"), by="user:ana", wake_at=None)
    assert refused.value.code is Code.NOT_FOUND
    with pytest.raises(Refusal):
        store.incident("INC-9")


def test_of_two_writers_with_the_same_view_the_second_is_refused(store):
    seen = store.open("i1", opened, "ratchet")
    after = store.commit(seen, e.Noted(by="u", text="first"), by="user:ana", wake_at=None)
    with pytest.raises(Refusal) as refused:
        store.commit(seen, e.Noted(by="u", text="second"), by="user:bo", wake_at=None)
    assert refused.value.code is Code.CONFLICT
    assert store.incident("i1") == after
    assert len(store.timeline("i1")) == 2


def test_a_commit_is_whole_or_not_at_all(store):
    seen = store.open("i1", opened, "ratchet")
    bad = e.Looked(candidates=(), evidence=(), answers={}, elapsed_ms=float("nan"))
    with pytest.raises(Refusal) as refused:
        store.commit(seen, e.Noted(by="u", text="x"), bad, by="ratchet", evidence=[look()], wake_at=None)
    assert refused.value.code is Code.INVALID
    assert store.incident("i1") == seen
    assert store.evidence([look().id]) == []
    assert store.verify().ok


def test_a_caller_cannot_smuggle_state_past_the_events(store):
    seen = store.open("i1", opened, "ratchet")
    forged = seen.model_copy(update={"status": "resolved", "epoch": 9})
    assert store.commit(forged, e.Noted(by="u", text="x"), by="user:ana", wake_at=None).status == "open"


def test_the_timeline_says_when_by_whom_and_what(store, hands):
    seen = store.open("i1", opened, "service:am")
    hands.tick(2)
    store.commit(seen, e.Noted(by="user:ana", text="☕"), by="user:ana", wake_at=None)
    first, second = store.timeline("i1")
    assert (first.seq, first.by, first.at, first.event.kind) == (1, "service:am", START, "opened")
    assert (second.seq, second.by, second.event) == (2, "user:ana", e.Noted(by="user:ana", text="☕"))
    assert (second.at - first.at).total_seconds() == 2


def test_a_query_id_beyond_double_precision_survives(store):
    seen = store.open("i1", opened, "ratchet")
    after = store.commit(seen, e.Concluded(conclusion=conclusion()), by="ratchet", wake_at=None)
    assert after.conclusion is not None
    assert after.conclusion.hypotheses[0].objects[0].values == {"query_id": 2**60}
    assert store.incident("i1") == after == store.refold("i1")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 16 * 5040), max_size=40))
def test_the_checkpoint_is_always_the_fold(tmp_path_factory, hands, chosen):
    now = START
    with EventStore.open_at(tmp_path_factory.mktemp("walk"), lambda: now, hands.new_id) as store:
        incident = store.open("i1", opened, "ratchet")
        for pick in chosen:
            coming, now = following(incident, now, pick)
            joining = [one.alert for one in coming if isinstance(one, e.Joined)]
            if joining:
                store.receive(joining, lambda *_: Joining(incident_id="i1"), "service:am")
                incident = store.incident("i1")
            else:
                incident = store.commit(incident, *coming, by="ratchet", evidence=[look()], wake_at=now)
            assert incident == store.incident("i1") == store.refold("i1") == Incident.model_validate_json(text(store))
        assert store.verify().ok


def text(store) -> str:
    """The only checkpoint, as the table holds it."""
    with store._journal.reading() as connection:
        return connection.exec_driver_sql("SELECT body FROM incidents").scalar_one()


def test_what_another_hand_wrote_into_the_table_is_read_and_not_what_was_kept_in_mind(store):
    seen = store.open("i1", opened, "ratchet")
    there = text(store)
    with store._journal.connections.write() as connection:
        changed = there.replace('"status":"open"', '"status":"held"')
        connection.exec_driver_sql("UPDATE incidents SET body = ?", (changed,))
    assert store.incident("i1").status == "held"
    with store._journal.connections.write() as connection:
        connection.exec_driver_sql("UPDATE incidents SET body = ?", (there,))
    assert store.incident("i1") == seen


def stumble(store, seen) -> None:
    with store._journal.writing("user:ana") as ledger:
        incidents.extend(ledger, seen, [e.Taken(by="user:ana", reason="mine")], None)
        raise RuntimeError("the process stumbles")


def test_a_commit_that_was_undone_is_not_kept_in_mind(store):
    seen = store.open("i1", opened, "ratchet")
    with pytest.raises(RuntimeError):
        stumble(store, seen)
    assert store.incident("i1") == seen
    after = store.commit(seen, e.Noted(by="u", text="x"), by="user:ana", wake_at=None)
    assert after.status == "open"
    assert Incident.model_validate_json(text(store)) == after


def test_what_is_kept_in_mind_is_bounded_and_the_latest_stays(store, monkeypatch):
    monkeypatch.setattr(memo, "MOST_CHARACTERS", 3000)
    for n in range(8):
        store.open(f"i{n}", opened, "ratchet")
    kept = store._journal.memo
    assert sum(len(kept.last(f"i{n}").body) for n in range(8) if kept.last(f"i{n}")) <= 3000
    assert kept.last("i7") is not None and kept.last("i0") is None
    monkeypatch.setattr(memo, "MOST_CHARACTERS", 1)
    store.open("i8", opened, "ratchet")
    assert kept.last("i8") is not None and kept.last("i7") is None


def test_evidence_comes_back_as_captured_in_the_order_asked(store):
    seen = store.open("i1", opened, "ratchet")
    small, big = look(1), look(200)
    store.commit(seen, e.Noted(by="u", text="x"), by="ratchet", evidence=[small, big, small], wake_at=None)
    assert store.evidence([big.id, "ev_ghost", small.id]) == [big, small]


def test_equal_evidence_is_kept_once(store, home):
    seen = store.open("i1", opened, "ratchet")
    for _ in range(3):
        seen = store.commit(seen, by="ratchet", evidence=[look(200)], wake_at=None)
    with store._journal.reading() as connection:
        packed = connection.exec_driver_sql("SELECT packed, length(body) FROM evidence").all()
    assert len(packed) == 1
    assert packed[0][0] == 1
    assert packed[0][1] < len(look(200).model_dump_json())


def bytes_of(version: int, event) -> bytes:
    return write_event(Entry("main", "incident/i1", 1, stamp(START), "user:ana", event.kind, version), event)


def test_a_result_that_is_no_proper_text_is_read_as_it_was_stored():
    result = {"odd": "\ud800", "query_id": 2**70, "share": 0.1 + 0.2}
    acted = e.Acted(op_id="o", outcome="done", started_at=START, ended_at=START, return_code="0", result=result)
    assert recorded(bytes_of(VERSION, acted), EVENT).event == acted


def test_an_event_of_a_newer_release_is_refused_by_that_name_also_when_its_words_are_known():
    noted = e.Noted(by="user:ana", text="x")
    for stored in (bytes_of(VERSION + 1, noted), bytes_of(VERSION + 1, noted).replace(b'"noted"', b'"sung"')):
        with pytest.raises(Refusal) as refused:
            recorded(stored, EVENT)
        assert "newer Ratchet" in refused.value.message


def test_waiting_is_a_row_with_a_time(store, hands):
    seen = store.open("i1", opened, "ratchet")
    store.open("i2", opened, "ratchet")
    assert [due.incident for due in store.due(hands.now)] == ["i1", "i2"]
    hands.tick(60)
    later = hands.now
    waiting = store.commit(seen, by="ratchet", wake_at=later)
    assert waiting.seq == seen.seq
    assert store.next_wake() == START
    store.commit(store.incident("i2"), by="ratchet", wake_at=None)
    assert store.next_wake() == later
    hands.tick(-1)
    assert store.due(hands.now) == []
    hands.tick(1)
    assert [(due.incident, due.wake_at) for due in store.due(hands.now)] == [("i1", later)]


# ---------------------------------------------------------------------------------------------------- decisions


def asked(store, quorum=1, incident_id="i1"):
    seen = store.open(incident_id, opened, "ratchet")
    return store.commit(seen, e.Asked(packet=packet(seen, START, quorum)), by="ratchet", wake_at=None)


def state_of(store, incident) -> str:
    return store.decision(incident.packet.id)[0].state


def test_a_decision_reads_back_with_the_packet_that_was_asked(store):
    incident = asked(store)
    row, kept = store.decision(incident.packet.id)
    assert kept == incident.packet
    assert (row.digest, row.state, row.incident_name) == (incident.packet.digest, "pending", "INC-1")
    with pytest.raises(Refusal) as refused:
        store.decision("D-ghost")
    assert refused.value.code is Code.NOT_FOUND


def test_a_decision_is_approved_only_by_a_quorum(store):
    incident = asked(store, quorum=2)
    for by, state in (("user:ana", "pending"), ("user:ana", "pending"), ("user:bo", "approved")):
        yes = e.Granted(approval=approval(incident.packet, by, START))
        incident = store.commit(incident, yes, by=by, wake_at=None)
        assert state_of(store, incident) == state


def test_an_act_leaves_its_decision_approved(store):
    incident = asked(store)
    yes = e.Granted(approval=approval(incident.packet, "user:ana", START))
    incident = store.commit(incident, yes, by="user:ana", wake_at=None)
    incident = store.commit(incident, intended(incident, START), by="ratchet", wake_at=None)
    assert state_of(store, incident) == "approved"


@pytest.mark.parametrize("approved", [False, True])
@pytest.mark.parametrize("how", ["resolved", "taken", "closed", "escalated", "superseded"])
def test_a_decision_that_nobody_can_use_any_more_is_superseded(store, how, approved):
    incident = asked(store)
    if approved:
        yes = e.Granted(approval=approval(incident.packet, "user:ana", START))
        incident = store.commit(incident, yes, by="user:ana", wake_at=None)
    endings: dict[str, e.Event] = {
        "resolved": e.Resolved(by="ratchet", cause=None, without_action=True, because="it went away"),
        "taken": e.Taken(by="user:ana", reason="mine"),
        "closed": e.Closed(by="user:ana", reason="no"),
        "escalated": handoff(incident, START, Stop.ERROR),
        "superseded": e.Superseded(decision=incident.packet.id, because="changed"),
    }
    incident = store.commit(incident, endings[how], by="ratchet", wake_at=None)
    assert state_of(store, incident) == "superseded"


@pytest.mark.parametrize(("how", "state"), [("refused", "denied"), ("expired", "expired")])
def test_an_answer_stays_what_it_was_after_the_escalation(store, how, state):
    incident = asked(store)
    answers: dict[str, e.Event] = {
        "refused": e.Refused(decision=incident.packet.id, digest="d", by="user:ana", reason="no"),
        "expired": e.Expired(decision=incident.packet.id),
    }
    incident = store.commit(incident, answers[how], by="user:ana", wake_at=None)
    incident = store.commit(incident, handoff(incident, START, Stop.DENIED), by="ratchet", wake_at=None)
    assert state_of(store, incident) == state


def test_asking_anew_supersedes_the_question_before(store):
    first = asked(store)
    again = store.commit(first, e.Asked(packet=packet(first, START)), by="ratchet", wake_at=None)
    assert (state_of(store, first), state_of(store, again)) == ("superseded", "pending")


def test_decisions_page_newest_first_and_pending_ones_by_expiry(store, hands):
    for n in range(5):
        hands.tick(60)
        seen = store.open(f"i{n}", opened, "ratchet")
        store.commit(seen, e.Asked(packet=packet(seen, hands.now)), by="ratchet", wake_at=None)
    every, cursor = [], None
    while True:
        page = store.decisions(limit=2, cursor=cursor)
        every += [row.incident for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert every == ["i4", "i3", "i2", "i1", "i0"]
    first = store.decisions(state=["pending"], limit=3)
    rest = store.decisions(state=["pending"], limit=3, cursor=first.next_cursor)
    assert [row.incident for row in (*first.items, *rest.items)] == ["i0", "i1", "i2", "i3", "i4"]
    assert store.decisions(state=["approved"]).items == ()
    assert (store.tally().incidents, store.tally().decisions) == ({"awaiting_approval": 5}, {"pending": 5})


# -------------------------------------------------------------------------------------------------------- pages


def test_incidents_page_through_all_of_a_status_once(store):
    for n in range(7):
        seen = store.open(f"i{n}", opened, "ratchet")
        if n % 2:
            store.commit(seen, e.Closed(by="user:ana", reason="x"), by="user:ana", wake_at=None)
    first = store.incidents(status=["open"], limit=3)
    second = store.incidents(status=["open"], limit=3, cursor=first.next_cursor)
    assert [i.name for i in (*first.items, *second.items)] == ["INC-7", "INC-5", "INC-3", "INC-1"]
    assert second.next_cursor is None
    assert [i.status for i in store.incidents(status=["open", "closed"]).items].count("closed") == 3


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_page_outside_its_bounds_is_refused(store, limit):
    for listing in (store.incidents, store.decisions):
        with pytest.raises(Refusal) as refused:
            listing(limit=limit)
        assert refused.value.code is Code.INVALID


@pytest.mark.parametrize("cursor", ["", "x", "INC-1", "W10", "WyJhIl0", "é", "' OR 1=1 --", "W1tbW1tb"])
def test_a_cursor_that_was_not_given_out_is_refused(store, cursor):
    for listing in (store.incidents, store.decisions):
        with pytest.raises(Refusal) as refused:
            listing(cursor=cursor)
        assert refused.value.code is Code.INVALID
