"""Evidence written by hand for locks, queries, indexes and vacuum: clear cases, and what resembles them."""

from typing import Any

from tests.vault import worlds as w
from tests.vault.cases_access import limited, refused

Case = tuple[dict[str, Any], str, list[tuple[str, str]], tuple[str, ...]]
ESCALATE = ("escalate",)


def root(**change: Any) -> dict[str, Any]:
    return w.member(1, is_root=True, depth=0, path=[1], blocked_by=[], wait_s=None, lock_type=None, **change)


def waiting_change(**change: Any) -> dict[str, Any]:
    """A schema change that waits behind the root, with others behind it."""
    row = {
        "lock_type": "relation",
        "lock_mode": "AccessExclusiveLock",
        "maintenance": True,
        "blocks_total": 8,
        "stops_queue": True,
        "query_start": "x",
    }
    return w.member(2, **(row | change))


def vacuuming(pid: int) -> dict[str, Any]:
    """An autovacuum worker that has been at one table for an hour, mostly in its pauses."""
    return {"pid": pid, "automatic": True, "wait_event": "VacuumDelay", "age_s": 3600.0}


def copies(unused: int) -> list[dict[str, Any]]:
    """Two sessions for each of 42 copies of one program, which all are idle."""
    whole = {"program": "checkout", "program_names": 42, "program_idle": 84, "program_unused": unused}
    return [w.holder(f"checkout-7f-{n}", 2, **whole) for n in range(42)]


def inner_wait(n: int, name: str = "BufferContent") -> dict[str, Any]:
    return {"wait_event_type": "LWLock", "wait_event": name, "backend_type": "client backend", "n": n, "longest_s": 0.1}


def advisory(**change: Any) -> dict[str, Any]:
    row = {
        "pid": 9,
        "backend_start": "x",
        "app": "scheduler-1",
        "state": "idle",
        "granted": True,
        "waiters": 2,
        "waited_s": 40.0,
        "same_program": False,
        "state_age_s": 60.0,
    }
    return row | change


def row_wait(**change: Any) -> dict[str, Any]:
    row = {
        "relation": "public.counters",
        "waiters": 7,
        "cycle": False,
        "head_wait_s": 0.1,
        "longest_wait_s": 0.1,
        "oldest_waiter_s": 1.4,
        "holder_pid": 1,
        "holder_app": "shop",
        "holder_state": "active",
        "holder_xact_age_s": 0.9,
        "holder_waits": False,
        "same_app": True,
        "holder_query": "UPDATE counters SET n = n + 1",
        "waiter_query": "UPDATE counters SET n = n + 1",
    }
    return row | change


def deadlock(**change: Any) -> dict[str, Any]:
    row = {
        "table_named": "stock",
        "relation": "public.stock",
        "deadlocks": 4,
        "last_s": 3.0,
        "alive": 2,
        "first_statement": "UPDATE stock SET n = 1 WHERE id = 1",
        "second_statement": "UPDATE stock SET n = 1 WHERE id = 2",
    }
    return row | change


def predicate(**change: Any) -> dict[str, Any]:
    row = {
        "relation": "public.parcels",
        "schema": "public",
        "table": "parcels",
        "column": "customer",
        "equal": True,
        "hidden_by": "",
        "indexed": False,
        "partial": False,
        "invalid": False,
        "alone": True,
        "aggregated": False,
        "index_scans": 0,
        "role": "shop_app",
        "against": "",
        "reads_whole": True,
        "rows_per_call": 1.0,
        "current": True,
        "calls": 400,
        "mean_ms": 30.0,
        "live": 120_000,
        "seq_ratio": 1.0,
        "query": "SELECT note FROM parcels WHERE customer = $1",
    }
    return row | change


def scan(**change: Any) -> dict[str, Any]:
    row = {
        "relation": "public.parcels",
        "live": 120_000,
        "seq_scans": 400,
        "seq_ratio": 1.0,
        "rows_per_scan": 120_000.0,
        "has_primary_key": True,
        "foreign_keys_unindexed": 0,
    }
    return row | change


def spare_index(**change: Any) -> dict[str, Any]:
    row = {
        "index": "public.copy_2",
        "relation": "public.parcels",
        "schema": "public",
        "table": "parcels",
        "free": True,
        "free_in_table": 4,
        "youngest_tx": 9000,
    }
    return row | change


