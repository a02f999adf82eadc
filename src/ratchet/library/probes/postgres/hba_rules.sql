-- name: postgres.hba_rules
-- summary: Host-based access rules in the order they are tried, and the lines that are wrong
-- privilege: pg_hba_file_rules
-- versions: 14+
-- where: any
-- columns:
--   position int                   order of trial, 1 first; lines that are wrong stand among the others
--   line int                       line in the file
--   type text                      local, host, hostssl, ...
--   database list                  databases
--   user_name list                 roles
--   address text                   address or host name, null for local
--   netmask text                   netmask
--   method text                    scram-sha-256, reject, trust, ...
--   rejects bool                   it turns everybody away that it fits
--   error text                     why the line is wrong, null when it is right
SELECT row_number() OVER (ORDER BY coalesce((to_jsonb(h) ->> 'rule_number')::int, h.line_number),
                                   h.line_number)::int AS position,
       h.line_number AS line,
       h.type,
       coalesce(h.database, ARRAY[]::text[]) AS database,
       coalesce(h.user_name, ARRAY[]::text[]) AS user_name,
       h.address,
       h.netmask,
       h.auth_method AS method,
       coalesce(h.auth_method = 'reject', false) AS rejects,
       h.error
FROM pg_hba_file_rules AS h
ORDER BY position
LIMIT 200
