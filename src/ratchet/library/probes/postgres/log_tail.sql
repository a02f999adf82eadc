-- name: postgres.log_tail
-- summary: The last lines of the server's current log, at most 64 KB
-- privilege: pg_monitor, pg_read_file
-- versions: 14+
-- where: any
-- args: lines int = 200
-- columns:
--   position int                   order in what was read, null when nothing could be
--   level text                     LOG, ERROR, FATAL, DETAIL, ... ; null for a continued line
--   line text                      1000 characters, bytes that are not ASCII as octal; null when nothing was read
--   file text                      log file
--   reason text                    why nothing could be read, null when something was
WITH place AS MATERIALIZED (
    SELECT pg_current_logfile() AS path
), measured AS MATERIALIZED (
    SELECT p.path,
           CASE WHEN p.path IS NOT NULL
                THEN (SELECT f.size FROM pg_ls_logdir() AS f
                      WHERE f.name = regexp_replace(p.path, '^.*/', '')) END AS size
    FROM place AS p
), piece AS MATERIALIZED (
    -- bytes, not text: a tail may begin inside a character, and one wrong byte must not hide the log
    SELECT m.path, m.size > 65536 AS cut,
           CASE WHEN m.size IS NOT NULL
                THEN replace(encode(pg_read_binary_file(m.path, greatest(0, m.size - 65536), 65536, true), 'escape'),
                             chr(92) || chr(92), chr(92)) END AS content
    FROM measured AS m
), split AS (
    SELECT p.path, l.line, l.position
    FROM piece AS p
    CROSS JOIN LATERAL string_to_table(p.content, chr(10)) WITH ORDINALITY AS l(line, position)
    WHERE l.line <> '' AND NOT (p.cut AND l.position = 1)
    ORDER BY l.position DESC
    LIMIT least(200, greatest(1, %(lines)s::int))
), answer AS (
    SELECT s.position::int AS position,
           substring(s.line
               FROM '(DEBUG[1-5]|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|STATEMENT|CONTEXT):') AS level,
           left(s.line, 1000) AS line, s.path AS file, NULL::text AS reason
    FROM split AS s
    UNION ALL
    SELECT NULL::int, NULL, NULL, p.path,
           CASE WHEN p.path IS NULL THEN 'the server does not write its log through its logging collector'
                ELSE 'the log file is empty or gone' END
    FROM piece AS p
    WHERE coalesce(p.content, '') = ''
)
SELECT a.position, a.level, a.line, a.file, a.reason
FROM answer AS a
ORDER BY a.position
LIMIT 200
