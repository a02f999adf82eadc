"""Alerts in: each occurrence belongs to one incident, repeats change nothing, a batch is whole or not at all."""

import sqlite3
from datetime import timedelta, timezone
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from ratchet.domain import timeline as e
from ratchet.domain.alert import LATE, QUIET
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.escalation import Stop
from ratchet.domain.ports import Joining, Opening
from ratchet.store import gathering, joinable
from ratchet.store.store import EventStore
from ratchet.triage.correlate import correlator
from tests.store import walks
from tests.store.walks import START, opened


def alert(*said, group_key="g", **more):
    """All of one group, so that each may join what is open; what shares nothing with an incident is told nothing."""
    return walks.alert(*said, **more).model_copy(update={"group_key": group_key})


class Correlation:
    """Opens for everything unless told otherwise, and remembers what it was asked."""

    def __init__(self, join=None, drop_resolved=True):
        self._ids = count(1)
        self.asked = []
        self.join = join
        self.drop_resolved = drop_resolved

    def __call__(self, one, open_incidents):
        self.asked.append((one.fingerprint, [i.incident_id for i in open_incidents]))
        if one.status == "resolved" and self.drop_resolved:
            return None
        if self.join is not None and open_incidents:
            return Joining(incident_id=open_incidents[0].incident_id)
        return Opening(incident_id=f"i{next(self._ids)}", target="shop", target_reason="only one")


@pytest.fixture
def correlate():
    return Correlation()


def receive(store, alerts, correlate, by):
    """The incidents that the alerts belong to, as they stand then."""
    return [store.incident(placed.name) for placed in store.receive(alerts, correlate, by)]


def kinds(store, incident_id):
    return [one.event.kind for one in store.timeline(incident_id)]


def test_a_new_alert_opens_an_incident_that_is_due_at_once(store, correlate, hands):
    (incident,) = receive(store, [alert()], correlate, "service:am")
    assert (incident.name, incident.target, incident.alert) == ("INC-1", "shop", alert())
    assert [due.incident for due in store.due(hands.now)] == [incident.id]


def test_the_same_occurrence_twice_is_the_same_incident_and_no_new_event(store, correlate):
    first = receive(store, [alert(), alert()], correlate, "service:am")
    assert receive(store, [alert()], correlate, "service:am") == first
    assert kinds(store, first[0].id) == ["opened"]
    assert len(correlate.asked) == 1


def test_the_same_moment_in_another_time_zone_is_the_same_occurrence(store, correlate):
    elsewhere = START.astimezone(timezone(timedelta(hours=2)))
    first = receive(store, [alert()], correlate, "service:am")
    assert receive(store, [alert(starts_at=elsewhere)], correlate, "service:am") == first
    (resolved,) = receive(store, [alert(status="resolved", starts_at=elsewhere)], correlate, "service:am")
    assert resolved.alert_resolved


def test_the_same_fingerprint_at_another_time_is_another_occurrence(store, correlate):
    later = alert(starts_at=START + timedelta(hours=1))
    assert [i.name for i in receive(store, [alert(), later], correlate, "service:am")] == ["INC-1", "INC-2"]


def test_a_resolve_reaches_its_incident_and_wakes_it(store, correlate, hands):
    (incident,) = receive(store, [alert()], correlate, "service:am")
    store.commit(incident, by="ratchet", wake_at=None)
    hands.tick()
    (resolved,) = receive(store, [alert(status="resolved")], correlate, "service:am")
    assert resolved.alert_resolved
    assert kinds(store, incident.id) == ["opened", "joined"]
    assert [due.incident for due in store.due(hands.now)] == [incident.id]


def test_a_late_repeat_of_firing_does_not_undo_the_resolve(store, correlate):
    receive(store, [alert(), alert(status="resolved")], correlate, "service:am")
    (incident,) = receive(store, [alert()], correlate, "service:am")
    assert incident.alert_resolved
    assert kinds(store, incident.id) == ["opened", "joined"]


def over(*said, ends_at=START + timedelta(hours=1), **more):
    return alert(*said, status="resolved", **more).model_copy(update={"ends_at": ends_at})


@pytest.fixture
def real():
    """As in use: what holds the alert takes it, a resolve of nothing is nothing."""
    return correlator([], map("i{}".format, count(1)).__next__)


