-- name: postgres.advisory_locks
-- summary: Advisory locks held or awaited, by session and key
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   pid int                        process id; a session is known by pid and backend_start together
--   backend_start timestamp        when the session connected, to the microsecond
--   app text                       application_name, (none) when the client gave none
--   user text                      role
--   db text                        database
--   state text                     session state
--   state_age_s float              seconds in this state
--   key text                       the key: one number, or two separated by a comma
--   mode text                      lock mode
--   granted bool                   held (true) or awaited (false)
--   waiters int                    sessions that await the same key
--   waited_s float                 seconds of the longest wait for the same key, null when nobody waits
--   same_program bool              one that awaits the same key is a copy of its program, by application_name
--   wait_s float                   seconds it has waited, null when granted
--   xact_age_s float               seconds since its transaction began, null without one
--   has_writes bool                it holds a transaction id
--   query text                     latest statement, 200 characters
WITH keys AS MATERIALIZED (
    SELECT l.pid, l.mode, l.granted, l.waitstart, l.database, l.classid, l.objid, l.objsubid,
           -- include: program
           AS program
    FROM pg_locks AS l
    LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.locktype = 'advisory'
)
SELECT k.pid,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       coalesce(nullif(a.application_name, ''), '(none)') AS app,
       a.usename::text AS "user",
       a.datname::text AS db,
       a.state,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS state_age_s,
       CASE WHEN k.objsubid = 1 THEN ((k.classid::bigint << 32) | k.objid::bigint)::text
            ELSE k.classid::text || ',' || k.objid::text END AS key,
       k.mode,
       k.granted,
       q.waiters,
       q.waited_s,
       q.same_program,
       extract(epoch FROM clock_timestamp() - k.waitstart)::float8 AS wait_s,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS xact_age_s,
       a.backend_xid IS NOT NULL AS has_writes,
       left(a.query, 200) AS query
FROM keys AS k
LEFT JOIN pg_stat_activity AS a ON a.pid = k.pid
CROSS JOIN LATERAL (
    SELECT count(*)::int AS waiters,
           max(extract(epoch FROM clock_timestamp() - w.waitstart))::float8 AS waited_s,
           coalesce(bool_or(w.program = k.program), false) AS same_program
    FROM keys AS w
    WHERE NOT w.granted AND w.database = k.database AND w.classid = k.classid
      AND w.objid = k.objid AND w.objsubid = k.objsubid) AS q
ORDER BY q.waiters DESC, k.granted DESC, k.pid
LIMIT 200
