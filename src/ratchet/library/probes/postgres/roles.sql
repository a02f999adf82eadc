-- name: postgres.roles
-- summary: Roles: who may log in, until when, and which could log in but have nobody
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   role text                      role
--   can_login bool                 it may log in
--   superuser bool                 it is a superuser
--   replication bool               it may replicate
--   valid_until timestamp          end of its password, null without one
--   expired bool                   that moment has passed
--   locked_out bool                it may replicate, cannot log in any more, and nobody is logged in as it
--   used int                       sessions now, senders included
--   members int                    roles that belong to it; a role with none and without login serves nobody
--   owns_tables int                tables of this database that it owns, up to 1000
--   suspect_nologin bool           it cannot log in, and looks like a login: nobody belongs to it
SELECT r.rolname::text AS role,
       r.rolcanlogin AS can_login,
       r.rolsuper AS superuser,
       r.rolreplication AS replication,
       CASE WHEN isfinite(r.rolvaliduntil)
            THEN to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') END AS valid_until,
       coalesce(r.rolvaliduntil < clock_timestamp(), false) AS expired,
       r.rolreplication
           AND (NOT r.rolcanlogin OR coalesce(r.rolvaliduntil < clock_timestamp(), false))
           AND NOT EXISTS (SELECT 1 FROM pg_stat_activity AS a WHERE a.usesysid = r.oid) AS locked_out,
       (SELECT count(*)::int FROM pg_stat_activity AS a WHERE a.usesysid = r.oid) AS used,
       m.members,
       (SELECT count(*)::int FROM (SELECT 1 FROM pg_class AS c
                                   WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p') LIMIT 1000) AS o)
           AS owns_tables,
       NOT r.rolcanlogin AND m.members = 0 AS suspect_nologin
FROM pg_roles AS r
CROSS JOIN LATERAL (SELECT count(*)::int AS members FROM pg_auth_members AS g WHERE g.roleid = r.oid) AS m
WHERE left(r.rolname::text, 3) <> 'pg_'
ORDER BY suspect_nologin DESC, expired DESC, r.rolname
LIMIT 200
