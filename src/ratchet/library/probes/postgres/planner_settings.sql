-- name: postgres.planner_settings
-- summary: Planner settings of the server that are not as PostgreSQL comes, with where each was set
-- privilege: none
-- versions: 14+
-- where: any
-- columns:
--   name text                      setting
--   setting text                   value; null when this session overrides it and hides the server's
--   boot_val text                  what the server would take without any configuration
--   source text                    configuration file, database, user, ...
--   by_alter_system bool           set by ALTER SYSTEM
--   against_indexes bool           so far from its default that the planner passes over indexes that fit
SELECT s.name,
       CASE s.source WHEN 'session' THEN s.reset_val WHEN 'client' THEN NULL ELSE s.setting END AS setting,
       s.boot_val,
       s.source,
       coalesce(s.sourcefile LIKE '%%/postgresql.auto.conf', false) AS by_alter_system,
       (s.name IN ('enable_indexscan', 'enable_bitmapscan', 'enable_indexonlyscan') AND s.setting = 'off')
           OR (s.name = 'random_page_cost' AND s.setting::float8 >= 20)
           OR (s.name = 'cpu_index_tuple_cost' AND s.setting::float8 >= 0.5)
           OR (s.name = 'seq_page_cost' AND s.setting::float8 <= 0.01) AS against_indexes
FROM pg_settings AS s
WHERE s.category LIKE 'Query Tuning%%'
  AND s.setting IS DISTINCT FROM s.boot_val
ORDER BY against_indexes DESC, s.name
LIMIT 100
