"""Acting on a target: only by grant, only on what was shown, never late, and honest about what is not known."""

import os
import signal
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from ratchet.domain.errors import Refusal
from ratchet.domain.plan import Act, Preview, Statement
from ratchet.lab.embedded import Cluster
from ratchet.tools.postgres.send import Sending
from ratchet.tools.postgres.writes import POSTGRES_TOOLS
from ratchet.tools.postgres.writes.drop_slot import DropSlot, SlotName
from tests.tools.conftest import Bench, now, others, until

pytestmark = pytest.mark.postgres
TERMINATE = "postgres.terminate_sessions"
Session = psycopg.Connection[Any]


def alive(session: Session) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def named(bench: Bench, application: str) -> list[dict[str, Any]]:
    rows = bench.look("postgres.sessions", app=application).rows
    return [{"pid": row["pid"], "backend_start": row["backend_start"]} for row in rows]


def gone(bench: Bench, application: str) -> bool:
    return not named(bench, application)


def test_a_granted_act_touches_what_fits_and_nobody_else(bench: Bench, served: Cluster):
    leaky, bystander = others(served, 3, "leaky"), others(served, 1, "bystander")[0]
    act = bench.offer(TERMINATE, application="leaky", state="idle")
    sent = bench.hands.act(act, bench.grant(act))
    assert (sent.outcome, sent.return_code, len(sent.touched)) == ("done", "SELECT 3", 3)
    assert {row["pid"] for row in sent.touched} == {session.info.backend_pid for session in leaky}
    until(lambda: gone(bench, "leaky"))
    assert bench.hands.took(act, bench.grant(act)).verdict == "yes"
    assert alive(bystander)
    for session in (*leaky, bystander):
        session.close()


def test_a_session_that_arrives_after_the_preview_is_untouched(bench: Bench, served: Cluster):
    shown = others(served, 2, "leaky")
    act = bench.offer(TERMINATE, application="leaky", state="idle")
    late = others(served, 1, "leaky")[0]
    sent = bench.hands.act(act, bench.grant(act))
    assert {row["pid"] for row in sent.touched} == {session.info.backend_pid for session in shown}
    assert alive(late)
    for session in (*shown, late):
        session.close()


def test_one_that_was_shown_and_no_longer_fits_is_left_out(bench: Bench, served: Cluster):
    idler, worker = others(served, 2, "leaky")
    act = bench.offer(TERMINATE, application="leaky", state="idle")
    worker.execute("BEGIN")
    worker.execute("SELECT 1")
    sent = bench.hands.act(act, bench.grant(act))
    assert [row["pid"] for row in sent.touched] == [idler.info.backend_pid]
    assert alive(worker)
    for session in (idler, worker):
        session.close()


def test_a_grant_for_another_act_is_refused(bench: Bench, served: Cluster):
    session = others(served, 1, "leaky")[0]
    act = bench.offer(TERMINATE, application="leaky")
    with pytest.raises(Refusal):
        bench.hands.act(act, bench.grant(act.model_copy(update={"cap": 51})))
    assert alive(session)
    session.close()


@pytest.mark.parametrize("by_name", [True, False])
def test_a_late_statement_touches_nothing(bench: Bench, served: Cluster, by_name: bool):
    """Also when it reaches the server: our own check before the send is passed by."""
    session = others(served, 1, "leaky")[0]
    args: dict[str, Any] = {"sessions": named(bench, "leaky")} if by_name else {"application": "leaky"}
    act = bench.offer(TERMINATE, **args)
    late = bench.grant(act, now() - timedelta(seconds=1))
    refused = bench.hands.act(act, late)
    assert (refused.outcome, refused.error_category) == ("failed_clean", "too_late")
    with bench.hands._sessions(bench.targets["db"]).act.line() as line:
        sent = Sending(POSTGRES_TOOLS[0], act, late, now).carry(line, 5.0)
    assert (sent.outcome, sent.touched) == ("failed_clean", ())
    assert sent.error_category == "nothing_matched"
    assert alive(session)
    session.close()