@pytest.mark.parametrize("end", [e.Resolved(by="ratchet", cause=None, because="over"), None])
def test_an_alert_that_fires_again_with_its_old_start_is_not_lost(store, real, hands, end):
    """A monitor that was cut off for a while lets its alert end, and tells of the same start when it is back."""
    (first,) = receive(store, [alert(), over()], real, "s")
    if end is not None:
        store.commit(first, end, by="ratchet", wake_at=None)
    hands.tick((LATE - timedelta(seconds=1)).total_seconds())
    assert [one.id for one in receive(store, [alert()], real, "s")] == [first.id], "the slower of a pair of monitors"
    assert store.incident(first.id).alert_resolved
    hands.tick()
    (again,) = receive(store, [alert()], real, "s")
    assert (again.id == first.id) == (end is None), "what still works on it takes it; what is over stays over"
    assert (again.alert_resolved, [due.incident for due in store.due(hands.now)]) == (False, [again.id])
    assert receive(store, [alert()], real, "s") == [again]
    assert store.audit.verify(full=True).ok


def test_what_a_person_holds_though_it_was_over_does_not_swallow_its_return(store, real, hands):
    (first,) = receive(store, [alert()], real, "s")
    store.commit(first, e.Taken(by="user:ana", reason="mine"), by="user:ana", wake_at=None)
    receive(store, [over()], real, "s")
    hands.tick(LATE.total_seconds())
    (again,) = receive(store, [alert()], real, "s")
    assert (again.number, again.status, store.incident(first.id).alert_resolved) == (2, "open", True)


def test_a_late_word_of_the_end_before_does_not_end_what_fires_again(store, real, hands):
    (first,) = receive(store, [alert(), over()], real, "s")
    store.commit(first, e.Resolved(by="ratchet", cause=None, because="over"), by="ratchet", wake_at=None)
    hands.tick(LATE.total_seconds())
    receive(store, [alert()], real, "s")
    (again,) = receive(store, [over()], real, "s")
    assert (again.number, again.alert_resolved) == (2, False)
    (again,) = receive(store, [over(ends_at=START + timedelta(hours=2))], real, "s")
    assert (again.number, again.alert_resolved) == (2, True)


@pytest.mark.parametrize("by", ["user:ana", "ratchet"])
@pytest.mark.parametrize("verb", ["resolve", "close"])
def test_an_alert_that_fires_on_long_after_the_end_of_its_incident_opens_a_new_one(store, real, hands, by, verb):
    (first,) = receive(store, [alert()], real, "s")
    resolved, closed = e.Resolved(by=by, cause=None, because="mended"), e.Closed(by=by, reason="enough")
    store.commit(first, resolved if verb == "resolve" else closed, by=by, wake_at=None)
    hands.tick((QUIET - timedelta(seconds=1)).total_seconds())
    store.commit(store.incident(first.id), e.Noted(by=by, text="x"), by=by, wake_at=None)
    assert receive(store, [alert()], real, "s") == [store.incident(first.id)], "a rule looks back some minutes"
    hands.tick()
    (again,) = receive(store, [alert()], real, "s")
    assert (again.number, again.status) == (2, "open")
    assert receive(store, [over()], real, "s")[0].id == again.id
    assert store.audit.verify(full=True).ok


def test_what_was_over_after_its_incident_was_closed_may_be_told_late_and_fire_again(store, real, hands):
    (first,) = receive(store, [alert()], real, "s")
    store.commit(first, e.Closed(by="user:ana", reason="enough"), by="user:ana", wake_at=None)
    hands.tick(QUIET.total_seconds())
    receive(store, [over()], real, "s")
    assert [one.number for one in receive(store, [alert()], real, "s")] == [1]
    hands.tick(LATE.total_seconds())
    assert [one.number for one in receive(store, [alert()], real, "s")] == [2]


def test_a_repeat_of_what_a_person_holds_is_no_news_however_long_it_lasts(store, real, hands):
    (first,) = receive(store, [alert()], real, "s")
    held = store.commit(first, e.Taken(by="user:ana", reason="mine"), by="user:ana", wake_at=None)
    hands.tick(86_400)
    assert receive(store, [alert()], real, "s") == [held]


def test_a_resolve_of_nothing_is_nothing(store, correlate):
    assert receive(store, [alert(status="resolved")], correlate, "service:am") == []
    assert store.verify().events == 0


def test_a_closed_incident_is_not_written_to_again(store, correlate):
    (incident,) = receive(store, [alert()], correlate, "service:am")
    store.commit(incident, e.Closed(by="user:ana", reason="done"), by="user:ana", wake_at=None)
    (after,) = receive(store, [alert(status="resolved")], correlate, "service:am")
    assert (after.id, after.status) == (incident.id, "closed")
    assert kinds(store, incident.id) == ["opened", "closed"]


