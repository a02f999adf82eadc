-- name: postgres.lock_holders
-- summary: Sessions that hold the most locks, against the room in the lock table
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   pid int                        process id, null for a prepared transaction
--   backend_start timestamp        when the session connected, to the microsecond
--   app text                       application_name, (none) when the client gave none
--   user text                      role
--   db text                        database
--   state text                     session state
--   locks int                      locks it holds or awaits
--   relations int                  different tables and indexes among them
--   all_locks int                  locks of all sessions
--   capacity int                   locks the shared table is sized for
--   share float                    its locks as a part of capacity, 0 to 1 and above
--   xact_age_s float               seconds since its transaction began
--   has_writes bool                it holds a transaction id
--   maintenance bool               it copies, cleans or changes the schema: not one to end unasked
--   query text                     latest statement, 200 characters
WITH held AS (
    SELECT pid, count(*)::int AS locks, count(DISTINCT (database, relation))::int AS relations
    FROM pg_locks
    GROUP BY pid
), room AS (
    SELECT current_setting('max_locks_per_transaction')::int
           * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS capacity
)
SELECT h.pid,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       coalesce(nullif(a.application_name, ''), '(none)') AS app,
       a.usename::text AS "user",
       a.datname::text AS db,
       a.state,
       h.locks,
       h.relations,
       (SELECT sum(x.locks)::int FROM held AS x) AS all_locks,
       r.capacity,
       (h.locks::float8 / r.capacity)::float8 AS share,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS xact_age_s,
       a.backend_xid IS NOT NULL AS has_writes,
       -- include: upkeep_tool
       OR
       -- include: upkeep
       AS maintenance,
       left(a.query, 200) AS query
FROM held AS h
CROSS JOIN room AS r
LEFT JOIN pg_stat_activity AS a ON a.pid = h.pid
WHERE h.pid IS DISTINCT FROM pg_backend_pid()
ORDER BY h.locks DESC, h.pid
LIMIT 20
