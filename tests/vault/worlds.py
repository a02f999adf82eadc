"""Evidence written by hand: a healthy group of servers, and what each failure changes about it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ratchet.domain.binding import calls_of
from ratchet.domain.differential import Candidate, Moment
from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.playbook import Playbook
from ratchet.domain.target import Target

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
PRIMARY = Target(name="shop-db", kind="postgres")
REPLICA = Target(name="shop-replica", kind="postgres", replica_of="shop-db")
SECOND = Target(name="shop-second", kind="postgres", replica_of="shop-db")
POOLER = Target(name="shop-pooler", kind="postgres", pooler_of="shop-db")
Rows = list[dict[str, Any]]
World = dict[str, Rows | Answer]


def slots(**change: Any) -> dict[str, Any]:
    row = {
        "max": 100,
        "superuser_reserved": 3,
        "reserved": 3,
        "usable": 97,
        "used": 14,
        "free": 83,
        "active": 2,
        "idle": 11,
        "idle_in_tx": 1,
        "waiting_on_lock": 0,
        "starting": 0,
        "young": 0,
    }
    return row | change


def holder(app: str, n: int, **change: Any) -> dict[str, Any]:
    row = {
        "app": app,
        "user": "shop_app",
        "db": "shop",
        "n": n,
        "idle": n,
        "idle_in_tx": 0,
        "active": 0,
        "oldest_idle_s": 40.0,
        "idle_over_5m": 0,
        "idle_used": 0,
        "open_read_only": 0,
        "listening": 0,
        "superuser": False,
        "program": app,
        "program_names": 1,
        "program_idle": n,
        "program_unused": n,
        "share": 0.1,
    }
    return row | change


def member(pid: int, **change: Any) -> dict[str, Any]:
    row = {
        "pid": pid,
        "backend_start": f"2026-11-21T01:00:00.{pid:06d}+00:00",
        "app": f"app-{pid}",
        "user": "shop_app",
        "db": "shop",
        "state": "active",
        "root_pid": 1,
        "is_root": False,
        "depth": 1,
        "path": [1, pid],
        "blocked_by": [1],
        "blocks_direct": 0,
        "blocks_total": 0,
        "held_s": None,
        "wait_s": 4.0,
        "lock_type": "transactionid",
        "lock_mode": "ShareLock",
        "backend_type": "client backend",
        "maintenance": False,
        "commit_wait": False,
        "backup_tool": False,
        "waits_on": None,
        "stops_queue": False,
        "behind_change": False,
        "xact_age_s": 9.0,
        "state_age_s": 4.0,
        "has_writes": False,
        "query": "UPDATE order_counter",
    }
    return row | change


def lock_holder(pid: int, **change: Any) -> dict[str, Any]:
    row = {
        "pid": pid,
        "backend_start": f"2026-11-21T01:00:00.{pid:06d}+00:00",
        "app": f"app-{pid}",
        "state": "active",
        "locks": 12,
        "relations": 9,
        "share": 0.002,
        "xact_age_s": 4.0,
        "maintenance": False,
    }
    return row | change


def limited(name: str, limit: int | None, **change: Any) -> dict[str, Any]:
    """A database with a connection limit that is reached, or without one."""
    row = {"kind": "database", "name": name, "limit": limit, "used": limit or 0, "can_login": True, "superuser": False}
    return row | {"reached": limit is not None, "ratio": None if limit is None else 1.0} | change


def replay(**change: Any) -> dict[str, Any]:
    row = {
        "in_recovery": True,
        "pause_state": "not paused",
        "paused": False,
        "lag_s": 0.1,
        "caught_up": True,
        "replay_gap_bytes": 0,
        "apply_delay_s": 0.0,
        "delay_by_alter_system": False,
        "reloaded_s": 90000.0,
        "receiver_status": "streaming",
        "receiver_wait_event_type": "Activity",
        "conninfo_set": True,
        "login": "replicator",
        "startup_wait_event_type": None,
        "startup_wait_event": None,
        "max_delay_s": 30.0,
        "feedback": False,
    }
    row |= change
    row["cut_off"] = row["in_recovery"] and row["conninfo_set"] and row["receiver_status"] != "streaming"
    return row


def standby_limits(**change: Any) -> dict[str, Any]:
    names = ("connections", "worker_processes", "wal_senders", "prepared_transactions", "locks_per_transaction")
    return {f"max_{name}": 64 for name in names} | change


def slot(name: str, **change: Any) -> dict[str, Any]:
    row = {"slot": name, "slot_type": "physical", "active": True, "temporary": False, "retained_bytes": 4096,
           "wal_status": "reserved", "inactive_since": None, "inactive_s": None, "kept_s": 4.0,
           "invalidation_reason": None}  # fmt: skip
    return row | change


def sender(app: str, **change: Any) -> dict[str, Any]:
    row = {"pid": 61, "app": app, "state": "streaming", "sent_lag_bytes": 0, "replay_lag_bytes": 300, "logical": False,
           "connected_s": 9000.0, "reply_age_s": 1.0, "wait_event_type": "Activity",
           "wait_event": "WalSenderMain"}  # fmt: skip
    return row | change


def table(relation: str, **change: Any) -> dict[str, Any]:
    row = {
        "relation": relation,
        "schema": "public",
        "table": relation.partition(".")[2],
        "live": 200_000,
        "dead": 300,
        "dead_ratio": 0.0015,
        "over_threshold": False,
        "cleaned_in_vain": False,
        "fillfactor": 100,
        "threshold": 40_050,
        "own_threshold": False,
        "est_bytes": 30_000_000,
        "autovacuum_enabled": True,
        "vacuum_running": False,
        "planned_rows": 199_000,
        "changed": 500,
    }
    return row | change


def oldest(name: str, **change: Any) -> dict[str, Any]:
    row = {"kind": "table", "name": name, "ratio": 0.4, "mxid_ratio": 0.1, "being_vacuumed": False}
    made = row | change
    return {"to_wraparound": made["ratio"] / 10} | made


def setting(name: str, value: str, **change: Any) -> dict[str, Any]:
    number = float(value) if value.isdigit() else None
    row = {
        "name": name,
        "setting": value,
        "number": number,
        "by_alter_system": False,
        "sourcefile": None,
        "source": "default",
    }
    return row | change


def counters(**change: Any) -> dict[str, Any]:
    return {"db": "shop", "checksum_failures": 0, "checksum_failed_s": None, "temp_files": 0, "temp_bytes": 0} | change


def host(**change: Any) -> dict[str, Any]:
    row = {
        "data_dir_present": True,
        "running": True,
        "control_state": "in production",
        "clean_shutdown": False,
        "max_connections": 100,
        "port_taken": False,
        "config_ok": True,
        "config_error": "",
        "config_file": None,
        "config_line": None,
        "config_name": None,
        "config_text": None,
        "log_errors": "",
        "disk_free_ratio": 0.4,
        "data_dir": "/srv/data",
        "pid": 700,
        "process_state": "sleeping",
        "port": 5432,
        "registered_port": 5432,
        "listens_on": ["127.0.0.1:5432"],
        "listens_here": True,
        "port_holder": "",
        "port_holder_pid": None,
        "port_holder_name": None,
    }
    return row | change


def query(pid: int, **change: Any) -> dict[str, Any]:
    row = {
        "pid": pid,
        "backend_start": "2026-11-21T01:00:00.000001+00:00",
        "app": "bi",
        "query_age_s": 90.0,
        "query_start": "2026-11-21T01:58:30.000001+00:00",
        "wait_event_type": None,
        "wait_event": None,
        "on_cpu": True,
        "computes": True,
        "procedure": False,
        "maintenance": False,
        "cartesian": False,
        "query": "SELECT count(*) FROM a, b",
    }
    return row | change


def pool(**change: Any) -> dict[str, Any]:
    row = {
        "db": "shop", "user": "shop_app", "mode": "transaction", "size": 3, "cl_active": 1, "cl_waiting": 0,
        "maxwait_s": 0.0, "sv_active": 1, "sv_free": 2, "sv_login": 0, "held_pids": [31], "held_apps": ["checkout"],
        "paused": False, "disabled": False, "full": False, "at_limit": False, "at_server": True,
    }  # fmt: skip
    return row | change


def pooled(**change: Any) -> dict[str, Any]:
    row = {
        "db": "shop", "server_db": "shop", "host": "127.0.0.1", "port": 5432, "size": 3, "paused": False,
        "disabled": False, "at_server": True, "waiting": 0, "connected": 3,
    }  # fmt: skip
    return row | change


def volume(**change: Any) -> dict[str, Any]:
    row = {
        "mount": "/srv", "holds": ["data", "wal"], "total_bytes": 10**11, "free_bytes": 4 * 10**10, "free_ratio": 0.4,
        "inodes_free_ratio": 0.9, "full": False, "read_only": False, "wal_bytes": None, "log_bytes": None,
        "temp_bytes": None, "foreign_file": None, "foreign_bytes": None, "foreign_share": None,
    }  # fmt: skip
    return row | change


def program(name: str, **change: Any) -> dict[str, Any]:
    row = {
        "program": name, "owner": "root", "pids": [900], "processes": 1, "cores_used": 0.2, "share": 0.1,
        "hungry": 0, "ours": "", "cores": 2, "busy": 0.3, "runnable": 1, "load": 0.4,
    }  # fmt: skip
    return row | change


def sign(name: str, **change: Any) -> dict[str, Any]:
    row = {"sign": name, "count": 3, "recent": 3, "age_s": 1.0, "gap_s": 2.0, "said": None, "line": f"LOG:  {name}",
           "newest": True}  # fmt: skip
    return row | change


def around() -> World:
    """What surrounds the sessions of a healthy server: its WAL, log, archive, volumes, host and pooler."""
    return {
        "postgres.rates": [{"wal_bytes_s": 2000.0, "log_bytes_s": 20.0, "checkpoint_every_s": None}],
        "postgres.archiver": [{"mode": "on", "command": "cp", "failing": False, "last_archived_s": 30.0,
                               "last_failed": None, "last_archived": "00A"}],
        "postgres.archive_status": [{"ready": 0, "oldest_ready_s": None}],
        "postgres.log_signs": [],
        "postgres.conflicts": [{"db": "shop", "total": 0}],
        "postgres.replication": [sender("replica_1")],
        "postgres.roles": [{"role": "replicator", "replication": True, "can_login": True, "expired": False,
                            "locked_out": False, "used": 1}],
        "postgres.subscriptions": [],
        "postgres.long_transactions": [],
        "postgres.stuck": [],
        "postgres.commit_waits": [{"names": "", "needed": 0, "connected": 0, "waiting": 0, "longest_s": 0.0}],
        "pgbouncer.pools": [pool()],
        "pgbouncer.databases": [pooled()],
        "pgbouncer.limits": [{"version": "1.18", "max_clients": 100, "clients": 12}],
        "host.volumes": [volume()],
        "host.programs": [program("postgres", ours="server"), program("agent")],
        "host.restore_point": [{"backup": "/b", "backup_at": "2026-11-20T22:00:00+00:00", "newest_wal": "00C",
                                "usable": True, "loss_s": 240.0, "gap": None, "plan": "1. Keep what is left."}],
    }  # fmt: skip


def healthy() -> World:
    """A pool of idle sessions, a bystander idle in its transaction, a replica at the present, autovacuum at work."""
    return {
        "postgres.ping": [{"in_recovery": False, "can_see_others": True, "version_num": 150018, "db": "shop"}],
        "postgres.canary": [
            {"ok": 1, "db": "shop", "in_recovery": False, "read_only": False, "read_only_by": "default"}
        ],
        **around(),
        "postgres.slots": [slots()],
        "postgres.holders": [holder("checkout", 5), holder("catalogue", 4), holder("reports", 3, idle=2)],
        "postgres.blocking_tree": [],
        "postgres.row_waits": [],
        "postgres.catalog_locks": [],
        "postgres.waits": [],
        "postgres.deadlock_log": [],
        "postgres.lock_holders": [lock_holder(14)],
        "postgres.predicates": [],
        "postgres.planner_settings": [],
        "postgres.redundant_indexes": [],
        "postgres.advisory_locks": [
            {
                "pid": 9,
                "backend_start": "x",
                "app": "cron",
                "state": "idle",
                "granted": True,
                "waiters": 0,
                "waited_s": None,
                "same_program": False,
                "state_age_s": 60.0,
            }
        ],
        "postgres.limits": [limited("shop", None, used=12)],
        "postgres.setting_watch": [setting("autovacuum", "on"), setting("max_connections", "100")],
        "postgres.prepared_transactions": [],
        "postgres.login_failures": [],
        "postgres.denied_statements": [],
        "postgres.lost_rights": [],
        "postgres.role_spills": [],
        "postgres.missing_names": [],
        "postgres.numbering_failures": [],
        "postgres.statement_limits": [],
        "postgres.unlogged_tables": [],
        "host.pg_status": [host()],
        "postgres.file_settings": [{"name": "port", "file": "postgresql.conf", "line": 3, "wrong": False}],
        "postgres.hba_rules": [
            {"position": 1, "line": 90, "method": "scram-sha-256", "rejects": False, "type": "host"}
        ],
        "postgres.database_stats": [counters()],
        "postgres.log_tail": [{"position": 1, "level": "LOG", "line": "LOG:  checkpoint complete", "reason": None}],
        "postgres.stats_age": [{"counter": "database", "age_s": 90000.0}],
        "postgres.replay": [replay()],
        "postgres.standby_limits": [standby_limits()],
        "postgres.restarts": [{"started_s": 90000.0, "restarted_s": None, "restarted": False, "reloaded_s": 90000.0}],
        "postgres.replication_slots": [slot("replica_1")],
        "postgres.long_queries": [query(44, query_age_s=8.0)],
        "postgres.role_db_settings": [{"db": "", "role": "bi", "name": "statement_timeout", "value": "30s"}],
        "postgres.stale_stats": [table("public.orders")],
        "postgres.seq_scans": [
            {
                "relation": "public.orders",
                "live": 200_000,
                "seq_scans": 3,
                "seq_ratio": 0.01,
                "rows_per_scan": 200_000.0,
                "has_primary_key": True,
                "foreign_keys_unindexed": 0,
            }
        ],
        "postgres.invalid_indexes": [],
        "postgres.table_bloat": [table("public.orders", dead=30_000, dead_ratio=0.13, over_threshold=False)],
        "postgres.xid_age": [oldest("public.orders")],
        "postgres.vacuum_progress": [],
        "postgres.xmin_holders": [
            {"kind": "session", "name": "reports", "pid": 7, "xmin_age": 12, "age_s": 3.0, "oldest": True}
        ],
    }


def moment(world: Mapping[str, Rows | Answer], calls: Sequence[ProbeCall]) -> Moment:
    evidence = {}
    for call in calls:
        seen = world.get(f"{call.probe}@{call.target}", world[call.probe])
        if isinstance(seen, Answer):
            evidence[call.key] = Evidence.of(call, NOW, 1.0, answer=seen)
        else:
            evidence[call.key] = Evidence.of(call, NOW, 1.0, answer=Answer.OK, rows=tuple(seen))
    named = world.get("alert", "")
    name = named[0]["name"] if isinstance(named, list) else "ServiceDegraded"
    return Moment(evidence=evidence, alert={"labels": {}, "name": name}, now=NOW)


def candidates(playbooks: Sequence[Playbook], *more: Target) -> list[Candidate]:
    targets = [PRIMARY, REPLICA, POOLER, *more]
    return [
        Candidate(
            playbook=playbook,
            version_id=playbook.pin,
            calls=calls_of(playbook, PRIMARY, targets, {"min_idle": 2.0}),
            params={"min_idle": 2.0},
        )
        for playbook in playbooks
    ]
