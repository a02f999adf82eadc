"""Reading a target: every answer is evidence, in time, with no session, thread or secret left behind."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import psycopg
import pytest

from ratchet.domain.evidence import Answer, ProbeCall
from ratchet.domain.target import Fingerprint
from ratchet.lab.embedded import Cluster, free_port
from ratchet.tools.answers import NoAnswer
from ratchet.tools.postgres.probes import ProbeShelf
from tests.tools.conftest import Bench, others, until

pytestmark = pytest.mark.postgres


def test_all_probes_of_a_server_answer_within_the_read_budget(bench: Bench):
    calls = [ProbeCall(probe=name, target="db", args=_args(bench, name)) for name in bench.shelf.names()]
    bench.hands.look(calls)
    seen = bench.hands.look(calls)
    assert [each.probe for each in seen] == [call.probe for call in calls]
    good = {Answer.OK, Answer.MISSING, Answer.PERMISSION}
    assert not [(each.probe, each.detail) for each in seen if each.answer not in good]
    assert sum(each.answer is Answer.OK for each in seen) > 25


def test_an_ordinary_look_uses_the_warm_session_alone(bench: Bench, served: Cluster):
    bench.look("postgres.sessions")
    with served.connect() as session:
        rows = session.execute(
            "SELECT application_name, count(*) FROM pg_stat_activity WHERE application_name LIKE 'ratchet:%' GROUP BY 1"
        ).fetchall()
    assert sorted(rows) == [("ratchet:act", 1), ("ratchet:diag", 1)]


def test_the_diag_session_can_neither_write_nor_terminate(bench: Bench, served: Cluster):
    sessions = bench.hands._sessions(bench.targets["db"])
    victim = others(served, 1, "bystander")[0]
    with sessions.diag.line() as line:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            line.execute("CREATE TABLE public.forbidden ()")
        line.execute("SET default_transaction_read_only = off")
        for statement in (
            "CREATE TABLE public.forbidden ()",
            "INSERT INTO public.orders VALUES (1)",
            f"SELECT pg_terminate_backend({victim.info.backend_pid})",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                line.execute(statement.encode())
        line.execute("SET default_transaction_read_only = on")
    assert victim.execute("SELECT 1").fetchone() == (1,)
    victim.close()
    with served.connect() as session:
        assert session.execute("SELECT to_regclass('public.forbidden')").fetchone() == (None,)


def test_a_server_that_answers_again_has_its_act_session_back_at_once(bench: Bench, served: Cluster):
    act = bench.hands._sessions(bench.targets["db"]).act
    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ratchet:act' AND usename = 'ratchet_act_db'"
    with served.connect() as session:
        session.execute("ALTER ROLE ratchet_act_db NOLOGIN")
        act.close()
        for _ in range(6):
            act.warm_up(answered=True)
        session.execute("ALTER ROLE ratchet_act_db LOGIN")
        act.warm_up()
        assert session.execute(ours).fetchone() == (0,), "after so many failures it waits for half a minute"
        bench.look("postgres.ping")
        assert session.execute(ours).fetchone() == (1,)


def test_a_terminated_warm_session_is_replaced_unseen(bench: Bench, served: Cluster):
    with served.connect() as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ratchet:diag'"
        )
        until(lambda: not _counted(session, "ratchet:diag"))
    assert bench.look("postgres.ping").answer is Answer.OK


def test_an_ended_act_session_is_open_again_after_the_next_look(bench: Bench, served: Cluster):
    with served.connect() as session:
        session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ratchet:act'")
        until(lambda: not _counted(session, "ratchet:act"))
        bench.look("postgres.ping")
        assert _counted(session, "ratchet:act") == 1


def _counted(session: psycopg.Connection[Any], application: str) -> int:
    ask = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    row = session.execute(ask, [application]).fetchone()
    assert row is not None
    return row[0]


def _slow(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[ProbeCall]:
    """Eight probes that take a while, instead of the shelf's; sleeping is nothing that a shelf would let pass."""
    monkeypatch.setattr("ratchet.tools.postgres.probes.judged", lambda _name, _sql: ())
    spec = bench.shelf.variants("postgres.locks")[0]
    slow = {f"postgres.slow{i}": (spec.model_copy(update={"sql": f"SELECT {i} AS n, pg_sleep(0.4)::text"}),)
            for i in range(8)}  # fmt: skip
    bench.hands._shelf = ProbeShelf(slow)
    return [ProbeCall(probe=name, target="db") for name in slow]


