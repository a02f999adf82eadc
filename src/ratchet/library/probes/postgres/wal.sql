-- name: postgres.wal
-- summary: Size of the WAL directory against its limits, and WAL written so far
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   files int                      segments in the WAL directory
--   bytes int                      their size
--   max_wal_size_bytes int         max_wal_size, a soft limit
--   over_limit_ratio float         bytes divided by max_wal_size_bytes
--   keep_bytes int                 wal_keep_size
--   slot_limit_bytes int           max_slot_wal_keep_size, negative for no limit
--   lsn text                       current position (replayed position on a replica)
--   records int                    WAL records since stats_reset
--   full_page_images int           full page images since stats_reset
--   written_bytes int              WAL written since stats_reset
--   buffers_full int               times WAL was written because its buffers were full
--   stats_reset timestamp          since when the four numbers before are counted
WITH directory AS (
    SELECT count(*)::int AS files, coalesce(sum(size), 0)::bigint AS bytes
    FROM pg_ls_waldir()
), bounds AS (
    SELECT (SELECT setting::bigint * 1048576 FROM pg_settings WHERE name = 'max_wal_size') AS max_wal_size_bytes,
           (SELECT setting::bigint * 1048576 FROM pg_settings WHERE name = 'wal_keep_size') AS keep_bytes,
           (SELECT CASE WHEN setting = '-1' THEN -1 ELSE setting::bigint * 1048576 END
            FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS slot_limit_bytes
)
SELECT d.files,
       d.bytes,
       b.max_wal_size_bytes,
       (d.bytes::float8 / nullif(b.max_wal_size_bytes, 0))::float8 AS over_limit_ratio,
       b.keep_bytes,
       b.slot_limit_bytes,
       (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS lsn,
       w.wal_records AS records,
       w.wal_fpi AS full_page_images,
       w.wal_bytes::bigint AS written_bytes,
       w.wal_buffers_full AS buffers_full,
       to_char(w.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS stats_reset
FROM directory AS d
CROSS JOIN bounds AS b
CROSS JOIN pg_stat_wal AS w
LIMIT 1
