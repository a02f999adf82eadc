-- name: postgres.database_stats
-- summary: Counters per database: deadlocks, conflicts, spills, rollbacks, broken pages, lost sessions
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   db text                        database
--   backends int                   sessions now
--   commits int                    since stats_reset
--   rollbacks int                  since stats_reset
--   rollback_ratio float           rollbacks as a part of all transactions, 0 to 1
--   deadlocks int                  since stats_reset; counted when the aborted session ends
--   conflicts int                  statements cancelled by recovery, on a replica, since stats_reset
--   temp_files int                 temporary files since stats_reset
--   temp_bytes int                 their size
--   checksum_failures int          broken pages seen since stats_reset, null without checksums
--   checksum_failed_s float        seconds since the latest of them, null without one
--   hit_ratio float                pages found in the cache, 0 to 1
--   sessions_fatal int             sessions ended by an error since stats_reset
--   sessions_killed int            sessions ended by an operator
--   sessions_abandoned int         sessions whose client vanished
--   stats_reset timestamp          since when it is counted
SELECT s.datname::text AS db,
       s.numbackends AS backends,
       s.xact_commit AS commits,
       s.xact_rollback AS rollbacks,
       coalesce(s.xact_rollback::float8 / nullif(s.xact_commit + s.xact_rollback, 0), 0)::float8 AS rollback_ratio,
       s.deadlocks,
       s.conflicts,
       s.temp_files,
       s.temp_bytes,
       s.checksum_failures,
       extract(epoch FROM clock_timestamp() - s.checksum_last_failure)::float8 AS checksum_failed_s,
       coalesce(s.blks_hit::float8 / nullif(s.blks_hit + s.blks_read, 0), 1)::float8 AS hit_ratio,
       s.sessions_fatal,
       s.sessions_killed,
       s.sessions_abandoned,
       to_char(s.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS stats_reset
FROM pg_stat_database AS s
WHERE s.datname IS NOT NULL
ORDER BY s.numbackends DESC, s.datname
LIMIT 100
