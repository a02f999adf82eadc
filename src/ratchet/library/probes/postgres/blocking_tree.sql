-- name: postgres.blocking_tree
-- summary: Who blocks whom: one row per session in a lock chain, roots first
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   pid int                        process id, 0 for a prepared transaction; with backend_start it names a session
--   backend_start timestamp        when the session connected, to the microsecond; null for a prepared transaction
--   app text                       application_name, (none) when the client gave none
--   user text                      role
--   db text                        database
--   state text                     active, idle in transaction, ... or prepared transaction
--   root_pid int                   pid at the head of its chain, null inside a deadlock
--   is_root bool                   it blocks and waits for nobody: the one to look at
--   depth int                      steps from the root, 0 for the root itself
--   path list                      pids from the root down to this session
--   blocked_by list                pids that block it, as the server says, queue mates included
--   blocks_direct int              sessions it holds up directly
--   blocks_total int               sessions it holds up, directly or through others
--   held_s float                   seconds of the longest wait among those directly behind it, null when nobody waits
--   wait_s float                   seconds it has waited for the lock, null when it does not wait
--   lock_type text                 kind of the lock awaited: relation, transactionid, tuple, advisory, ...
--   lock_mode text                 mode awaited
--   relation text                  table or index awaited, null when the lock names none or belongs to another database
--   xact_age_s float               seconds since its transaction began
--   state_age_s float              seconds in this state
--   query_start timestamp          when its latest statement began
--   has_writes bool                it holds a transaction id, so ending it discards changes
--   backend_type text              client backend, autovacuum worker, ...; null for a prepared transaction
--   maintenance bool               its statement changes the schema, copies or cleans: not one to end unasked
--   backup_tool bool               it is of a program that copies or cleans a whole database, whatever it does now
--   waits_on text                  log: the disk takes its WAL; remote: an extension, such as a foreign server
--   commit_wait bool               it has committed here and waits for a synchronous standby: ending it undoes nothing
--   query text                     latest statement, 200 characters
--   stops_queue bool               a schema change that waits for a table, and most of the chain for it alone
--   behind_change bool             a root with such a statement in its chain
WITH RECURSIVE waiting AS MATERIALIZED (
    -- every call takes a snapshot of the lock table, so once per waiting process and no more than 200
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
), parent AS MATERIALIZED (
    SELECT DISTINCT ON (e.waiter) e.waiter, e.blocker
    FROM edge AS e
    LEFT JOIN waiting AS behind ON behind.pid = e.blocker
    ORDER BY e.waiter, behind.pid IS NOT NULL, e.blocker
), tree AS (
    SELECT r.blocker AS pid, r.blocker AS root_pid, 0 AS depth, ARRAY[r.blocker] AS path
    FROM (SELECT DISTINCT e.blocker FROM edge AS e) AS r
    WHERE NOT EXISTS (SELECT 1 FROM waiting AS w WHERE w.pid = r.blocker)
    UNION ALL
    SELECT p.waiter, t.root_pid, t.depth + 1, t.path || p.waiter
    FROM tree AS t
    JOIN parent AS p ON p.blocker = t.pid
    WHERE NOT (ARRAY[p.waiter] && t.path)
), reach AS (
    SELECT blocker, waiter FROM edge
    UNION
    SELECT r.blocker, e.waiter FROM reach AS r JOIN edge AS e ON e.blocker = r.waiter
), member AS (
    SELECT waiter AS pid FROM edge UNION SELECT blocker FROM edge
), awaited AS MATERIALIZED (
    SELECT DISTINCT ON (pid) pid, locktype, mode, waitstart, database, relation
    FROM pg_locks
    WHERE NOT granted
    ORDER BY pid, waitstart
)
, told AS MATERIALIZED (
SELECT m.pid,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       coalesce(nullif(a.application_name, ''), '(none)') AS app,
       a.usename::text AS "user",
       a.datname::text AS db,
       CASE WHEN m.pid = 0 THEN 'prepared transaction' ELSE a.state END AS state,
       t.root_pid,
       t.depth IS NOT NULL AND t.depth = 0 AS is_root,
       t.depth,
       coalesce(t.path, ARRAY[m.pid]) AS path,
       coalesce(w.blockers, ARRAY[]::int[]) AS blocked_by,
       (SELECT count(*)::int FROM edge AS e WHERE e.blocker = m.pid) AS blocks_direct,
       (SELECT count(*)::int FROM reach AS r WHERE r.blocker = m.pid) AS blocks_total,
       (SELECT max(extract(epoch FROM clock_timestamp() - x.waitstart))
        FROM edge AS e JOIN awaited AS x ON x.pid = e.waiter WHERE e.blocker = m.pid)::float8 AS held_s,
       extract(epoch FROM clock_timestamp() - l.waitstart)::float8 AS wait_s,
       l.locktype AS lock_type,
       l.mode AS lock_mode,
       CASE WHEN l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
            THEN l.relation::regclass::text END AS relation,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS xact_age_s,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8 AS state_age_s,
       to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS query_start,
       a.backend_xid IS NOT NULL AS has_writes,
       a.backend_type,
       coalesce(a.backend_type <> 'client backend', false) OR
       -- include: upkeep_tool
       OR
       -- include: upkeep
       AS maintenance,
       -- include: upkeep_tool
       AS backup_tool,
       CASE WHEN a.wait_event ~* '^wal' THEN 'log'
            WHEN a.wait_event_type = 'Extension' THEN 'remote' END AS waits_on,
       coalesce(a.wait_event = 'SyncRep', false) AS commit_wait,
       left(a.query, 200) AS query
FROM member AS m
LEFT JOIN pg_stat_activity AS a ON a.pid = m.pid
LEFT JOIN tree AS t ON t.pid = m.pid
LEFT JOIN waiting AS w ON w.pid = m.pid
LEFT JOIN awaited AS l ON l.pid = m.pid
), change AS (
    -- But for this one, those behind it would go on beside the root, which holds up few itself.
    SELECT x.pid, x.root_pid
    FROM told AS x
    JOIN told AS r ON r.pid = x.root_pid AND r.is_root
    WHERE x.lock_type = 'relation' AND x.blocks_total >= 1 AND x.blocks_total * 2 >= r.blocks_total - 1
      AND (x.lock_mode = 'AccessExclusiveLock'
           OR x.maintenance AND x.lock_mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock'))
      AND (r.state = 'active' AND NOT r.maintenance OR (r.state = 'active' OR r.backup_tool) AND r.blocks_direct = 1)
)
SELECT x.*,
       x.pid IN (SELECT c.pid FROM change AS c) AS stops_queue,
       x.is_root AND x.pid IN (SELECT c.root_pid FROM change AS c) AS behind_change
FROM told AS x
ORDER BY x.depth NULLS LAST, x.blocks_total DESC, x.pid
LIMIT 200
