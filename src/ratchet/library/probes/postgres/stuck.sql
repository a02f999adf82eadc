-- name: postgres.stuck
-- summary: Sessions idle inside a transaction, with what they hold up
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- args: min_state_age_s duration_s = 0
-- columns:
--   pid int                        process id; a session is known by pid and backend_start together
--   backend_start timestamp        when the session connected, to the microsecond
--   app text                       application_name, (none) when the client gave none
--   user text                      role
--   db text                        database
--   client_addr text               client address, null for a local socket
--   state text                     idle in transaction, or its aborted form
--   xact_age_s float               seconds since its transaction began
--   state_age_s float              seconds it has been idle
--   has_writes bool                it holds a transaction id, so ending it discards changes
--   blocks int                     sessions it holds up directly
--   blocks_total int               sessions it holds up, directly or through others
--   xmin_age int                   transactions since its snapshot, null without one
--   query text                     its latest statement, 200 characters
WITH RECURSIVE waiting AS MATERIALIZED (
    SELECT pid, pg_blocking_pids(pid) AS blockers
    FROM pg_stat_activity
    WHERE wait_event_type = 'Lock'
    LIMIT 200
), edge AS MATERIALIZED (
    -- a blocker that waits behind another of my blockers is only ahead of me in the queue: ending it frees nobody
    SELECT DISTINCT w.pid AS waiter, b.pid AS blocker
    FROM waiting AS w
    CROSS JOIN LATERAL unnest(w.blockers) AS b(pid)
    LEFT JOIN waiting AS behind ON behind.pid = b.pid
    WHERE b.pid <> w.pid AND (behind.pid IS NULL OR NOT (w.blockers && behind.blockers))
), reach AS (
    SELECT blocker, waiter FROM edge
    UNION
    SELECT r.blocker, e.waiter FROM reach AS r JOIN edge AS e ON e.blocker = r.waiter
)
SELECT a.pid,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       coalesce(nullif(a.application_name, ''), '(none)') AS app,
       a.usename::text AS "user",
       a.datname::text AS db,
       host(a.client_addr) AS client_addr,
       a.state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS xact_age_s,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS state_age_s,
       a.backend_xid IS NOT NULL AS has_writes,
       (SELECT count(*)::int FROM edge AS e WHERE e.blocker = a.pid) AS blocks,
       (SELECT count(*)::int FROM reach AS r WHERE r.blocker = a.pid) AS blocks_total,
       age(a.backend_xmin) AS xmin_age,
       left(a.query, 200) AS query
FROM pg_stat_activity AS a
WHERE a.backend_type = 'client backend'
  AND a.state IN ('idle in transaction', 'idle in transaction (aborted)')
  AND (%(min_state_age_s)s::float8 = 0
       OR a.state_change < clock_timestamp() - make_interval(secs => %(min_state_age_s)s::float8))
ORDER BY blocks_total DESC, xact_age_s DESC, a.pid
LIMIT 100
