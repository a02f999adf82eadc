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
--   building bool                  an index of its table is being built or dropped now, so leave it
--   in_constraint bool             a constraint needs it
--   partitioned bool               the index of a partitioned table, valid once every partition has its part
--   age_tx int                     transactions of the server since it was made or last changed
--   est_bytes int                  size as last recorded
SELECT i.indexrelid::regclass::text AS index,
       i.indrelid::regclass::text AS relation,
       n.nspname::text AS schema,
       b.relname::text AS "table",
       c.relname::text AS name,
       i.indisvalid AS valid,
       i.indisready AS ready,
       i.indisunique AS "unique",
       -- REINDEX CONCURRENTLY makes every new index first and tells of one at a time; its lock on the table stays.
       EXISTS (SELECT 1 FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
               WHERE l.relation = i.indrelid AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
                 AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                 AND a.query ~* 'index') AS building,
       EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.indexrelid) AS in_constraint,
       c.relkind = 'I' AS partitioned,
       greatest(age(i.xmin), 0) AS age_tx,
       greatest(c.relpages, 0) * current_setting('block_size')::bigint AS est_bytes
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_class AS b ON b.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
ORDER BY building, 1
LIMIT 100
