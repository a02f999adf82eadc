-- name: postgres.settings
-- summary: Settings that differ from the default, and where each comes from
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   name text                      setting
--   setting text                   value; a secret or command shows only set or empty; null when this session hides it
--   unit text                      unit of the value
--   source text                    configuration file, database, user, command line, environment variable, ...
--   sourcefile text                file name without its directory; postgresql.auto.conf is ALTER SYSTEM
--   pending_restart bool           the file says something else that needs a restart
--   here bool                      overridden by this very session, so the value shown is the one beneath it, or null
WITH given AS (
    SELECT s.name, s.unit, s.source, s.sourcefile, s.pending_restart, s.short_desc,
           CASE s.source WHEN 'session' THEN s.reset_val WHEN 'client' THEN NULL ELSE s.setting END AS setting
    FROM pg_settings AS s
    WHERE s.source NOT IN ('default', 'override')
)
SELECT s.name,
       CASE WHEN s.name = 'archive_command' AND split_part(ltrim(s.setting), ' ', 1) ~ '^[A-Za-z0-9_./-]+$'
            THEN split_part(ltrim(s.setting), ' ', 1)
            WHEN s.short_desc IS NULL
                 OR right(s.name, 8) = '_command'
                 OR (s.name ~* '(conninfo|passphrase|passw|secret|token|credential)'
                     AND s.name <> 'password_encryption')
            THEN CASE WHEN s.setting = '' THEN 'empty' WHEN s.setting IS NOT NULL THEN 'set' END
            ELSE s.setting END AS setting,
       s.unit,
       s.source,
       regexp_replace(s.sourcefile, '^.*/', '') AS sourcefile,
       s.pending_restart,
       s.source IN ('session', 'client') AS here
FROM given AS s
ORDER BY s.pending_restart DESC, s.name
LIMIT 200
