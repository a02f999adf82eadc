-- name: postgres.tablespaces
-- summary: Tablespaces; sizes only on request, as they read the file system
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- args: with_size bool = false
-- columns:
--   tablespace text                its name
--   owner text                     its owner
--   location text                  directory, empty for the two of the data directory
--   options list                   its own settings
--   bytes int                      size, null unless asked for
SELECT t.spcname::text AS tablespace,
       pg_get_userbyid(t.spcowner)::text AS owner,
       pg_tablespace_location(t.oid) AS location,
       coalesce(t.spcoptions, ARRAY[]::text[]) AS options,
       CASE WHEN %(with_size)s::bool THEN pg_tablespace_size(t.oid) END AS bytes
FROM pg_tablespace AS t
ORDER BY t.spcname
LIMIT 100
