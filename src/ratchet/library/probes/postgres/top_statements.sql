-- name: postgres.top_statements
-- summary: Statements that took the most time; only those whose literals the server removes are shown
-- privilege: pg_monitor
-- versions: 14+
-- extension: pg_stat_statements
-- where: any
-- columns:
--   queryid text                   identity of the statement
--   db text                        database
--   user text                      role
--   calls int                      times it ran since the extension's reset
--   total_ms float                 milliseconds in all
--   mean_ms float                  milliseconds each
--   max_ms float                   milliseconds of the slowest
--   stddev_ms float                spread of the times, milliseconds
--   rows_per_call float            rows returned or changed each time
--   share float                    part of the time of all statements, 0 to 1
--   read_blocks int                pages not found in the cache
--   temp_blocks int                pages written to temporary files
--   query text                     statement with placeholders, 200 characters; utility statements are withheld
SELECT s.queryid::text AS queryid,
       d.datname::text AS db,
       r.rolname::text AS "user",
       s.calls,
       s.total_exec_time AS total_ms,
       s.mean_exec_time AS mean_ms,
       s.max_exec_time AS max_ms,
       s.stddev_exec_time AS stddev_ms,
       (s.rows::float8 / greatest(s.calls, 1))::float8 AS rows_per_call,
       (s.total_exec_time / nullif(sum(s.total_exec_time) OVER (), 0))::float8 AS share,
       s.shared_blks_read AS read_blocks,
       s.temp_blks_written AS temp_blocks,
       CASE WHEN s.query ~* '^[[:space:]]*(select|insert|update|delete|merge|with|values|call|table)[[:space:](*]'
            THEN left(s.query, 200)
            ELSE '(a utility statement: the server keeps its literals)' END AS query
FROM pg_stat_statements AS s
LEFT JOIN pg_database AS d ON d.oid = s.dbid
LEFT JOIN pg_roles AS r ON r.oid = s.userid
ORDER BY s.total_exec_time DESC, s.queryid
LIMIT 50
