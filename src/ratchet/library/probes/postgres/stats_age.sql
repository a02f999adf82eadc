-- name: postgres.stats_age
-- summary: Since when the server's counters count; a crash or a reset makes them young
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   counter text                   which counters: database, wal, archiver, bgwriter
--   reset_at timestamp             when they were reset, null when never
--   age_s float                    seconds since then
WITH counters AS (
    SELECT 'database' AS counter, d.stats_reset FROM pg_stat_database AS d WHERE d.datname = current_database()
    UNION ALL SELECT 'wal', w.stats_reset FROM pg_stat_wal AS w
    UNION ALL SELECT 'archiver', a.stats_reset FROM pg_stat_archiver AS a
    UNION ALL SELECT 'bgwriter', b.stats_reset FROM pg_stat_bgwriter AS b
)
SELECT c.counter,
       to_char(c.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS reset_at,
       extract(epoch FROM clock_timestamp() - c.stats_reset)::float8 AS age_s
FROM counters AS c
ORDER BY c.counter
LIMIT 10
