"""Family C: names made of SQL, options and escapes on a real server. Values everywhere, commands nowhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ratchet.domain.errors import Refusal
from ratchet.domain.plan import Preview, Statement
from ratchet.lab.embedded import Cluster
from ratchet.tools.postgres.probes import ProbeShelf
from tests.bad_inputs.conftest import Door  # noqa: F401 - the fixtures of this directory
from tests.tools.conftest import Bench
from tests.tools.conftest import bench as bench  # noqa: PLC0414 - a fixture is used by its name
from tests.tools.conftest import served as served  # noqa: PLC0414

pytestmark = pytest.mark.postgres
TERMINATE = "postgres.terminate_sessions"
NAMES = [
    "x'; DROP TABLE public.orders; --", 'x"; DROP TABLE public.orders; --', "x\\'; SELECT 1; --", "%s", "%(pids)s", "%%",  # noqa: E501
    "100%", "$1", "{{ params.x }}", "{0}", "null", "NULL", "-oProxyCommand=id", "--host=evil", "$(id)", "`id`", "a\\b",
    "E'\\x41'", "'' OR ''='", "x', true) --", "/* x */", "x\ty", "; SELECT pg_sleep(9)", "ratchet", "(none) ", "%I", "a,b",  # noqa: E501
]  # fmt: skip


def orders(served: Cluster) -> int:
    with served.connect() as session:
        row = session.execute("SELECT count(*) FROM pg_class WHERE oid = 'public.orders'::regclass").fetchone()
    return row[0] if row else 0


def alive(session: psycopg.Connection[Any]) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_c1_an_application_of_any_name_is_ended_alone_and_nothing_else_happens(
    bench: Bench, served: Cluster, name: str
):
    culprit = served.connect("shopper", application_name=name)
    bystander = served.connect("shopper", application_name="bystander")
    (row,) = culprit.execute("SHOW application_name").fetchall()
    seen = bench.look("postgres.sessions", app=row[0])
    assert [each["pid"] for each in seen.rows] == [culprit.info.backend_pid]
    plain = bench.hands.preview("db", TERMINATE, {"application": "bystander"})
    act = bench.offer(TERMINATE, application=row[0])
    assert isinstance(plain, Preview)
    assert act.statements[0].sql == plain.statements[0].sql
    assert bench.hands.act(act, bench.grant(act)).outcome == "done"
    assert (alive(culprit), alive(bystander), orders(served)) == (False, True, 1)
    culprit.close()
    bystander.close()


@pytest.fixture(scope="module")
def odd_tables(served: Cluster) -> Iterator[list[tuple[str, str]]]:
    """Schemas and tables whose names are attacks."""
    made = [(name[:40], name[:40] + ".t") for name in NAMES[:12]]
    with served.connect() as session:
        for schema, table in made:
            session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            session.execute(sql.SQL("CREATE TABLE {} (id int)").format(sql.Identifier(schema, table)))
        yield made
        for schema, _ in made:
            session.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def test_tables_and_schemas_of_any_name_are_read_offered_and_analyzed_by_exactly_that_name(
    bench: Bench, served: Cluster, odd_tables: list[tuple[str, str]]
):
    for schema, table in odd_tables:
        act = bench.offer("postgres.analyze_table", schema=schema, table=table)
        assert (act.identities[0]["schema"], act.identities[0]["table"]) == (schema, table)
        assert bench.hands.act(act, bench.grant(act)).outcome in ("done", "failed_clean")
    for probe in ("postgres.table_bloat", "postgres.stale_stats", "postgres.seq_scans", "postgres.index_usage"):
        assert bench.look(probe).answer.value in ("ok", "missing", "denied")
    assert orders(served) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tool", ["postgres.vacuum_table", "postgres.drop_slot", "postgres.reset_setting"])
def test_a_name_that_is_no_object_offers_nothing(bench: Bench, served: Cluster, tool: str, name: str):
    args: dict[str, Any] = {
        "postgres.vacuum_table": {"schema": name, "table": name}, "postgres.drop_slot": {"slot_name": name},
        "postgres.reset_setting": {"scope": "role", "role": name, "setting": name},
    }[tool]  # fmt: skip
    try:
        preview = bench.hands.preview("db", tool, args)
    except Refusal:
        return
    assert not getattr(preview, "rows", ())
    assert not getattr(preview, "statements", ())


def test_roles_and_databases_of_any_name_are_shown_and_meant_by_exactly_that_name(bench: Bench, served: Cluster):
    for name in NAMES[:8]:
        role = name[:50]
        with served.connect() as session:
            session.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
            session.execute(sql.SQL("ALTER ROLE {} SET work_mem = '1MB'").format(sql.Identifier(role)))
        try:
            assert role in {row["role"] for row in bench.look("postgres.role_db_settings").rows}
            preview = bench.hands.preview("db", TERMINATE, {"user": role})
            assert isinstance(preview, Preview)
            assert preview.rows == ()
        finally:
            with served.connect() as session:
                session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_c15_a_pid_that_was_used_again_is_not_touched(bench: Bench, served: Cluster):
    session = served.connect("shopper", application_name="reused")
    act = bench.offer(TERMINATE, application="reused")
    params = {**act.statements[0].params, "starts": ["2020-01-01T00:00:00.000000+00:00"]}
    reused = act.model_copy(update={"statements": (Statement(sql=act.statements[0].sql, params=params),)})
    assert bench.hands.act(reused, bench.grant(reused)).touched == ()
    assert alive(session)
    session.close()


HEADER = """-- name: postgres.evil
-- summary: looks harmless
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   a int something
"""
WRITES = [
    "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d LIMIT 1", "SELECT pg_terminate_backend(1) AS a LIMIT 1",
    "SET statement_timeout = 0; SELECT pg_sleep(9999) AS a LIMIT 1", "SELECT 1 AS a; DROP TABLE t LIMIT 1",
    "SELECT 1 AS a INTO t LIMIT 1", "SELECT 1 AS a FOR UPDATE LIMIT 1", "COPY t TO PROGRAM 'id' LIMIT 1",
    "SELECT pg_read_file('/etc/passwd') AS a LIMIT 1", "SELECT lo_import('/etc/passwd') AS a LIMIT 1",
    "DO $$ BEGIN END $$ LIMIT 1", "CALL x() LIMIT 1", "EXPLAIN ANALYZE DELETE FROM t LIMIT 1",
    "SELECT rolpassword AS a FROM pg_authid LIMIT 1", "SELECT nextval('s') AS a LIMIT 1",
    "SELECT set_config('x', 'y', false) AS a LIMIT 1", "SELECT \"pg_terminate_backend\"(1) AS a LIMIT 1",
    "SELECT pg_catalog.pg_cancel_backend(1) AS a LIMIT 1", "SELECT U&'\\0041' AS a LIMIT 1", "VACUUM LIMIT 1",
    "SELECT dblink_exec('x', 'DROP TABLE t') AS a LIMIT 1", "SELECT query_to_xml('DELETE', true, true, '') AS a LIMIT 1",  # noqa: E501
    "SELECT 1 AS a /* */ LIMIT 1", "SELECT p\u0433_sleep(1) AS a LIMIT 1", "SELECT public.f() AS a LIMIT 1", "LOCK t LIMIT 1",  # noqa: E501
    "SELECT 1 AS a", "SELECT 1 AS a LIMIT 100000", "SELECT pg_advisory_lock(1) AS a LIMIT 1", "BEGIN LIMIT 1",
]  # fmt: skip


@pytest.mark.parametrize("statement", WRITES)
def test_c3_c5_c7_an_overlay_probe_that_would_write_wait_or_open_files_stops_the_start(tmp_path: Path, statement: str):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "evil.sql").write_text(HEADER + statement + "\n", encoding="utf-8")
    with pytest.raises(Refusal) as no:
        ProbeShelf.load([tmp_path / "postgres"])
    assert no.value.mistakes


def test_the_header_above_is_sound_so_that_only_the_statement_is_refused(tmp_path: Path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "evil.sql").write_text(HEADER + "SELECT 1 AS a LIMIT 1\n", encoding="utf-8")
    assert ProbeShelf.load([tmp_path / "postgres"]).names() == ("postgres.evil",)


def test_every_session_that_looks_is_read_only_on_the_server_itself(bench: Bench, served: Cluster):
    with bench.hands._sessions(bench.targets["db"]).diag.line() as line:
        with pytest.raises(psycopg.Error):
            line.execute(b"CREATE TABLE public.evil (id int)")
        line.rollback()
    assert orders(served) == 1
