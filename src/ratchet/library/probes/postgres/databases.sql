-- name: postgres.databases
-- summary: Databases with their age and limits; sizes only on request, as they read the file system
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- args: with_size bool = false
-- columns:
--   db text                        database
--   owner text                     its owner
--   allow_connections bool         it accepts connections
--   is_template bool               it is a template
--   connection_limit int           connections allowed, null without a limit
--   xid_age int                    transactions since its oldest unfrozen row
--   used int                       sessions now
--   bytes int                      size, null unless asked for
SELECT d.datname::text AS db,
       pg_get_userbyid(d.datdba)::text AS owner,
       d.datallowconn AS allow_connections,
       d.datistemplate AS is_template,
       CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END AS connection_limit,
       age(d.datfrozenxid) AS xid_age,
       (SELECT count(*)::int FROM pg_stat_activity AS a WHERE a.datid = d.oid) AS used,
       CASE WHEN %(with_size)s::bool THEN pg_database_size(d.oid) END AS bytes
FROM pg_database AS d
ORDER BY used DESC, d.datname
LIMIT 100
