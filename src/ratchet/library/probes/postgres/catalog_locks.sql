-- name: postgres.catalog_locks
-- summary: Who holds a system catalog so that others wait for it, read without the catalogs that logins need
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   pid int                        process id
--   backend_start timestamp        when the session connected, to the microsecond
--   app text                       application_name, (none) when the client gave none
--   state text                     session state
--   catalog text                   the catalog, as far as it is one that every login or statement reads, else its number
--   mode text                      lock mode
--   waiters int                    processes that await it
--   waited_s float                 seconds of the longest wait, null when nobody waits
--   query text                     latest statement, 200 characters
WITH held AS MATERIALIZED (
    SELECT l.pid, l.relation::oid AS relation, l.mode, l.granted, l.waitstart
    FROM pg_locks AS l
    WHERE l.locktype = 'relation' AND l.relation < 16384
)
SELECT h.pid,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       coalesce(nullif(a.application_name, ''), '(none)') AS app,
       a.state,
       CASE h.relation WHEN 1259 THEN 'pg_class' WHEN 1249 THEN 'pg_attribute' WHEN 1247 THEN 'pg_type'
                       WHEN 1255 THEN 'pg_proc' WHEN 1260 THEN 'pg_authid' WHEN 1261 THEN 'pg_auth_members'
                       WHEN 1262 THEN 'pg_database' WHEN 2964 THEN 'pg_db_role_setting'
                       ELSE h.relation::text END AS catalog,
       h.mode,
       q.waiters,
       q.waited_s,
       left(a.query, 200) AS query
FROM held AS h
LEFT JOIN pg_stat_get_activity(NULL) AS a ON a.pid = h.pid
CROSS JOIN LATERAL (
    SELECT count(*)::int AS waiters, max(extract(epoch FROM clock_timestamp() - w.waitstart))::float8 AS waited_s
    FROM held AS w
    WHERE NOT w.granted AND w.relation = h.relation AND w.pid <> h.pid) AS q
WHERE h.granted AND h.mode IN ('AccessExclusiveLock', 'ExclusiveLock') AND h.pid <> pg_backend_pid()
ORDER BY q.waiters DESC, h.pid
LIMIT 20
