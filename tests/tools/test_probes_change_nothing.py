"""I23: whatever is looked at stays as it was. Every shipped probe runs over the real hands, primary and replica alike,
between two readings of everything that a probe could have changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ratchet.domain.evidence import Answer, ProbeCall
from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import Cluster
from ratchet.security.secrets import Secret
from ratchet.tools.postgres.provision import provision
from tests.tools.conftest import Bench, now, until

pytestmark = pytest.mark.postgres

CONTENT = """
CREATE TABLE item (id serial PRIMARY KEY, note text); INSERT INTO item (note) SELECT 'n' FROM generate_series(1, 500);
DELETE FROM item WHERE id > 400; CREATE UNLOGGED TABLE scratch (id int); ANALYZE item;
SELECT pg_create_physical_replication_slot('kept', true); CREATE ROLE sleeper NOLOGIN;
"""
OURS = "usename LIKE 'ratchet%' OR backend_type <> 'client backend' OR pid = pg_backend_pid()"
"""Sessions that the readings leave out: Ratchet's own come and go, and so does the one that reads."""
STATE = {
    "settings": "SELECT name, setting, source, sourcefile, pending_restart FROM pg_settings WHERE source <> 'client'",
    "databases": "SELECT oid, datname, datconnlimit, datfrozenxid, datacl::text FROM pg_database",
    "sessions": f"SELECT pid, backend_start, xact_start, query_start, state FROM pg_stat_activity WHERE NOT ({OURS})",
    "locks": "SELECT l.pid, l.locktype, l.mode, l.granted, l.relation FROM pg_locks AS l JOIN pg_stat_activity AS a"
             f" USING (pid) WHERE NOT ({OURS.replace('pid =', 'a.pid =')})",
    "slots": "SELECT slot_name, active, restart_lsn, wal_status FROM pg_replication_slots WHERE NOT active",
    "prepared": "SELECT gid FROM pg_prepared_xacts",
    "sequences": "SELECT schemaname, sequencename, last_value FROM pg_sequences",
    "tables": "SELECT schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del, n_live_tup, n_dead_tup, vacuum_count,"
              " autovacuum_count, analyze_count, autoanalyze_count FROM pg_stat_user_tables",
    "counters": "SELECT datname, stats_reset, tup_inserted, tup_updated, tup_deleted, temp_files, deadlocks, conflicts"
                " FROM pg_stat_database",
    "resets": "SELECT (SELECT stats_reset FROM pg_stat_bgwriter), (SELECT stats_reset FROM pg_stat_archiver)",
    "next transaction": "SELECT pg_snapshot_xmax(pg_current_snapshot())::text",
    "replay": "SELECT CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END",
}  # fmt: skip
PASSING = ("pg_wal", "pg_stat", "pg_stat_tmp", "pg_subtrans", "log", "pgsql_tmp", "pg_notify", "pg_logical", "pg_xact")
"""Directories that a server writes to by itself."""


@dataclass(frozen=True)
class Pair:
    """A primary and its replica, each with an ordinary session beside ours, and hands on both."""

    primary: Cluster
    replica: Cluster
    bench: Bench

    def place(self, target: str) -> Cluster:
        return self.replica if target == "db-r" else self.primary


@pytest.fixture(scope="module")
def pair(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    settings: dict[str, str | int] = {"max_connections": 30, "autovacuum": "off", "logging_collector": "on"}
    with Cluster.create(tmp_path_factory.mktemp("still") / "root", pg_binaries, settings=settings) as primary:
        with primary.connect() as session:
            for statement in filter(None, (part.strip() for part in CONTENT.split(";"))):
                session.execute(statement.encode())
        primary.add_login("shopper")
        made = provision(Secret(primary.dsn()), "db", now, frozenset({"slots", "log", "role_settings"}))
        replica = primary.replica(tmp_path_factory.mktemp("still-r") / "root")
        bench = Bench()
        bench.point("db", made.diag.reveal(), made.act.reveal(), primary.dsn("shopper"))
        bench.point("db-r", make_conninfo(made.diag.reveal(), port=replica.port), replica_of="db")
        with primary.connect("shopper", application_name="by"), replica.connect("shopper", application_name="by"):
            try:
                yield Pair(primary, replica, bench)
            finally:
                bench.hands.close()


def state(cluster: Cluster) -> dict[str, Any]:
    """Everything that a probe could have changed, by what it is."""
    with cluster.connect() as session:
        found: dict[str, Any] = {
            what: sorted(map(repr, session.execute(query.encode()))) for what, query in STATE.items()
        }
        named = "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'"
        for (catalog,) in session.execute(named).fetchall():
            found[catalog] = summed(session, f"pg_catalog.{catalog}")
        for table in ("item",) if recovering(session) else ("item", "scratch"):
            found[table] = summed(session, table)
    paths = (path.relative_to(cluster.data_dir) for path in cluster.data_dir.rglob("*") if path.is_file())
    found["files"] = sorted(str(p) for p in paths if p.parts[0] not in PASSING and p.name != "pg_internal.init")
    return found


def recovering(session: psycopg.Connection[Any]) -> bool:
    row = session.execute("SELECT pg_is_in_recovery()").fetchone()
    return bool(row and row[0])


def summed(session: psycopg.Connection[Any], table: str) -> Any:
    """Rows with their versions: an update that changes nothing is a change, too."""
    query = f"SELECT count(*), md5(string_agg(t.xmin::text || t::text, '|' ORDER BY t.ctid)) FROM {table} AS t"
    return session.execute(query.encode()).fetchone()


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return sorted(what for what in before.keys() | after.keys() if before.get(what) != after.get(what))


@pytest.mark.parametrize("target", ["db", "db-r"])
def test_i23_no_shipped_probe_changes_anything(pair: Pair, target: str):
    names = pair.bench.shelf.names()
    before = state(pair.place(target))
    seen = [pair.bench.hands.look([ProbeCall(probe=name, target=target)])[0] for name in names]
    parallel = pair.bench.hands.look([ProbeCall(probe=name, target=target) for name in names])
    assert changed(before, state(pair.place(target))) == []
    answered = {each.probe for each in (*seen, *parallel) if each.answer is Answer.OK}
    assert len(answered) >= 0.75 * len(names), {each.probe: each.detail for each in seen if each.probe not in answered}


@pytest.mark.parametrize(
    ("what", "statements"),
    [
        ("settings", ("ALTER SYSTEM SET work_mem = '5MB'", "SELECT pg_reload_conf()")),
        ("pg_authid", ("ALTER ROLE sleeper CONNECTION LIMIT 3",)),
        ("item", ("UPDATE item SET note = note WHERE id = 1",)),
        ("next transaction", ("SELECT pg_current_xact_id()",)),
        ("sequences", ("SELECT nextval('item_id_seq')",)),
        ("counters", ("SELECT pg_stat_reset()",)),
        ("slots", ("SELECT pg_drop_replication_slot('kept')",)),
        ("pg_db_role_setting", ("ALTER ROLE sleeper SET work_mem = '9MB'",)),
        ("sessions", ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shopper'",)),
        ("files", ("CREATE TABLE made_by_nobody (id int)",)),
    ],
)
def test_a_change_of_any_kind_is_seen_by_these_readings(pair: Pair, what: str, statements: tuple[str, ...]):
    """Runs after the claim; what is changed here stays changed."""
    before = state(pair.primary)
    with pair.primary.connect() as session:
        for statement in statements:
            session.execute(statement.encode())
    until(lambda: what in changed(before, state(pair.primary)))
