"""A way back of unknown outcome is judged by its own meaning on a real server; where that cannot be, not at all."""

from collections.abc import Iterator
from typing import Any

import pytest

from ratchet.domain.plan import Act
from ratchet.lab.embedded import Cluster
from tests.tools.conftest import Bench, until

pytestmark = pytest.mark.postgres
MADE = (
    "CREATE ROLE courier NOLOGIN",
    "CREATE TABLE public.vans (id int) WITH (autovacuum_enabled = off)",
    "CREATE INDEX vans_twin ON public.vans (id)",
    "CREATE INDEX vans_twin_b ON public.vans (id)",
    "CREATE DATABASE depot CONNECTION LIMIT 3",
    "ALTER ROLE courier SET work_mem = '64kB'",
    "ALTER SYSTEM SET log_min_duration_statement = '77s'",
    "SELECT pg_reload_conf()",
)
UNMADE = (
    "ALTER SYSTEM RESET log_min_duration_statement", "SELECT pg_reload_conf()", "DROP DATABASE depot",
    "DROP TABLE public.vans", "DROP ROLE courier",
)  # fmt: skip
TABLE: dict[str, Any] = {"schema": "public", "table": "vans"}
SYSTEM: tuple[str, dict[str, Any]] = (
    "postgres.reset_setting",
    {"scope": "system", "name": "log_min_duration_statement"},
)


@pytest.fixture(scope="module")
def owned(pg: Cluster) -> Iterator[Cluster]:
    with pg.connect() as admin:
        for line in MADE:
            admin.execute(line.encode())
    yield pg
    with pg.connect() as admin:
        for line in UNMADE:
            admin.execute(line.encode())


@pytest.fixture
def desk(owned: Cluster) -> Iterator[Bench]:
    bench = Bench()
    bench.point("db", owned.dsn(), owned.dsn())
    yield bench
    bench.hands.close()


def done(desk: Bench, act: Act) -> Act:
    """The way back of an act, which was done."""
    assert desk.hands.act(act, desk.grant(act)).outcome == "done"
    return act.model_copy(update={"statements": act.undo.statements})


def judged(desk: Bench, back: Act) -> str:
    return desk.hands.took(back, desk.grant(back), back=True).verdict


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("postgres.allow_login", {"role": "courier"}),
        ("postgres.grant_right", {"on": "table", "schema": "public", "name": "vans", "role": "courier",
                                  "rights": ["SELECT"]}),
        ("postgres.limit_database", {"database": "depot", "limit": -1}),
        ("postgres.reset_table_option", {**TABLE, "option": "autovacuum_enabled"}),
        ("postgres.reset_setting", {"scope": "role", "name": "work_mem", "role": "courier"}),
        ("postgres.create_index", {**TABLE, "column": "ctid_of"}),
        SYSTEM,
    ],
)  # fmt: skip
def test_a_way_back_is_no_before_it_happened_and_yes_afterwards(
    desk: Bench, owned: Cluster, tool: str, args: dict[str, Any]
) -> None:
    if tool == "postgres.create_index":
        with owned.connect() as admin:
            admin.execute("ALTER TABLE public.vans ADD COLUMN IF NOT EXISTS ctid_of int")
    act = desk.offer(tool, **args)
    back = done(desk, act)
    assert desk.hands.left(act, desk.grant(act)).verdict == "yes"
    assert judged(desk, back) == "no"
    assert desk.hands.act(back, desk.grant(back)).outcome == "done"
    until(lambda: judged(desk, back) == "yes")
    assert desk.hands.left(act, desk.grant(act)).verdict == "no"


def test_what_somebody_set_by_hand_is_neither(desk: Bench, owned: Cluster) -> None:
    act = desk.offer("postgres.reset_setting", scope="role", name="work_mem", role="courier")
    back = done(desk, act)
    with owned.connect() as admin:
        admin.execute("ALTER ROLE courier SET work_mem = '1MB'")
    assert judged(desk, back) == "cannot_tell"
    assert desk.hands.left(act, desk.grant(act)).verdict == "cannot_tell"
    assert desk.hands.act(back, desk.grant(back)).outcome == "done"


def test_a_setting_that_is_written_again_but_not_read_again_is_in_doubt(desk: Bench, owned: Cluster) -> None:
    back = done(desk, desk.offer(SYSTEM[0], **SYSTEM[1]))
    with owned.connect() as admin:
        until(lambda: admin.execute("SHOW log_min_duration_statement").fetchone() == ("-1",))
        assert judged(desk, back) == "no", "and the session that looks has read it, too"
        admin.execute("ALTER SYSTEM SET log_min_duration_statement = '77s'")
        assert judged(desk, back) == "cannot_tell"
        admin.execute("SELECT pg_reload_conf()")
    until(lambda: judged(desk, back) == "yes")


def test_indexes_that_are_built_again_have_other_names_to_the_server_so_that_nobody_can_tell(desk: Bench) -> None:
    back = done(desk, desk.offer("postgres.drop_indexes", **{**TABLE, "which": "duplicate"}))
    assert judged(desk, back) == "cannot_tell"
    assert desk.hands.act(back, desk.grant(back)).outcome == "done"
    assert judged(desk, back) == "cannot_tell"


def test_a_setting_that_the_looking_session_has_for_itself_is_in_doubt(desk: Bench, owned: Cluster) -> None:
    with owned.connect() as admin:
        admin.execute("ALTER SYSTEM SET statement_timeout = '77s'")
    own: dict[str, Any] = {"scope": "system", "name": "statement_timeout"}
    back = done(desk, desk.offer(SYSTEM[0], **own))
    assert judged(desk, back) == "no"
    assert desk.hands.act(back, desk.grant(back)).outcome == "done"
    assert judged(desk, back) == "cannot_tell"
    with owned.connect() as admin:
        admin.execute("ALTER SYSTEM RESET statement_timeout")
        admin.execute("SELECT pg_reload_conf()")
