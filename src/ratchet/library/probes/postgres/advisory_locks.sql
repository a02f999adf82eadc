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
--   wait_s float                   seconds it has waited, null when granted
--   xact_age_s float               seconds since its transaction began, null without one
--   has_writes bool                it holds a transaction id
--   query text                     latest statement, 200 characters
WITH keys AS MATERIALIZED (
    SELECT pid, mode, granted, waitstart, database, classid, objid, objsubid
    FROM pg_locks
    WHERE locktype = 'advisory'
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
       (SELECT count(*)::int FROM keys AS w
        WHERE NOT w.granted AND w.database = k.database AND w.classid = k.classid
          AND w.objid = k.objid AND w.objsubid = k.objsubid) AS waiters,
       extract(epoch FROM clock_timestamp() - k.waitstart)::float8 AS wait_s,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS xact_age_s,
       a.backend_xid IS NOT NULL AS has_writes,
       left(a.query, 200) AS query
FROM keys AS k
LEFT JOIN pg_stat_activity AS a ON a.pid = k.pid
ORDER BY waiters DESC, k.granted DESC, k.pid
LIMIT 200