def test_slow_probes_share_at_most_three_more_sessions_which_do_not_stay(
    bench: Bench, served: Cluster, monkeypatch: pytest.MonkeyPatch
):
    calls = _slow(bench, monkeypatch)
    with served.connect() as session, ThreadPoolExecutor(1) as pool:
        looking = pool.submit(bench.hands.look, calls)
        most = 0
        while not looking.done():
            most = max(most, _counted(session, "ratchet:diag"))
            time.sleep(0.02)
        assert [each.rows[0]["n"] for each in looking.result()] == list(range(8))
        assert most == 4
        until(lambda: _counted(session, "ratchet:diag") == 1)


def test_on_a_nearly_full_server_the_warm_session_works_alone(
    bench: Bench, served: Cluster, monkeypatch: pytest.MonkeyPatch
):
    calls = _slow(bench, monkeypatch)[:3]
    crowd = others(served, 30, "crowd")
    with served.connect() as session, ThreadPoolExecutor(1) as pool:
        looking = pool.submit(bench.hands.look, calls)
        most = 0
        while not looking.done():
            most = max(most, _counted(session, "ratchet:diag"))
            time.sleep(0.02)
    for each in crowd:
        each.close()
    assert most == 1
    assert [each.answer for each in looking.result()] == [Answer.OK] * 3


def test_the_canary_is_an_ordinary_login_made_anew_each_time(bench: Bench):
    seen = bench.look("postgres.canary")
    assert seen.answer is Answer.OK
    assert seen.rows[0]["ok"] == 1
    assert seen.rows[0]["connect_ms"] > 0
    assert "connect_ms" in bench.hands.probes()["postgres.canary"]


@pytest.mark.parametrize(
    ("dsn", "answer"),
    [
        ("postgresql://u:topsecretword@127.0.0.1:{free}/postgres", Answer.REFUSED),
        ("postgresql://postgres:topsecretword@127.0.0.1:{port}/postgres", Answer.AUTH),
        ("postgresql://u:topsecretword@no-such-host.invalid/postgres", Answer.NAME_RESOLUTION),
        ("this is topsecretword no conninfo", Answer.ERROR),
    ],
)
def test_each_way_of_not_answering_has_its_own_answer(served: Cluster, dsn: str, answer: Answer):
    bench = Bench()
    bench.point("db", dsn.format(free=free_port(), port=served.port))
    seen = bench.look("postgres.ping")
    assert (seen.answer, seen.rows) == (answer, ())
    assert "topsecretword" not in seen.model_dump_json()
    assert not isinstance(bench.hands.fingerprint("db"), Fingerprint)
    bench.hands.close()


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ("ALTER DATABASE closing ALLOW_CONNECTIONS false", Answer.NO_DATABASE),
        ("ALTER DATABASE closing CONNECTION LIMIT 0", Answer.TOO_MANY_CLIENTS),
        ("DROP DATABASE closing", Answer.NO_DATABASE),
    ],
)
def test_a_canary_whose_database_lets_nobody_in_is_a_failure_and_no_canary_is_another_thing(
    bench: Bench, served: Cluster, change: str, answer: Answer
):
    with served.connect() as admin:
        admin.execute("CREATE DATABASE closing")
        try:
            bench.point("shut", served.dsn(), canary=served.dsn("shopper", dbname="closing"))
            bench.point("plain", served.dsn())
            until(lambda: bench.look("postgres.canary", target="shut").answer is Answer.OK)
            admin.execute(change.encode())
            assert bench.look("postgres.canary", target="shut").answer is answer
            assert bench.look("postgres.canary", target="plain").answer is Answer.UNREGISTERED
        finally:
            admin.execute("DROP DATABASE IF EXISTS closing WITH (FORCE)")


def test_a_probe_for_standbys_is_missing_on_a_primary(bench: Bench):
    assert bench.look("postgres.wal_receiver").answer is Answer.MISSING
    assert bench.look("postgres.no_such_probe").answer is Answer.MISSING
    assert bench.look("postgres.ping", target="unknown").answer is Answer.MISSING