def test_an_alert_may_join_an_open_incident_and_then_belongs_to_it(store, correlate, hands):
    receive(store, [alert()], correlate, "service:am")
    hands.tick()
    joining = Correlation(join=True)
    (joined,) = receive(store, [alert("f2")], joining, "service:am")
    assert [a.fingerprint for a in joined.alerts] == ["f1", "f2"]
    (again,) = receive(store, [alert("f2", status="resolved")], joining, "service:am")
    assert (again.id, again.alert_resolved) == (joined.id, False)


def test_what_is_open_is_shown_including_what_the_same_batch_opened(store):
    joining = Correlation(join=True)
    (incident,) = receive(store, [alert("f1"), alert("f2"), alert("f3")], joining, "service:am")
    assert joining.asked == [("f1", []), ("f2", ["i1"]), ("f3", ["i1"])]
    assert len(incident.alerts) == 3


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (e.Taken(by="user:ana", reason="mine"), True),
        (e.Closed(by="user:ana", reason="done"), False),
        (e.Resolved(by="user:ana", cause=None, because="fixed"), False),
    ],
)
def test_only_incidents_that_still_need_somebody_can_be_joined(store, correlate, event, shown):
    (incident,) = receive(store, [alert()], correlate, "service:am")
    store.commit(incident, event, by="user:ana", wake_at=None)
    receive(store, [alert("f2")], correlate, "service:am")
    assert correlate.asked[-1] == ("f2", [incident.id] if shown else [])


@pytest.mark.parametrize("first_is_over", [True, False])
def test_an_escalated_incident_whose_alert_is_over_swallows_no_new_trouble(store, correlate, first_is_over):
    (incident,) = receive(store, [alert()], correlate, "s")
    store.commit(incident, walks.handoff(incident, START, Stop.ERROR), by="ratchet", wake_at=None)
    if first_is_over:
        receive(store, [alert(status="resolved")], correlate, "s")
    receive(store, [alert(starts_at=START + timedelta(hours=20))], correlate, "s")
    assert correlate.asked[-1] == ("f1", [] if first_is_over else [incident.id])


def test_an_alert_is_over_for_what_comes_behind_it_in_the_same_body(store, correlate):
    (incident,) = receive(store, [alert()], correlate, "s")
    store.commit(incident, walks.handoff(incident, START, Stop.ERROR), by="ratchet", wake_at=None)
    later = START + timedelta(hours=20)
    receive(store, [alert(status="resolved"), alert("f2"), alert(starts_at=later)], correlate, "s")
    assert correlate.asked[1:] == [("f2", []), ("f1", ["i2"])]
    assert store.audit.verify(full=True).ok


def test_an_incident_shows_whether_it_holds_the_very_alert(store):
    shown = []

    def correlate(one, known):
        shown.append([(each.incident_id, each.holds, each.group_key, each.target) for each in known])
        if known:
            return Joining(incident_id=known[0].incident_id)
        return Opening(incident_id=f"i{len(shown)}", target="shop", target_reason="only one")

    later = START + timedelta(hours=1)
    receive(store, [alert("f1"), alert("f2"), alert("f2", starts_at=later), alert("f3")], correlate, "s")
    receive(store, [alert("f3", starts_at=later), alert("f3", starts_at=later, group_key="other")], correlate, "s")
    assert [each and each[0][1] for each in shown] == [[], False, True, False, True]
    assert all(each == [("i1", each[0][1], "g", "shop")] for each in shown[1:])


SAID = st.tuples(st.integers(0, 5), st.integers(0, 2), st.sampled_from(["firing", "resolved"]), st.integers(0, 3))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(SAID, max_size=30))
def test_one_body_leaves_what_a_body_for_each_alert_would_leave(tmp_path_factory, said):
    """Joining at once is joining one by one: the same incidents, events, index and projections."""
    alerts = [
        alert(f"f{name}", fires, START + timedelta(hours=hour), group_key=f"g{group}" if group else "")
        for name, hour, fires, group in said
    ]  # fmt: skip
    left = []
    for bodies in ([alerts], [[one] for one in alerts]):
        with EventStore.open_at(tmp_path_factory.mktemp("body"), lambda: START, lambda: "chain") as store:
            correlate = correlator([], map("i{}".format, count(1)).__next__)
            for body in bodies:
                store.receive(body, correlate, "s")
            incidents = store.incidents(limit=200).items
            left.append((incidents, [store.timeline(one.id) for one in incidents]))
            assert all(one == store.refold(one.id) for one in incidents)
            assert store.audit.verify(full=True).ok
    assert left[0] == left[1]


