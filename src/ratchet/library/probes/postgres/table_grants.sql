-- name: postgres.table_grants
-- summary: Who may do what with the tables of this database
-- privilege: none
-- versions: 14+
-- where: any
-- args: role text = ""
-- columns:
--   relation text                  table or view, with its schema where needed
--   owner text                     its owner
--   role text                      role, or PUBLIC for everybody
--   privileges list                SELECT, INSERT, UPDATE, DELETE, TRUNCATE, ...
--   by_default bool                nobody granted or revoked anything yet
SELECT c.oid::regclass::text AS relation,
       pg_get_userbyid(c.relowner)::text AS owner,
       CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee)::text END AS role,
       array_agg(g.privilege_type ORDER BY g.privilege_type) AS privileges,
       c.relacl IS NULL AS by_default
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS g
WHERE c.relkind IN ('r', 'p', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
  AND (%(role)s::text = '' OR pg_get_userbyid(g.grantee)::text = %(role)s::text)
GROUP BY c.oid, c.relowner, c.relacl, g.grantee
ORDER BY 1, 3
LIMIT 200
