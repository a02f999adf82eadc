"""Every shipped probe on real servers, old and new, primary and replica, with no more rights than its header names."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from ratchet.lab.binaries import Binaries, find_binaries
from ratchet.lab.embedded import Cluster
from ratchet.tools.postgres.privileges import PRIVILEGES
from ratchet.tools.postgres.probes import ProbeShelf, ProbeSpec, bind

pytestmark = pytest.mark.postgres

SHELF = ProbeShelf.load([files("ratchet.library") / "probes" / "postgres"])
JSON_TYPES = {"int": int, "float": float, "bool": bool, "text": str, "timestamp": str, "list": list}
SETTINGS: Mapping[str, str | int] = {
    "max_connections": 40, "max_prepared_transactions": 5, "wal_level": "logical", "autovacuum": "off",
    "logging_collector": "on", "log_directory": "log", "archive_mode": "on",
    "archive_command": "PGPASSWORD=geheim false", "recovery_min_apply_delay": 0,
}  # fmt: skip
SECRET = "geheim"

CONTENT = """
CREATE TABLE item (id serial PRIMARY KEY, note text, kind int);
CREATE INDEX one ON item (kind); CREATE INDEX two ON item (kind);
INSERT INTO item (note, kind) SELECT 'n', g FROM generate_series(1, 1000) AS g; DELETE FROM item WHERE id > 500;
CREATE TABLE part (id int, item_id int REFERENCES item, twin int);
CREATE SEQUENCE wide; CREATE TABLE narrow (id int DEFAULT nextval('wide')); SELECT setval('wide', 2147483647);
INSERT INTO part VALUES (1, 1, 1), (2, 1, 1);
CREATE UNLOGGED TABLE scratch (id int); ANALYZE item;
ALTER TABLE item SET (autovacuum_enabled = off);
CREATE ROLE sleeper NOLOGIN; CREATE ROLE shop LOGIN CONNECTION LIMIT 1; ALTER DATABASE postgres CONNECTION LIMIT 30;
ALTER ROLE shop SET search_path = nowhere; ALTER ROLE shop SET "shop.api_token" = 'geheim';
CREATE TABLE lone (id int PRIMARY KEY); INSERT INTO lone VALUES (1), (2); GRANT SELECT ON lone TO shop;
SELECT pg_create_physical_replication_slot('old_standby', true);
"""


@dataclass(frozen=True)
class Pair:
    """One major version's primary and replica."""

    primary: Cluster
    replica: Cluster

    def place(self, where: str) -> Cluster:
        return self.replica if where == "replica" else self.primary


def carried(version: int) -> Binaries:
    """The wheel's programs of a major version; the newest set has it in its directory's name."""
    newest = find_binaries(os.environ, prefer="wheel")
    if version == newest.version[0]:
        return newest
    older = newest.bin_dir.parent.parent / "pginstall" / "bin"
    if not (older / "postgres").is_file():
        pytest.skip(f"the wheel carries no PostgreSQL {version}")
    return Binaries(older, (version, 0), "wheel", contrib=False)


def binaries_of(origin: str) -> Binaries:
    return find_binaries(os.environ) if origin == "found" else carried(int(origin))


