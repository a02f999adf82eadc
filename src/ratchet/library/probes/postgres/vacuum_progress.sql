-- name: postgres.vacuum_progress
-- summary: Vacuums that run now, how far they are and what they wait for
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   pid int                        process id; a session is known by pid and backend_start together
--   backend_start timestamp        when the session connected, to the microsecond
--   db text                        database
--   relation text                  table, null when it belongs to another database
--   phase text                     what it does
--   scanned_ratio float            part of the table scanned, 0 to 1
--   index_passes int               times it went through the indexes
--   table_bytes int                size of the table
--   automatic bool                 an autovacuum worker
--   wraparound bool                it protects against transaction id wraparound and will not yield
--   wait_event_type text           what it waits for
--   wait_event text                the wait in detail
--   age_s float                    seconds since it began
SELECT p.pid,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       p.datname::text AS db,
       CASE WHEN p.datname = current_database() THEN p.relid::regclass::text END AS relation,
       p.phase,
       (p.heap_blks_scanned::float8 / nullif(p.heap_blks_total, 0))::float8 AS scanned_ratio,
       p.index_vacuum_count::int AS index_passes,
       p.heap_blks_total * current_setting('block_size')::bigint AS table_bytes,
       a.backend_type = 'autovacuum worker' AS automatic,
       a.query LIKE '%%(to prevent wraparound)%%' AS wraparound,
       a.wait_event_type,
       a.wait_event,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age_s
FROM pg_stat_progress_vacuum AS p
LEFT JOIN pg_stat_activity AS a ON a.pid = p.pid
ORDER BY a.xact_start NULLS LAST, p.pid
LIMIT 50
