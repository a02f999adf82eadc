-- name: postgres.unlogged_tables
-- summary: Tables that a crash empties
-- privilege: none
-- versions: 14+
-- where: any
-- columns:
--   relation text                  table, with its schema where needed
--   kind text                      table or partition
--   est_rows int                   rows at the last vacuum or analyze, -1 when never
--   est_bytes int                  size at the last vacuum or analyze
--   owner text                     its owner
SELECT c.oid::regclass::text AS relation,
       CASE WHEN c.relispartition THEN 'partition' ELSE 'table' END AS kind,
       c.reltuples::bigint AS est_rows,
       greatest(c.relpages, 0) * current_setting('block_size')::bigint AS est_bytes,
       pg_get_userbyid(c.relowner)::text AS owner
FROM pg_class AS c
WHERE c.relpersistence = 'u' AND c.relkind = 'r'
ORDER BY c.relpages DESC, c.oid
LIMIT 100
