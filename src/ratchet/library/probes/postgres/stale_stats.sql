-- name: postgres.stale_stats
-- summary: Tables of this database whose planner statistics no longer fit their content
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- args: min_changed int = 0
-- columns:
--   relation text                  table, with its schema
--   schema text                    its schema alone, unquoted, as a step's argument
--   table text                     its name alone, unquoted, as a step's argument
--   live int                       rows alive, estimated by the activity counters
--   planned_rows int               rows the planner believes in, -1 when it was never analyzed
--   changed int                    rows changed since the last analyze
--   changed_ratio float            changed rows per row the planner believes in
--   threshold int                  changes at which autovacuum would analyze
--   over_threshold bool            changes exceed it
--   autovacuum_enabled bool        the table's own switch; true when it has none
--   last_analyze timestamp         by a person
--   last_autoanalyze timestamp     by autovacuum
--   analyzed_s float               seconds since the latest of both, null when never
WITH candidate AS (
    SELECT t.relid, t.schemaname, t.relname, t.n_live_tup, t.n_mod_since_analyze,
           t.last_analyze, t.last_autoanalyze
    FROM pg_stat_user_tables AS t
    WHERE t.n_mod_since_analyze >= %(min_changed)s::bigint
    ORDER BY t.n_mod_since_analyze DESC, t.relid
    LIMIT 50
)
SELECT quote_ident(t.schemaname::text) || '.' || quote_ident(t.relname::text) AS relation,
       t.schemaname::text AS schema,
       t.relname::text AS "table",
       t.n_live_tup AS live,
       c.reltuples::bigint AS planned_rows,
       t.n_mod_since_analyze AS changed,
       (t.n_mod_since_analyze / greatest(c.reltuples::float8, 1))::float8 AS changed_ratio,
       o.threshold,
       t.n_mod_since_analyze > o.threshold AS over_threshold,
       o.enabled AS autovacuum_enabled,
       to_char(t.last_analyze AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS last_analyze,
       to_char(t.last_autoanalyze AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS last_autoanalyze,
       extract(epoch FROM clock_timestamp() - greatest(t.last_analyze, t.last_autoanalyze))::float8 AS analyzed_s
FROM candidate AS t
JOIN pg_class AS c ON c.oid = t.relid
CROSS JOIN LATERAL (
    SELECT coalesce(max(x.option_value) FILTER (WHERE x.option_name = 'autovacuum_enabled'), 'true')::bool AS enabled,
           (coalesce(max(x.option_value) FILTER (WHERE x.option_name = 'autovacuum_analyze_threshold'),
                     current_setting('autovacuum_analyze_threshold'))::float8
            + coalesce(max(x.option_value) FILTER (WHERE x.option_name = 'autovacuum_analyze_scale_factor'),
                       current_setting('autovacuum_analyze_scale_factor'))::float8
              * greatest(c.reltuples, 0)::float8)::bigint AS threshold
    FROM pg_options_to_table(c.reloptions) AS x
) AS o
ORDER BY t.n_mod_since_analyze DESC, relation
LIMIT 50
