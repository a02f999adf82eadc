-- name: postgres.redundant_indexes
-- summary: Indexes on the same columns in the same way as another index of the table
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   index text                     the index one could do without, with its schema where needed
--   duplicate_of text              the index that does the same
--   relation text                  their table, with its schema
--   schema text                    its schema alone, unquoted, as a step's argument
--   table text                     its name alone, unquoted, as a step's argument
--   columns int                    columns in the key
--   scans int                      times it was used since the statistics were reset
--   keeper_scans int               times the other one was used
--   unique bool                    it enforces uniqueness, so it is not free to go
--   in_constraint bool             a constraint needs it, so it is not free to go
--   free bool                      never used, and neither a constraint nor uniqueness needs it
--   free_in_table int              how many such ones its table has
--   youngest_tx int                transactions of the server since the youngest of them was made or changed
--   est_bytes int                  size as last recorded
WITH plain AS (
    SELECT i.indexrelid, i.indrelid, i.indisunique, i.indnkeyatts,
           EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.indexrelid) AS in_constraint,
           c.relam, c.relpages, greatest(age(i.xmin), 0) AS age_tx, i.indkey::text AS keys, i.indclass::text AS classes,
           i.indcollation::text AS collations, i.indoption::text AS options
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE i.indexprs IS NULL AND i.indpred IS NULL AND i.indisvalid AND i.indislive
      AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
), ranked AS (
    SELECT p.indexrelid, p.indrelid, p.indisunique, p.indnkeyatts, p.in_constraint, p.relpages, p.age_tx,
           row_number() OVER same AS place,
           first_value(p.indexrelid) OVER same AS keeper
    FROM plain AS p
    WINDOW same AS (PARTITION BY p.indrelid, p.relam, p.keys, p.classes, p.collations, p.options, p.indnkeyatts
                    ORDER BY p.in_constraint DESC, p.indisunique DESC, p.indexrelid)
)
SELECT r.indexrelid::regclass::text AS index,
       r.keeper::regclass::text AS duplicate_of,
       quote_ident(n.nspname::text) || '.' || quote_ident(c.relname::text) AS relation,
       n.nspname::text AS schema,
       c.relname::text AS "table",
       r.indnkeyatts::int AS columns,
       r.scans,
       coalesce(pg_stat_get_numscans(r.keeper), 0) AS keeper_scans,
       r.indisunique AS "unique",
       r.in_constraint,
       r.free,
       (count(*) FILTER (WHERE r.free) OVER (PARTITION BY r.indrelid))::int AS free_in_table,
       min(r.age_tx) FILTER (WHERE r.free) OVER (PARTITION BY r.indrelid) AS youngest_tx,
       greatest(r.relpages, 0) * current_setting('block_size')::bigint AS est_bytes
FROM (SELECT x.*, coalesce(pg_stat_get_numscans(x.indexrelid), 0) AS scans,
             NOT x.indisunique AND NOT x.in_constraint AND coalesce(pg_stat_get_numscans(x.indexrelid), 0) = 0 AS free
      FROM ranked AS x WHERE x.place > 1) AS r
JOIN pg_class AS c ON c.oid = r.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY free_in_table DESC, est_bytes DESC, 3, r.indexrelid
LIMIT 100
