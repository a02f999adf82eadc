"""The life of a server of our own."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from ratchet.lab.account import LabProgramFailed, reachable_binaries, server_account
from ratchet.lab.binaries import Binaries, Origin, find_binaries
from ratchet.lab.embedded import Cluster
from ratchet.lab.sweep import POINTER, sweep

Ended = Callable[[psutil.Process], bool]
pytestmark = pytest.mark.postgres


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A directory that every account may enter."""
    path = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("origin", ["installed", "wheel"])
def test_a_primary_and_its_replica_come_up_and_go_without_a_trace(origin: Origin, tmp_path: Path, ended: Ended) -> None:
    with Cluster.create(tmp_path / "one", find_binaries(os.environ, prefer=origin)) as primary:
        replica = primary.replica(tmp_path / "two")
        processes = [psutil.Process(cluster.pid) for cluster in (primary, replica)]
        reapers = [psutil.Process(cluster.reaper.pid) for cluster in (primary, replica)]
        with primary.connect() as session:
            version = session.execute("SHOW server_version_num").fetchone()
        assert version is not None
        assert int(version[0]) // 10000 == primary.binaries.version[0]
    assert all(ended(process) for process in [*processes, *reapers])
    assert not any(path.exists() for path in (primary.home, replica.home, tmp_path / "one", tmp_path / "two"))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", primary.port), timeout=1)


def test_the_server_never_runs_as_root(pg: Cluster) -> None:
    assert psutil.Process(pg.pid).uids().real == server_account().uid != 0


def test_the_superuser_password_stands_in_no_command_line_and_in_no_open_file(pg: Cluster) -> None:
    secret = pg.passwords["postgres"]
    assert not any(secret in " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
    holders = [path for path in pg.home.iterdir() if path.is_file() and secret in path.read_text()]
    assert holders
    assert {path.stat().st_mode & 0o777 for path in holders} == {0o600}
    assert secret not in repr(pg)


def test_no_way_in_without_a_password(pg: Cluster) -> None:
    for host in ("127.0.0.1", str(pg.home)):
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(host=host, port=pg.port, user="postgres", dbname="postgres")


def test_it_listens_on_the_loopback_alone(pg: Cluster) -> None:
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(pg.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_stop_start_kill_and_restart(tmp_path: Path, pg_binaries: Binaries) -> None:
    with Cluster.create(tmp_path / "root", pg_binaries, settings={"work_mem": "5MB"}) as cluster:
        first = cluster.pid
        cluster.start()
        assert cluster.pid == first
        cluster.kill()
        assert not cluster.is_running()
        assert cluster.pid is None
        cluster.start()
        with cluster.connect() as session:
            assert session.execute("SHOW work_mem").fetchone() == ("5MB",)
        assert "was not properly shut down" in cluster.log_path.read_text()
        cluster.stop()
        cluster.stop()
        assert not cluster.is_running()
        cluster.restart()
        assert cluster.is_running()


def test_an_open_root_holds_the_server_itself_and_a_stale_one_makes_way(
    open_dir: Path, pg_binaries: Binaries, ended: Ended
) -> None:
    root = open_dir / "root"
    with Cluster.create(root, pg_binaries) as stale:
        old = psutil.Process(stale.pid)
        with Cluster.create(root, pg_binaries) as cluster:
            assert ended(old)
            assert stale.home == cluster.home == root / "server"
            assert cluster.is_running()


def test_sweep_removes_nothing_that_it_did_not_make(tmp_path: Path) -> None:
    kept = tmp_path / "precious"
    kept.write_text("x")
    assert not sweep(tmp_path)
    (tmp_path / POINTER).write_text(f"{tmp_path / 'gone'}\n")
    assert sweep(tmp_path)
    assert kept.exists()


def test_a_setting_that_the_server_refuses_leaves_nothing_and_says_why(tmp_path: Path, pg_binaries: Binaries) -> None:
    with pytest.raises(LabProgramFailed, match="unrecognized configuration parameter"):
        Cluster.create(tmp_path / "root", pg_binaries, settings={"no_such_setting": 1})
    assert not (tmp_path / "root").exists()


def test_a_given_port_that_is_taken_is_told(tmp_path: Path, pg_binaries: Binaries, pg: Cluster) -> None:
    with pytest.raises(LabProgramFailed, match="Address already in use"):
        Cluster.create(tmp_path / "root", pg_binaries, port=pg.port)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")
def test_a_closed_parent_stays_closed(pg: Cluster) -> None:
    parents = [parent for parent in pg.root.parents if parent.stat().st_mode & 0o777 == 0o700]
    assert parents
    assert not pg.home.is_relative_to(pg.root)
    assert pg.home.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")
def test_programs_behind_a_link_in_a_closed_directory_are_run_at_their_true_place(
    tmp_path: Path, pg_binaries: Binaries
) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "bin").symlink_to(pg_binaries.bin_dir)
    linked = replace(pg_binaries, bin_dir=tmp_path / "bin")
    assert reachable_binaries(linked, server_account(), tmp_path) == pg_binaries


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")
def test_programs_below_a_closed_directory_are_copied_and_run(tmp_path: Path) -> None:
    wheel = find_binaries(os.environ, prefer="wheel")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    prefix, package = wheel.bin_dir.parents[0], wheel.bin_dir.parents[1]
    shutil.copytree(prefix, closed / package.name / prefix.name, symlinks=True)
    shutil.copytree(package.parent / f"{package.name}.libs", closed / f"{package.name}.libs", symlinks=True)
    hidden = Binaries(closed / package.name / prefix.name / "bin", wheel.version, "wheel", wheel.contrib)
    with Cluster.create(tmp_path / "root", hidden) as cluster:
        assert cluster.binaries.bin_dir.is_relative_to(cluster.home)
        assert reachable_binaries(cluster.binaries, cluster.account, cluster.home) == cluster.binaries
        with cluster.connect() as session:
            assert session.execute("SELECT 1").fetchone() == (1,)
