-- name: postgres.temp_files
-- summary: Temporary files that exist now, by the session that writes them
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   pid int                        process id of the writer; a pid without a session left its files behind
--   backend_start timestamp        when the session connected, to the microsecond
--   app text                       application_name, (none) when the client gave none or the session is gone
--   user text                      role
--   db text                        database
--   files int                      its files in the default tablespace
--   bytes int                      their size
--   state text                     session state
--   query_age_s float              seconds since its latest statement began
--   query text                     latest statement, 200 characters
WITH spilled AS (
    SELECT substring(name FROM '^pgsql_tmp([0-9]+)')::int AS pid, count(*)::int AS files, sum(size)::bigint AS bytes
    FROM pg_ls_tmpdir()
    GROUP BY 1
)
SELECT f.pid,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       coalesce(nullif(a.application_name, ''), '(none)') AS app,
       a.usename::text AS "user",
       a.datname::text AS db,
       f.files,
       f.bytes,
       a.state,
       extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS query_age_s,
       left(a.query, 200) AS query
FROM spilled AS f
LEFT JOIN pg_stat_activity AS a ON a.pid = f.pid
ORDER BY f.bytes DESC, f.pid
LIMIT 50
