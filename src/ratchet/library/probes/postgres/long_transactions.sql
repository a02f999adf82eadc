-- name: postgres.long_transactions
-- summary: Open transactions older than a limit, oldest first
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- args: min_age_s duration_s = 60
-- columns:
--   pid int                        process id; a session is known by pid and backend_start together
--   backend_start timestamp        when the session connected, to the microsecond
--   app text                       application_name, (none) when the client gave none
--   user text                      role
--   db text                        database
--   state text                     session state
--   backend_type text              kind of process
--   xact_age_s float               seconds since its transaction began
--   state_age_s float              seconds in this state
--   has_writes bool                it holds a transaction id
--   xmin_age int                   transactions since its snapshot: how much cleaning it holds back
--   wait_event_type text           what it waits for
--   wait_event text                the wait in detail
--   query text                     latest statement, 200 characters
SELECT pid,
       to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       coalesce(nullif(application_name, ''), '(none)') AS app,
       usename::text AS "user",
       datname::text AS db,
       state,
       backend_type,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS xact_age_s,
       extract(epoch FROM clock_timestamp() - state_change)::float8 AS state_age_s,
       backend_xid IS NOT NULL AS has_writes,
       age(backend_xmin) AS xmin_age,
       wait_event_type,
       wait_event,
       left(query, 200) AS query
FROM pg_stat_activity
WHERE xact_start <= clock_timestamp() - make_interval(secs => %(min_age_s)s::float8)
  AND pid <> pg_backend_pid()
ORDER BY xact_start, pid
LIMIT 100
