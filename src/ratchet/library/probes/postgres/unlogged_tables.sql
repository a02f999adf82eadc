-- name: postgres.unlogged_tables
-- summary: Tables that a crash empties
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   relation text                  table, with its schema
--   kind text                      table or partition
--   est_rows int                   rows at the last vacuum or analyze, -1 when never
--   est_bytes int                  size at the last vacuum or analyze
--   owner text                     its owner
--   bytes int                      size now
--   emptied bool                   it had rows when they were last counted and has not a byte now: a crash emptied it
--   crashed_s float                seconds since the server recovered from a crash while it ran; null when it did not
--   schema text                    its schema
SELECT quote_ident(n.nspname::text) || '.' || quote_ident(c.relname::text) AS relation,
       CASE WHEN c.relispartition THEN 'partition' ELSE 'table' END AS kind,
       c.reltuples::bigint AS est_rows,
       greatest(c.relpages, 0) * current_setting('block_size')::bigint AS est_bytes,
       pg_get_userbyid(c.relowner)::text AS owner,
       pg_relation_size(c.oid) AS bytes,
       c.reltuples > 0 AND pg_relation_size(c.oid) = 0 AS emptied,
       (SELECT extract(epoch FROM clock_timestamp() - max(a.backend_start))::float8
        FROM pg_stat_activity AS a
        WHERE a.backend_type = 'checkpointer'
          AND a.backend_start > pg_postmaster_start_time() + interval '3 seconds') AS crashed_s,
       n.nspname::text AS schema
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relpersistence = 'u' AND c.relkind = 'r'
ORDER BY c.relpages DESC, c.oid
LIMIT 100
