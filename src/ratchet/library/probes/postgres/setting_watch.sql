-- name: postgres.setting_watch
-- summary: The settings that matter in an incident, with their source
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   name text                      setting
--   setting text                   value; null when this session overrides it and hides the server's
--   number float                   the value as a number in its unit, null when it is none
--   unit text                      unit of the value
--   source text                    default, configuration file, database, user, ...
--   sourcefile text                file name without its directory; postgresql.auto.conf is ALTER SYSTEM
--   by_alter_system bool           set by ALTER SYSTEM
--   boot_val text                  what the server would take without any configuration
--   changed bool                   value differs from boot_val
--   pending_restart bool           the file says something else that needs a restart
--   needs_restart bool             a change takes effect only after a restart
--   here bool                      overridden by this very session, so the value shown is the one beneath it, or null
WITH watched AS (
    SELECT s.name, s.unit, s.source, s.sourcefile, s.boot_val, s.vartype, s.context, s.pending_restart,
           CASE s.source WHEN 'session' THEN s.reset_val WHEN 'client' THEN NULL ELSE s.setting END AS setting
    FROM pg_settings AS s
    WHERE s.name IN (
        'archive_mode', 'archive_timeout', 'autovacuum', 'autovacuum_freeze_max_age', 'autovacuum_max_workers',
        'autovacuum_naptime', 'autovacuum_vacuum_cost_delay', 'autovacuum_vacuum_cost_limit',
        'autovacuum_vacuum_scale_factor', 'autovacuum_vacuum_threshold', 'checkpoint_completion_target',
        'checkpoint_timeout', 'data_checksums',
        'deadlock_timeout', 'default_transaction_isolation', 'default_transaction_read_only', 'effective_cache_size',
        'fsync', 'full_page_writes', 'hot_standby', 'hot_standby_feedback', 'idle_in_transaction_session_timeout',
        'idle_session_timeout', 'listen_addresses', 'lock_timeout', 'log_connections', 'log_destination',
        'log_disconnections', 'log_duration', 'log_lock_waits', 'log_min_duration_statement', 'log_min_error_statement',
        'log_min_messages', 'log_statement', 'log_temp_files', 'logging_collector', 'maintenance_work_mem',
        'max_connections', 'max_locks_per_transaction', 'max_parallel_workers', 'max_prepared_transactions',
        'max_replication_slots', 'max_slot_wal_keep_size', 'max_standby_archive_delay', 'max_standby_streaming_delay',
        'max_wal_senders', 'max_wal_size', 'max_worker_processes', 'min_wal_size', 'port', 'random_page_cost',
        'recovery_min_apply_delay', 'reserved_connections', 'search_path', 'shared_buffers', 'statement_timeout',
        'superuser_reserved_connections', 'synchronous_commit', 'synchronous_standby_names', 'temp_file_limit',
        'track_activities', 'track_counts', 'transaction_timeout', 'vacuum_cost_delay', 'wal_keep_size', 'wal_level',
        'work_mem')
)
SELECT w.name,
       w.setting,
       CASE WHEN w.vartype IN ('integer', 'real') THEN w.setting::float8 END AS number,
       w.unit,
       w.source,
       regexp_replace(w.sourcefile, '^.*/', '') AS sourcefile,
       coalesce(w.sourcefile LIKE '%%/postgresql.auto.conf', false) AS by_alter_system,
       w.boot_val,
       w.setting IS DISTINCT FROM w.boot_val AND w.setting IS NOT NULL AS changed,
       w.pending_restart,
       w.context = 'postmaster' AS needs_restart,
       w.source IN ('session', 'client') AS here
FROM watched AS w
ORDER BY w.name
LIMIT 100
