-- name: postgres.seq_scans
-- summary: Tables read whole again and again, which points to a missing index
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- args: min_rows int = 0
-- columns:
--   relation text                  table, with its schema
--   live int                       rows alive, estimated
--   seq_scans int                  times it was read whole since the statistics were reset
--   seq_rows int                   rows read that way
--   rows_per_scan float            rows read each time
--   idx_scans int                  times an index was used; 0 when the table has none
--   seq_ratio float                whole reads as a part of all reads, 0 to 1
--   indexes int                    valid indexes it has
--   has_primary_key bool           it has a primary key
--   foreign_keys_unindexed int     foreign keys whose first column starts no index
--   est_bytes int                  size at the last vacuum or analyze, without indexes
WITH candidate AS (
    SELECT t.relid, t.schemaname, t.relname, t.n_live_tup, t.seq_scan, t.seq_tup_read,
           coalesce(t.idx_scan, 0) AS idx_scan
    FROM pg_stat_user_tables AS t
    WHERE t.n_live_tup >= %(min_rows)s::bigint
    ORDER BY t.seq_tup_read DESC, t.relid
    LIMIT 50
)
SELECT quote_ident(t.schemaname::text) || '.' || quote_ident(t.relname::text) AS relation,
       t.n_live_tup AS live,
       t.seq_scan AS seq_scans,
       t.seq_tup_read AS seq_rows,
       (t.seq_tup_read::float8 / greatest(t.seq_scan, 1))::float8 AS rows_per_scan,
       t.idx_scan AS idx_scans,
       coalesce(t.seq_scan::float8 / nullif(t.seq_scan + t.idx_scan, 0), 0)::float8 AS seq_ratio,
       (SELECT count(*)::int FROM pg_index AS i WHERE i.indrelid = t.relid AND i.indisvalid) AS indexes,
       EXISTS (SELECT 1 FROM pg_index AS i WHERE i.indrelid = t.relid AND i.indisprimary) AS has_primary_key,
       (SELECT count(*)::int FROM pg_constraint AS k
        WHERE k.conrelid = t.relid AND k.contype = 'f'
          AND NOT EXISTS (SELECT 1 FROM pg_index AS i
                          WHERE i.indrelid = t.relid AND i.indisvalid AND i.indkey[0] = k.conkey[1]))
           AS foreign_keys_unindexed,
       greatest(c.relpages, 0) * current_setting('block_size')::bigint AS est_bytes
FROM candidate AS t
JOIN pg_class AS c ON c.oid = t.relid
ORDER BY t.seq_tup_read DESC, relation
LIMIT 50
