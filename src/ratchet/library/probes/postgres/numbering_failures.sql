-- name: postgres.numbering_failures
-- summary: Inserts that failed on their number, of the last 128 KB of the server's log, against sequences and keys
-- privilege: pg_monitor, pg_read_file, sequence_read
-- versions: 14+
-- where: any
-- columns:
--   kind text                      sequence_end, out_of_range, duplicate_key; null when unread
--   name text                      sequence, type or constraint as the log names it
--   times int                      such errors of the last five minutes
--   last_s float                   seconds since the latest of them
--   ongoing bool                   they still come, at the pace at which they came
--   sequence text                  the sequence concerned, with its schema; null when it cannot be told
--   relation text                  the table that it numbers, with its schema
--   column_name text               column of that table
--   column_type text               type of that column
--   last_value int                 last value given out, null when unread
--   ceiling int                    last value that sequence and column can both take
--   exhausted bool                 the sequence has no further value
--   past_column bool               the next value no longer fits the column
--   refused_value int              the number that was refused as taken, of the latest error
--   behind bool                    that number is one that the sequence has just given out: rows are ahead of it
--   statement text                 one such statement, 200 characters
--   reason text                    why nothing could be read, null when something was
WITH
-- include: log_lines
, fresh AS MATERIALIZED (
    SELECT m.position, m.at, m.said, m.prefix
    FROM met AS m
    WHERE m.level = 'ERROR' AND m.at > clock_timestamp() - interval '5 minutes'
      AND m.said ~ '^nextval: | out of range|^duplicate key '
    ORDER BY m.position DESC
    LIMIT 40
),
-- include: log_asked
, sorted AS MATERIALIZED (
    SELECT a.position, a.at, a.statement,
           CASE WHEN a.said ~ '^nextval: reached (maximum|minimum) value of sequence ' THEN 'sequence_end'
                WHEN a.said ~ '^(integer|smallint) out of range$' THEN 'out_of_range'
                WHEN a.said ~ '^duplicate key value violates unique constraint ' THEN 'duplicate_key' END AS kind,
           coalesce(substring(a.said FROM '^(?:nextval|duplicate key).* (?:sequence|constraint) "([^"]*)"'),
                    substring(a.said FROM '^(integer|smallint) out of range$')) AS name,
           reverse(split_part(reverse(replace(substring(
               a.statement FROM '(?i)^[[:space:]]*insert[[:space:]]+into[[:space:]]+([^[:space:](]+)'), '"', '')),
               '.', 1)) AS aimed,
           (SELECT substring(s.line FROM 'DETAIL:  Key [(][^,()]+[)]=[(]([0-9]{1,18})[)] already exists[.]$')::bigint
            FROM split AS s WHERE s.position = a.position + 1) AS refused_value
    FROM asked AS a
), counted AS MATERIALIZED (
    SELECT s.kind, s.name, s.aimed, count(*)::int AS times, max(s.at) AS at, min(s.at) AS since,
           (array_agg(s.statement ORDER BY s.position DESC))[1] AS statement,
           (array_agg(s.refused_value ORDER BY s.position DESC))[1] AS refused_value
    FROM sorted AS s
    WHERE s.kind IS NOT NULL
    GROUP BY s.kind, s.name, s.aimed
    ORDER BY times DESC
    LIMIT 40
), feeds AS MATERIALIZED (
    SELECT u.seq, u.rel, u.att, a.attname, a.atttypid
    FROM (SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid::int AS att FROM pg_depend AS d
          WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
          UNION
          SELECT d.refobjid, f.adrelid, f.adnum::int FROM pg_depend AS d JOIN pg_attrdef AS f ON f.oid = d.objid
          WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n') AS u
    JOIN pg_attribute AS a ON a.attrelid = u.rel AND a.attnum = u.att
), ranged AS MATERIALIZED (
    SELECT s.schemaname::text AS schema, s.sequencename::text AS name, c.oid, s.last_value, s.increment_by, s.cycle,
           f.rel, f.attname::text AS column_name, f.atttypid, s.max_value, s.min_value,
           CASE f.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                ELSE 9223372036854775807 END AS column_max
    FROM pg_sequences AS s
    JOIN pg_namespace AS n ON n.nspname = s.schemaname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.sequencename AND c.relkind = 'S'
    LEFT JOIN feeds AS f ON f.seq = c.oid
), answer AS (
    SELECT c.kind, c.name, c.times, extract(epoch FROM clock_timestamp() - c.at)::float8 AS last_s,
           c.times >= 2 AND clock_timestamp() - c.at
             <= greatest(interval '3 seconds', 3 * (c.at - c.since) / greatest(1, c.times - 1)) AS ongoing,
           quote_ident(r.schema) || '.' || quote_ident(r.name) AS sequence,
           quote_ident(tn.nspname::text) || '.' || quote_ident(t.relname::text) AS relation, r.column_name,
           r.atttypid::regtype::text AS column_type, r.last_value, least(r.max_value, r.column_max) AS ceiling,
           NOT r.cycle AND CASE WHEN r.increment_by > 0 THEN r.last_value > r.max_value - r.increment_by
                                ELSE r.last_value < r.min_value - r.increment_by END AS exhausted,
           r.increment_by > 0 AND r.last_value > r.column_max - r.increment_by AS past_column,
           c.refused_value,
           c.refused_value <= r.last_value AND c.refused_value > r.last_value - 100 * abs(r.increment_by) AS behind,
           left(c.statement, 200) AS statement, NULL::text AS reason
    FROM counted AS c
    LEFT JOIN pg_class AS k ON c.kind = 'duplicate_key' AND k.relname = c.name AND k.relkind = 'i'
    LEFT JOIN pg_index AS i ON i.indexrelid = k.oid AND i.indnkeyatts = 1
    LEFT JOIN ranged AS r ON CASE c.kind WHEN 'sequence_end' THEN r.name = c.name
                                         WHEN 'duplicate_key' THEN r.rel = i.indrelid
                                         ELSE r.rel IS NOT NULL AND EXISTS (SELECT 1 FROM pg_class AS z
                                              WHERE z.oid = r.rel AND z.relname = c.aimed) END
    LEFT JOIN pg_class AS t ON t.oid = coalesce(r.rel, i.indrelid)
    LEFT JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, u.reason
    FROM unread AS u
)
SELECT a.kind, a.name, a.times, a.last_s, a.ongoing, a.sequence, a.relation, a.column_name, a.column_type, a.last_value,
       a.ceiling, a.exhausted, a.past_column, a.refused_value, a.behind, a.statement, a.reason
FROM answer AS a
ORDER BY a.times DESC NULLS LAST, a.kind, a.name, a.sequence
LIMIT 40
