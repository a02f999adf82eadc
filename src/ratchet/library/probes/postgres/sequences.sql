-- name: postgres.sequences
-- summary: Sequences by how much of their range, or of their column's type, is used up
-- privilege: sequence_read
-- versions: 14+
-- where: any
-- columns:
--   sequence text                  sequence, with its schema
--   used_by text                   table and column it feeds, null when none
--   column_type text               type of that column
--   data_type text                 type of the sequence
--   last_value int                 last value given out, null when none was or it may not be read
--   ceiling int                    last value that the sequence and its column can both take
--   used_ratio float               last_value divided by ceiling, null when last_value is
--   exhausted bool                 the next value fails
--   column_bound bool              the column's type ends before the sequence does
--   cycle bool                     it starts again instead of failing
--   readable bool                  this login may read it; false makes last_value null
WITH consumer AS (
    SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid AS att
    FROM pg_depend AS d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, f.adrelid, f.adnum
    FROM pg_depend AS d
    JOIN pg_attrdef AS f ON f.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
), bounded AS (
    SELECT quote_ident(s.schemaname::text) || '.' || quote_ident(s.sequencename::text) AS sequence,
           u.rel::regclass::text || '.' || quote_ident(a.attname::text) AS used_by,
           a.atttypid::regtype::text AS column_type,
           s.data_type::text AS data_type, s.last_value, s.increment_by, s.cycle,
           s.max_value, s.min_value,
           CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                ELSE 9223372036854775807 END AS column_max,
           has_sequence_privilege(c.oid, 'SELECT') OR has_sequence_privilege(c.oid, 'USAGE') AS readable
    FROM pg_sequences AS s
    JOIN pg_namespace AS n ON n.nspname = s.schemaname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.sequencename AND c.relkind = 'S'
    LEFT JOIN consumer AS u ON u.seq = c.oid
    LEFT JOIN pg_attribute AS a ON a.attrelid = u.rel AND a.attnum = u.att
), placed AS (
    SELECT b.sequence, b.used_by, b.column_type, b.data_type, b.last_value, b.increment_by, b.cycle, b.readable,
           b.max_value,
           CASE WHEN b.increment_by > 0 THEN least(b.max_value, b.column_max) ELSE b.min_value END AS ceiling
    FROM bounded AS b
)
SELECT p.sequence,
       p.used_by,
       p.column_type,
       p.data_type,
       p.last_value,
       p.ceiling,
       (p.last_value::float8 / nullif(p.ceiling, 0))::float8 AS used_ratio,
       CASE WHEN p.increment_by > 0
            THEN coalesce(p.last_value > p.ceiling - p.increment_by AND (NOT p.cycle OR p.ceiling < p.max_value), false)
            ELSE coalesce(p.last_value < p.ceiling - p.increment_by AND NOT p.cycle, false) END AS exhausted,
       p.increment_by > 0 AND p.ceiling < p.max_value AS column_bound,
       p.cycle,
       p.readable
FROM placed AS p
ORDER BY used_ratio DESC NULLS LAST, p.sequence
LIMIT 100
