-- name: postgres.extensions
-- summary: Extensions of this database, and whether their library is loaded with the server
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   extension text                 its name
--   version text                   version installed
--   schema text                    schema it stands in
--   preloaded bool                 named in shared_preload_libraries
SELECT e.extname::text AS extension,
       e.extversion AS version,
       n.nspname::text AS schema,
       ARRAY[e.extname::text] <@ regexp_split_to_array(current_setting('shared_preload_libraries'), '[ ,]+')
           AS preloaded
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace
ORDER BY e.extname
LIMIT 100
