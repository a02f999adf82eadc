-- name: postgres.index_usage
-- summary: Indexes by use, the largest unused first
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   index text                     index, with its schema
--   relation text                  its table, with its schema
--   scans int                      times it was used since the statistics were reset
--   rows_read int                  entries read through it
--   unused bool                    never used since then
--   unique bool                    it enforces uniqueness
--   primary bool                   it is the primary key
--   valid bool                     queries may use it
--   est_bytes int                  size as last recorded
SELECT quote_ident(u.schemaname::text) || '.' || quote_ident(u.indexrelname::text) AS index,
       quote_ident(u.schemaname::text) || '.' || quote_ident(u.relname::text) AS relation,
       u.idx_scan AS scans,
       u.idx_tup_read AS rows_read,
       u.idx_scan = 0 AS unused,
       i.indisunique AS "unique",
       i.indisprimary AS "primary",
       i.indisvalid AS valid,
       greatest(c.relpages, 0) * current_setting('block_size')::bigint AS est_bytes
FROM pg_stat_user_indexes AS u
JOIN pg_index AS i ON i.indexrelid = u.indexrelid
JOIN pg_class AS c ON c.oid = u.indexrelid
ORDER BY unused DESC, est_bytes DESC, u.indexrelid
LIMIT 100
