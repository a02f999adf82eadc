-- name: postgres.replication
-- summary: Replicas and other receivers connected to this server, with their lag
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   pid int                        process id of the sender
--   backend_start timestamp        when the receiver connected, to the microsecond
--   app text                       application_name of the receiver, which synchronous_standby_names refers to
--   user text                      role
--   client_addr text               client address, null for a local socket
--   logical bool                   it reads a logical slot: a subscription or a connector, no standby
--   connected_s float              seconds since it connected
--   wait_event_type text           what its sender waits for, null when it works
--   wait_event text                the wait in detail; WalSenderWriteData when the reader takes nothing more
--   state text                     streaming, catchup, backup, ...
--   sync_state text                async, sync, potential or quorum
--   sent_lag_bytes int             WAL not yet sent
--   flush_lag_bytes int            WAL not yet durable on the receiver
--   replay_lag_bytes int           WAL not yet replayed on the receiver
--   write_lag_s float              seconds as the receiver reported them, null when idle
--   flush_lag_s float              seconds as the receiver reported them, null when idle
--   replay_lag_s float             seconds as the receiver reported them, null when idle
--   reply_age_s float              seconds since its last message
--   xmin_age int                   transactions its feedback holds back, null without feedback
WITH here AS (
    SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS lsn
)
SELECT r.pid,
       to_char(r.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       coalesce(nullif(r.application_name, ''), '(none)') AS app,
       r.usename::text AS "user",
       host(r.client_addr) AS client_addr,
       EXISTS (SELECT 1 FROM pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
           AS logical,
       extract(epoch FROM clock_timestamp() - r.backend_start)::float8 AS connected_s,
       a.wait_event_type,
       a.wait_event,
       r.state,
       r.sync_state,
       pg_wal_lsn_diff(h.lsn, r.sent_lsn)::bigint AS sent_lag_bytes,
       pg_wal_lsn_diff(h.lsn, r.flush_lsn)::bigint AS flush_lag_bytes,
       pg_wal_lsn_diff(h.lsn, r.replay_lsn)::bigint AS replay_lag_bytes,
       extract(epoch FROM r.write_lag)::float8 AS write_lag_s,
       extract(epoch FROM r.flush_lag)::float8 AS flush_lag_s,
       extract(epoch FROM r.replay_lag)::float8 AS replay_lag_s,
       extract(epoch FROM clock_timestamp() - r.reply_time)::float8 AS reply_age_s,
       age(r.backend_xmin) AS xmin_age
FROM pg_stat_replication AS r
CROSS JOIN here AS h
LEFT JOIN pg_stat_activity AS a ON a.pid = r.pid
ORDER BY replay_lag_bytes DESC NULLS FIRST, r.pid
LIMIT 100
