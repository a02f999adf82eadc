-- name: postgres.table_bloat
-- summary: Tables of this database with the most dead rows, and why they are not cleaned
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- args: min_dead int = 0
-- columns:
--   relation text                  table, with its schema
--   schema text                    its schema alone, unquoted, as a step's argument
--   table text                     its name alone, unquoted, as a step's argument
--   live int                       rows alive, estimated
--   dead int                       rows dead, estimated
--   dead_ratio float               dead rows as a part of all rows, 0 to 1
--   threshold int                  dead rows at which autovacuum would come
--   over_threshold bool            dead rows exceed it
--   autovacuum_enabled bool        the table's own switch; true when it has none
--   reloptions list                the table's own settings
--   own_threshold bool             it has a threshold or scale factor of its own
--   n_mod_since_analyze int        rows changed since the last analyze
--   last_vacuum timestamp          by a person
--   last_autovacuum timestamp      by autovacuum
--   autovacuum_count int           times autovacuum came since the statistics were reset
--   vacuumed_s float               seconds since the latest of both, null when never
--   cleaned_in_vain bool           vacuumed while something older than that vacuum kept its rows, and above its threshold still
--   fillfactor int                 part of each page that inserts may fill, 10 to 100
--   est_bytes int                  size at the last vacuum or analyze, without indexes
--   vacuum_running bool            a vacuum of it runs now
WITH kept AS (
    -- since when something old has kept rows; what has no time of its own counts once it is far behind
    SELECT min(x.since) AS since
    FROM (SELECT a.xact_start AS since
          FROM pg_stat_activity AS a
          WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) AND a.pid <> pg_backend_pid()
            AND a.backend_type IN ('client backend', 'background worker') AND a.datname = current_database()
            AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_vacuum AS v WHERE v.pid = a.pid)
          UNION ALL
          SELECT p.prepared FROM pg_prepared_xacts AS p WHERE p.database = current_database()
          UNION ALL
          SELECT '-infinity'::timestamptz FROM pg_replication_slots AS s
          WHERE age(s.xmin) >= 100
          UNION ALL
          SELECT '-infinity'::timestamptz FROM pg_stat_replication AS r WHERE age(r.backend_xmin) >= 100) AS x
), candidate AS (
    SELECT t.relid, t.schemaname, t.relname, t.n_live_tup, t.n_dead_tup, t.n_mod_since_analyze,
           t.last_vacuum, t.last_autovacuum, t.autovacuum_count
    FROM pg_stat_user_tables AS t
    WHERE t.n_dead_tup >= %(min_dead)s::bigint
    ORDER BY t.n_dead_tup DESC, t.relid
    LIMIT 50
)
SELECT quote_ident(t.schemaname::text) || '.' || quote_ident(t.relname::text) AS relation,
       t.schemaname::text AS schema,
       t.relname::text AS "table",
       t.n_live_tup AS live,
       t.n_dead_tup AS dead,
       coalesce(t.n_dead_tup::float8 / nullif(t.n_live_tup + t.n_dead_tup, 0), 0)::float8 AS dead_ratio,
       o.threshold,
       t.n_dead_tup > o.threshold AS over_threshold,
       o.enabled AS autovacuum_enabled,
       coalesce(c.reloptions, ARRAY[]::text[]) AS reloptions,
       o.own_threshold,
       t.n_mod_since_analyze,
       to_char(t.last_vacuum AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS last_vacuum,
       to_char(t.last_autovacuum AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS last_autovacuum,
       t.autovacuum_count,
       extract(epoch FROM clock_timestamp() - greatest(t.last_vacuum, t.last_autovacuum))::float8 AS vacuumed_s,
       coalesce(t.n_dead_tup > o.threshold
                AND greatest(t.last_vacuum, t.last_autovacuum) > (SELECT k.since FROM kept AS k), false)
           AS cleaned_in_vain,
       o.fillfactor,
       greatest(c.relpages, 0) * current_setting('block_size')::bigint AS est_bytes,
       EXISTS (SELECT 1 FROM pg_stat_progress_vacuum AS v
               WHERE v.relid = t.relid AND v.datname = current_database()) AS vacuum_running
FROM candidate AS t
JOIN pg_class AS c ON c.oid = t.relid
CROSS JOIN LATERAL (
    SELECT coalesce(max(x.option_value) FILTER (WHERE x.option_name = 'autovacuum_enabled'), 'true')::bool AS enabled,
           coalesce((max(x.option_value) FILTER (WHERE x.option_name = 'fillfactor'))::int, 100) AS fillfactor,
           count(*) FILTER (WHERE x.option_name IN ('autovacuum_vacuum_threshold',
                                                    'autovacuum_vacuum_scale_factor')) > 0 AS own_threshold,
           (coalesce(max(x.option_value) FILTER (WHERE x.option_name = 'autovacuum_vacuum_threshold'),
                     current_setting('autovacuum_vacuum_threshold'))::float8
            + coalesce(max(x.option_value) FILTER (WHERE x.option_name = 'autovacuum_vacuum_scale_factor'),
                       current_setting('autovacuum_vacuum_scale_factor'))::float8
              * greatest(c.reltuples, 0)::float8)::bigint AS threshold
    FROM pg_options_to_table(c.reloptions) AS x
) AS o
ORDER BY t.n_dead_tup DESC, relation
LIMIT 50
