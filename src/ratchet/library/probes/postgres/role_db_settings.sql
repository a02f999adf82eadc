-- name: postgres.role_db_settings
-- summary: Settings given to a role, a database, or a role in a database
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   db text                        database, empty for every database
--   role text                      role, empty for every role
--   name text                      setting
--   value text                     value; secrets and unknown settings show only set or empty
--   server_value text              the value without it, where this session can tell; withheld in the same way
WITH given AS (
    SELECT coalesce(d.datname::text, '') AS db,
           coalesce(r.rolname::text, '') AS role,
           split_part(item, '=', 1) AS name,
           substr(item, strpos(item, '=') + 1) AS value
    FROM pg_db_role_setting AS s
    LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
    LEFT JOIN pg_roles AS r ON r.oid = s.setrole
    CROSS JOIN LATERAL unnest(s.setconfig) AS item
)
SELECT g.db,
       g.role,
       g.name,
       CASE WHEN g.name = 'archive_command' AND split_part(ltrim(g.value), ' ', 1) ~ '^[A-Za-z0-9_./-]+$'
            THEN split_part(ltrim(g.value), ' ', 1)
            WHEN p.short_desc IS NULL
                 OR right(g.name, 8) = '_command'
                 OR (g.name ~* '(conninfo|passphrase|passw|secret|token|credential)'
                     AND g.name <> 'password_encryption')
            THEN CASE WHEN g.value = '' THEN 'empty' WHEN g.value IS NOT NULL THEN 'set' END
            ELSE g.value END AS value,
       CASE WHEN p.source IN ('default', 'configuration file', 'command line', 'environment variable', 'override')
            THEN CASE WHEN g.name = 'archive_command' AND split_part(ltrim(p.setting), ' ', 1) ~ '^[A-Za-z0-9_./-]+$'
            THEN split_part(ltrim(p.setting), ' ', 1)
            WHEN p.short_desc IS NULL
                 OR right(g.name, 8) = '_command'
                 OR (g.name ~* '(conninfo|passphrase|passw|secret|token|credential)'
                     AND g.name <> 'password_encryption')
            THEN CASE WHEN p.setting = '' THEN 'empty' WHEN p.setting IS NOT NULL THEN 'set' END
            ELSE p.setting END END AS server_value
FROM given AS g
LEFT JOIN pg_settings AS p ON lower(p.name) = lower(g.name)
ORDER BY g.db, g.role, g.name
LIMIT 200
