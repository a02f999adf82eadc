-- name: postgres.role_spills
-- summary: A work_mem below 4 MB that a role or ALTER SYSTEM was given, and whether its sessions spill to disk now
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   scope text                     role, role in database, server
--   role text                      role, null for the server
--   db text                        database, null for every one
--   value text                     the work_mem as it was given
--   value_kb float                 the same in kB
--   limit_kb float                 temp_file_limit of the role or server, in kB, -1 for none
--   sessions int                   sessions that have it by this setting
--   spilling int                   of them, those that write or read temporary files at this moment
WITH limits AS (
    SELECT s.setrole AS role_id, s.setdatabase AS db_id, split_part(item, '=', 1) AS name,
           substr(item, strpos(item, '=') + 1) AS value
    FROM pg_db_role_setting AS s CROSS JOIN LATERAL unnest(s.setconfig) AS item
    WHERE split_part(item, '=', 1) IN ('work_mem', 'temp_file_limit') AND s.setrole <> 0
    UNION ALL
    SELECT 0, 0, f.name, f.setting || coalesce(f.unit, '')
    FROM pg_settings AS f
    WHERE f.name IN ('work_mem', 'temp_file_limit')
      AND (f.name = 'temp_file_limit' OR f.sourcefile LIKE '%%/postgresql.auto.conf')
), sized AS (
    SELECT l.role_id, l.db_id, l.name, l.value,
           substring(l.value FROM '^-?[0-9]+')::float8
             * CASE lower(btrim(substring(l.value FROM '^-?[0-9]+ *([a-zA-Z]*)')))
               WHEN 'b' THEN 1 / 1024.0 WHEN 'mb' THEN 1024 WHEN 'gb' THEN 1048576 WHEN 'tb' THEN 1073741824
               ELSE 1 END::float8 AS kb
    FROM limits AS l
), writers AS MATERIALIZED (
    SELECT a.usesysid AS role_id, a.datid AS db_id,
           a.wait_event IN ('BufFileRead', 'BufFileWrite')
             OR a.pid IN (SELECT substring(f.name FROM '^pgsql_tmp([0-9]+)')::int FROM pg_ls_tmpdir() AS f) AS spilling
    FROM pg_stat_activity AS a
    WHERE a.backend_type IN ('client backend', 'parallel worker')
)
SELECT CASE WHEN m.role_id = 0 THEN 'server' WHEN m.db_id = 0 THEN 'role' ELSE 'role in database' END AS scope,
       r.rolname::text AS role,
       d.datname::text AS db,
       m.value,
       m.kb AS value_kb,
       (SELECT t.kb FROM sized AS t WHERE t.name = 'temp_file_limit' AND t.role_id IN (0, m.role_id)
        AND t.db_id IN (0, m.db_id) ORDER BY t.role_id <> 0 DESC, t.db_id <> 0 DESC LIMIT 1) AS limit_kb,
       w.sessions,
       w.spilling
FROM sized AS m
LEFT JOIN pg_roles AS r ON r.oid = m.role_id
LEFT JOIN pg_database AS d ON d.oid = m.db_id
CROSS JOIN LATERAL (
    SELECT count(*)::int AS sessions, (count(*) FILTER (WHERE x.spilling))::int AS spilling
    FROM writers AS x
    WHERE m.role_id IN (0, x.role_id) AND m.db_id IN (0, x.db_id)
      -- what a role or database was given itself comes before what lies beneath it
      AND NOT EXISTS (SELECT 1 FROM sized AS o WHERE o.name = 'work_mem' AND o.role_id = x.role_id
                      AND o.db_id IN (0, x.db_id)
                      AND (m.role_id = 0 OR (m.db_id = 0 AND o.db_id <> 0)))
) AS w
WHERE m.name = 'work_mem' AND m.kb < 4096
ORDER BY w.spilling DESC, m.role_id <> 0 DESC, role, db
LIMIT 50