def test_a_pid_with_another_start_is_untouched(bench: Bench, served: Cluster):
    session = others(served, 1, "leaky")[0]
    act = bench.offer(TERMINATE, sessions=named(bench, "leaky"))
    params = {**act.statements[0].params, "starts": ["2020-01-01T00:00:00.000000+00:00"]}
    reused = act.model_copy(update={"statements": (Statement(sql=act.statements[0].sql, params=params),)})
    sent = bench.hands.act(reused, bench.grant(reused))
    assert (sent.outcome, sent.error_category) == ("failed_clean", "nothing_matched")
    assert alive(session)
    session.close()


def test_a_session_that_went_to_work_meanwhile_is_untouched(bench: Bench, served: Cluster):
    session = others(served, 1, "leaky")[0]
    act = bench.offer(TERMINATE, sessions=named(bench, "leaky"))
    session.execute("BEGIN")
    session.execute("INSERT INTO public.orders VALUES (1)")
    sent = bench.hands.act(act, bench.grant(act))
    assert (sent.outcome, sent.touched) == ("failed_clean", ())
    assert alive(session)
    session.close()


def test_a_session_in_its_next_transaction_is_untouched(bench: Bench, served: Cluster):
    session = others(served, 1, "leaky")[0]
    session.execute("BEGIN")
    session.execute("INSERT INTO public.orders VALUES (1)")
    act = bench.offer(TERMINATE, sessions=named(bench, "leaky"))
    assert act.identities[0]["xact_start"]
    session.execute("COMMIT")
    session.execute("BEGIN")
    session.execute("INSERT INTO public.orders VALUES (2)")
    sent = bench.hands.act(act, bench.grant(act))
    assert (sent.outcome, sent.error_category, sent.touched) == ("failed_clean", "nothing_matched", ())
    assert alive(session)
    session.close()


def test_more_than_the_cap_touches_nothing(bench: Bench, served: Cluster):
    sessions = others(served, 3, "leaky")
    act = bench.offer(TERMINATE, application="leaky", cap=2)
    assert bench.hands.act(act, bench.grant(act)).outcome == "failed_clean"
    assert all(alive(session) for session in sessions)
    for session in sessions:
        session.close()


def test_uncommitted_writes_are_shown_and_make_the_scope_exact(bench: Bench, served: Cluster):
    writer, idler = others(served, 2, "leaky")
    writer.execute("BEGIN")
    writer.execute("INSERT INTO public.orders VALUES (1)")
    idler.execute("BEGIN")
    idler.execute("SELECT 1")
    preview = bench.hands.preview("db", TERMINATE, {"application": "leaky", "state": "idle in transaction"})
    assert isinstance(preview, Preview)
    assert preview.writes
    assert "pids" in preview.statements[0].params
    assert {row["has_writes"] for row in preview.rows} == {True, False}
    writer.close()
    idler.close()


def test_ratchet_superusers_and_server_processes_are_never_among_the_sessions(bench: Bench, served: Cluster):
    with served.connect(application_name="dba"):
        shown = bench.hands.preview("db", TERMINATE, {"database": "postgres"})
        assert isinstance(shown, Preview)
        assert not {row["app"] for row in shown.rows} & {"ratchet:diag", "ratchet:act", "dba", ""}


def test_nobody_can_mean_everybody(bench: Bench):
    with pytest.raises(Refusal, match="name the sessions"):
        bench.hands.preview("db", TERMINATE, {})
    with pytest.raises(Refusal):
        bench.hands.preview("db", "postgres.no_such_tool", {})


