"""Replay is resumed only where that lets the replica go on: never into its own end or into a promotion."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from ratchet.domain.plan import Preview
from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import Cluster
from tests.conftest import new_root
from tests.tools.conftest import Bench, until

pytestmark = pytest.mark.postgres
RESUME = "postgres.resume_replay"


@pytest.fixture(scope="module")
def pair(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Cluster]]:
    with Cluster.create(new_root(tmp_path_factory), pg_binaries) as primary:
        yield primary, primary.replica(new_root(tmp_path_factory))


@pytest.fixture
def bench(pair: tuple[Cluster, Cluster]) -> Iterator[Bench]:
    primary, replica = pair
    bench = Bench()
    bench.point("shop", primary.dsn(), primary.dsn())
    bench.point("copy", replica.dsn(), replica.dsn(), replica_of="shop")
    yield bench
    bench.hands.close()


def state(replica: Cluster) -> str:
    with replica.connect() as session:
        return str(session.execute("SELECT pg_get_wal_replay_pause_state()").fetchall()[0][0])


def offered(bench: Bench) -> Preview:
    preview = bench.hands.preview("copy", RESUME, {})
    assert isinstance(preview, Preview), preview
    return preview


def refused(bench: Bench) -> str:
    preview = offered(bench)
    assert (preview.rows, preview.statements) == ((), ())
    return preview.summary


def test_replay_that_stands_at_a_smaller_limit_is_not_resumed(bench: Bench, pair: tuple[Cluster, Cluster]):
    primary, replica = pair
    primary.configure({"max_locks_per_transaction": 640})
    primary.restart()
    until(lambda: state(replica) == "paused", 20)
    assert "max_locks_per_transaction is 256 here and 640 there; resuming shuts this standby down" in refused(bench)
    primary.stop()
    assert "does not answer" in refused(bench)
    bench.targets.pop("shop")
    assert "no primary is registered" in refused(bench)
    with replica.connect() as session, contextlib.suppress(psycopg.OperationalError):
        session.execute("SELECT pg_wal_replay_resume()")  # which may stop the server before it answers
    until(lambda: not replica.is_running(), 20)
    primary.start()
    replica.configure({"max_locks_per_transaction": 640})
    replica.start()


def test_replay_that_stands_at_a_target_is_not_resumed(bench: Bench, pair: tuple[Cluster, Cluster]):
    """The last one: the pair is none afterwards."""
    primary, replica = pair
    with replica.connect() as session:
        session.execute("SELECT pg_wal_replay_pause()")
    until(lambda: state(replica) == "paused")
    assert len(offered(bench).rows) == 1, "a pause that somebody asked for is taken back"
    replica.configure({"recovery_target_name": "before the mistake"})
    replica.restart()
    with primary.connect() as session:
        session.execute("SELECT pg_create_restore_point('before the mistake')")
    until(lambda: state(replica) == "paused", 20)
    assert "recovery_target_name is set to before the mistake: resuming may end recovery" in refused(bench)
    with replica.connect() as session:
        session.execute("SELECT pg_wal_replay_resume()")
        until(lambda: session.execute("SELECT pg_is_in_recovery()").fetchone() == (False,), 20)
