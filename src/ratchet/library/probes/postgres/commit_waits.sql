-- name: postgres.commit_waits
-- summary: Commits that wait for synchronous standbys, and how many of these are connected
-- privilege: pg_monitor
-- versions: 14+
-- where: primary
-- columns:
--   names text                     synchronous_standby_names; empty when no commit waits for a standby
--   needed int                     standbys that must confirm each commit, 0 when none
--   connected int                  standbys that may confirm now: sync or quorum, and streaming
--   waiting int                    sessions that wait for a confirmation
--   longest_s float                seconds since the oldest of their statements began, 0 when none waits
WITH told AS (
    SELECT current_setting('synchronous_standby_names') AS names
)
SELECT t.names,
       CASE WHEN t.names = '' THEN 0
            ELSE coalesce(substring(t.names
                     FROM '^[[:space:]]*(?:[A-Za-z]+[[:space:]]+)?([0-9]+)[[:space:]]*[(]')::int, 1)
            END AS needed,
       (SELECT count(*)::int FROM pg_stat_replication AS s
        WHERE s.sync_state IN ('sync', 'quorum') AND s.state = 'streaming') AS connected,
       (SELECT count(*)::int FROM pg_stat_activity AS a WHERE a.wait_event = 'SyncRep') AS waiting,
       coalesce((SELECT max(extract(epoch FROM clock_timestamp() - a.query_start))
                 FROM pg_stat_activity AS a WHERE a.wait_event = 'SyncRep'), 0)::float8 AS longest_s
FROM told AS t
LIMIT 1