def test_an_act_login_without_pg_monitor_touches_nothing_and_says_so(bench: Bench, served: Cluster):
    served.add_login("blind_act" + served.home.name[-4:], "IN ROLE pg_signal_backend")
    bench.point("blind", bench.secrets["db_diag"].reveal(), served.dsn("blind_act" + served.home.name[-4:]))
    session = others(served, 1, "leaky")[0]
    each_way: tuple[dict[str, Any], ...] = ({"sessions": named(bench, "leaky")}, {"application": "leaky"})
    for args in each_way:
        act = bench.offer(TERMINATE, target="blind", **args)
        assert act.identities
        sent = bench.hands.act(act, bench.grant(act))
        assert (sent.outcome, sent.touched) == ("failed_clean", ())
        assert "not visible to this login" in sent.because
    assert alive(session)
    session.close()
    missing = bench.hands.check("blind")
    assert any("pg_monitor" in each.what and TERMINATE in each.probes for each in missing)


def test_a_cancelled_statement_leaves_its_session(bench: Bench, served: Cluster):
    session = others(served, 1, "slow")[0]
    session.pgconn.send_query(b"SELECT pg_sleep(30)")
    until(lambda: [row for row in bench.look("postgres.sessions", app="slow").rows if row["state"] == "active"])
    act = bench.offer("postgres.cancel_queries", sessions=named(bench, "slow"))
    assert act.identities[0]["query_start"]
    sent = bench.hands.act(act, bench.grant(act))
    assert (sent.outcome, len(sent.touched)) == ("done", 1)
    until(lambda: bench.hands.took(act, bench.grant(act)).verdict == "yes")
    while session.pgconn.get_result():
        pass
    assert alive(session)
    session.close()


def test_a_statement_that_has_written_since_it_was_shown_is_not_cancelled(bench: Bench, served: Cluster):
    session, holder = others(served, 1, "slow")[0], served.connect()
    holder.execute("SELECT pg_advisory_lock(77)")
    session.pgconn.send_query(
        b"DO $$ BEGIN PERFORM pg_advisory_lock(77); INSERT INTO public.orders VALUES (1); PERFORM pg_sleep(30); END $$"
    )
    until(lambda: [row for row in bench.look("postgres.sessions", app="slow").rows if row["state"] == "active"])
    sessions = named(bench, "slow")
    shown = bench.offer("postgres.cancel_queries", sessions=sessions)
    assert [row["has_writes"] for row in shown.identities] == [False]
    holder.execute("SELECT pg_advisory_unlock(77)")
    until(lambda: bench.offer("postgres.cancel_queries", sessions=sessions).identities[0]["has_writes"])
    sent = bench.hands.act(shown, bench.grant(shown))
    assert (sent.outcome, sent.error_category, sent.touched) == ("failed_clean", "nothing_matched", ())
    anew = bench.offer("postgres.cancel_queries", sessions=sessions)
    assert len(bench.hands.act(anew, bench.grant(anew)).touched) == 1
    session.close()
    holder.close()


def test_a_statement_that_ended_is_not_the_next_one(bench: Bench, served: Cluster):
    """The session works on something else by now: nothing is offered for cancelling."""
    session = others(served, 1, "slow")[0]
    session.execute("SELECT 1")
    (row,) = bench.look("postgres.sessions", app="slow").rows
    session.pgconn.send_query(b"SELECT pg_sleep(30)")
    until(lambda: [row for row in bench.look("postgres.sessions", app="slow").rows if row["state"] == "active"])
    earlier = {**row, "query_start": row["backend_start"]}
    preview = bench.hands.preview("db", "postgres.cancel_queries", {"sessions": [earlier]})
    assert isinstance(preview, Preview)
    assert preview.rows == ()
    session.close()


def test_sessions_without_an_application_name_go_by_the_name_that_probes_give_them(bench: Bench, served: Cluster):
    session = others(served, 1, "")[0]
    assert [row["pid"] for row in bench.look("postgres.sessions", app="").rows if row["app"] == "(none)"]
    act = bench.offer(TERMINATE, application="(none)", user="shopper")
    assert [row["pid"] for row in bench.hands.act(act, bench.grant(act)).touched] == [session.info.backend_pid]
    session.close()


def test_an_act_session_that_was_ended_is_opened_anew_before_anything_is_sent(bench: Bench, served: Cluster):
    session = others(served, 1, "leaky")[0]
    act = bench.offer(TERMINATE, application="leaky")
    with served.connect() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ratchet:act'")
    assert bench.hands.act(act, bench.grant(act)).outcome == "done"
    until(lambda: not alive(session))