def test_bytes_that_are_no_text_are_an_answer_too(served: Cluster):
    with served.connect() as admin:
        admin.execute("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    bench = Bench()
    bench.point("db", served.dsn(dbname="bytes"))
    with pytest.raises(NoAnswer, match="invalid byte sequence"):
        bench.hands._sessions(bench.targets["db"]).read(r"SELECT E'\xff' AS x", {})
    assert bench.look("postgres.ping").answer is Answer.OK
    bench.hands.close()


def test_a_wrong_argument_is_an_answer_not_an_exception(bench: Bench):
    assert bench.look("postgres.ping", nonsense=1).answer is Answer.ERROR


def test_the_fingerprint_names_the_server_and_its_role(bench: Bench, served: Cluster):
    seen = bench.hands.fingerprint("db")
    assert isinstance(seen, Fingerprint)
    assert (seen.in_recovery, seen.timeline) == (False, 1)
    assert abs((seen.clock - seen.taken_at).total_seconds()) < 2


def test_a_replica_shares_the_identity_and_differs_in_role(pg_pair: tuple[Cluster, Cluster]):
    bench = Bench()
    for name, cluster in zip(("primary", "replica"), pg_pair, strict=True):
        bench.point(name, cluster.dsn())
    primary, replica = bench.hands.fingerprint("primary"), bench.hands.fingerprint("replica")
    assert isinstance(primary, Fingerprint)
    assert isinstance(replica, Fingerprint)
    assert primary.system_identifier == replica.system_identifier
    assert not primary.same_server(replica)
    both = bench.hands.look([ProbeCall(probe="postgres.wal_receiver", target=name) for name in ("primary", "replica")])
    assert [each.answer for each in both] == [Answer.MISSING, Answer.OK]
    bench.hands.close()


def test_a_stopped_server_answers_hung_and_leaves_nothing_behind(bench: Bench, served: Cluster):
    bench.look("postgres.ping")
    me = psutil.Process()
    files, threads = me.num_fds(), threading.active_count()
    assert served.pid is not None
    stopped = [psutil.Process(served.pid), *psutil.Process(served.pid).children()]
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    try:
        calls = [ProbeCall(probe=name, target="db") for name in ("postgres.ping", "postgres.canary", "postgres.locks")]
        seen = bench.hands.look(calls)
    finally:
        for process in stopped:
            process.send_signal(signal.SIGCONT)
    assert [each.answer for each in seen] == [Answer.HUNG] * 3
    until(lambda: threading.active_count() <= threads and me.num_fds() <= files)
    assert bench.look("postgres.ping").answer is Answer.OK


def test_one_hung_backend_does_not_hide_the_server(bench: Bench):
    with bench.hands._sessions(bench.targets["db"]).diag.line() as line:
        pid = line.info.backend_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        assert bench.look("postgres.ping").answer is Answer.OK
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_full_server_is_still_read_and_helped(bench: Bench, served: Cluster):
    crowd = _fill(served)
    try:
        canary, sessions = bench.hands.look(
            [
                ProbeCall(probe="postgres.canary", target="db"),
                ProbeCall(probe="postgres.sessions", target="db"),
            ]
        )
        assert (canary.answer, sessions.answer) == (Answer.TOO_MANY_CLIENTS, Answer.OK)
        act = bench.offer("postgres.terminate_sessions", application="leaky", state="idle", limit=5)
        sent = bench.hands.act(act, bench.grant(act))
        assert (sent.outcome, len(sent.touched)) == ("done", 5), sent
        until(lambda: bench.look("postgres.canary").answer is Answer.OK)
    finally:
        for session in crowd:
            session.close()


def _fill(served: Cluster) -> list[psycopg.Connection[Any]]:
    """Sessions until the server takes no ordinary login any more."""
    crowd: list[psycopg.Connection[Any]] = []
    while True:
        try:
            crowd += others(served, 1, "leaky")
        except psycopg.OperationalError:
            return crowd


def _args(bench: Bench, name: str) -> dict[str, object]:
    fill = {"int": 1, "float": 1.0, "bool": True, "text": "public.orders", "duration_s": 1}
    return {arg.name: fill[arg.type] for arg in bench.shelf.variants(name)[0].args if arg.required}
