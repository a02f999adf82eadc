"""An act reaches the server that was shown or none, and no statement of it begins after its deadline."""

from datetime import timedelta

import pytest

from ratchet.domain.plan import Act, Statement
from ratchet.lab.embedded import Cluster
from ratchet.tools.postgres.send import Sending
from ratchet.tools.postgres.writes import POSTGRES_TOOLS
from tests.tools.conftest import Bench, now, others

pytestmark = pytest.mark.postgres
TERMINATE = "postgres.terminate_sessions"


def several(bench: Bench, *statements: str) -> Act:
    """An act of more than one statement, as a drop of several indexes is."""
    act = bench.offer(TERMINATE, application="nobody")
    return act.model_copy(update={"statements": tuple(Statement(sql=each) for each in statements)})


def made(served: Cluster) -> bool:
    with served.connect() as admin:
        return bool(admin.execute("SELECT to_regclass('public.made_late') IS NOT NULL").fetchall()[0][0])


def test_every_statement_of_an_act_has_only_what_is_left_of_the_deadline(bench: Bench, served: Cluster):
    with served.connect() as admin:
        admin.execute("GRANT CREATE ON SCHEMA public TO ratchet_act_db")
    act = several(bench, *["SELECT pg_sleep(0.9)"] * 3, "CREATE TABLE public.made_late ()")
    leave = bench.grant(act, now() + timedelta(seconds=2))
    sent = bench.hands.act(act, leave)
    assert sent.outcome == "unknown", sent
    assert sent.ended_at < leave.not_after + timedelta(seconds=1)
    assert not made(served)
    with served.connect() as admin:
        admin.execute("REVOKE CREATE ON SCHEMA public FROM ratchet_act_db")


def test_nothing_is_begun_once_the_deadline_has_passed_and_what_was_done_is_said(bench: Bench, served: Cluster):
    with served.connect() as admin:
        admin.execute("GRANT CREATE ON SCHEMA public TO ratchet_act_db")
    # The first statement ends in time whatever its limits are, with too little left for another.
    act = several(bench, "SELECT pg_sleep(0.55)", "CREATE TABLE public.made_late ()")
    tool = next(each for each in POSTGRES_TOOLS if each.spec.name == TERMINATE)
    sending = Sending(tool, act, bench.grant(act, now() + timedelta(seconds=0.6)), now)
    with bench.hands._sessions(bench.targets["db"]).act.line() as line:
        sent = sending.carry(line, 5.0)
        left = line.execute("SHOW statement_timeout").fetchone()
    assert (sent.outcome, sent.return_code, sent.error_category) == ("unknown", "partly", "too_late"), sent
    assert "1 of 2 statements were done" in sent.because
    assert left == {"statement_timeout": "0"}
    assert not made(served)
    with served.connect() as admin:
        admin.execute("REVOKE CREATE ON SCHEMA public FROM ratchet_act_db")


@pytest.mark.parametrize(
    "other", [{"system_identifier": "7"}, {"timeline": 99}, {"in_recovery": True}, {"system_identifier": ""}]
)
def test_an_act_session_at_another_server_than_the_one_shown_is_sent_nothing(
    bench: Bench, served: Cluster, other: dict[str, object]
):
    session = others(served, 1, "leaky")[0]
    act = bench.offer(TERMINATE, application="leaky")
    sent = bench.hands.act(act, bench.grant(act).model_copy(update=other))
    assert (sent.outcome, sent.return_code, sent.error_category) == ("failed_clean", "other_server", "precondition")
    assert "nothing was sent: another server" in sent.because
    assert session.execute("SELECT 1").fetchone() == (1,)
    assert bench.hands.act(act, bench.grant(act)).outcome == "done", "the next act opens its session anew"
    session.close()


def test_an_act_login_that_leads_to_the_replica_is_sent_nothing(pg_pair: tuple[Cluster, Cluster]):
    """Same identity and timeline, another role: what was shown of the primary is not done at its replica."""
    primary, replica = pg_pair
    bench = Bench()
    bench.point("db", primary.dsn(), replica.dsn())
    with primary.connect() as admin:
        admin.execute("ALTER SYSTEM SET work_mem = '5MB'")
        act = bench.offer("postgres.reset_setting", scope="system", name="work_mem")
        sent = bench.hands.act(act, bench.grant(act))
        admin.execute("ALTER SYSTEM RESET work_mem")
    assert (sent.outcome, sent.return_code) == ("failed_clean", "other_server"), sent
    bench.hands.close()
