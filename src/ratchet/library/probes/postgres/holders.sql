-- name: postgres.holders
-- summary: Who holds the connections, per application, user and database
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   app text                       application_name, (none) when the client gave none
--   user text                      role
--   db text                        database
--   n int                          sessions
--   idle int                       sessions doing nothing
--   idle_in_tx int                 sessions idle inside an open transaction
--   active int                     sessions running a statement
--   oldest_idle_s float            seconds since the longest idle session did anything, 0 when none is idle
--   idle_over_5m int               sessions doing nothing for more than 300 seconds
--   idle_used int                  idle sessions that were used again after their first second
--   open_read_only int             sessions idle inside a transaction that changed nothing
--   listening int                  idle sessions whose last statement was LISTEN: they wait for a notice on purpose
--   superuser bool                 its role is a superuser, whose sessions no other role may end
--   program text                   the application_name without what tells its copies apart, such as a pod's name
--   program_names int              application names of this program, user and database
--   program_idle int               sessions doing nothing, over all names of the program
--   program_unused int             those never used after their first second or not for 300 seconds, LISTEN left out
--   newest_backend_start timestamp when its youngest session connected
--   share float                    part of all client sessions, 0 to 1
WITH sessions AS MATERIALIZED (
    SELECT a.application_name, a.usename, a.usesysid, a.datname, a.state, a.state_change, a.backend_start, a.backend_xid,
           a.query,
           -- include: program
           AS program,
           a.state = 'idle' AND a.query !~* '^[[:space:]]*listen[[:space:]]'
             AND (a.state_change <= a.backend_start + interval '1 second'
                  OR a.state_change < clock_timestamp() - interval '5 minutes') AS unused
    FROM pg_stat_activity AS a
    WHERE a.backend_type = 'client backend'
)
SELECT coalesce(nullif(application_name, ''), '(none)') AS app,
       usename::text AS "user",
       datname::text AS db,
       count(*)::int AS n,
       count(*) FILTER (WHERE state = 'idle')::int AS idle,
       count(*) FILTER (WHERE state IN ('idle in transaction', 'idle in transaction (aborted)'))::int AS idle_in_tx,
       count(*) FILTER (WHERE state = 'active')::int AS active,
       coalesce(greatest(0, max(extract(epoch FROM clock_timestamp() - state_change))
           FILTER (WHERE state = 'idle')), 0)::float8 AS oldest_idle_s,
       count(*) FILTER (WHERE state = 'idle'
           AND state_change < clock_timestamp() - interval '5 minutes')::int AS idle_over_5m,
       count(*) FILTER (WHERE state = 'idle' AND state_change > backend_start + interval '1 second')::int AS idle_used,
       count(*) FILTER (WHERE state IN ('idle in transaction', 'idle in transaction (aborted)')
           AND backend_xid IS NULL)::int AS open_read_only,
       count(*) FILTER (WHERE state = 'idle' AND query ~* '^[[:space:]]*listen[[:space:]]')::int AS listening,
       coalesce(bool_or(r.rolsuper), false) AS superuser,
       program,
       (count(*) OVER same)::int AS program_names,
       (sum(count(*) FILTER (WHERE state = 'idle')) OVER same)::int AS program_idle,
       (sum(count(*) FILTER (WHERE unused)) OVER same)::int AS program_unused,
       to_char(max(backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS newest_backend_start,
       (count(*)::float8 / sum(count(*)) OVER ())::float8 AS share
FROM sessions
LEFT JOIN pg_roles AS r ON r.oid = usesysid
GROUP BY 1, 2, 3, program, usename, datname
WINDOW same AS (PARTITION BY program, usename, datname)
ORDER BY n DESC, app
LIMIT 50
