-- name: postgres.archiver
-- summary: Whether finished WAL is archived, and since when it fails
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   mode text                      archive_mode
--   command text                   program that archives, without its arguments; set or empty when that cannot be shown
--   archived int                   segments archived since stats_reset
--   failed int                     attempts failed since stats_reset
--   failing bool                   the latest attempt failed
--   last_archived text             last segment archived
--   last_archived_at timestamp     when
--   last_archived_s float          seconds since then
--   last_failed text               last segment that failed
--   last_failed_at timestamp       when
--   last_failed_s float            seconds since then
--   stats_reset timestamp          since when it is counted
SELECT current_setting('archive_mode') AS mode,
       (SELECT CASE WHEN s.setting IN ('', '(disabled)') THEN 'empty'
                    WHEN split_part(ltrim(s.setting), ' ', 1) ~ '^[A-Za-z0-9_./-]+$'
                        THEN split_part(ltrim(s.setting), ' ', 1)
                    ELSE 'set' END
        FROM pg_settings AS s WHERE s.name = 'archive_command') AS command,
       a.archived_count AS archived,
       a.failed_count AS failed,
       coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'::timestamptz), false) AS failing,
       a.last_archived_wal AS last_archived,
       to_char(a.last_archived_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS last_archived_at,
       extract(epoch FROM clock_timestamp() - a.last_archived_time)::float8 AS last_archived_s,
       a.last_failed_wal AS last_failed,
       to_char(a.last_failed_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS last_failed_at,
       extract(epoch FROM clock_timestamp() - a.last_failed_time)::float8 AS last_failed_s,
       to_char(a.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS stats_reset
FROM pg_stat_archiver AS a
LIMIT 1
