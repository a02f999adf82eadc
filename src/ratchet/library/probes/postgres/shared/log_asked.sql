-- Who asked for what: the role and the statement that belong to each line of `fresh` (position, at, said, prefix).
asked AS MATERIALIZED (
    -- The role: what stands before the database, or the one word of the line's beginning that is a role's name.
    SELECT f.position, f.at, f.said,
           coalesce(
               (SELECT r.rolname::text FROM pg_roles AS r
                WHERE strpos(current_setting('log_line_prefix'), chr(37) || 'u@' || chr(37) || 'd') > 0
                  AND r.rolname = substring(f.prefix FROM '([^][[:space:]@,=:()/]+)@')),
               (SELECT min(r.rolname::text)
                FROM regexp_split_to_table(f.prefix, '[][[:space:]@,=:()/]+') AS w(word)
                JOIN pg_roles AS r ON r.rolname = w.word
                WHERE strpos(current_setting('log_line_prefix'), chr(37) || 'u') > 0
                HAVING count(DISTINCT r.oid) = 1)) AS role,
           (SELECT left(string_agg(ltrim(regexp_replace(s.line, '^.*?STATEMENT:  ', ''), chr(9)), ' '
                                   ORDER BY s.position), 600)
            FROM split AS s
            WHERE s.position >= b.first AND s.position < coalesce(
                (SELECT min(e.position) FROM split AS e
                 WHERE e.position > b.first AND e.position <= b.first + 30 AND left(e.line, 1) <> chr(9)),
                b.first + 30)) AS statement
    FROM fresh AS f
    LEFT JOIN LATERAL (SELECT min(s.position) AS first FROM split AS s
                       WHERE s.position > f.position AND s.position <= f.position + 6
                         AND left(s.line, 1) <> chr(9) AND strpos(s.line, 'STATEMENT:  ') > 0) AS b ON true
)
