-- name: postgres.subscriptions
-- summary: Logical subscriptions, whether they run and what they received
-- privilege: pg_monitor
-- versions: 14
-- where: any
-- columns:
--   subscription text              its name
--   db text                        database
--   enabled bool                   it is meant to run
--   running bool                   its apply worker exists
--   pid int                        process id of the apply worker
--   received_lsn text              last position received
--   last_message_age_s float       seconds since the last message from the publisher
--   worker_age_s float             seconds since the apply worker began; a worker that fails begins anew all the time
--   apply_errors int               errors while applying (15+), else null
--   sync_errors int                errors while copying tables (15+), else null
SELECT u.subname::text AS subscription,
       d.datname::text AS db,
       u.subenabled AS enabled,
       s.pid IS NOT NULL AS running,
       s.pid,
       s.received_lsn::text AS received_lsn,
       extract(epoch FROM clock_timestamp() - s.last_msg_receipt_time)::float8 AS last_message_age_s,
       (SELECT extract(epoch FROM clock_timestamp() - a.backend_start)::float8
        FROM pg_stat_activity AS a WHERE a.pid = s.pid) AS worker_age_s,
       NULL::bigint AS apply_errors,
       NULL::bigint AS sync_errors
FROM pg_subscription AS u
JOIN pg_database AS d ON d.oid = u.subdbid
LEFT JOIN pg_stat_subscription AS s ON s.subid = u.oid AND s.relid IS NULL
ORDER BY running, u.subname
LIMIT 100
