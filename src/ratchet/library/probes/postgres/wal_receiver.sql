-- name: postgres.wal_receiver
-- summary: The replica's connection to its primary; no row means that there is none
-- privilege: pg_monitor
-- versions: 14+
-- where: replica
-- columns:
--   pid int                        process id
--   status text                    streaming, waiting, starting, stopping, ...
--   slot text                      slot used on the primary, null without one
--   timeline int                   timeline received
--   written_lsn text               last position written
--   flushed_lsn text               last position made durable
--   last_message_age_s float       seconds since the last message from the primary
--   last_report_age_s float        seconds since the primary's last reported end of WAL
SELECT pid,
       status,
       slot_name AS slot,
       received_tli AS timeline,
       written_lsn::text AS written_lsn,
       flushed_lsn::text AS flushed_lsn,
       extract(epoch FROM clock_timestamp() - last_msg_receipt_time)::float8 AS last_message_age_s,
       extract(epoch FROM clock_timestamp() - latest_end_time)::float8 AS last_report_age_s
FROM pg_stat_wal_receiver
WHERE pid IS NOT NULL
LIMIT 1
