-- name: postgres.sessions
-- summary: Client sessions with state, waits and ages, oldest transaction first
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- args: app text = ""
-- args: state text = ""
-- args: min_state_age_s duration_s = 0
-- columns:
--   pid int                        process id; a session is known by pid and backend_start together
--   backend_start timestamp        when the session connected, to the microsecond
--   app text                       application_name, (none) when the client gave none
--   user text                      role
--   db text                        database
--   client_addr text               client address, null for a local socket
--   state text                     active, idle, idle in transaction, ...
--   wait_event_type text           what it waits for, null when it runs
--   wait_event text                the wait in detail
--   xact_age_s float               seconds since its transaction began, null without one
--   state_age_s float              seconds in this state
--   query_age_s float              seconds since its latest statement began
--   has_writes bool                it holds a transaction id, so ending it discards changes
--   query text                     latest statement, 200 characters
--   backend_type text              client backend
SELECT pid,
       to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       coalesce(nullif(application_name, ''), '(none)') AS app,
       usename::text AS "user",
       datname::text AS db,
       host(client_addr) AS client_addr,
       state,
       wait_event_type,
       wait_event,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS xact_age_s,
       extract(epoch FROM clock_timestamp() - state_change)::float8 AS state_age_s,
       extract(epoch FROM clock_timestamp() - query_start)::float8 AS query_age_s,
       backend_xid IS NOT NULL AS has_writes,
       left(query, 200) AS query,
       backend_type
FROM pg_stat_activity
WHERE backend_type = 'client backend'
  AND pid <> pg_backend_pid()
  AND (%(app)s::text = '' OR application_name = %(app)s::text)
  AND (%(state)s::text = '' OR state = %(state)s::text)
  AND (%(min_state_age_s)s::float8 = 0
       OR state_change < clock_timestamp() - make_interval(secs => %(min_state_age_s)s::float8))
ORDER BY xact_start NULLS LAST, state_change, pid
LIMIT 200
