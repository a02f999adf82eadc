-- name: postgres.prepared_transactions
-- summary: Two-phase transactions that were prepared and never finished
-- privilege: none
-- versions: 14+
-- where: any
-- columns:
--   gid text                       its global name
--   owner text                     role that prepared it
--   db text                        database
--   prepared_at timestamp          when it was prepared
--   age_s float                    seconds since then
--   xid_age int                    transactions since it began: how much cleaning it holds back
--   locks int                      locks it holds
SELECT p.gid,
       p.owner::text AS owner,
       p.database::text AS db,
       to_char(p.prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS prepared_at,
       extract(epoch FROM clock_timestamp() - p.prepared)::float8 AS age_s,
       age(p.transaction) AS xid_age,
       (SELECT count(*)::int FROM pg_locks AS l
        WHERE l.pid IS NULL AND l.virtualtransaction IN (
            SELECT x.virtualtransaction FROM pg_locks AS x WHERE x.pid IS NULL AND x.transactionid = p.transaction
        )) AS locks
FROM pg_prepared_xacts AS p
ORDER BY p.prepared, p.gid
LIMIT 100