def _armed_then_stopped(bench: Bench, act: Act, tool: Any, seconds: float) -> tuple[Any, int]:
    """Arm the act session, stop its backend, send: the statement waits in the socket."""
    sending = Sending(tool, act, bench.grant(act, now() + timedelta(seconds=seconds)), now)
    with bench.hands._sessions(bench.targets["db"]).act.line() as line:
        pid = line.info.backend_pid
        limit = sending.arm(line)
        os.kill(pid, signal.SIGSTOP)
        return sending.carry(line, min(limit, 0.5)), pid


@pytest.mark.parametrize("what", ["vacuum", "alter_system", "terminate"])
def test_a_statement_sent_to_a_stopped_backend_cannot_land_late(bench: Bench, served: Cluster, what: str):
    with served.connect() as admin:
        admin.execute("ALTER SYSTEM SET work_mem = '5MB'")
        admin.execute("SELECT pg_reload_conf()")
        admin.execute("ALTER TABLE public.orders OWNER TO ratchet_act_db")
    victim = others(served, 1, "leaky")[0]
    tool = {"vacuum": "postgres.vacuum_table", "alter_system": "postgres.reset_setting", "terminate": TERMINATE}[what]
    args: dict[str, Any] = {
        "vacuum": {"schema": "public", "table": "orders"},
        "alter_system": {"scope": "system", "name": "work_mem"},
        "terminate": {"application": "leaky"},
    }[what]
    act = bench.offer(tool, **args)
    writing = next(each for each in POSTGRES_TOOLS if each.spec.name == tool)
    sent, pid = _armed_then_stopped(bench, act, writing, 1.0)
    assert sent.outcome == "unknown", sent
    deadline = now() + timedelta(seconds=1.2)
    until(lambda: now() > deadline)
    os.kill(pid, signal.SIGCONT)
    until(lambda: not _exists(served, pid))
    assert bench.hands.took(act, bench.grant(act)).verdict == "no"
    assert alive(victim)
    victim.close()


def test_a_pause_of_ours_before_the_send_ends_in_nothing_done(bench: Bench, served: Cluster):
    """The server ended the armed session meanwhile, and says so: that it never read the statement is certain."""
    victim = others(served, 1, "leaky")[0]
    act = bench.offer(TERMINATE, application="leaky")
    sending = Sending(POSTGRES_TOOLS[0], act, bench.grant(act, now() + timedelta(seconds=0.6)), now)
    with bench.hands._sessions(bench.targets["db"]).act.line() as line:
        assert sending.arm(line)
        pid = line.info.backend_pid
        until(lambda: not _exists(served, pid))
        sent = sending.carry(line, 2.0)
    assert (sent.outcome, sent.return_code) == ("failed_clean", "57P05"), sent
    assert alive(victim)
    victim.close()


def _exists(served: Cluster, pid: int) -> bool:
    with served.connect() as admin:
        return bool(admin.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall())


def test_a_vacuum_that_the_server_skipped_is_not_called_done(bench: Bench, served: Cluster):
    """Without ownership or pg_maintain the server only warns, and says VACUUM."""
    with served.connect() as admin:
        admin.execute("CREATE TABLE IF NOT EXISTS public.private ()")
        maintains = admin.info.server_version >= 170_000
    act = bench.offer("postgres.vacuum_table", schema="public", table="private")
    sent = bench.hands.act(act, bench.grant(act))
    assert sent.outcome == ("done" if maintains else "failed_clean"), sent
    assert maintains or (sent.error_category == "permission" and "private" in sent.because)
    disabled = any("postgres.vacuum_table" in each.probes for each in bench.hands.check("db"))
    assert disabled is not maintains