def planner(**change: Any) -> dict[str, Any]:
    row = {
        "name": "enable_indexscan",
        "setting": "off",
        "boot_val": "on",
        "source": "configuration file",
        "by_alter_system": True,
        "against_indexes": True,
    }
    return row | change


def holder_of_rows(kind: str, **change: Any) -> dict[str, Any]:
    row = {"kind": kind, "name": "etl", "pid": 7, "xmin_age": 900, "age_s": 90.0, "oldest": True}
    return row | change


def spilling(**change: Any) -> dict[str, Any]:
    row = {
        "scope": "role",
        "role": "shop_app",
        "db": None,
        "value": "64kB",
        "value_kb": 64.0,
        "limit_kb": -1.0,
        "sessions": 3,
        "spilling": 1,
    }
    return row | change


def invalid_index(**change: Any) -> dict[str, Any]:
    row = {
        "index": "public.events_day",
        "relation": "public.events",
        "schema": "public",
        "table": "events",
        "name": "events_day",
        "valid": False,
        "ready": False,
        "unique": False,
        "building": False,
        "in_constraint": False,
        "partitioned": False,
        "age_tx": 9000,
    }
    return row | change


def given(name: str, value: str, role: str = "shop_app") -> dict[str, Any]:
    return {"db": "", "role": role, "name": name, "value": value}


BLOATED = w.table("public.t", dead=90_000, dead_ratio=0.3, over_threshold=True, cleaned_in_vain=True)
SPILLED = [w.counters(temp_files=9, temp_bytes=10**8)]
LIMITED = limited("x", "x")["postgres.statement_limits"][0]
FULL_SLOTS = {"used": 95, "free": 2}

