-- name: postgres.long_queries
-- summary: Statements running longer than a limit, longest first
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- args: min_age_s duration_s = 5
-- columns:
--   pid int                        process id; a session is known by pid and backend_start together
--   backend_start timestamp        when the session connected, to the microsecond
--   app text                       application_name, (none) when the client gave none
--   user text                      role
--   db text                        database
--   client_addr text               client address, null for a local socket
--   query_age_s float              seconds since the statement began
--   query_start timestamp          when the statement began, to the microsecond
--   xact_age_s float               seconds since its transaction began
--   wait_event_type text           what it waits for, null when it runs
--   wait_event text                the wait in detail
--   on_cpu bool                    it waits for nothing, so it computes
--   workers int                    parallel workers it uses
--   has_writes bool                it holds a transaction id
--   maintenance bool               it changes the schema, copies, cleans or is part of a backup: not one to end unasked
--   procedure bool                 it is CALL or DO, which may have committed part of its work
--   computes bool                  it computes, reads or writes data, or waits for its own parallel workers
--   cartesian bool                 it joins tables by commas without any condition: every row with every row
--   query text                     the statement, 200 characters
SELECT a.pid,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       coalesce(nullif(a.application_name, ''), '(none)') AS app,
       a.usename::text AS "user",
       a.datname::text AS db,
       host(a.client_addr) AS client_addr,
       extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS query_age_s,
       to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS query_start,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS xact_age_s,
       a.wait_event_type,
       a.wait_event,
       a.wait_event IS NULL AS on_cpu,
       (SELECT count(*)::int FROM pg_stat_activity AS w WHERE w.leader_pid = a.pid AND w.pid <> a.pid) AS workers,
       a.backend_xid IS NOT NULL AS has_writes,
       -- include: upkeep_tool
       OR
       -- include: upkeep
       AS maintenance,
       a.query ~* '^[[:space:]]*(call|do)([[:space:]]|$)' AS procedure,
       a.wait_event IS NULL OR a.wait_event_type = 'IO' AND a.wait_event !~* '^wal'
           OR a.wait_event_type = 'IPC'
              AND a.wait_event ~* '^(Hash|Parallel|MessageQueue|BgWorker|ExecuteGather|AppendReady|BtreePage)'
           AS computes,
       a.query ~* '[[:space:]]from[[:space:]]+[a-z0-9_."]+([[:space:]]+(as[[:space:]]+)?[a-z0-9_"]+)?[[:space:]]*,'
           AND a.query !~* '[[:space:]](where|join|lateral|limit)[[:space:](]' AS cartesian,
       left(a.query, 200) AS query
FROM pg_stat_activity AS a
WHERE a.backend_type = 'client backend'
  AND a.state = 'active'
  AND a.query_start <= clock_timestamp() - make_interval(secs => %(min_age_s)s::float8)
  AND a.pid <> pg_backend_pid()
ORDER BY a.query_start, a.pid
LIMIT 100
