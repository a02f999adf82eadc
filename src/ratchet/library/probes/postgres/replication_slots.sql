-- name: postgres.replication_slots
-- summary: Replication slots, whether anybody uses them, and the WAL they keep
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   slot text                      slot name
--   slot_type text                 physical or logical
--   plugin text                    output plugin of a logical slot
--   db text                        database of a logical slot
--   active bool                    a receiver is connected now
--   active_pid int                 its sender process
--   temporary bool                 it ends with its session
--   retained_bytes int             WAL kept because of it
--   kept_s float                   seconds since the oldest segment it keeps was last written, null on a replica
--   wal_status text                reserved, extended, unreserved or lost
--   safe_wal_size int              bytes until it is in danger of being lost, null without a limit
--   xmin_age int                   transactions it holds back
--   catalog_xmin_age int           transactions it holds back in the catalogues
--   unconfirmed_bytes int          WAL a logical receiver has not confirmed
--   inactive_since timestamp       since when nobody uses it (17+), else null
--   inactive_s float               seconds since then (17+), else null
--   invalidation_reason text       why it was invalidated (17+), else null
WITH here AS (
    SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn
), slot AS (
    -- columns that only newer servers have are read through the row's JSON form, so that one file serves all
    SELECT s.slot_name, s.slot_type, s.plugin, s.database, s.active, s.active_pid, s.temporary, s.restart_lsn,
           s.wal_status, s.safe_wal_size, s.xmin, s.catalog_xmin, s.confirmed_flush_lsn,
           (to_jsonb(s) ->> 'inactive_since')::timestamptz AS inactive_since,
           to_jsonb(s) ->> 'invalidation_reason' AS invalidation_reason
    FROM pg_replication_slots AS s
)
SELECT s.slot_name::text AS slot,
       s.slot_type,
       s.plugin::text AS plugin,
       s.database::text AS db,
       s.active,
       s.active_pid,
       s.temporary,
       pg_wal_lsn_diff(h.lsn, s.restart_lsn)::bigint AS retained_bytes,
       -- asked of the files, since before version 17 no view tells how long a slot has been idle
       (SELECT extract(epoch FROM clock_timestamp() - f.modification)::float8
        FROM pg_ls_waldir() AS f
        WHERE f.name = CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(s.restart_lsn) END
        LIMIT 1) AS kept_s,
       s.wal_status,
       s.safe_wal_size,
       age(s.xmin) AS xmin_age,
       age(s.catalog_xmin) AS catalog_xmin_age,
       pg_wal_lsn_diff(h.lsn, s.confirmed_flush_lsn)::bigint AS unconfirmed_bytes,
       to_char(s.inactive_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS inactive_since,
       extract(epoch FROM clock_timestamp() - s.inactive_since)::float8 AS inactive_s,
       s.invalidation_reason
FROM slot AS s
CROSS JOIN here AS h
ORDER BY s.active, retained_bytes DESC NULLS LAST, s.slot_name
LIMIT 100
