-- name: postgres.row_waits
-- summary: Tables whose rows sessions queue for, with who has the row and whether two sessions wait for each other
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   relation text                  table, with its schema
--   waiters int                    sessions that queue for rows of it
--   cycle bool                     two of them wait for each other: a deadlock that the server will end
--   head_wait_s float              seconds that the longest of the first in line has waited for the row's present holder
--   longest_wait_s float           seconds of the longest single wait among all of them
--   oldest_waiter_s float          seconds since the oldest of their transactions began
--   holder_pid int                 a session that has such a row; null when it is a prepared transaction
--   holder_app text                its application_name, (none) when it gave none
--   holder_state text              its state
--   holder_xact_age_s float        seconds since its transaction began
--   holder_waits bool              it waits for a lock itself
--   same_app bool                  it is of the same application as one that waits
--   holder_query text              its latest statement, 200 characters
--   waiter_query text              the statement of the one that waits longest, 200 characters
WITH held AS MATERIALIZED (
    SELECT pid, locktype, relation, page, tuple, transactionid, mode, granted, waitstart
    FROM pg_locks
    WHERE locktype = 'transactionid'
       OR (database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
           AND (locktype = 'tuple' OR (locktype = 'relation' AND mode IN ('RowExclusiveLock', 'RowShareLock'))))
), queued AS MATERIALIZED (
    -- The first in line has the lock of the row's version and waits for the holder's transaction, others for either.
    SELECT w.pid, w.waitstart AS since, o.pid AS holder, t.relation
    FROM held AS w
    LEFT JOIN held AS t ON t.pid = w.pid AND t.locktype = 'tuple'
    LEFT JOIN held AS o ON o.locktype = 'transactionid' AND o.granted AND o.transactionid = w.transactionid
    WHERE NOT w.granted AND w.locktype IN ('transactionid', 'tuple')
    LIMIT 200
), placed AS MATERIALIZED (
    -- Without such a lock the row is of a table that waiter and holder both change and the waiter's statement names.
    SELECT DISTINCT ON (q.pid) q.pid, q.since, q.holder, coalesce(q.relation, c.oid) AS relation,
           a.application_name, a.xact_start, left(a.query, 200) AS query
    FROM queued AS q
    JOIN pg_stat_activity AS a ON a.pid = q.pid
    LEFT JOIN held AS mine ON mine.pid = q.pid AND mine.locktype = 'relation' AND mine.granted AND q.relation IS NULL
    LEFT JOIN held AS theirs ON theirs.pid = q.holder AND theirs.locktype = 'relation' AND theirs.granted
                             AND theirs.relation = mine.relation
    LEFT JOIN pg_class AS c ON c.oid = theirs.relation AND c.relkind IN ('r', 'p')
    ORDER BY q.pid, coalesce(q.relation, c.oid) IS NULL, strpos(a.query, c.relname::text) = 0, c.oid
), gathered AS (
    SELECT p.relation,
           count(*)::int AS waiters,
           min(p.since) FILTER (WHERE p.holder IS NOT NULL) AS head_since,
           min(p.since) AS since,
           min(p.xact_start) AS oldest_start,
           array_agg(p.application_name) AS apps,
           (array_agg(p.query ORDER BY p.since))[1] AS waiter_query
    FROM placed AS p
    WHERE p.relation IS NOT NULL
    GROUP BY p.relation
), chosen AS MATERIALIZED (
    SELECT DISTINCT ON (p.relation) p.relation, p.holder
    FROM placed AS p
    LEFT JOIN placed AS behind ON behind.pid = p.holder
    WHERE p.holder IS NOT NULL
    ORDER BY p.relation, behind.pid IS NOT NULL, p.holder
)
SELECT quote_ident(n.nspname::text) || '.' || quote_ident(c.relname::text) AS relation,
       g.waiters,
       EXISTS (SELECT 1 FROM placed AS one JOIN placed AS two ON two.pid = one.holder AND two.holder = one.pid
               WHERE one.relation = g.relation) AS cycle,
       extract(epoch FROM clock_timestamp() - g.head_since)::float8 AS head_wait_s,
       extract(epoch FROM clock_timestamp() - g.since)::float8 AS longest_wait_s,
       extract(epoch FROM clock_timestamp() - g.oldest_start)::float8 AS oldest_waiter_s,
       h.holder AS holder_pid,
       coalesce(nullif(a.application_name, ''), '(none)') AS holder_app,
       a.state AS holder_state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS holder_xact_age_s,
       coalesce(a.wait_event_type = 'Lock', false) AS holder_waits,
       coalesce(a.application_name = ANY (g.apps), false) AS same_app,
       left(a.query, 200) AS holder_query,
       g.waiter_query
FROM gathered AS g
JOIN pg_class AS c ON c.oid = g.relation
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN chosen AS h ON h.relation = g.relation
LEFT JOIN pg_stat_activity AS a ON a.pid = h.holder
ORDER BY g.waiters DESC, relation
LIMIT 50
