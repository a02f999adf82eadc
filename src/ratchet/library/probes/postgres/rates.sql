-- name: postgres.rates
-- summary: How fast WAL and the server's log grow: read twice within a look, a quarter of a second apart
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   wal_bytes int                  position in the WAL, as bytes (of replay on a replica)
--   log_bytes int                  size of the log directory; null when the server keeps no log files itself
--   wal_bytes_s float              WAL written per second, null when it was read only once
--   log_bytes_s float              log written per second, null when it was read only once
--   sampled_s float                seconds between the two readings
--   checkpoint_every_s float       seconds in which this much WAL forces a checkpoint, null when hardly any is written
SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                       '0/0'::pg_lsn)::bigint AS wal_bytes,
       CASE WHEN current_setting('logging_collector')::bool
            THEN (SELECT coalesce(sum(f.size), 0)::bigint FROM pg_ls_logdir() AS f) END AS log_bytes,
       NULL::float8 AS wal_bytes_s,
       NULL::float8 AS log_bytes_s,
       NULL::float8 AS sampled_s,
       -- what forces a checkpoint; the readings turn it into seconds
       ((SELECT s.setting::float8 * 1048576 FROM pg_settings AS s WHERE s.name = 'max_wal_size')
        / (1 + current_setting('checkpoint_completion_target')::float8))::float8 AS checkpoint_every_s
LIMIT 1