@pytest.fixture(scope="module", params=["found", "18", "16"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    binaries = binaries_of(request.param)
    with Cluster.create(tmp_path_factory.mktemp("p") / "root", binaries, settings=SETTINGS) as primary:
        with primary.connect() as session:
            for statement in filter(None, (part.strip() for part in CONTENT.split(";"))):
                session.execute(statement.encode())
            if binaries.contrib:
                session.execute("CREATE EXTENSION pg_stat_statements")
            with pytest.raises(psycopg.errors.UniqueViolation):
                session.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON part (twin)")
            add_readers(primary)
        replica = primary.replica(tmp_path_factory.mktemp("r") / "root")
        wait_until_replayed(primary, replica)
        yield Pair(primary, replica)


def add_readers(primary: Cluster) -> None:
    """A login per set of privileges that some header names, with exactly these."""
    for privileges in {form.privileges for name in SHELF.names() for form in SHELF.variants(name)}:
        login = login_for(privileges)
        primary.add_login(login)
        with primary.connect() as session:
            for grant in (grant for word in privileges for grant in PRIVILEGES[word].grants):
                names = {"role": sql.Identifier(login), "schema": sql.Identifier("public")}
                session.execute(sql.SQL(grant).format(**names))  # pyright: ignore[reportArgumentType] # our own constant
            for word in privileges:
                assert session.execute(PRIVILEGES[word].check.encode(), {"role": login}).fetchone() == (True,), word


def login_for(privileges: tuple[str, ...]) -> str:
    return "may_" + "_".join(word.removeprefix("pg_") for word in privileges)


def wait_until_replayed(primary: Cluster, replica: Cluster) -> None:
    with primary.connect() as ahead, replica.connect() as behind:
        lsn = ahead.execute("SELECT pg_current_wal_lsn()").fetchone()
        assert lsn is not None
        until(behind, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", lsn[0])


def until(session: psycopg.Connection[Any], question: str, *args: Any) -> None:
    """Waits on the server, not with a sleep of ours, until the question's answer is true; at most 10 s."""
    for _ in range(200):
        answer = session.execute(question.encode(), args).fetchone()
        if answer is not None and next(iter(answer.values() if isinstance(answer, dict) else answer)):
            return
        session.execute("SELECT pg_sleep(0.05)")
    raise AssertionError(f"never became true: {question}")


def ask(cluster: Cluster, name: str, **args: Any) -> tuple[ProbeSpec, list[str], list[dict[str, Any]]]:
    """One probe as its header's login, in a read-only transaction under the 2 s timeout."""
    forms = SHELF.variants(name)
    with cluster.connect(login_for(forms[0].privileges), autocommit=False, row_factory=dict_row) as session:
        spec = SHELF.spec(name, session.info.server_version)
        session.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        session.execute("SET statement_timeout = '2s'")
        session.execute("SET search_path = pg_catalog" + (", public" if spec.extension else ""))
        session.commit()
        columns, answer = answered(session, spec, args)
        return spec, columns, answer


def answered(
    session: psycopg.Connection[Any], spec: ProbeSpec, args: Mapping[str, Any]
) -> tuple[list[str], list[dict[str, Any]]]:
    cursor = session.execute(spec.sql.encode(), bind(spec, args))
    columns = [column.name for column in cursor.description or ()]
    return columns, cursor.fetchall()


def rows_as(cluster: Cluster, login: str, name: str) -> list[dict[str, Any]]:
    """One probe as a login of the test's choice."""
    with cluster.connect(login, row_factory=dict_row) as session:
        return answered(session, SHELF.spec(name, session.info.server_version), {})[1]


@contextmanager
def sent(cluster: Cluster, statement: str, app: str = "waiter") -> Iterator[psycopg.Connection[Any]]:
    """A session that was sent a statement and whose answer nobody awaits."""
    session = cluster.connect(application_name=app)
    try:
        session.pgconn.send_query(statement.encode())
        session.pgconn.flush()
        yield session
    finally:
        session.close()


def rows(cluster: Cluster, name: str, **args: Any) -> list[dict[str, Any]]:
    return ask(cluster, name, **args)[2]


@pytest.mark.parametrize("where", ["primary", "replica"])
@pytest.mark.parametrize("name", SHELF.names())
def test_a_probe_answers_with_exactly_its_headers_columns_and_types(pair: Pair, where: str, name: str):
    form = SHELF.variants(name)[0]
    if form.where not in ("any", where):
        pytest.skip(f"{name} is for a {form.where}")
    if form.extension is not None and not pair.primary.binaries.contrib:
        pytest.skip(f"this server has no {form.extension}")
    spec, columns, answer = ask(pair.place(where), name)
    assert tuple(columns) == spec.column_names
    assert len(answer) <= 200
    for row in answer:
        for column in spec.columns:
            value = row[column.name]
            assert value is None or type(value) is JSON_TYPES[column.type], (column.name, value)
    assert SECRET not in repr(answer) or name == "postgres.log_tail"
    assert "passfile" not in repr(answer)


@pytest.fixture
def chain(pair: Pair) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    """root holds a row and is idle in its transaction; middle waits for it and holds another; two wait for middle."""
    sessions = {name: pair.primary.connect(application_name=name) for name in ("root", "middle", "leaf1", "leaf2")}
    try:
        sessions["root"].execute("BEGIN")
        sessions["root"].execute("UPDATE lone SET id = id WHERE id = 1")
        sessions["middle"].execute("BEGIN")
        sessions["middle"].execute("UPDATE lone SET id = id WHERE id = 2")
        for name, row in (("middle", 1), ("leaf1", 2), ("leaf2", 2)):
            # Sent without waiting: the answer comes when the lock does, and the session is closed before that.
            sessions[name].pgconn.send_query(f"UPDATE lone SET id = id WHERE id = {row}".encode())
            sessions[name].pgconn.flush()
            with pair.primary.connect() as watch:
                until(watch, "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = %s"
                      " AND wait_event_type = 'Lock'", name)  # fmt: skip
        yield sessions
    finally:
        pids = [session.info.backend_pid for session in sessions.values()]
        with pair.primary.connect() as watch:
            watch.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [pids])
            until(watch, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = ANY (%s::int[])", pids)
        for session in sessions.values():
            session.close()


def test_the_blocking_tree_names_the_root_and_counts_whom_it_holds_up(pair: Pair, chain: Mapping[str, Any]):
    tree = {row["app"]: row for row in rows(pair.primary, "postgres.blocking_tree")}
    pids = {name: session.info.backend_pid for name, session in chain.items()}
    assert set(tree) == {"root", "middle", "leaf1", "leaf2"}
    assert [name for name, row in tree.items() if row["is_root"]] == ["root"]
    assert {row["root_pid"] for row in tree.values()} == {pids["root"]}
    assert (tree["root"]["blocks_direct"], tree["root"]["blocks_total"]) == (1, 3)
    assert tree["middle"]["blocks_total"] == 2
    assert tree["leaf1"]["path"][:2] == [pids["root"], pids["middle"]]
    assert tree["root"]["state"] == "idle in transaction"
    assert tree["root"]["has_writes"] is True
    assert tree["root"]["wait_s"] is None
    assert tree["middle"]["wait_s"] >= 0
    stuck = {row["app"]: row for row in rows(pair.primary, "postgres.stuck")}
    assert (stuck["root"]["blocks"], stuck["root"]["blocks_total"], stuck["root"]["has_writes"]) == (1, 3, True)
    assert rows(pair.primary, "postgres.stuck", min_state_age_s="1h") == []


def test_a_queue_on_one_row_is_not_mistaken_for_blockers(pair: Pair):
    sessions = [pair.primary.connect(application_name=f"queue{n}") for n in range(6)]
    try:
        sessions[0].execute("BEGIN")
        sessions[0].execute("UPDATE lone SET id = id WHERE id = 1")
        for session in sessions[1:]:
            session.pgconn.send_query(b"UPDATE lone SET id = id WHERE id = 1")
            session.pgconn.flush()
        with pair.primary.connect() as watch:
            until(watch, "SELECT count(*) = 5 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        tree = rows(pair.primary, "postgres.blocking_tree")
        assert [(row["app"], row["blocks_total"]) for row in tree if row["is_root"]] == [("queue0", 5)]
        assert len(tree) == 6
    finally:
        with pair.primary.connect() as watch:
            watch.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid",
                          [[session.info.backend_pid for session in sessions]])  # fmt: skip
        for session in sessions:
            session.close()


def test_a_prepared_transaction_stands_at_the_root_as_pid_0(pair: Pair):
    with pair.primary.connect() as owner:
        owner.execute("BEGIN")
        owner.execute("LOCK TABLE lone")
        owner.execute("PREPARE TRANSACTION 'left behind'")
        try:
            with sent(pair.primary, "SELECT * FROM lone"):
                until(owner, "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                tree = {row["app"]: row for row in rows(pair.primary, "postgres.blocking_tree")}
                prepared = rows(pair.primary, "postgres.prepared_transactions")
        finally:
            owner.execute("ROLLBACK PREPARED 'left behind'")
    root, waiter = tree["(none)"], tree["waiter"]
    assert (root["pid"], root["state"], root["is_root"], root["backend_start"]) == (
        0,
        "prepared transaction",
        True,
        None,
    )
    assert (waiter["relation"], waiter["root_pid"]) == ("public.lone", 0)
    assert [(row["gid"], row["locks"] > 0) for row in prepared] == [("left behind", True)]


def test_a_session_is_identified_to_the_microsecond(pair: Pair):
    with pair.primary.connect(application_name="one of many") as session:
        shown = next(row for row in rows(pair.primary, "postgres.sessions", app="one of many"))
        session.execute("SET timezone = 'Asia/Kathmandu'")
        found = session.execute("SELECT backend_start = %s::timestamptz FROM pg_stat_activity WHERE pid = %s",
                                [shown["backend_start"], shown["pid"]]).fetchone()  # fmt: skip
    assert found == (True,)


def test_slots_count_states_and_leave_the_reserved_ones_out(pair: Pair):
    before = rows(pair.primary, "postgres.slots")[0]
    with pair.primary.connect(application_name="holder"), pair.primary.connect(application_name="holder") as second:
        second.execute("BEGIN")
        after = rows(pair.primary, "postgres.slots")[0]
        holder = next(row for row in rows(pair.primary, "postgres.holders") if row["app"] == "holder")
    assert (after["max"], after["usable"]) == (40, 40 - after["reserved"])
    assert after["idle_in_tx"] == before["idle_in_tx"] + 1
    assert after["used"] - before["used"] == 2
    assert (holder["n"], holder["idle"], holder["idle_in_tx"]) == (2, 1, 1)


def test_without_pg_monitor_ping_says_that_it_sees_too_little(pair: Pair):
    assert rows(pair.primary, "postgres.ping")[0]["can_see_others"] is False
    seen = rows_as(pair.primary, "may_monitor", "postgres.ping")[0]
    assert seen["can_see_others"] is True
    assert seen["system_identifier"] == rows(pair.replica, "postgres.ping")[0]["system_identifier"]


def test_settings_of_this_very_session_do_not_pose_as_the_servers(pair: Pair):
    watch = {row["name"]: row for row in rows(pair.primary, "postgres.setting_watch")}
    assert (watch["statement_timeout"]["setting"], watch["statement_timeout"]["here"]) == ("0", True)
    assert (watch["autovacuum"]["setting"], watch["autovacuum"]["changed"]) == ("off", True)
    assert watch["max_connections"]["number"] == 40.0


def test_secrets_in_settings_are_told_only_as_set(pair: Pair):
    given = {
        row["name"]: row["value"] for row in rows(pair.primary, "postgres.role_db_settings") if row["role"] == "shop"
    }
    assert given == {"search_path": "nowhere", "shop.api_token": "set"}
    shown = {row["name"]: row["setting"] for row in rows(pair.replica, "postgres.settings")}
    assert (shown["primary_conninfo"], shown["archive_command"]) == ("set", "set")
    written = {row["name"]: row["value"] for row in rows(pair.replica, "postgres.file_settings")}
    assert (written["primary_conninfo"], written["archive_command"]) == ("set", "set")
    assert rows(pair.primary, "postgres.archiver")[0]["command"] == "set"


def test_limits_and_roles_show_who_is_kept_out(pair: Pair):
    limits = {(row["kind"], row["name"]): row for row in rows(pair.primary, "postgres.limits")}
    assert (limits["role", "shop"]["limit"], limits["role", "shop"]["reached"]) == (1, False)
    assert limits["database", "postgres"]["limit"] == 30
    roles = {row["role"]: row for row in rows(pair.primary, "postgres.roles")}
    assert roles["sleeper"]["suspect_nologin"] is True
    assert roles["shop"]["suspect_nologin"] is False


def test_what_is_wrong_with_tables_indexes_and_sequences_is_found(pair: Pair):
    assert [row["index"] for row in rows(pair.primary, "postgres.invalid_indexes")] == ["public.broken"]
    doubles = [(row["index"], row["duplicate_of"]) for row in rows(pair.primary, "postgres.redundant_indexes")]
    assert doubles == [("public.two", "public.one")]
    wide = next(row for row in rows(pair.primary, "postgres.sequences") if row["sequence"] == "public.wide")
    assert (wide["used_by"], wide["column_bound"], wide["exhausted"]) == ("public.narrow.id", True, True)
    assert [row["relation"] for row in rows(pair.primary, "postgres.unlogged_tables")] == ["public.scratch"]
    with pair.primary.connect() as session:
        until(session, "SELECT n_dead_tup >= 500 FROM pg_stat_user_tables WHERE relname = 'item'")
    bloat = next(row for row in rows(pair.primary, "postgres.table_bloat") if row["relation"] == "public.item")
    assert (bloat["autovacuum_enabled"], bloat["over_threshold"]) == (False, True)
    assert (bloat["schema"], bloat["table"]) == ("public", "item")
    stale = next(row for row in rows(pair.primary, "postgres.stale_stats") if row["relation"] == "public.item")
    assert (stale["schema"], stale["table"]) == ("public", "item")
    keyless = next(row for row in rows(pair.primary, "postgres.seq_scans") if row["relation"] == "public.part")
    assert (keyless["has_primary_key"], keyless["foreign_keys_unindexed"]) == (False, 1)


def test_an_advisory_lock_shows_its_key_and_its_waiters(pair: Pair):
    with pair.primary.connect(application_name="keeper") as keeper:
        keeper.execute("SELECT pg_advisory_lock(4294967338)")
        with sent(pair.primary, "SELECT pg_advisory_lock(4294967338)"):
            until(keeper, "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            held = next(row for row in rows(pair.primary, "postgres.advisory_locks") if row["granted"])
    assert (held["app"], held["key"], held["waiters"]) == ("keeper", "4294967338", 1)


def test_a_paused_replay_is_told_from_a_running_one(pair: Pair):
    assert rows(pair.replica, "postgres.replay")[0]["paused"] is False
    with pair.replica.connect() as session:
        session.execute("SELECT pg_wal_replay_pause()")
        try:
            until(session, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
            seen = rows(pair.replica, "postgres.replay")[0]
        finally:
            session.execute("SELECT pg_wal_replay_resume()")
    assert (seen["paused"], seen["pause_state"], seen["receiver_status"]) == (True, "paused", "streaming")
    assert seen["conninfo_set"] is True


def test_an_unused_slot_shows_the_wal_it_keeps(pair: Pair):
    slots = {row["slot"]: row for row in rows(pair.primary, "postgres.replication_slots")}
    assert slots["old_standby"]["active"] is False
    assert slots["old_standby"]["retained_bytes"] > 0
    assert slots["replica_one"]["active"] is True
    assert [row["state"] for row in rows(pair.primary, "postgres.replication")] == ["streaming"]


def test_the_log_tail_shows_an_error_that_just_happened(pair: Pair):
    with pair.primary.connect() as session, pytest.raises(psycopg.errors.UndefinedTable):
        session.execute("SELECT * FROM not_there_at_all")
    tail = rows(pair.primary, "postgres.log_tail")
    assert any(row["level"] == "ERROR" and "not_there_at_all" in row["line"] for row in tail)
    assert {row["reason"] for row in tail} == {None}
    assert len(rows(pair.primary, "postgres.log_tail", lines=3)) == 3


def test_a_log_that_cannot_be_read_gives_a_reason_instead_of_lines(pg_binaries: Binaries, tmp_path: Path):
    with Cluster.create(tmp_path / "root", pg_binaries) as silent:
        silent.configure({"logging_collector": "off"})
        silent.restart()
        answer = rows_as(silent, "postgres", "postgres.log_tail")
    assert [(row["line"], "logging collector" in row["reason"]) for row in answer] == [(None, True)]


def test_a_sequence_that_may_not_be_read_says_so(pair: Pair):
    answer = rows_as(pair.primary, "may_monitor", "postgres.sequences")
    assert {(row["readable"], row["last_value"]) for row in answer} == {(False, None)}
