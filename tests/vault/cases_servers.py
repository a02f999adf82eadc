"""Evidence of servers, hosts, poolers, replicas and volumes in trouble, one case for each hypothesis about them."""

from typing import Any

from ratchet.domain.evidence import Answer
from tests.vault import worlds as w
from tests.vault.cases_access import refused

Case = tuple[dict[str, Any], str, list[tuple[str, str]], tuple[str, ...]]
PERSON = ("escalate",)
DOWN: dict[str, Any] = {name: Answer.REFUSED for name in w.healthy() if name.startswith("postgres.")}
MAX_WAL = w.setting("max_wal_size", "32", by_alter_system=True, boot_val="1024")
FAST = [{"wal_bytes_s": 5e7, "log_bytes_s": 10.0, "checkpoint_every_s": 0.4}]
LOUD = [{"wal_bytes_s": 2000.0, "log_bytes_s": 90_000.0, "checkpoint_every_s": None}]
CUT = [w.replay(receiver_status=None)]
SHORT = w.setting("max_standby_streaming_delay", "200", by_alter_system=True, boot_val="30000")
RELOADED = {"started_s": 90000.0, "restarted_s": None, "restarted": False, "reloaded_s": 60.0}
REJECTING = {"position": 1, "line": 2, "method": "reject", "rejects": True, "type": "host", "user_name": ["all"],
             "database": ["shop"]}  # fmt: skip
FULL_POOL = {"cl_waiting": 2, "maxwait_s": 2.0, "sv_active": 3, "sv_free": 0, "full": True, "held_pids": [31, 32, 33]}
SILENT = {"pid": 31, "backend_start": "2026-11-21T01:00:00.000031+00:00", "app": "wish-list", "state_age_s": 5.0}
CUT_OFF = {"cl_active": 0, "cl_waiting": 9, "maxwait_s": 9.0, "sv_active": 0, "sv_free": 0, "held_pids": []}
ERRORS = [{"position": n, "level": "ERROR", "line": "ERROR:  x", "reason": None} for n in range(120)]
SUBSCRIPTION = {
    "subscription": "feed",
    "db": "copy",
    "enabled": True,
    "running": True,
    "apply_errors": 4,
    "worker_age_s": 0.3,
}


OFF = {**SUBSCRIPTION, "enabled": False, "worker_age_s": None}
LATE = w.replay(apply_delay_s=3600.0, delay_by_alter_system=True, caught_up=False, lag_s=4000.0)
"""A standby that is an hour behind, as it was told to be."""
ROLE = {"role": "replicator", "replication": True, "can_login": True, "expired": False, "used": 1,
        "locked_out": False}  # fmt: skip
AWAY = w.slot("standby2", active=False, retained_bytes=10**9, kept_s=40.0)
LOST = w.slot("standby2", active=False, retained_bytes=None, wal_status="lost", kept_s=None)


def signs(*names: str, **change: Any) -> list[dict[str, Any]]:
    return [w.sign(name, **change) for name in names]


def cut_off(name: str) -> dict[str, Any]:
    return {"postgres.replay": CUT, "postgres.log_signs": signs(name)}


def down(**change: Any) -> dict[str, Any]:
    return {**DOWN, "host.pg_status": [w.host(running=False, **change)]}


