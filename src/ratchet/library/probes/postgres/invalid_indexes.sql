-- name: postgres.invalid_indexes
-- summary: Indexes of this database that cannot be used
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   index text                     index, with its schema where needed
--   relation text                  its table
--   schema text                    schema of both, unquoted, as a step's argument
--   table text                     its table's name alone, unquoted, as a step's argument
--   name text                      its own name alone, unquoted, as a step's argument
--   valid bool                     queries may use it
--   ready bool                     writes maintain it
--   unique bool                    it should be unique
--   building bool                  it is being built now, so leave it
--   in_constraint bool             a constraint needs it
--   est_bytes int                  size as last recorded
SELECT i.indexrelid::regclass::text AS index,
       i.indrelid::regclass::text AS relation,
       n.nspname::text AS schema,
       b.relname::text AS "table",
       c.relname::text AS name,
       i.indisvalid AS valid,
       i.indisready AS ready,
       i.indisunique AS "unique",
       EXISTS (SELECT 1 FROM pg_stat_progress_create_index AS p
               WHERE p.index_relid = i.indexrelid AND p.datname = current_database()) AS building,
       EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.indexrelid) AS in_constraint,
       greatest(c.relpages, 0) * current_setting('block_size')::bigint AS est_bytes
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_class AS b ON b.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
ORDER BY building, 1
LIMIT 100