def test_an_incident_is_written_once_for_all_that_joins_it(store, monkeypatch):
    saved = []
    monkeypatch.setattr(gathering, "save", lambda ledger, incident, *more, **how: saved.append(incident.seq))
    store.receive([alert(f"f{n}") for n in range(50)], Correlation(join=True), "s")
    assert saved == [50]


def test_a_batch_with_one_bad_alert_leaves_nothing_behind(store, correlate):
    naive = alert("f2").model_copy(update={"starts_at": START.replace(tzinfo=None)})
    with pytest.raises(Refusal) as refused:
        receive(store, [alert(), naive], correlate, "service:am")
    assert refused.value.code is Code.INVALID
    assert store.incidents().items == ()
    assert store.verify().events == 0


def test_an_incident_opened_by_hand_knows_its_alert_too(store, correlate):
    incident = store.open("i9", opened, "user:ana")
    (resolved,) = receive(store, [alert(status="resolved")], correlate, "service:am")
    assert (resolved.id, resolved.alert_resolved) == (incident.id, True)


def test_a_storm_of_one_occurrence_costs_one_event(store, correlate):
    for _ in range(20):
        receive(store, [alert()] * 10, correlate, "service:am")
    assert store.verify().events == 1


def test_an_alert_is_asked_only_about_incidents_that_hold_it_or_began_with_its_group(store, correlate):
    receive(store, [alert("f1", group_key="a"), alert("f2", group_key="b"), alert("f3", group_key="")], correlate, "s")
    later = START + timedelta(hours=1)
    again = [alert("f1", group_key="b", starts_at=later), alert("f9", group_key="c"), alert("f8", group_key="")]
    receive(store, again, correlate, "s")
    assert correlate.asked[3:] == [("f1", ["i1", "i2"]), ("f9", []), ("f8", [])]


def test_what_joined_an_incident_finds_it_again_under_its_own_fingerprint(store, correlate):
    receive(store, [alert("f1")], correlate, "s")
    receive(store, [alert("f2")], Correlation(join=True), "s")
    receive(store, [alert("f2", group_key="else", starts_at=START + timedelta(hours=1))], correlate, "s")
    assert correlate.asked[-1] == ("f2", ["i1"])


def test_the_index_of_a_database_of_the_form_before_is_filled_from_what_is_open(store, home, reopen, correlate):
    receive(store, [alert("f1"), alert("f2", group_key=""), alert("f3", group_key="h")], correlate, "s")
    for gone, event in (("i3", e.Closed(by="user:ana", reason="done")), ("i2", e.Taken(by="user:ana", reason="mine"))):
        store.commit(store.incident(gone), event, by="user:ana", wake_at=None)
    store.close()
    with sqlite3.connect(home / "ratchet.db") as connection:
        kept = connection.execute("SELECT * FROM joinable ORDER BY 1, 2, 3, 4").fetchall()
        connection.execute("ALTER TABLE alerts DROP COLUMN heard_at")
        connection.execute("ALTER TABLE alerts DROP COLUMN ended_at")
        connection.execute("DROP TABLE joinable")
        connection.execute("DROP TABLE certificates")
        connection.execute("DROP TABLE runs")
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
    connection.close()
    assert reopen().audit.verify(full=True).ok
    with sqlite3.connect(home / "ratchet.db") as connection:
        assert connection.execute("SELECT * FROM joinable ORDER BY 1, 2, 3, 4").fetchall() == kept
    connection.close()
    assert [row[1:] for row in kept] == [("group", "g", "i1"), ("same", "am|f1", "i1"), ("same", "am|f2", "i2")]


def test_an_index_that_was_tampered_with_is_found(store, home, correlate):
    receive(store, [alert("f1")], correlate, "s")
    with sqlite3.connect(home / "ratchet.db") as connection:
        connection.execute("DELETE FROM joinable WHERE kind = 'same'")
    connection.close()
    assert "is found" in store.audit.verify(full=True).because


def test_the_open_incidents_are_found_by_the_index_and_not_by_reading_them_all(store):
    whole = str(joinable.FINDS.compile(dialect=sqlite_dialect(paramstyle="qmark")))
    with store._journal.reading() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {whole}", ("x",) * whole.count("?")).all()
    searched = [row.detail for row in plan if row.detail.startswith(("SEARCH", "SCAN"))]
    assert len(searched) == 2 and all("tenant=? AND kind=? AND key=?" in detail for detail in searched), searched