COMMITS = {"names": "standby_b", "needed": 1, "connected": 0, "waiting": 4, "longest_s": 9.0}
LISTENING = {"idle": 85, "active": 5, **FULL_SLOTS}
DUMP = {"app": "pg_dump", "maintenance": True, "backup_tool": True, "has_writes": False}
CASES: dict[str, Case] = {
    "commits that wait for a standby that is gone, and others behind their rows": (
        {
            "postgres.commit_waits": [COMMITS],
            "postgres.blocking_tree": [
                root(commit_wait=True, blocks_direct=3, blocks_total=3, held_s=8.0),
                *(w.member(pid, wait_s=8.0) for pid in (2, 3, 4)),
            ],
            "postgres.long_queries": [
                w.query(1, wait_event_type="IPC", wait_event="SyncRep", computes=False, query="UPDATE order_counter")
            ],
        },
        "synchronous_standby_missing",
        [("setting", "synchronous_standby_names")],
        ESCALATE,
    ),
    "idle sessions that listen for notices": (
        {"postgres.slots": [w.slots(**LISTENING)], "postgres.holders": [w.holder("events", 80, listening=80)]},
        "connection_exhaustion_idle_leak",
        [("application", "events")],
        ESCALATE,
    ),
    "idle sessions of a superuser": (
        {"postgres.slots": [w.slots(**LISTENING)], "postgres.holders": [w.holder("admin-tool", 80, superuser=True)]},
        "connection_exhaustion_idle_leak",
        [("application", "admin-tool")],
        ESCALATE,
    ),
    "idle sessions without a name": (
        {"postgres.slots": [w.slots(**LISTENING)], "postgres.holders": [w.holder("(none)", 80)]},
        "connection_exhaustion_idle_leak",
        [("role", "shop_app")],
        ESCALATE,
    ),
    "deadlocks in the log": (
        {"postgres.deadlock_log": [deadlock()]},
        "deadlock_opposite_order",
        [("table", "public.stock")],
        ESCALATE,
    ),
    "a deadlock seen while it lasts, without a log": (
        {
            "postgres.row_waits": [row_wait(cycle=True, waiters=2, relation="public.stock", holder_waits=True)],
            "postgres.deadlock_log": w.Answer.PERMISSION,
        },
        "deadlock_opposite_order",
        [("table", "public.stock")],
        ESCALATE,
    ),
    "hot row": (
        {
            "postgres.row_waits": [row_wait()],
            "postgres.blocking_tree": [
                root(blocks_direct=7, blocks_total=7, xact_age_s=1.6, held_s=0.1),
                w.member(2, wait_s=0.1),
            ],
        },
        "hot_row_contention",
        [("table", "public.counters")],
        ESCALATE,
    ),
    "schema change in the queue": (
        {
            "postgres.blocking_tree": [
                root(blocks_direct=1, blocks_total=9, held_s=20.0, behind_change=True),
                waiting_change(),
                w.member(3, lock_type="relation", lock_mode="AccessShareLock", depth=2),
            ]
        },
        "ddl_lock_queue",
        [("session", "2")],
        ("cancel_schema_change",),
    ),
    "index build that waits behind a batch, and writers behind it": (
        {
            "postgres.blocking_tree": [
                root(blocks_direct=1, blocks_total=4, held_s=20.0, behind_change=True, query="UPDATE stock SET n = 0"),
                waiting_change(lock_mode="ShareLock", blocks_total=3, query="CREATE INDEX ON stock (n)"),
                *(w.member(pid, lock_type="relation", lock_mode="RowExclusiveLock", depth=2) for pid in (3, 4, 5)),
            ]
        },
        "ddl_lock_queue",
        [("session", "2")],
        ("cancel_schema_change",),
    ),
    "schema change in the queue behind a dump that waits for its workers": (
        {
            "postgres.blocking_tree": [
                root(
                    **DUMP,
                    state="idle in transaction",
                    blocks_direct=1,
                    blocks_total=4,
                    held_s=20.0,
                    behind_change=True,
                ),
                waiting_change(blocks_total=3),
                w.member(3, lock_type="relation", lock_mode="AccessShareLock", depth=2),
            ]
        },
        "ddl_lock_queue",
        [("session", "2")],
        ("cancel_schema_change",),
    ),
    "a schema change alone behind a dump": (
        {
            "postgres.blocking_tree": [
                root(**DUMP, state="idle in transaction", blocks_direct=1, blocks_total=1, held_s=20.0),
                waiting_change(blocks_total=0, stops_queue=False),
            ]
        },
        "maintenance_lock_blocker",
        [("session", "1")],
        ESCALATE,
    ),
    "a commit that does not reach the disk, and others behind its rows": (
        {
            "postgres.blocking_tree": [
                root(blocks_direct=3, blocks_total=3, held_s=8.0, waits_on="log", query="COMMIT"),
                *(w.member(pid, wait_s=8.0) for pid in (2, 3, 4)),
            ],
            "postgres.long_queries": [w.query(1, wait_event_type="IO", wait_event="WALSync", computes=False)],
        },
        "wal_write_stalled",
        [("session", "1")],
        ESCALATE,
    ),
    "a holder that asks another server, and others behind its rows": (
        {
            "postgres.blocking_tree": [
                root(
                    blocks_direct=3, blocks_total=3, held_s=8.0, waits_on="remote", query="SELECT dblink('warehouse')"
                ),
                *(w.member(pid, wait_s=8.0) for pid in (2, 3, 4)),
            ]
        },
        "foreign_server_wait_blocker",
        [("session", "1")],
        ESCALATE,
    ),
    "index build that blocks writes": (
        {
            "postgres.blocking_tree": [
                root(blocks_direct=3, blocks_total=3, held_s=9.0, maintenance=True, query="CREATE INDEX ON t (a)"),
                w.member(2, lock_type="relation", lock_mode="RowExclusiveLock"),
            ]
        },
        "maintenance_lock_blocker",
        [("session", "1")],
        ESCALATE,
    ),
    "full lock table": (
        {
            "postgres.lock_holders": [w.lock_holder(31, share=0.97, relations=2400, xact_age_s=40.0)],
            "postgres.log_signs": [w.sign("lock_table_full")],
        },
        "lock_table_exhausted",
        [("session", "31")],
        ("end_lock_hoarder",),
    ),
    "full lock table, and no log is read": (
        {
            "postgres.lock_holders": [w.lock_holder(31, share=1.04, relations=2400, xact_age_s=40.0)],
            "postgres.log_signs": w.Answer.MISSING,
        },
        "lock_table_exhausted",
        [("session", "31")],
        ("end_lock_hoarder",),
    ),
    "lock table that a dump fills": (
        {
            "postgres.lock_holders": [w.lock_holder(31, share=0.97, relations=6000, app="pg_dump", maintenance=True)],
            "postgres.log_signs": [w.sign("lock_table_full")],
        },
        "lock_table_exhausted",
        [("session", "31")],
        ESCALATE,
    ),
    "a procedure that computes": (
        {"postgres.long_queries": [w.query(44, procedure=True, query="CALL close_the_year()")]},
        "runaway_query",
        [("session", "44")],
        ESCALATE,
    ),
    "too many reserved slots": (
        {
            "postgres.slots": [w.slots(max=100, reserved=90, usable=10, used=10, idle=5, active=3, free=0)],
            "postgres.holders": [w.holder("checkout", 4), w.holder("reports", 6, idle=1)],
            "postgres.setting_watch": [
                w.setting("superuser_reserved_connections", "90"),
                w.setting("autovacuum", "on"),
            ],
        },
        "connection_limit_too_low",
        [("setting", "superuser_reserved_connections")],
        ESCALATE,
    ),
    "limit of a role beside another at its own": (
        {
            "postgres.limits": [w.limited(name, 3, kind="role") for name in ("shop_app", "cron")],
            **refused("role_limit", role="shop_app", db=None, connection_limit=3),
        },
        "database_connection_limit",
        [("role", "shop_app")],
        ESCALATE,
    ),
    "limit of a role, and no log is read": (
        {
            "postgres.limits": [w.limited("shop_app", 3, kind="role")],
            "postgres.canary": w.Answer.TOO_MANY_CLIENTS,
            "postgres.login_failures": w.Answer.PERMISSION,
        },
        "database_connection_limit",
        [("role", "shop_app")],
        ESCALATE,
    ),
    "limit of a database beside one that is at its own by design": (
        {
            "postgres.limits": [w.limited("batch", 1), w.limited("shop", 5), w.limited("legacy", 0)],
            **refused("database_limit", role=None, db="shop", connection_limit=5),
        },
        "database_connection_limit",
        [("database", "shop")],
        ("lift_database_limit",),
    ),
    "database shut by a limit of 0": (
        {
            "postgres.limits": [w.limited("shop", 0)],
            **refused("database_limit", role=None, db="shop", connection_limit=0),
        },
        "database_connection_limit",
        [("database", "shop")],
        ESCALATE,
    ),
    "a catalog that logins wait for, and so does all but one look": (
        {
            **{name: w.Answer.TIMEOUT for name in w.healthy() if name.startswith("postgres.")},
            "postgres.ping": w.healthy()["postgres.ping"],
            "postgres.catalog_locks": [
                {
                    "pid": 5,
                    "backend_start": "x",
                    "app": "psql",
                    "state": "idle in transaction",
                    "catalog": "pg_authid",
                    "mode": "AccessExclusiveLock",
                    "waiters": 3,
                    "waited_s": 9.0,
                    "query": "LOCK TABLE pg_authid",
                }
            ],
        },
        "catalog_locked",
        [("session", "5")],
        ESCALATE,
    ),
    "a leak under a name per copy": (
        {"postgres.slots": [w.slots(**LISTENING)], "postgres.holders": copies(unused=84)},
        "connection_exhaustion_idle_leak",
        [("application", "checkout")],
        ESCALATE,
    ),
    "small pools of many copies": (
        {"postgres.slots": [w.slots(**LISTENING)], "postgres.holders": copies(unused=2)},
        "connection_pool_oversized",
        [("application", "checkout")],
        ESCALATE,
    ),
    "logins that never finish, which no session list shows": (
        {"postgres.canary": w.Answer.TOO_MANY_CLIENTS},
        "connection_exhaustion_unfinished_logins",
        [],
        ESCALATE,
    ),
    "logins that never finish, as 18 shows them": (
        {
            "postgres.slots": [w.slots(**FULL_SLOTS, idle=5, active=2, starting=88)],
            "postgres.holders": [w.holder("(none)", 88, idle=0, user=None, db=None), w.holder("checkout", 5)],
            "postgres.canary": w.Answer.TOO_MANY_CLIENTS,
        },
        "connection_exhaustion_unfinished_logins",
        [],
        ESCALATE,
    ),
    "sessions that wait for one page": (
        {"postgres.slots": [w.slots(used=40, active=30, idle=9, free=57)], "postgres.waits": [inner_wait(24)]},
        "lwlock_contention",
        [],
        ESCALATE,
    ),
    "a lock that copies of one program began to wait for": (
        {"postgres.advisory_locks": [advisory(same_program=True)]},
        "advisory_lock_leak",
        [("session", "9")],
        ESCALATE,
    ),
    "hardly any connections, and refused": (
        {
            **{name: w.Answer.TOO_MANY_CLIENTS for name in w.healthy() if name.startswith("postgres.")},
            "host.pg_status": [w.host(max_connections=6)],
        },
        "connection_limit_too_low",
        [("setting", "max_connections")],
        ESCALATE,
    ),
    "prepared transaction that blocks at once": (
        {
            "postgres.prepared_transactions": [{"gid": "tx-2", "owner": "app", "db": "shop", "age_s": 4.0}],
            "postgres.blocking_tree": [
                {**root(blocks_total=2, held_s=3.0, state="prepared transaction"), "pid": 0, "backend_type": None},
                w.member(2),
            ],
        },
        "prepared_transaction_in_doubt",
        [("prepared_transaction", "tx-2")],
        ESCALATE,
    ),
    "open transactions fill the slots": (
        {
            "postgres.slots": [w.slots(**FULL_SLOTS, idle=10, active=5, idle_in_tx=80)],
            "postgres.holders": [w.holder("checkout", 80, idle=0, idle_in_tx=80), w.holder("reports", 15)],
        },
        "connection_exhaustion_open_transactions",
        [("application", "checkout")],
        ESCALATE,
    ),
    "oversized pool": (
        {
            "postgres.slots": [w.slots(**FULL_SLOTS, idle=85, active=10)],
            "postgres.holders": [w.holder("checkout", 80, idle_used=78), w.holder("reports", 15)],
        },
        "connection_pool_oversized",
        [("application", "checkout")],
        ESCALATE,
    ),
    "connection storm": (
        {
            "postgres.slots": [w.slots(**FULL_SLOTS, idle=30, active=40, young=70)],
            "postgres.holders": [w.holder("checkout", 90, idle=30, oldest_idle_s=0.2)],
        },
        "connection_storm",
        [],
        ESCALATE,
    ),
    "a product of tables, young": (
        {"postgres.long_queries": [w.query(44, query_age_s=3.0, cartesian=True)]},
        "runaway_query",
        [("session", "44")],
        ("cancel_statement",),
    ),
    "unindexed column": (
        {"postgres.predicates": [predicate()], "postgres.seq_scans": [scan()]},
        "missing_index",
        [("table", "public.parcels")],
        ("build_index",),
    ),
    "partial index only": (
        {"postgres.predicates": [predicate(partial=True)], "postgres.seq_scans": [scan()]},
        "missing_index",
        [("table", "public.parcels")],
        ESCALATE,
    ),
    "cast around an indexed column": (
        {
            "postgres.predicates": [predicate(equal=False, hidden_by="a cast", indexed=True)],
            "postgres.seq_scans": [scan()],
        },
        "non_sargable_predicate",
        [("table", "public.parcels")],
        ESCALATE,
    ),
    "index passed over": (
        {"postgres.predicates": [predicate(indexed=True)], "postgres.seq_scans": [scan()]},
        "index_passed_over",
        [("table", "public.parcels")],
        ESCALATE,
    ),
    "index scans switched off": (
        {
            "postgres.predicates": [predicate(indexed=True)],
            "postgres.seq_scans": [scan()],
            "postgres.planner_settings": [planner()],
        },
        "planner_setting_changed",
        [("setting", "enable_indexscan")],
        ESCALATE,
    ),
    "a role's random_page_cost": (
        {
            "postgres.predicates": [predicate(indexed=True, against="random_page_cost=400")],
            "postgres.seq_scans": [scan()],
            "postgres.role_db_settings": [
                given("enable_indexscan", "off", role="etl"),
                given("random_page_cost", "400"),
            ],
        },
        "planner_setting_changed",
        [("role", "shop_app")],
        ("reset_role_setting",),
    ),
    "spare indexes": (
        {"postgres.redundant_indexes": [spare_index()]},
        "redundant_indexes",
        [("table", "public.parcels")],
        ("drop_spare_indexes",),
    ),
    "tiny temp_file_limit": (
        {
            **limited(
                "temp_file_limit",
                "temp_file_limit",
                role="shop_app",
                value="1MB",
                value_ms=None,
                limit_kb=1024.0,
                set_for="server",
                set_by="ALTER SYSTEM",
            ),
            "postgres.setting_watch": [
                w.setting("temp_file_limit", "1024", unit="kB", by_alter_system=True),
                w.setting("autovacuum", "on"),
            ],
            "postgres.role_spills": [spilling(value="256kB", value_kb=256.0, limit_kb=1024.0)],
        },
        "temp_file_limit",
        [("setting", "temp_file_limit")],
        ("lift_temp_file_limit",),
    ),
    "a role's temp_file_limit": (
        {
            **limited("temp_file_limit", "temp_file_limit", role="etl", value="1MB", value_ms=None, limit_kb=1024.0),
            "postgres.role_db_settings": [
                given("temp_file_limit", "20GB", role="bi"),
                given("temp_file_limit", "1MB", role="etl"),
            ],
        },
        "temp_file_limit",
        [("role", "etl")],
        ("reset_role_setting",),
    ),
    "a generous temp_file_limit that a report meets": (
        limited("temp_file_limit", "temp_file_limit", role="bi", value="20GB", value_ms=None, limit_kb=20971520.0),
        "temp_file_limit",
        [("role", "bi")],
        ESCALATE,
    ),
    "spills beside a role with a generous temp_file_limit": (
        {
            "postgres.role_db_settings": [given("work_mem", "64kB"), given("temp_file_limit", "20GB", role="reports")],
            "postgres.role_spills": [spilling()],
            "postgres.database_stats": SPILLED,
        },
        "work_mem_disk_spill",
        [("role", "shop_app")],
        ("reset_role_setting",),
    ),
    "a tiny timeout beside a health check's": (
        {
            **limited("statement_timeout", "statement_timeout", role="shop_app"),
            "postgres.role_db_settings": [
                given("statement_timeout", "100ms", role="aa_health"),
                given("statement_timeout", "5ms"),
            ],
        },
        "statement_timeout_too_low",
        [("role", "shop_app")],
        ("reset_role_setting",),
    ),
    "a timeout of half a second": (
        limited("statement_timeout", "statement_timeout", value="500ms", value_ms=500.0),
        "statement_timeout_too_low",
        [("role", "basket_app")],
        ESCALATE,
    ),
    "a tiny timeout and a log that cannot be read": (
        {
            "postgres.role_db_settings": [given("statement_timeout", "5ms")],
            "postgres.statement_limits": [dict.fromkeys(LIMITED) | {"reason": "no log"}],
        },
        "statement_timeout_too_low",
        [("role", "shop_app")],
        ESCALATE,
    ),
    "sums over a column without an index": (
        {"postgres.predicates": [predicate(aggregated=True)], "postgres.seq_scans": [scan()]},
        "missing_index",
        [("table", "public.parcels")],
        ESCALATE,
    ),
    "a role's planner setting whose statements nobody counts": (
        {
            "postgres.predicates": w.Answer.MISSING,
            "postgres.seq_scans": [scan()],
            "postgres.role_db_settings": [given("enable_indexscan", "off")],
        },
        "planner_setting_changed",
        [("role", "shop_app")],
        ESCALATE,
    ),
    "an invalid unique index that still refuses duplicates": (
        {"postgres.invalid_indexes": [invalid_index(unique=True, ready=True)]},
        "invalid_index",
        [("index", "public.events_day")],
        ESCALATE,
    ),
    "an old invalid index that the alert names": (
        {"postgres.invalid_indexes": [invalid_index(age_tx=2 * 10**8)], "alert": [{"name": "PostgresqlInvalidIndex"}]},
        "invalid_index",
        [("index", "public.events_day")],
        ("drop_invalid_index",),
    ),
    "a table that was never analyzed and never will be": (
        {"postgres.stale_stats": [w.table("public.t", autovacuum_enabled=False, changed=200_000, planned_rows=-1)]},
        "stale_statistics",
        [("table", "public.t")],
        ("analyze_table",),
    ),
    "tiny timeout of the server": (
        limited("statement_timeout", "statement_timeout", role="shop_app", set_for="server", set_by="ALTER SYSTEM"),
        "statement_timeout_too_low",
        [("setting", "statement_timeout")],
        ("reset_server_timeout",),
    ),
    "tiny work_mem of the server": (
        {
            "postgres.setting_watch": [
                w.setting("work_mem", "64", unit="kB", by_alter_system=True),
                w.setting("autovacuum", "on"),
            ],
            "postgres.role_spills": [spilling(scope="server", role=None)],
        },
        "work_mem_disk_spill",
        [("setting", "work_mem")],
        ("reset_server_work_mem",),
    ),
    "held back by a slot": (
        {
            "postgres.xmin_holders": [holder_of_rows("slot", name="cold_copy", pid=None, age_s=None)],
            "postgres.table_bloat": [BLOATED],
        },
        "vacuum_held_back",
        [("slot", "cold_copy")],
        ESCALATE,
    ),
    "held back by a prepared transaction": (
        {
            "postgres.xmin_holders": [holder_of_rows("prepared transaction", name="tx-3", pid=None)],
            "postgres.table_bloat": [BLOATED],
        },
        "vacuum_held_back",
        [("prepared_transaction", "tx-3")],
        ESCALATE,
    ),
    "held back by a replica": (
        {
            "postgres.xmin_holders": [holder_of_rows("replica", name="replica_one", age_s=None)],
            "postgres.table_bloat": [BLOATED],
        },
        "vacuum_held_back",
        [("target", "replica_one")],
        ESCALATE,
    ),
    "all autovacuum workers are busy for long": (
        {
            "postgres.setting_watch": [w.setting("autovacuum", "on"), w.setting("autovacuum_max_workers", "3")],
            "postgres.vacuum_progress": [vacuuming(pid) for pid in (71, 72, 73)],
            "postgres.table_bloat": [w.table("public.t", dead=90_000, dead_ratio=0.3, over_threshold=True)],
        },
        "autovacuum_starved",
        [("table", "public.t")],
        ESCALATE,
    ),
    "changes are not counted": (
        {"postgres.setting_watch": [w.setting("track_counts", "off", sourcefile="postgresql.conf")]},
        "track_counts_off",
        [("setting", "track_counts")],
        ESCALATE,
    ),
    "autovacuum tuned away": (
        {
            "postgres.setting_watch": [
                w.setting("autovacuum", "on"),
                {**w.setting("autovacuum_vacuum_scale_factor", "5", by_alter_system=True), "boot_val": "0.2"},
            ],
            "postgres.table_bloat": [w.table("public.t", dead=90_000, dead_ratio=0.6)],
        },
        "autovacuum_tuned_away",
        [("setting", "autovacuum_vacuum_scale_factor")],
        ("reset_autovacuum_setting",),
    ),
    "a table's thresholds": (
        {
            "postgres.table_bloat": [
                w.table("public.t", dead=90_000, dead_ratio=0.6, threshold=10**7, own_threshold=True)
            ]
        },
        "autovacuum_tuned_away",
        [("table", "public.t")],
        ESCALATE,
    ),
    "empty pages": (
        {"postgres.table_bloat": [w.table("public.t", fillfactor=10, est_bytes=90_000_000)]},
        "table_fillfactor_low",
        [("table", "public.t")],
        ESCALATE,
    ),
}
LOOK_ALIKES: dict[str, dict[str, Any]] = {
    "one of three autovacuum workers is at work for long": {
        "postgres.setting_watch": [w.setting("autovacuum", "on"), w.setting("autovacuum_max_workers", "3")],
        "postgres.vacuum_progress": [vacuuming(71)],
        "postgres.table_bloat": [w.table("public.t", dead=90_000, dead_ratio=0.3, over_threshold=True)],
    },
    "a health check with a timeout of its own": {
        "postgres.role_db_settings": [given("statement_timeout", "100ms", role="aa_health")]
    },
    "a generous temp_file_limit, and spills of long ago": {
        "postgres.role_db_settings": [given("temp_file_limit", "20GB", role="reports")],
        "postgres.database_stats": SPILLED,
    },
    "a small work_mem that nobody spills from": {"postgres.role_spills": [spilling(spilling=0)]},
    "a batch role that passes over indexes on purpose": {
        "postgres.role_db_settings": [given("enable_indexscan", "off", role="etl")],
        "postgres.seq_scans": [scan(seq_scans=9)],
        "postgres.predicates": [],
    },
    "an invalid index of last year": {"postgres.invalid_indexes": [invalid_index(age_tx=2 * 10**8)]},
    "duplicate indexes of last year": {"postgres.redundant_indexes": [spare_index(youngest_tx=2 * 10**8)]},
    "a timeout of a minute that a report meets": limited(
        "statement_timeout", "statement_timeout", value="60s", value_ms=60000.0
    ),
    "a commit that waits for a slow standby": {"postgres.commit_waits": [COMMITS | {"connected": 1}]},
    "an index of a partitioned table that lacks a part": {
        "postgres.invalid_indexes": [
            {
                "index": "public.events_day",
                "relation": "public.events",
                "schema": "public",
                "table": "events",
                "name": "events_day",
                "valid": False,
                "building": False,
                "in_constraint": False,
                "partitioned": True,
                "ready": True,
                "unique": False,
                "age_tx": 10,
            }
        ]
    },
    "one deadlock an hour ago": {"postgres.deadlock_log": [deadlock(deadlocks=1, last_s=400.0)]},
    "deadlocks of a table that is gone": {"postgres.deadlock_log": [deadlock(relation=None)]},
    "a few sessions that queue for a row for a moment": {"postgres.row_waits": [row_wait(waiters=2)]},
    "a dump of many tables that nobody's locks suffer from": {
        "postgres.lock_holders": [w.lock_holder(5, share=0.62, relations=4000, app="pg_dump", maintenance=True)]
    },
    "a job that locks many tables, and nobody's statement failed": {
        "postgres.lock_holders": [w.lock_holder(31, share=0.62, relations=4000, xact_age_s=60.0)]
    },
    "a transaction that is being ended while others wait a moment for its log": {
        "postgres.blocking_tree": [
            root(blocks_direct=3, blocks_total=3, held_s=0.2, waits_on="log", query="COMMIT", state_age_s=0.2),
            *(w.member(pid, wait_s=0.2) for pid in (2, 3, 4)),
        ]
    },
    "the end of a backup that waits for the archive": {
        "postgres.long_queries": [
            w.query(
                44,
                app="backup",
                maintenance=True,
                computes=False,
                wait_event_type="IPC",
                wait_event="BackupWaitWalArchive",
                query="SELECT pg_backup_stop()",
            )
        ]
    },
    "a checkpoint that somebody asked for": {
        "postgres.long_queries": [
            w.query(
                44, app="psql", computes=False, wait_event_type="IPC", wait_event="CheckpointDone", query="CHECKPOINT"
            )
        ]
    },
    "a commit that waits for the disk": {
        "postgres.long_queries": [
            w.query(44, computes=False, wait_event_type="IO", wait_event="WALSync", query="COMMIT")
        ]
    },
    "a few sessions that meet at the log for a moment": {
        "postgres.slots": [w.slots(used=40, active=30, idle=9, free=57)],
        "postgres.waits": [inner_wait(3), inner_wait(20, "WALWrite")],
    },
    "a database that was shut for good, on a server that refuses nobody": {
        "postgres.limits": [w.limited("shop", None, used=12), w.limited("legacy", 0)]
    },
    "a database and a role at limits that nobody runs into": {
        "postgres.limits": [w.limited("batch", 1), w.limited("cron", 1, kind="role")]
    },
    "a leader that its followers have awaited for days": {
        "postgres.advisory_locks": [advisory(same_program=True, waited_s=2e5, state_age_s=2e5)]
    },
    "a leader that works from time to time, and followers of a moment ago": {
        "postgres.advisory_locks": [advisory(same_program=True, waited_s=20.0, state_age_s=1.5)]
    },
    "a job that locks many tables with room to spare": {
        "postgres.lock_holders": [w.lock_holder(31, share=0.2, relations=2400)]
    },
    "a pool of newcomers that are idle": {
        "postgres.slots": [w.slots(**FULL_SLOTS, idle=85, active=10, young=80)],
        "postgres.holders": [w.holder("checkout", 80), w.holder("reports", 15)],
    },
    "a long index build": {"postgres.long_queries": [w.query(44, maintenance=True, query="CREATE INDEX ON t (a)")]},
    "a statement that waits for its client": {
        "postgres.long_queries": [w.query(44, wait_event_type="Client", wait_event="ClientWrite", computes=False)]
    },
    "a look-up that nobody does any more": {"postgres.predicates": [predicate(current=False)]},
    "a column that few statements look up": {"postgres.predicates": [predicate(calls=3)]},
    "a look-up that most rows fit": {"postgres.predicates": [predicate(indexed=True, rows_per_call=90_000.0)]},
    "a column whose index is not valid": {
        "postgres.predicates": [predicate(invalid=True)],
        "postgres.seq_scans": [scan()],
    },
    "one spare index": {"postgres.redundant_indexes": [spare_index(free_in_table=1)]},
    "a generous temp_file_limit": {
        "postgres.setting_watch": [w.setting("temp_file_limit", "52428800", unit="kB"), w.setting("autovacuum", "on")],
        "postgres.database_stats": SPILLED,
    },
    "dead rows while a vacuum runs": {
        "postgres.table_bloat": [
            w.table("public.t", dead=90_000, dead_ratio=0.5, autovacuum_enabled=False, vacuum_running=True)
        ]
    },
    "an old snapshot and clean tables": {"postgres.xmin_holders": [holder_of_rows("session", xmin_age=90_000)]},
}
