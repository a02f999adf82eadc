-- The lines of the server's own log that tell of an error, of its last 128 KB, and why none can be told.
-- split: all lines; met: of level ERROR or FATAL, with their time; unread: one row where nothing can be known.
place AS MATERIALIZED (
    SELECT CASE WHEN c.path !~ '[.](csv|json)$' THEN c.path END AS path
    FROM (SELECT pg_current_logfile() AS path) AS c
), measured AS MATERIALIZED (
    SELECT p.path,
           CASE WHEN p.path IS NOT NULL
                THEN (SELECT f.size FROM pg_ls_logdir() AS f
                      WHERE f.name = regexp_replace(p.path, '^.*/', '')) END AS size
    FROM place AS p
), split AS MATERIALIZED (
    SELECT l.position, left(l.line, 600) AS line
    FROM measured AS m
    CROSS JOIN LATERAL string_to_table(
        encode(pg_read_binary_file(m.path, greatest(0, m.size - 131072), 131072, true), 'escape'), chr(10))
        WITH ORDINALITY AS l(line, position)
    WHERE m.size IS NOT NULL
), met AS MATERIALIZED (
    -- A line of a client's own making begins with a tab; whatever a client put before the level ends the match.
    SELECT s.position, substring(s.line FROM '^(.*?)(?:LOG|ERROR|FATAL|PANIC|WARNING):  ') AS prefix,
           substring(s.line FROM '^.*?(LOG|ERROR|FATAL|PANIC|WARNING):  ') AS level,
           regexp_replace(substring(s.line FROM '^.*?(?:LOG|ERROR|FATAL|PANIC|WARNING):  (.*)$'),
                          ' at character [0-9]+$', '') AS said,
           substring(s.line FROM '[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?')::timestamp
               AT TIME ZONE current_setting('log_timezone') AS at
    FROM split AS s
    WHERE (strpos(s.line, 'ERROR:  ') > 0 OR strpos(s.line, 'FATAL:  ') > 0) AND left(s.line, 1) <> chr(9)
      AND s.line ~ '[0-9]{4}-[0-9]{2}-[0-9]{2} '
), unread AS (
    SELECT CASE WHEN m.path IS NULL THEN 'the server does not write its log as plain text through its collector'
                WHEN m.size IS NULL THEN 'the log file is gone'
                ELSE 'the server does not write its messages in English' END AS reason
    FROM measured AS m
    WHERE m.size IS NULL
       OR split_part(current_setting('lc_messages'), '_', 1) NOT IN ('', 'C', 'C.UTF-8', 'POSIX', 'en')
)
