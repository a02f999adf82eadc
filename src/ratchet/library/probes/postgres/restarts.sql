-- name: postgres.restarts
-- summary: Since when the server runs, and whether it threw everybody out since, as it does when a session crashes
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   started_s float                seconds since the server was started
--   restarted_s float              seconds since it began anew within itself, null when it never did
--   restarted bool                 it began anew after it was started: a session had crashed
--   reloaded_s float               seconds since the configuration was read
WITH age AS (
    -- a crash of one session ends all processes but the first one; the younger checkpointer shows it, without a log
    SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS started_s,
           (SELECT extract(epoch FROM clock_timestamp() - a.backend_start)::float8
            FROM pg_stat_activity AS a WHERE a.backend_type = 'checkpointer' LIMIT 1) AS checkpointer_s,
           extract(epoch FROM clock_timestamp() - pg_conf_load_time())::float8 AS reloaded_s
)
SELECT a.started_s,
       CASE WHEN a.started_s - a.checkpointer_s > 5 THEN a.checkpointer_s END AS restarted_s,
       a.started_s - a.checkpointer_s > 5 AS restarted,
       a.reloaded_s
FROM age AS a
LIMIT 1
