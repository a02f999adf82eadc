-- name: postgres.waits
-- summary: What running sessions wait for, grouped
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   wait_event_type text           kind of wait, (running) when on the processor
--   wait_event text                the wait, (running) when on the processor
--   backend_type text              kind of process
--   n int                          processes
--   longest_s float                seconds since the oldest of their statements began, null for background processes
SELECT coalesce(wait_event_type, '(running)') AS wait_event_type,
       coalesce(wait_event, '(running)') AS wait_event,
       backend_type,
       count(*)::int AS n,
       max(extract(epoch FROM clock_timestamp() - query_start))::float8 AS longest_s
FROM pg_stat_activity
WHERE (state = 'active' OR (state IS NULL AND wait_event_type IS DISTINCT FROM 'Activity'))
  AND pid <> pg_backend_pid()
GROUP BY 1, 2, 3
ORDER BY n DESC, 1, 2
LIMIT 100
