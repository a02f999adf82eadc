-- name: postgres.locks
-- summary: Heavyweight locks by kind, mode and whether they are granted
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   lock_type text                 relation, transactionid, tuple, advisory, ...
--   mode text                      lock mode
--   granted bool                   held (true) or awaited (false)
--   n int                          locks
--   sessions int                   processes that hold or await them
--   longest_wait_s float           seconds of the longest wait, null when granted
SELECT locktype AS lock_type,
       mode,
       granted,
       count(*)::int AS n,
       count(DISTINCT pid)::int AS sessions,
       max(extract(epoch FROM clock_timestamp() - waitstart))::float8 AS longest_wait_s
FROM pg_locks
WHERE pid IS DISTINCT FROM pg_backend_pid()
GROUP BY 1, 2, 3
ORDER BY granted, n DESC, 1, 2
LIMIT 100
