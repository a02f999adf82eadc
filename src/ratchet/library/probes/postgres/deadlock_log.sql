-- name: postgres.deadlock_log
-- summary: Deadlocks in the last 64 KB of the server's log, by table, those of the last ten minutes
-- privilege: pg_monitor, pg_read_file
-- versions: 14+
-- where: any
-- columns:
--   table_named text               table as the log names it, without its schema; null when the log names none
--   relation text                  that table with its schema; null when it is not there, or several are called so
--   deadlocks int                  deadlocks of the last ten minutes
--   last_s float                   seconds since the latest of them
--   alive int                      sessions of the latest one that are still connected
--   first_statement text           one of the two statements of the latest, 300 characters
--   second_statement text          the other one
WITH place AS MATERIALIZED (
    SELECT pg_current_logfile() AS path
), measured AS MATERIALIZED (
    SELECT p.path,
           CASE WHEN p.path IS NOT NULL
                THEN (SELECT f.size FROM pg_ls_logdir() AS f
                      WHERE f.name = regexp_replace(p.path, '^.*/', '')) END AS size
    FROM place AS p
), split AS MATERIALIZED (
    SELECT l.position, left(l.line, 400) AS line
    FROM measured AS m
    CROSS JOIN LATERAL string_to_table(
        encode(pg_read_binary_file(m.path, greatest(0, m.size - 65536), 65536, true), 'escape'), chr(10))
        WITH ORDINALITY AS l(line, position)
    WHERE m.size IS NOT NULL
), met AS MATERIALIZED (
    SELECT s.position,
           substring(s.line FROM '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}')::timestamp
               AT TIME ZONE current_setting('log_timezone') AS at
    FROM split AS s
    WHERE strpos(s.line, 'deadlock detected') > 0
    ORDER BY s.position DESC
    LIMIT 40
), told AS MATERIALIZED (
    -- What belongs to one message stands in the lines that follow it.
    SELECT m.position, m.at,
           max(substring(s.line FROM ' in relation "([^"]+)"')) AS table_named,
           array_agg(substring(s.line FROM 'Process ([0-9]+) waits for')::int ORDER BY s.position)
               FILTER (WHERE s.line ~ 'Process [0-9]+ waits for') AS pids,
           array_agg(left(substring(s.line FROM 'Process [0-9]+: (.*)$'), 300) ORDER BY s.position)
               FILTER (WHERE s.line ~ 'Process [0-9]+: ') AS statements
    FROM met AS m
    JOIN split AS s ON s.position > m.position AND s.position <= m.position + 9
    WHERE m.at > clock_timestamp() - interval '10 minutes'
    GROUP BY m.position, m.at
), counted AS (
    SELECT t.table_named, count(*)::int AS deadlocks, max(t.at) AS at,
           (array_agg(t.position ORDER BY t.position DESC))[1] AS latest
    FROM told AS t
    GROUP BY t.table_named
)
SELECT c.table_named,
       (SELECT min(quote_ident(n.nspname::text) || '.' || quote_ident(r.relname::text))
        FROM pg_class AS r JOIN pg_namespace AS n ON n.oid = r.relnamespace
        WHERE r.relname = c.table_named AND r.relkind IN ('r', 'p')
          AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        HAVING count(*) = 1) AS relation,
       c.deadlocks,
       greatest(0, extract(epoch FROM clock_timestamp() - c.at))::float8 AS last_s,
       (SELECT count(*)::int FROM pg_stat_activity AS a WHERE a.pid = ANY (t.pids)) AS alive,
       t.statements[1] AS first_statement,
       t.statements[2] AS second_statement
FROM counted AS c
JOIN told AS t ON t.position = c.latest
ORDER BY c.deadlocks DESC, c.table_named
LIMIT 20
