"""A server on a host of ours: what its files say when it is down, and that it is started only when it may be."""

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ratchet.domain.evidence import Answer
from ratchet.domain.plan import Preview
from ratchet.domain.target import Fingerprint
from ratchet.lab.account import LabProgramFailed
from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import Cluster
from tests.conftest import new_root
from tests.tools.conftest import Bench, host_control, now, until

pytestmark = pytest.mark.postgres
START = "host.start_server"


@pytest.fixture(scope="module")
def own(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster.create(new_root(tmp_path_factory), pg_binaries) as cluster:
        yield cluster


@pytest.fixture
def host(own: Cluster) -> Iterator[Bench]:
    own.start()
    bench = Bench()
    bench.point("db", own.dsn(), own.dsn(), host_control=host_control(own))
    yield bench
    bench.hands.close()


def test_a_stopped_server_is_started_once_and_by_grant(host: Bench, own: Cluster):
    running = host.hands.fingerprint("db")
    own.stop()
    stopped = host.hands.fingerprint("db")
    assert isinstance(running, Fingerprint)
    assert isinstance(stopped, Fingerprint)
    assert stopped.same_server(running)
    act = host.offer(START)
    assert act.identities[0]["state"] == "shut down"
    assert act.statements[0].argv[:2] == (own.pg_ctl, "start")
    assert host.hands.took(act, host.grant(act)).verdict == "no"
    sent = host.hands.act(act, host.grant(act, now() + timedelta(seconds=60)))
    assert (sent.outcome, sent.return_code) == ("done", "0"), sent
    assert host.hands.took(act, host.grant(act)).verdict == "yes"
    assert host.look("postgres.ping").answer is Answer.OK
    again = host.hands.act(act, host.grant(act))
    assert (again.outcome, again.error_category) == ("failed_clean", "in_use")


def test_a_crashed_server_shows_its_stale_pid_and_is_started(host: Bench, own: Cluster):
    own.kill()
    row = host.look("host.pg_status").rows[0]
    assert (row["running"], row["stale_pid_file"], row["clean_shutdown"]) == (False, True, False)
    assert row["port"] == own.port
    act = host.offer(START)
    assert host.hands.act(act, host.grant(act, now() + timedelta(seconds=60))).outcome == "done"


@pytest.mark.parametrize("takes_it_away", ["a crash", "a reset"])
def test_a_count_of_runs_that_began_anew_tells_nothing(host: Bench, own: Cluster, takes_it_away: str):
    """The vacuum ran, and its answer was lost: a count that is no higher than before does not say that it did not."""
    with own.connect() as admin:
        admin.execute("DROP TABLE IF EXISTS public.counted")
        admin.execute("CREATE TABLE public.counted ()")
        act = host.offer("postgres.vacuum_table", schema="public", table="counted")
        assert host.hands.took(act, host.grant(act)).verdict == "no"
        admin.execute("VACUUM public.counted")
        until(lambda: host.hands.took(act, host.grant(act)).verdict == "yes")
        if takes_it_away == "a reset":
            admin.execute("SELECT pg_stat_reset_single_table_counters('public.counted'::regclass)")
    if takes_it_away == "a crash":
        own.kill()
        own.start()
    until(lambda: host.hands.took(act, host.grant(act)).verdict == "cannot_tell")


def test_a_running_server_is_not_offered(host: Bench, own: Cluster):
    row = host.look("host.pg_status").rows[0]
    assert (row["running"], row["pid"], row["port_taken"], row["config_ok"]) == (True, own.pid, False, True)
    assert set(row) == host.hands.probes()["host.pg_status"]
    preview = host.hands.preview("db", START, {})
    assert isinstance(preview, Preview)
    assert (preview.rows, preview.statements) == ((), ())


def test_a_start_is_taken_back_by_a_stop(host: Bench, own: Cluster):
    own.stop()
    act = host.offer(START)
    back = act.model_copy(update={"statements": act.undo.statements})
    nothing = host.hands.act(back, host.grant(back))
    assert (nothing.outcome, nothing.error_category) == ("failed_clean", "in_use"), nothing
    assert host.hands.act(act, host.grant(act, now() + timedelta(seconds=60))).outcome == "done"
    assert host.hands.act(back, host.grant(back, now() + timedelta(seconds=60))).outcome == "done"
    assert not own.is_running()


def test_a_port_held_by_another_is_named_and_nothing_is_started(host: Bench, own: Cluster):
    own.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", own.port))
        squatter.listen()
        row = host.look("host.pg_status").rows[0]
        assert row["port_taken"]
        preview = host.hands.preview("db", START, {})
        assert isinstance(preview, Preview)
        assert preview.rows == ()
        assert str(own.port) in preview.summary


def test_a_late_start_is_not_sent(host: Bench, own: Cluster):
    own.stop()
    act = host.offer(START)
    sent = host.hands.act(act, host.grant(act, now() - timedelta(seconds=1)))
    assert (sent.outcome, sent.error_category) == ("failed_clean", "too_late")
    assert not own.is_running()


def test_a_broken_configuration_is_said_with_the_servers_own_words(host: Bench, own: Cluster):
    own.stop()
    conf = own.data_dir / "postgresql.conf"
    good = conf.read_text(encoding="utf-8")
    conf.write_text(good + "max_connections = many\n", encoding="utf-8")
    try:
        row = host.look("host.pg_status").rows[0]
        assert not row["config_ok"]
        assert "max_connections" in row["config_error"]
        preview = host.hands.preview("db", START, {})
        assert isinstance(preview, Preview)
        assert preview.rows == ()
    finally:
        conf.write_text(good, encoding="utf-8")


def test_a_data_directory_that_is_gone_is_known_not_to_run(host: Bench, own: Cluster):
    control = host_control(own).model_copy(update={"pg_data": str(own.home / "nowhere")})
    host.point("lost", own.dsn(), host_control=control)
    row = host.look("host.pg_status", target="lost").rows[0]
    assert (row["data_dir_present"], row["running"], row["port"]) == (False, False, None)
    assert set(row) == host.hands.probes()["host.pg_status"]
    preview = host.hands.preview("lost", START, {})
    assert isinstance(preview, Preview)
    assert preview.statements == ()


def test_only_the_troubles_of_the_latest_start_are_shown(host: Bench, own: Cluster):
    own.stop()
    hba = own.data_dir / "pg_hba.conf"
    good = hba.read_text(encoding="utf-8")
    hba.write_text("nonsense\n", encoding="utf-8")
    with pytest.raises(LabProgramFailed):
        own.start()
    assert "pg_hba" in host.look("host.pg_status").rows[0]["log_errors"]
    hba.write_text(good, encoding="utf-8")
    own.start()
    assert "pg_hba" not in host.look("host.pg_status").rows[0]["log_errors"]


def test_a_target_without_host_control_is_told_so(host: Bench, own: Cluster):
    host.point("plain", own.dsn())
    assert host.look("host.pg_status", target="plain").answer is Answer.MISSING


def test_a_server_that_is_not_open_yet_answers_starting(host: Bench, own: Cluster):
    own.stop()
    signal = own.data_dir / "standby.signal"
    signal.touch()
    own.configure({"hot_standby": "off"})
    try:
        own.start()
        assert host.look("postgres.ping").answer is Answer.STARTING
    finally:
        own.stop()
        signal.unlink()
        own.configure({"hot_standby": "on"})