def test_the_same_statement_in_time_lands_once(bench: Bench, served: Cluster):
    with served.connect() as admin:
        admin.execute("ALTER TABLE public.orders OWNER TO ratchet_act_db")
    act = bench.offer("postgres.vacuum_table", schema="public", table="orders")
    sent = bench.hands.act(act, bench.grant(act))
    assert (sent.outcome, sent.return_code) == ("done", "VACUUM"), sent
    until(lambda: bench.hands.took(act, bench.grant(act)).verdict == "yes")
    again = bench.offer("postgres.analyze_table", schema="public", table="orders")
    assert bench.hands.act(again, bench.grant(again)).outcome == "done"


def test_a_stopped_act_backend_is_noticed_before_the_send(bench: Bench, served: Cluster):
    session = others(served, 1, "leaky")[0]
    act = bench.offer(TERMINATE, application="leaky")
    with bench.hands._sessions(bench.targets["db"]).act.line() as line:
        pid = line.info.backend_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        sent = bench.hands.act(act, bench.grant(act))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (sent.outcome, sent.error_category) == ("failed_clean", "hung")
    assert alive(session)
    session.close()


def test_the_act_session_stays_after_an_act(bench: Bench, served: Cluster):
    others_pid = others(served, 1, "leaky")[0]
    act = bench.offer(TERMINATE, application="leaky")
    with bench.hands._sessions(bench.targets["db"]).act.line() as line:
        before = line.info.backend_pid
    bench.hands.act(act, bench.grant(act))
    with bench.hands._sessions(bench.targets["db"]).act.line() as line:
        assert line.info.backend_pid == before
        assert line.execute("SHOW idle_session_timeout").fetchone() == {"idle_session_timeout": "0"}
    others_pid.close()


@pytest.mark.parametrize("value", ["'7MB'", "'123kB'"])
def test_undoing_a_reset_of_the_server_restores_exactly(bench: Bench, served: Cluster, value: str):
    admin = served.connect()
    admin.execute(f"ALTER SYSTEM SET work_mem = {value}".encode())
    admin.execute("SELECT pg_reload_conf()")
    auto = "SELECT setting FROM pg_file_settings WHERE name = 'work_mem' AND sourcefile LIKE '%auto.conf'"
    before = admin.execute(auto).fetchall()
    act = bench.offer("postgres.reset_setting", scope="system", name="work_mem")
    sent = bench.hands.act(act, bench.grant(act))
    assert (sent.outcome, admin.execute(auto).fetchall()) == ("done", []), sent
    assert bench.hands.took(act, bench.grant(act)).verdict == "yes"
    _undo(bench, act)
    assert admin.execute(auto).fetchall() == before
    admin.execute("ALTER SYSTEM RESET work_mem")
    admin.execute("SELECT pg_reload_conf()")
    admin.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("search_path", '"$user", public, "od""d, name"'),
        ("work_mem", "'9MB'"),
        ("application_name", "'100%% o''clock \\ x'"),
    ],
)
def test_undoing_a_reset_of_a_role_restores_exactly(bench: Bench, served: Cluster, name: str, value: str):
    admin = served.connect()
    admin.execute("ALTER ROLE ratchet_act_db SUPERUSER")
    admin.execute(f"ALTER ROLE shopper SET {name} = {value}".encode())
    stored = "SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'shopper'::regrole"
    before = admin.execute(stored).fetchall()
    act = bench.offer("postgres.reset_setting", scope="role", name=name, role="shopper")
    sent = bench.hands.act(act, bench.grant(act))
    assert (sent.outcome, admin.execute(stored).fetchall()) == ("done", []), sent
    _undo(bench, act)
    assert admin.execute(stored).fetchall() == before
    admin.execute("ALTER ROLE shopper RESET ALL")
    admin.execute("ALTER ROLE ratchet_act_db NOSUPERUSER")
    admin.close()


def _undo(bench: Bench, act: Act) -> None:
    assert act.undo.possible
    back = act.model_copy(update={"statements": act.undo.statements})
    assert bench.hands.act(back, bench.grant(back)).outcome == "done"


