-- name: postgres.replay
-- summary: How far a replica has replayed, and what holds it
-- privilege: pg_monitor
-- versions: 14+
-- where: replica
-- columns:
--   in_recovery bool               true on a replica; false after it was promoted
--   pause_state text               not paused, pause requested or paused
--   paused bool                    replay stands because somebody paused it
--   lag_s float                    seconds since the last replayed commit; grows on a quiet primary too, see caught_up
--   caught_up bool                 everything received is replayed
--   receive_lsn text               last WAL position received
--   replay_lsn text                last WAL position replayed
--   replay_gap_bytes int           received and not replayed
--   last_commit_at timestamp       when the last replayed commit was made
--   apply_delay_s float            recovery_min_apply_delay, seconds
--   delay_by_alter_system bool     it was set by ALTER SYSTEM
--   reloaded_s float               seconds since this server read its configuration
--   startup_wait_event_type text   what the replaying process waits for
--   startup_wait_event text        the wait in detail, RecoveryApplyDelay or RecoveryPause for instance
--   receiver_status text           state of the WAL receiver, null when there is none
--   receiver_wait_event_type text  what the WAL receiver waits for, IO for its disk; null when it runs or is none
--   conninfo_set bool              primary_conninfo is not empty
--   cut_off bool                   it has a primary to follow and does not stream from it
--   login text                     role that primary_conninfo names, null when it names none that is known here
--   feedback bool                  hot_standby_feedback is on
--   max_delay_s float              max_standby_streaming_delay, seconds, negative for forever
WITH place AS (
    SELECT pg_is_in_recovery() AS in_recovery,
           pg_last_wal_receive_lsn() AS receive_lsn,
           pg_last_wal_replay_lsn() AS replay_lsn,
           pg_last_xact_replay_timestamp() AS last_commit_at
), startup AS (
    SELECT a.wait_event_type, a.wait_event FROM pg_stat_activity AS a WHERE a.backend_type = 'startup' LIMIT 1
), pause AS (
    SELECT CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END AS state
)
SELECT p.in_recovery,
       z.state AS pause_state,
       z.state = 'paused' AS paused,
       extract(epoch FROM clock_timestamp() - p.last_commit_at)::float8 AS lag_s,
       p.receive_lsn = p.replay_lsn AS caught_up,
       p.receive_lsn::text AS receive_lsn,
       p.replay_lsn::text AS replay_lsn,
       pg_wal_lsn_diff(p.receive_lsn, p.replay_lsn)::bigint AS replay_gap_bytes,
       to_char(p.last_commit_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS last_commit_at,
       (SELECT s.setting::float8 / 1000 FROM pg_settings AS s WHERE s.name = 'recovery_min_apply_delay')
           AS apply_delay_s,
       (SELECT coalesce(s.sourcefile LIKE '%%/postgresql.auto.conf', false)
        FROM pg_settings AS s WHERE s.name = 'recovery_min_apply_delay') AS delay_by_alter_system,
       extract(epoch FROM clock_timestamp() - pg_conf_load_time())::float8 AS reloaded_s,
       (SELECT u.wait_event_type FROM startup AS u) AS startup_wait_event_type,
       (SELECT u.wait_event FROM startup AS u) AS startup_wait_event,
       (SELECT v.status FROM pg_stat_wal_receiver AS v) AS receiver_status,
       (SELECT a.wait_event_type FROM pg_stat_activity AS a WHERE a.backend_type = 'walreceiver' LIMIT 1)
           AS receiver_wait_event_type,
       (SELECT s.setting <> '' FROM pg_settings AS s WHERE s.name = 'primary_conninfo') AS conninfo_set,
       -- a standby that is fed from an archive alone has no primary to follow
       pg_is_in_recovery()
           AND (SELECT s.setting <> '' FROM pg_settings AS s WHERE s.name = 'primary_conninfo')
           AND coalesce((SELECT v.status FROM pg_stat_wal_receiver AS v), 'none') <> 'streaming' AS cut_off,
       -- only a name that a role has leaves the server: the setting may hold a password beside it
       (SELECT g.rolname::text
        FROM pg_settings AS s
        JOIN pg_roles AS g
            ON g.rolname = coalesce(substring(s.setting, '(?:^|[[:space:]])user *= *''?([^''[:space:]]+)'),
                                    substring(s.setting, '^postgres(?:ql)?://([^:@/?]+)[:@]'))
        WHERE s.name = 'primary_conninfo' LIMIT 1) AS login,
       current_setting('hot_standby_feedback')::bool AS feedback,
       (SELECT CASE WHEN s.setting = '-1' THEN -1 ELSE s.setting::float8 / 1000 END
        FROM pg_settings AS s WHERE s.name = 'max_standby_streaming_delay')::float8 AS max_delay_s
FROM place AS p
CROSS JOIN pause AS z
LIMIT 1
