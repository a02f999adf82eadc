"""What may be sent as a probe: harmless reads, and nothing that the classifier does not know."""

import pytest

from ratchet.tools.postgres.classify import LONGEST, objections

READS = [
    "SELECT 1 LIMIT 1",
    "SELECT pid, count(*) FILTER (WHERE state = 'idle') FROM pg_stat_activity GROUP BY pid LIMIT 10;",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r LIMIT 5",
    "VALUES (1), (2)",
    "SHOW max_connections",
    "SELECT pg_catalog.pg_is_in_recovery() LIMIT 1",
    "SELECT 1 WHERE %(app)s::text = '' OR 'a' LIKE '%%b' LIMIT 1",
    "SELECT relname FROM pg_class WHERE age(relfrozenxid) > 5 ORDER BY 1 LIMIT 5",
]

WRITES = [
    "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",  # C3
    "WITH a AS (SELECT 1), d AS (UPDATE t SET x = 1 RETURNING *) SELECT * FROM a, d",
    "WITH d AS (WITH e AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM e) SELECT * FROM d",
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET x = 1",
    "MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE t",
    "CREATE TABLE t AS SELECT 1",
    "SELECT 1 AS x INTO t",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FETCH FIRST 1 ROWS ONLY FOR NO KEY UPDATE",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "COPY t TO '/tmp/x'",
    "DO 'begin end'",
    "CALL p()",
    "VACUUM",
    "ALTER SYSTEM SET autovacuum = off",
    "SET statement_timeout = 0",
    "RESET ALL",
    "LOCK TABLE t",
    "NOTIFY x",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DECLARE c CURSOR FOR SELECT 1",
    "EXPLAIN ANALYZE DELETE FROM t",
    "BEGIN",
    "COMMIT",
    "GRANT pg_monitor TO x",
]

ACTS = [
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",  # C5
    "SELECT PG_Terminate_Backend (1)",
    'SELECT "pg_terminate_backend"(1)',
    "SELECT pg_catalog.pg_terminate_backend(1)",
    'SELECT "pg_catalog"."pg_cancel_backend"(1)',
    "SELECT * FROM pg_terminate_backend(1)",
    "SELECT * FROM pg_catalog.pg_reload_conf() AS x",
    "SELECT * FROM ROWS FROM (pg_terminate_backend(1))",
    "SELECT * FROM (VALUES (1)) AS v(p) CROSS JOIN LATERAL pg_terminate_backend(v.p)",
    "SELECT 1 LIMIT (SELECT pg_sleep(9)::text::int)",
    "SELECT CASE WHEN pg_try_advisory_lock(1) THEN 1 END",
    "SELECT 1 ORDER BY pg_sleep(9)",
    "SELECT count(*) FILTER (WHERE pg_cancel_backend(pid)) FROM pg_stat_activity",
    "SELECT coalesce(NULL, pg_switch_wal()::text)",
    "SELECT -- a remark\n pg_rotate_logfile()",
    "SELECT nextval('s')",
    "SELECT setval('s', 1)",
    "SELECT set_config('role', 'postgres', false)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('server.key')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_export(1, '/tmp/x')",
    "SELECT * FROM dblink('dbname=x', 'DELETE FROM t') AS t(a int)",
    "SELECT query_to_xml('DELETE FROM t', true, true, '')",
    "SELECT pg_wal_replay_pause()",
    "SELECT pg_promote()",
    "SELECT pg_create_physical_replication_slot('x')",
    "SELECT pg_drop_replication_slot('x')",
    "SELECT * FROM pg_logical_slot_get_changes('x', NULL, NULL)",
    "SELECT pg_stat_reset()",
    "SELECT txid_current()",
    "SELECT a.pg_terminate_backend FROM pg_stat_activity AS a",  # a call, written like a column
]

UNKNOWN = [
    "SELECT my_function(1)",
    "SELECT evil.now()",
    "SELECT evil.count(1)",
    "SELECT db.pg_catalog.version()",
    "SELECT 1 OPERATOR(evil.+) 2",
    "SELECT 1::evil",
    "SELECT 1::evil.kind",
    "SELECT rolpassword FROM pg_authid",
    "SELECT passwd FROM pg_catalog.pg_shadow",
    "SELECT 1 WHERE EXISTS (TABLE pg_authid)",
    "SHOW ALL",
    "SHOW primary_conninfo",
    "SHOW x; DROP TABLE t",
]

DISGUISED = [
    "SET statement_timeout=0; SELECT pg_sleep(9999)",  # C7
    "SELECT 1; SELECT 2",
    "SELECT 1;;",
    "",
    ";",
    "-- nothing but a remark",
    "SELECT 1 /* ; */",
    "SELECT 1 /* /* */ ; DROP TABLE t; -- */",
    "SELECT $$a$$",
    "SELECT $x$; DROP TABLE t; $x$",
    "SELECT 'a\\'; DROP TABLE t; --'",
    "SELECT E'a\\'; DROP TABLE t; --'",
    "SELECT U&\"pg!005fterminate_backend\" UESCAPE '!' (1)",
    "SELECT U&'x'",
    "SELECT 1 -- x\rDROP TABLE t",
    "SELECT\u00a01",
    "SELECT pg_terminаte_backend(1)",  # noqa: RUF001 (a Cyrillic letter is the point)
    "SELECT 1 % 2",
    "SELECT %s",
    "SELECT 1 WHERE 'a' LIKE 'b%'",
    "SELECT (((",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT '" + "x" * LONGEST + "'",
]


@pytest.mark.parametrize("sql", READS)
def test_a_plain_read_is_let_through(sql: str):
    assert objections(sql) == ()


@pytest.mark.parametrize("sql", WRITES)
def test_a_write_is_refused_wherever_it_hides(sql: str):
    assert objections(sql)


@pytest.mark.parametrize("sql", ACTS)
def test_a_function_that_acts_is_refused_however_it_is_spelt(sql: str):
    assert objections(sql)


@pytest.mark.parametrize("sql", UNKNOWN)
def test_what_is_not_known_to_be_harmless_is_refused(sql: str):
    assert objections(sql)


@pytest.mark.parametrize("sql", DISGUISED, ids=lambda sql: ascii(sql)[:40])
def test_text_that_two_parsers_could_read_differently_is_refused(sql: str):
    assert objections(sql)


def test_the_refusal_tells_a_function_that_acts_from_an_unknown_one():
    assert objections("SELECT pg_terminate_backend(1)") == (
        "it calls pg_terminate_backend, which acts on the server, waits or opens files",
    )
    assert objections("SELECT mine(1)") == ("it calls mine, which is not on the list of harmless functions",)


def test_an_exemption_frees_exactly_the_function_it_names():
    allowed = frozenset({"pg_read_binary_file"})
    assert objections("SELECT pg_read_binary_file('log', 0, 1, true)", allowed) == ()
    assert objections("SELECT evil.pg_read_binary_file('log', 0, 1, true)", allowed)
    assert objections("SELECT pg_read_file('log')", allowed)