def test_a_value_that_looks_like_a_secret_is_not_put_into_a_packet(bench: Bench, served: Cluster):
    with served.connect() as admin:
        admin.execute("ALTER ROLE shopper SET shop.dsn = 'postgresql://u:Tr0ub4dor-and-3@db/shop'")
        with pytest.raises(Refusal, match="secret"):
            bench.hands.preview(
                "db", "postgres.reset_setting", {"scope": "role", "name": "shop.dsn", "role": "shopper"}
            )
        admin.execute("ALTER ROLE shopper RESET ALL")


def test_an_act_shown_with_another_credential_is_refused(bench: Bench, served: Cluster):
    session = others(served, 1, "leaky")[0]
    act = bench.offer(TERMINATE, application="leaky").model_copy(update={"credential": "env:OTHER"})
    with pytest.raises(Refusal, match="credential"):
        bench.hands.act(act, bench.grant(act))
    session.close()


def test_a_server_setting_outside_the_list_is_refused_and_an_error_answer_is_clean(bench: Bench, served: Cluster):
    with pytest.raises(Refusal, match="not among"):
        bench.hands.preview("db", "postgres.reset_setting", {"scope": "system", "name": "ssl"})
    with served.connect() as admin:
        admin.execute("ALTER ROLE shopper SET work_mem = '9MB'")
        admin.execute("ALTER ROLE ratchet_act_db SUPERUSER")
        act = bench.offer("postgres.reset_setting", scope="role", name="work_mem", role="shopper")
        admin.execute("ALTER ROLE ratchet_act_db NOSUPERUSER NOCREATEROLE")
    sent = bench.hands.act(act, bench.grant(act))
    assert (sent.outcome, sent.return_code, sent.error_category) == ("failed_clean", "42501", "permission")
    assert any("CREATEROLE" in each.what for each in bench.hands.check("db"))


def test_an_inactive_slot_is_dropped_only_as_it_was_shown(bench: Bench, served: Cluster):
    with served.connect() as admin:
        admin.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
        act = bench.offer("postgres.drop_slot", slot_name="forgotten")
        assert act.klass == "C"
        admin.execute("SELECT pg_drop_replication_slot('forgotten')")
        admin.execute("CREATE TABLE IF NOT EXISTS public.noise AS SELECT 1")
        admin.execute("SELECT pg_switch_wal()")
        admin.execute("CHECKPOINT")
        admin.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
    assert bench.hands.act(act, bench.grant(act)).outcome == "failed_clean"
    act = bench.offer("postgres.drop_slot", slot_name="forgotten")
    assert bench.hands.act(act, bench.grant(act)).outcome == "done"
    assert bench.hands.took(act, bench.grant(act)).verdict == "yes"


@pytest.mark.parametrize(("since", "said"), [("2026-11-21T01:00:00+00:00", "unused since 2026"), (None, "cannot tell")])
def test_who_drops_a_slot_is_told_since_when_nobody_uses_it(since: str | None, said: str):
    row = {"slot_name": "old", "restart_lsn": "0/1", "retained_bytes": 9, "unused_since": since, "clock": "x"}

    def read(sql: str, params: Mapping[str, Any], *, timeout: float = 5.0) -> list[dict[str, Any]]:
        del sql, params, timeout
        return [row]

    assert said in DropSlot().preview(read, SlotName(slot_name="old")).summary


def test_a_paused_standby_replays_again(pg_pair: tuple[Cluster, Cluster]):
    primary, replica = pg_pair
    bench = Bench()
    bench.point("primary", primary.dsn())
    bench.point("db", replica.dsn(), replica.dsn(), replica_of="primary")
    assert bench.hands.pointed("db")
    with replica.connect() as admin:
        admin.execute("SELECT pg_wal_replay_pause()")
        act = bench.offer("postgres.resume_replay")
        assert act.identities
        assert bench.hands.took(act, bench.grant(act)).verdict == "no"
        assert bench.hands.act(act, bench.grant(act)).outcome == "done"
        assert bench.hands.took(act, bench.grant(act)).verdict == "yes"
    bench.hands.close()