STORAGE: dict[str, Case] = {
    "max_wal_size lowered": (
        {"postgres.setting_watch": [MAX_WAL], "postgres.rates": FAST},
        "checkpoint_storm_small_max_wal", [("setting", "max_wal_size")], ("reset_setting",),
    ),
    "more writes than max_wal_size is for": (
        {"postgres.setting_watch": [{**MAX_WAL, "by_alter_system": False, "number": 1024.0}], "postgres.rates": FAST,
         "postgres.log_signs": signs("checkpoints")},
        "checkpoint_storm_small_max_wal", [("setting", "max_wal_size")], PERSON,
    ),
    "log_statement turned up": (
        {"postgres.setting_watch": [w.setting("log_statement", "all", by_alter_system=True, changed=True)],
         "postgres.rates": LOUD},
        "verbose_logging_drift", [("setting", "log_statement")], ("reset_setting",),
    ),
    "log_statement turned up for one role": (
        {"postgres.role_db_settings": [{"db": "", "role": "bi", "name": "log_statement", "value": "all"}],
         "postgres.rates": LOUD},
        "verbose_logging_drift", [("setting", "log_statement")], PERSON,
    ),
    "a client that fails all the time": (
        {"postgres.log_tail": ERRORS, "postgres.rates": LOUD, "postgres.role_db_settings": []},
        "error_flood", [], PERSON,
    ),
    "a client that fails all the time on an audited server": (
        {"postgres.log_tail": ERRORS, "postgres.rates": LOUD,
         "postgres.setting_watch": [w.setting("log_statement", "all", by_alter_system=True, changed=True)]},
        "error_flood", [], PERSON,
    ),
    "each change is logged": (
        {"postgres.rates": LOUD,
         "postgres.setting_watch": [w.setting("log_statement", "mod", by_alter_system=True, changed=True)]},
        "verbose_logging_drift", [("setting", "log_statement")], PERSON,
    ),
    "archive command fails": (
        {"postgres.archiver": [{"mode": "on", "command": "cp", "failing": True, "last_failed": "00B",
                                "last_archived": None, "last_archived_s": None}]},
        "archive_command_failing", [("setting", "archive_command")], PERSON,
    ),
    "archive command hangs": (
        {"postgres.archiver": [{"mode": "on", "command": "cp", "failing": False, "last_failed": None,
                                "last_archived": "00A", "last_archived_s": 4000.0}],
         "postgres.archive_status": [{"ready": 40, "oldest_ready_s": 3900.0}]},
        "archive_command_failing", [("setting", "archive_command")], PERSON,
    ),
    "foreign file": (
        {"host.volumes": [w.volume(full=True, free_ratio=0.0, foreign_file="/srv/core.1", foreign_share=0.8)]},
        "disk_full_foreign_file", [("file", "/srv/core.1")], PERSON,
    ),
    "volume full of WAL": (
        {"host.volumes": [w.volume(full=True, free_ratio=0.001, wal_bytes=9 * 10**10, foreign_share=0.01)]},
        "disk_full", [("file", "/srv")], PERSON,
    ),
    "no inodes": (
        {"host.volumes": [w.volume(inodes_free_ratio=0.0)]}, "inodes_exhausted", [("file", "/srv")], PERSON,
    ),
    "quota": ({"postgres.log_signs": signs("quota")}, "disk_quota_reached", [], PERSON),
    "read-only volume": ({"host.volumes": [w.volume(read_only=True)]}, "volume_read_only", [("file", "/srv")], PERSON),
    "foreign load": (
        {"host.programs": [w.program("encode", processes=6, hungry=6, share=0.7, busy=1.0, runnable=8)]},
        "external_cpu_contention", [("process", "encode")], PERSON,
    ),
}  # fmt: skip
REPLICATION: dict[str, Case] = {
    "queries cancelled at once": (
        {"postgres.conflicts": [{"db": "shop", "total": 9}], "postgres.setting_watch": [SHORT],
         "postgres.log_signs": signs("cancelled_by_replay"), "postgres.replay": [w.replay(max_delay_s=0.2)]},
        "recovery_conflict_cancellations", [("target", "shop-replica")], ("turn_on_feedback",),
    ),
    "queries cancelled after the usual wait": (
        {"postgres.conflicts": [{"db": "shop", "total": 30}],
         "postgres.log_signs": signs("cancelled_by_replay", recent=20)},
        "recovery_conflict_cancellations", [("target", "shop-replica")], PERSON,
    ),
    "limits of the replica are smaller than the primary's": (
        {"postgres.replay": [w.replay(paused=True, pause_state="paused", caught_up=False)],
         "postgres.standby_limits@shop-db": [w.standby_limits(max_connections=200)]},
        "standby_limits_too_low", [("target", "shop-replica")], PERSON,
    ),
    "query holds replay": (
        {"postgres.replay": [w.replay(caught_up=False, startup_wait_event="RecoveryConflictSnapshot")],
         "postgres.long_transactions": [{"pid": 5, "app": "report", "backend_type": "client backend",
                                         "backend_start": "x", "xact_age_s": 90.0}]},
        "replay_held_by_query", [("target", "shop-replica"), ("session", "5")], PERSON,
    ),
    "replication login refused": (
        cut_off("receiver_refused"), "replication_auth_failure", [("target", "shop-replica")], PERSON,
    ),
    "replica's WAL gone": (cut_off("wal_gone"), "standby_needs_rebuild", [("target", "shop-replica")], PERSON),
    "replica on another timeline": (
        cut_off("other_history"), "standby_diverged", [("target", "shop-replica")], PERSON,
    ),
    "no sender left": (cut_off("slots_used_up"), "replication_slots_used_up", [("target", "shop-replica")], PERSON),
    "replica cut off": (cut_off("primary_unreachable"), "replica_cut_off", [("target", "shop-replica")], PERSON),
    "slow line": (
        {"postgres.replication": [w.sender("replica_1", sent_lag_bytes=10**9, replay_lag_bytes=10**9)]},
        "replication_network_slow", [("target", "replica_1")], PERSON,
    ),
    "a reader of a logical slot does not keep up": (
        {"postgres.replication": [w.sender("feed", logical=True, sent_lag_bytes=10**9, wait_event_type="Client",
                                           wait_event="WalSenderWriteData")]},
        "logical_reader_slow", [("session", "61")], PERSON,
    ),
    "a standby is kept behind under a lag alert": (
        {"postgres.replay": [LATE], "alert": [{"name": "PostgresqlReplicationLag"}]},
        "recovery_min_apply_delay", [("target", "shop-replica")], PERSON,
    ),
    "a standby was told to apply late a minute ago, and is as late already": (
        {"postgres.replay": [{**LATE, "apply_delay_s": 30.0, "lag_s": 31.0, "reloaded_s": 50.0}]},
        "recovery_min_apply_delay", [("target", "shop-replica")], PERSON,
    ),
    "a slot whose user may only be restarting": (
        {"postgres.replication_slots": [w.slot("replica_1"), AWAY]},
        "stale_physical_slot", [("slot", "standby2")], PERSON,
    ),
    "a slot was cut off": (
        {"postgres.replication_slots": [w.slot("replica_1"), LOST],
         "postgres.log_signs@shop-db": signs("slot_invalidated", said="standby2")},
        "replication_slot_lost", [("slot", "standby2")], PERSON,
    ),
    "a replica's slot was invalidated": (
        cut_off("slot_invalidated"), "standby_needs_rebuild", [("target", "shop-replica")], PERSON,
    ),
    "a replication role that the replica uses may not log in": (
        {"postgres.replay": CUT, "postgres.log_signs": signs("receiver_timeout"),
         "postgres.roles": [{**ROLE, "can_login": False, "used": 0, "locked_out": True}]},
        "replication_auth_failure", [("target", "shop-replica")], PERSON,
    ),
    "a replica is cut off beside a replication role of former days": (
        {**cut_off("receiver_timeout"), "postgres.roles": [ROLE, {**ROLE, "role": "old_repl", "can_login": False,
                                                                 "used": 0, "locked_out": True}]},
        "replica_cut_off", [("target", "shop-replica")], PERSON,
    ),
    "slow replay": (
        {"postgres.replay": [w.replay(caught_up=False, lag_s=40.0, replay_gap_bytes=10**9)]},
        "replica_cannot_keep_up", [("target", "shop-replica")], PERSON,
    ),
    "an idle primary under a lag alert": (
        {"postgres.replay": [w.replay(lag_s=900.0)], "alert": [{"name": "PostgresqlReplicationLag"}]},
        "healthy", [("target", "shop-replica")], PERSON,
    ),
    "apply conflict": (
        {"postgres.subscriptions": [SUBSCRIPTION], "postgres.log_signs": signs("apply_failed", said="0/7915778")},
        "logical_apply_conflict", [("subscription", "feed")], PERSON,
    ),
    "publisher down": (
        {"postgres.subscriptions": [{**SUBSCRIPTION, "running": False, "worker_age_s": None}],
         "postgres.log_signs": signs("publisher_lost")},
        "subscription_cut_off", [("subscription", "feed")], PERSON,
    ),
    "slot of a subscription dropped": (
        {"postgres.subscriptions": [{**SUBSCRIPTION, "running": False, "worker_age_s": None}],
         "postgres.log_signs": signs("publisher_lost", "publisher_slot")},
        "subscription_slot_missing", [("subscription", "feed")], PERSON,
    ),
    "subscription disabled": (
        {"postgres.subscriptions": [OFF], "postgres.log_signs": signs("subscription_disabled", said="feed")},
        "subscription_disabled", [("subscription", "feed")], PERSON,
    ),
    "logical slot unread": (
        {"postgres.replication_slots": [{**w.slot("cdc", active=False, retained_bytes=10**9), "slot_type": "logical",
                                         "plugin": "pgoutput", "db": "shop"}]},
        "stale_logical_slot", [("slot", "cdc")], PERSON,
    ),
}  # fmt: skip
SERVERS: dict[str, Case] = {
    "gone, and a replica was promoted": (
        {**DOWN, "host.pg_status": [w.host(running=False)],
         "postgres.ping@shop-replica": [{"in_recovery": False, "can_see_others": True, "version_num": 150018}]},
        "replica_promoted", [("target", "shop-replica")], PERSON,
    ),
    "one wrong line": (
        down(config_ok=False, config_file="/srv/data/postgresql.conf", config_line=9, config_name="work_memory",
             config_text="work_memory = 1"),
        "config_error", [("file", "/srv/data/postgresql.conf")], ("take_line_out", "start_server"),
    ),
    "one wrong line, and a replica was promoted": (
        {**down(config_ok=False, config_file="/srv/data/postgresql.conf", config_line=9, config_name="work_memory",
                config_text="work_memory = 1"),
         "postgres.ping@shop-replica": [{"in_recovery": False, "can_see_others": True, "version_num": 150018}]},
        "replica_promoted", [("target", "shop-replica")], PERSON,
    ),
    "port taken": (
        down(port_taken=True, port_holder="scan (77)", port_holder_pid=77, port_holder_name="scan"),
        "port_conflict", [("process", "77")], PERSON,
    ),
    "listens elsewhere": (
        {**DOWN, "host.pg_status": [w.host(listens_here=False, listens_on=["127.0.0.1:6000"])]},
        "listen_address_changed", [("target", "shop-db")], PERSON,
    ),
    "rejecting rule": (
        {**refused("hba_reject", role="wish_app", db="shop", rule_line=2), "postgres.restarts": [RELOADED]},
        "hba_rejection", [("file", "pg_hba.conf")], ("take_rule_out",),
    ),
    "a rejecting rule that has stood for long": (
        refused("hba_reject", role="wish_app", db="shop", rule_line=2), "hba_rejection", [("file", "pg_hba.conf")],
        PERSON,
    ),
    "a rejecting rule that is not this role's alone": (
        {**refused("hba_reject", role="wish_app", db="shop"), "postgres.restarts": [RELOADED]}, "hba_rejection",
        [("file", "pg_hba.conf")], PERSON,
    ),
    "turned away, and no log is read": (
        {"postgres.canary": Answer.AUTH, "postgres.log_signs": Answer.PERMISSION,
         "postgres.login_failures": Answer.PERMISSION, "postgres.hba_rules": [REJECTING]},
        "hba_rejection", [("file", "pg_hba.conf")], PERSON,
    ),
    "a superuser turned away": (
        {**refused("hba_reject", role="postgres", superuser=True, rule_line=2), "postgres.restarts": [RELOADED]},
        "hba_rejection", [("file", "pg_hba.conf")], PERSON,
    ),
    "crash loop": ({"postgres.log_signs": signs("crash")}, "backend_crash_recovery", [("target", "shop-db")], PERSON),
    "recovering": (
        {**dict.fromkeys(DOWN, Answer.IN_RECOVERY), "postgres.log_signs": [],
         "host.pg_status": [w.host(control_state="in crash recovery")]},
        "recovery_in_progress", [("target", "shop-db")], PERSON,
    ),
    "smart shutdown": (
        {"postgres.canary": Answer.STARTING, "postgres.log_signs": signs("smart_shutdown", "started")},
        "shutdown_in_progress", [("target", "shop-db")], PERSON,
    ),
    "stopped process": (
        {"postgres.canary": Answer.HUNG, "host.pg_status": [w.host(process_state="stopped")]},
        "server_hung", [("target", "shop-db")], PERSON,
    ),
    "shut down by somebody": (
        down(control_state="shut down", clean_shutdown=True), "server_shut_down", [("target", "shop-db")], PERSON,
    ),
    "data directory lost": (
        down(data_dir_present=False, control_state=None, config_ok=False),
        "data_directory_lost", [("target", "shop-db")], PERSON,
    ),
    "control file unreadable": (
        {**DOWN, "host.pg_status": Answer.ERROR}, "data_directory_lost", [("target", "shop-db")], PERSON,
    ),
    "broken pages": (
        {"postgres.database_stats": [w.counters(checksum_failures=2, checksum_failed_s=60.0)]},
        "data_corrupted", [("database", "shop")], PERSON,
    ),
    "blocks that cannot be read": (
        {"postgres.log_signs": signs("io_error")}, "data_corrupted", [("target", "shop-db")], PERSON,
    ),
}  # fmt: skip
POOLERS: dict[str, Case] = {
    "pool held by silent transactions": (
        {"pgbouncer.pools": [w.pool(**FULL_POOL)], "postgres.stuck": [SILENT]},
        "pgbouncer_pool_exhausted", [("application", "wish-list"), ("session", "31")], ("end_pool_holders",),
    ),
    "pool busy": (
        {"pgbouncer.pools": [w.pool(**FULL_POOL)]}, "pgbouncer_pool_exhausted", [("target", "shop-pooler")], PERSON,
    ),
    "pooler misdirected": (
        {"pgbouncer.databases": [w.pooled(at_server=False, connected=0, waiting=1, port=1)],
         "pgbouncer.pools": [w.pool(at_server=False, sv_active=0, sv_free=0, cl_waiting=1)]},
        "pgbouncer_bad_backend_target", [("target", "shop-pooler")], PERSON,
    ),
    "database paused in the pooler": (
        {"pgbouncer.databases": [w.pooled(paused=True, waiting=3)]},
        "pgbouncer_paused", [("target", "shop-pooler")], PERSON,
    ),
    "pooler full": (
        {"pgbouncer.limits": [{"max_clients": 100, "clients": 100}]},
        "pgbouncer_client_limit", [("target", "shop-pooler")], PERSON,
    ),
    "pooler turned away": (
        {"pgbouncer.pools": [w.pool(cl_waiting=1, maxwait_s=2.0, sv_active=0, sv_free=0)]},
        "pgbouncer_server_login_refused", [("target", "shop-pooler")], PERSON,
    ),
    "pooler turned away, under another name of the server": (
        {"pgbouncer.pools": [w.pool(**CUT_OFF, at_server=None)], "postgres.canary@shop-pooler": Answer.SERVER_LOGIN,
         **refused("wrong_password", role="nobody", still=False, ongoing=False)},
        "pgbouncer_server_login_refused", [("target", "shop-pooler")], PERSON,
    ),
    "pooler on another host": (
        {"pgbouncer.pools": [w.pool(**CUT_OFF, at_server=None)], "postgres.canary@shop-pooler": Answer.HUNG},
        "pgbouncer_bad_backend_target", [("target", "shop-pooler")], PERSON,
    ),
    "pooler refuses by itself": (
        {"postgres.canary@shop-pooler": Answer.AUTH},
        "pgbouncer_client_login_refused", [("target", "shop-pooler")], PERSON,
    ),
    "max_db_connections used up by the pool of another role": (
        {"pgbouncer.pools": [w.pool(user="bi", size=50, sv_active=20, sv_free=0, at_limit=True),
                             w.pool(**CUT_OFF, size=50, at_limit=True)],
         "postgres.canary@shop-pooler": Answer.HUNG},
        "pgbouncer_pool_exhausted", [("target", "shop-pooler")], PERSON,
    ),
    "pooler stopped": (
        {"pgbouncer.pools": Answer.HUNG, "pgbouncer.databases": Answer.HUNG, "pgbouncer.limits": Answer.HUNG,
         "postgres.canary@shop-pooler": Answer.HUNG},
        "pgbouncer_hung", [], PERSON,
    ),
    "pooler gone": (
        {"pgbouncer.pools": Answer.REFUSED, "pgbouncer.databases": Answer.REFUSED, "pgbouncer.limits": Answer.REFUSED,
         "postgres.canary": Answer.UNREGISTERED},
        "pgbouncer_down", [], PERSON,
    ),
}  # fmt: skip
CASES: dict[str, Case] = {**STORAGE, **REPLICATION, **SERVERS, **POOLERS}
LOOK_ALIKES: dict[str, dict[str, Any]] = {
    "a broken page of last year": {"postgres.database_stats": [w.counters(checksum_failures=1, checksum_failed_s=3e7)]},
    "a small max_wal_size and few writes": {"postgres.setting_watch": [MAX_WAL]},
    "all statements logged on a quiet server": {
        "postgres.setting_watch": [w.setting("log_statement", "all", by_alter_system=True, changed=True)]
    },
    "a volume of which four fifths are used": {"host.volumes": [w.volume(free_ratio=0.2)]},
    "an idle primary without a lag alert": {"postgres.replay": [w.replay(lag_s=900.0)]},
    "a subscription that failed last month": {"postgres.subscriptions": [{**SUBSCRIPTION, "worker_age_s": 9e5}]},
    "a subscription that was switched off last month": {"postgres.subscriptions": [OFF]},
    "a standby that is kept behind, and no alert about it": {"postgres.replay": [LATE]},
    "a standby that is kept behind in the file": {
        "postgres.replay": [{**LATE, "lag_s": 300.0, "delay_by_alter_system": False}]
    },
    "a slot that was cut off last year": {"postgres.replication_slots": [w.slot("replica_1"), LOST]},
    "a replica that is just catching up": {
        "postgres.replication": [w.sender("replica_1", state="catchup", sent_lag_bytes=10**9, connected_s=20.0)]
    },
    "a replica that is slow in writing what it gets": {
        "postgres.replication": [w.sender("replica_1", sent_lag_bytes=10**9)],
        "postgres.replay": [w.replay(receiver_wait_event_type="IO")],
    },
    "a receiver that answers no more": {
        "postgres.replication": [w.sender("replica_1", sent_lag_bytes=10**9, reply_age_s=40.0)]
    },
    "a wrong line in a file, and nobody who could log in for users": {
        "postgres.file_settings": [{"name": "work_mem", "file": "postgresql.conf", "line": 9, "wrong": True}],
        "postgres.canary": Answer.UNREGISTERED,
    },
    "a crash of an hour ago": {"postgres.log_signs": signs("crash", recent=0, count=1, age_s=3600.0, gap_s=None)},
    "a database of the pooler on another server that nobody asks for": {
        "pgbouncer.databases": [w.pooled(), w.pooled(db="old", at_server=False, connected=0)]
    },
    "a database of the pooler on another server, which is down": {
        "pgbouncer.databases": [
            w.pooled(),
            w.pooled(db="crm", server_db="crm", at_server=False, connected=0, waiting=4),
        ]
    },
    "a pooler whose refusals may be the server's": {
        "postgres.canary@shop-pooler": Answer.AUTH,
        "postgres.login_failures": Answer.PERMISSION,
    },
    "a full pool whose clients work and nobody waits": {
        "pgbouncer.pools": [w.pool(**{**FULL_POOL, "cl_waiting": 0, "maxwait_s": 0.0})]
    },
    "a busy database on a busy host": {
        "host.programs": [w.program("postgres", ours="server", share=0.95, hungry=9, busy=1.0, runnable=12)]
    },
}
OF_TWO_REPLICAS: dict[str, tuple[dict[str, Any], str]] = {
    "the first waits only a moment on purpose, the second cancels queries": (
        {"postgres.conflicts@shop-second": [{"db": "shop", "total": 40}],
         "postgres.setting_watch@shop-replica": [SHORT],
         "postgres.log_signs@shop-second": signs("cancelled_by_replay", recent=20)},
        "conflicts_by_default",
    ),
    "the second waits only a moment and cancels queries": (
        {"postgres.conflicts@shop-second": [{"db": "shop", "total": 40}],
         "postgres.setting_watch@shop-second": [SHORT],
         "postgres.log_signs@shop-second": signs("cancelled_by_replay", recent=20)},
        "conflicts",
    ),
    "the first was rebuilt a minute ago, the second is refused": (
        {"postgres.log_signs@shop-replica": signs("wal_gone"), "postgres.replay@shop-second": CUT,
         "postgres.log_signs@shop-second": signs("receiver_refused")},
        "receiver_down",
    ),
    "the first waits for a lock, a query runs on the second": (
        {"postgres.replay@shop-replica": [w.replay(caught_up=False, startup_wait_event_type="Lock")],
         "postgres.long_transactions@shop-second": [{"pid": 5, "app": "report", "backend_type": "client backend",
                                                     "backend_start": "x", "xact_age_s": 90.0}]},
        "",
    ),
}  # fmt: skip
