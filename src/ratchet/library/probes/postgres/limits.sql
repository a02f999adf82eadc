-- name: postgres.limits
-- summary: Connection limits of databases and roles against their use
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   kind text                      database or role
--   name text                      its name
--   limit int                      connections allowed, null without a limit
--   used int                       client sessions now
--   ratio float                    used divided by limit, null without a limit; 1 for a limit of 0
--   reached bool                   no further session may be opened
--   can_login bool                 the database accepts connections, the role may log in
--   superuser bool                 a role the limit does not bind; false for a database
WITH subject AS (
    SELECT 'database' AS kind, d.datname::text AS name,
           CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END AS bound,
           (SELECT count(*)::int FROM pg_stat_activity AS a
            WHERE a.datid = d.oid AND a.backend_type = 'client backend') AS used,
           d.datallowconn AS can_login, false AS superuser
    FROM pg_database AS d
    UNION ALL
    SELECT 'role', r.rolname::text, CASE WHEN r.rolconnlimit >= 0 THEN r.rolconnlimit END,
           (SELECT count(*)::int FROM pg_stat_activity AS a
            WHERE a.usesysid = r.oid AND a.backend_type = 'client backend'),
           r.rolcanlogin, r.rolsuper
    FROM pg_roles AS r
    WHERE left(r.rolname::text, 3) <> 'pg_'
)
SELECT s.kind,
       s.name,
       s.bound AS "limit",
       s.used,
       CASE WHEN s.bound = 0 THEN 1 ELSE s.used::float8 / s.bound END::float8 AS ratio,
       coalesce(s.used >= s.bound, false) AS reached,
       s.can_login,
       s.superuser
FROM subject AS s
ORDER BY reached DESC, ratio DESC NULLS LAST, s.used DESC, s.kind, s.name
LIMIT 200
