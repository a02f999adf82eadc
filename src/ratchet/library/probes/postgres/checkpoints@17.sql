-- name: postgres.checkpoints
-- summary: Checkpoints by cause, with the setting that spaces them
-- privilege: pg_monitor
-- versions: 17+
-- where: any
-- columns:
--   timed int                      checkpoints because time was up, since stats_reset
--   requested int                  checkpoints because WAL was full or somebody asked, since stats_reset
--   requested_ratio float          requested as a part of all, 0 to 1; 0 when there was none
--   write_ms float                 milliseconds writing files
--   sync_ms float                  milliseconds flushing files
--   buffers_written int            pages written by checkpoints
--   buffers_clean int              pages written by the background writer
--   max_wal_size_bytes int         max_wal_size
--   timeout_s int                  checkpoint_timeout, seconds
--   last_at timestamp              when the last checkpoint began
--   last_s float                   seconds since then
--   stats_reset timestamp          since when it is counted
--   counted_s float                seconds since stats_reset
SELECT k.num_timed AS timed,
       k.num_requested AS requested,
       coalesce(k.num_requested::float8 / nullif(k.num_timed + k.num_requested, 0), 0)::float8 AS requested_ratio,
       k.write_time AS write_ms,
       k.sync_time AS sync_ms,
       k.buffers_written,
       (SELECT b.buffers_clean FROM pg_stat_bgwriter AS b) AS buffers_clean,
       (SELECT s.setting::bigint * 1048576 FROM pg_settings AS s WHERE s.name = 'max_wal_size') AS max_wal_size_bytes,
       (SELECT s.setting::int FROM pg_settings AS s WHERE s.name = 'checkpoint_timeout') AS timeout_s,
       to_char(c.checkpoint_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS last_at,
       extract(epoch FROM clock_timestamp() - c.checkpoint_time)::float8 AS last_s,
       to_char(k.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS stats_reset,
       extract(epoch FROM clock_timestamp() - k.stats_reset)::float8 AS counted_s
FROM pg_stat_checkpointer AS k
CROSS JOIN pg_control_checkpoint() AS c
LIMIT 1
