"""One line of a configuration is commented out: the one the server names or a rule that rejects, and no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from ratchet.domain.plan import Preview
from ratchet.domain.ports import Sent
from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import Cluster
from tests.conftest import new_root
from tests.tools.conftest import Bench, host_control, now, until

pytestmark = pytest.mark.postgres
EDIT = "host.comment_out_line"


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


def sent(host: Bench, **args: Any) -> tuple[Sent, str]:
    act = host.offer(EDIT, **args)
    assert host.hands.took(act, host.grant(act)).verdict == "no"
    done = host.hands.act(act, host.grant(act))
    return done, host.hands.took(act, host.grant(act)).verdict


def test_the_line_that_the_server_names_is_commented_out_and_put_back(host: Bench, own: Cluster):
    own.stop()
    conf = own.data_dir / "postgresql.conf"
    good = conf.read_text(encoding="utf-8")
    conf.write_text(good + "work_memory = 64  # mine\n", encoding="utf-8")
    try:
        row = host.look("host.pg_status").rows[0]
        assert (row["config_name"], row["config_text"]) == ("work_memory", "work_memory = 64  # mine")
        act = host.offer(EDIT, file="postgresql.conf", line=row["config_line"], text=row["config_text"])
        done = host.hands.act(act, host.grant(act))
        assert (done.outcome, host.hands.took(act, host.grant(act)).verdict) == ("done", "yes"), done
        assert host.look("host.pg_status").rows[0]["config_ok"]
        assert conf.read_text(encoding="utf-8") == good + "#ratchet# work_memory = 64  # mine\n"
        back = act.model_copy(update={"statements": act.undo.statements})
        assert host.hands.act(back, host.grant(back)).outcome == "done"
        assert conf.read_text(encoding="utf-8") == good + "work_memory = 64  # mine\n"
    finally:
        conf.write_text(good, encoding="utf-8")


@contextmanager
def rejecting(own: Cluster) -> Iterator[None]:
    """A server whose first rule turns a role away."""
    hba = own.data_dir / "pg_hba.conf"
    good = hba.read_text(encoding="utf-8")
    hba.write_text("host all wish_app 127.0.0.1/32 reject\n" + good, encoding="utf-8")
    own.reload()
    try:
        yield
    finally:
        hba.write_text(good, encoding="utf-8")
        own.reload()


def test_a_rule_that_rejects_is_commented_out_and_the_running_server_reads_it(host: Bench, own: Cluster):
    with rejecting(own):
        done, verdict = sent(host, file="pg_hba.conf", line=1)
        assert (done.outcome, verdict) == ("done", "yes"), done
        assert not any(rule["rejects"] for rule in host.look("postgres.hba_rules").rows)


def test_a_machine_whose_clock_was_set_makes_no_late_change_and_bars_none_in_time(host: Bench, own: Cluster):
    with rejecting(own):
        act = host.offer(EDIT, file="pg_hba.conf", line=1)
        leave, hour = host.grant(act), timedelta(hours=1)
        late = leave.model_copy(update={"not_after": now() + hour, "settle_after": now()})
        sent = host.hands.act(act, late)
        assert (sent.outcome, "deadline passed" in sent.because) == ("failed_clean", True), sent
        assert host.hands.act(act, leave.model_copy(update={"not_after": now() - hour})).outcome == "done"


@pytest.mark.parametrize("file", ["postgresql.conf", "pg_hba.conf"])
def test_a_line_that_is_well_is_never_offered(host: Bench, own: Cluster, file: str):
    lines = (own.data_dir / file).read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if line and not line.startswith("#"))
    preview = host.hands.preview("db", EDIT, {"file": file, "line": number})
    assert isinstance(preview, Preview)
    assert (preview.rows, preview.statements) == ((), ())


def test_a_line_is_counted_as_the_server_counts_it(host: Bench, own: Cluster):
    hba = own.data_dir / "pg_hba.conf"
    good = hba.read_text(encoding="utf-8")
    hba.write_text(
        "# a page break \x0c, a line separator \u2028, a next line \x85\nhost all wish_app 127.0.0.1/32 reject\n"
        + good,
        "utf-8",
    )
    try:
        act = host.offer(EDIT, file="pg_hba.conf", line=2)
        assert "wish_app" in str(act.identities) + str(act.statements), act
        assert host.hands.act(act, host.grant(act)).outcome == "done"
        changed = hba.read_bytes().split(b"\n")
        assert b"reject" in changed[1] and changed[1].startswith(b"#")
    finally:
        hba.write_text(good, encoding="utf-8")


def test_a_file_that_changed_since_it_was_shown_is_left_alone(host: Bench, own: Cluster):
    hba = own.data_dir / "pg_hba.conf"
    good = hba.read_text(encoding="utf-8")
    hba.write_text("host all wish_app 127.0.0.1/32 reject\n" + good, encoding="utf-8")
    try:
        act = host.offer(EDIT, file="pg_hba.conf", line=1)
        changed = "host all other 127.0.0.1/32 scram-sha-256\n" + good
        hba.write_text(changed, encoding="utf-8")
        done = host.hands.act(act, host.grant(act))
        assert done.outcome == "failed_clean"
        assert hba.read_text(encoding="utf-8") == changed
    finally:
        hba.write_text(good, encoding="utf-8")


def test_feedback_is_turned_on_at_a_replica_only_and_taken_back(pg_pair: tuple[Cluster, Cluster]):
    primary, replica = pg_pair
    bench = Bench()
    bench.point("db", primary.dsn(), primary.dsn())
    bench.point("copy", replica.dsn(), replica.dsn(), replica_of="db")
    try:
        preview = bench.hands.preview("db", "postgres.turn_on_feedback", {})
        assert isinstance(preview, Preview)
        assert preview.rows == ()
        act = bench.offer("postgres.turn_on_feedback", target="copy")
        assert bench.hands.took(act, bench.grant(act)).verdict == "no"
        assert bench.hands.act(act, bench.grant(act)).outcome == "done"
        until(lambda: bench.hands.took(act, bench.grant(act)).verdict == "yes")
        back = act.model_copy(update={"statements": act.undo.statements})
        assert bench.hands.act(back, bench.grant(back)).outcome == "done"
        until(lambda: bench.hands.took(act, bench.grant(act)).verdict == "no")
        written = act.model_copy(update={"statements": act.statements[:1]})
        assert bench.hands.act(written, bench.grant(written)).outcome == "done"
        took = bench.hands.took(act, bench.grant(act))
        assert (took.verdict, "not read" in took.because) == ("cannot_tell", True), "the next reload turns it on"
    finally:
        with replica.connect() as session:
            session.execute("ALTER SYSTEM RESET hot_standby_feedback")
        replica.reload()
        bench.hands.close()
