-- name: postgres.backends
-- summary: Server processes by kind, which shows a missing autovacuum launcher or archiver
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   backend_type text              kind of process
--   n int                          processes
--   active int                     processes in state active
--   oldest_start timestamp         when the oldest of them started
SELECT coalesce(backend_type, '(unknown)') AS backend_type,
       count(*)::int AS n,
       count(*) FILTER (WHERE state = 'active')::int AS active,
       to_char(min(backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS oldest_start
FROM pg_stat_activity
GROUP BY 1
ORDER BY n DESC, backend_type
LIMIT 50
