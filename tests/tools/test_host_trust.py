"""A host is looked at as the account that the server runs as, and nothing is run that somebody else could exchange."""

import os
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ratchet.domain.evidence import Answer
from ratchet.domain.plan import Preview
from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import Cluster
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.log_file import log_lines
from ratchet.tools.host.status import pg_status
from tests.conftest import new_root
from tests.tools.conftest import Bench, host_control, now

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can read more than the server's account")
pytestmark = pytest.mark.postgres
PROGRAMS = ("pg_ctl", "pg_controldata", "postgres")


@pytest.fixture(scope="module")
def own(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster.create(new_root(tmp_path_factory), pg_binaries) as cluster:
        cluster.stop()
        yield cluster


@pytest.fixture
def closed(own: Cluster) -> Iterator[Path]:
    """A file that only root may read, where the server's account could name it."""
    path = own.home / "closed"
    path.write_text("FATAL:  only for root\nhost all all 127.0.0.1/32 reject\n", encoding="utf-8")
    os.chown(path, 0, 0)
    path.chmod(0o600)
    yield path
    path.unlink()


@ROOT
def test_a_log_that_the_servers_account_may_not_read_is_not_shown(own: Cluster, closed: Path):
    noted = own.data_dir / "current_logfiles"
    noted.write_text(f"stderr {closed}\n", encoding="utf-8")
    os.chown(noted, own.account.uid, own.account.gid)
    try:
        row = pg_status(host_control(own))[0]
        assert (row["log_file"], row["log_errors"]) == (str(closed), "")
        with pytest.raises(NoAnswer, match="cannot be read as"):
            log_lines(host_control(own))
        os.chown(closed, own.account.uid, own.account.gid)
        assert "only for root" in pg_status(host_control(own))[0]["log_errors"]
        assert log_lines(host_control(own))[1] == str(closed)
    finally:
        noted.unlink()


@ROOT
def test_a_configuration_that_leads_to_a_file_of_root_is_not_shown(own: Cluster, closed: Path):
    hba, aside = own.data_dir / "pg_hba.conf", own.data_dir / "aside"
    hba.rename(aside)
    hba.symlink_to(closed)
    bench = Bench()
    bench.point("db", own.dsn(), own.dsn(), host_control=host_control(own))
    try:
        preview = bench.hands.preview("db", "host.comment_out_line", {"file": "pg_hba.conf", "line": 2})
        assert isinstance(preview, Preview)
        assert (preview.rows, preview.statements) == ((), ())
        assert "cannot be read" in preview.summary
    finally:
        hba.unlink()
        aside.rename(hba)
        bench.hands.close()


@pytest.fixture
def planted(own: Cluster) -> Iterator[Path]:
    """Programs of somebody's making that leave a trace when they are run."""
    place = own.home / "planted"
    place.mkdir()
    for name in PROGRAMS:
        program = place / name
        program.write_text(f"#!/bin/sh\ntouch {own.home}/was_run\n", encoding="utf-8")
        program.chmod(0o755)
    yield place
    for each in place.iterdir():
        each.unlink()
    place.rmdir()


@pytest.mark.parametrize("doubt", ["the directory is everybody's", "the file is everybody's", "the way is not whole"])
def test_a_program_that_somebody_else_could_exchange_is_not_run(own: Cluster, planted: Path, doubt: str):
    control = host_control(own).model_copy(update={"pg_ctl": str(planted / "pg_ctl")})
    if doubt == "the way is not whole":
        control = control.model_copy(update={"pg_ctl": os.path.relpath(planted / "pg_ctl", "/")})
    elif doubt == "the directory is everybody's":
        planted.chmod(0o777)
    else:
        for name in PROGRAMS:
            (planted / name).chmod(0o777)
    bench = Bench()
    bench.point("db", own.dsn(), own.dsn(), host_control=control)
    seen = bench.look("host.pg_status")
    assert (seen.answer, "is not run" in seen.detail) == (Answer.PERMISSION, True), seen.detail
    assert not (own.home / "was_run").exists()
    bench.hands.close()


def test_another_cluster_or_another_pg_ctl_than_was_shown_is_not_started(own: Cluster):
    bench = Bench()
    bench.point("db", own.dsn(), own.dsn(), host_control=host_control(own))
    act = bench.offer("host.start_server")
    other = (f"{own.home}/elsewhere/pg_ctl", *act.statements[0].argv[1:])
    forged = act.model_copy(update={"statements": (act.statements[0].model_copy(update={"argv": other}),)})
    sent = bench.hands.act(forged, bench.grant(forged, now() + timedelta(seconds=60)))
    assert (sent.outcome, "not the registered pg_ctl" in sent.because) == ("failed_clean", True), sent
    leave = bench.grant(act, now() + timedelta(seconds=60))
    assert leave.system_identifier
    sent = bench.hands.act(act, leave.model_copy(update={"system_identifier": "7"}))
    assert (sent.outcome, "another cluster" in sent.because) == ("failed_clean", True), sent
    assert not own.is_running()
    bench.hands.close()


@ROOT
def test_a_data_directory_of_another_account_is_left_alone(own: Cluster):
    mode, owner = stat.S_IMODE(own.data_dir.stat().st_mode), own.data_dir.stat()
    os.chown(own.data_dir, 0, 0)
    try:
        with pytest.raises(NoAnswer, match="does not belong to"):
            pg_status(host_control(own))
    finally:
        os.chown(own.data_dir, owner.st_uid, owner.st_gid)
        own.data_dir.chmod(mode)
