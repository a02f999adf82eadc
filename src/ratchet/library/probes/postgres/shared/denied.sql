-- Statements refused for want of a right (`asked`), each against the rights of now: `answer`.
sorted AS MATERIALIZED (
    SELECT a.position, a.at, a.role, a.statement,
           CASE WHEN a.said ~ '^permission denied for (table|view|materialized view|foreign table) ' THEN 'table'
                WHEN a.said ~ '^permission denied for sequence ' THEN 'sequence'
                WHEN a.said ~ '^permission denied for schema ' THEN 'schema'
                WHEN a.said ~ '^permission denied for (function|procedure) ' THEN 'function'
                WHEN a.said ~ '^new row violates row-level security policy ' THEN 'policy'
                WHEN a.said ~ '^must be owner of ' THEN 'owner' END AS kind,
           coalesce(substring(a.said FROM '^permission denied for (?:materialized |foreign )?[a-z]+ (.*)$'),
                    substring(a.said FROM '^new row violates row-level security policy .*for table "(.*)"$'),
                    substring(a.said FROM '^must be owner of [a-z ]+ ([^ ]+)$')) AS name
    FROM asked AS a
    -- what this diagnosis itself may not see is told where it is missing, and is nobody's trouble
    WHERE a.role IS DISTINCT FROM current_user
), counted AS MATERIALIZED (
    SELECT s.kind, s.name, s.role, count(*)::int AS times, max(s.at) AS at, min(s.at) AS since,
           (array_agg(s.statement ORDER BY s.position DESC))[1] AS statement
    FROM sorted AS s
    WHERE s.kind IS NOT NULL
    GROUP BY s.kind, s.name, s.role
    ORDER BY times DESC
    LIMIT 40
), placed AS MATERIALIZED (
    SELECT c.kind, c.name, c.role, c.times, c.at, c.since, c.statement, r.oid AS role_id,
           CASE WHEN c.kind = 'schema'
                THEN (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = c.name) END AS schema_id,
           (SELECT min(o.oid::bigint)::oid FROM pg_class AS o JOIN pg_namespace AS n ON n.oid = o.relnamespace
            WHERE o.relname = c.name AND n.nspname NOT IN ('pg_catalog', 'information_schema')
              AND CASE c.kind WHEN 'sequence' THEN o.relkind = 'S'
                              WHEN 'table' THEN o.relkind IN ('r', 'p', 'v', 'm', 'f')
                              WHEN 'policy' THEN o.relkind IN ('r', 'p')
                              WHEN 'owner' THEN o.relkind IN ('r', 'p', 'v', 'm') ELSE false END
            HAVING count(*) = 1) AS rel_id,
           lower(substring(c.statement FROM '^[[:space:]]*([A-Za-z]+)')) AS verb,
           reverse(split_part(reverse(replace(coalesce(
               substring(c.statement FROM '(?i)^[[:space:]]*insert[[:space:]]+into[[:space:]]+([^[:space:](]+)'),
               substring(c.statement FROM '(?i)^[[:space:]]*update[[:space:]]+(?:only[[:space:]]+)?([^[:space:]]+)'),
               substring(c.statement
                         FROM '(?i)^[[:space:]]*delete[[:space:]]+from[[:space:]]+(?:only )?([^[:space:]]+)')),
               '"', '')), '.', 1)) AS aimed
    FROM counted AS c
    LEFT JOIN pg_roles AS r ON r.rolname = c.role
), wanted AS MATERIALIZED (
    SELECT p.kind, p.name, p.role, p.times, p.at, p.since, p.statement, p.role_id, p.schema_id, p.rel_id,
           CASE WHEN p.kind = 'schema' THEN ARRAY['USAGE']
                WHEN p.kind = 'sequence' AND p.statement ~* 'setval' THEN NULL
                WHEN p.kind = 'sequence' THEN ARRAY['USAGE']
                WHEN p.kind <> 'table' THEN NULL
                WHEN p.statement ~* '[^a-z_]for[[:space:]]+(no[[:space:]]+key[[:space:]]+)?(update|share|key)' THEN NULL
                WHEN p.verb = 'select' AND p.statement !~* '[^a-z_]into[^a-z_]' THEN ARRAY['SELECT']
                WHEN p.verb IN ('insert', 'update', 'delete') AND p.aimed IS DISTINCT FROM p.name THEN ARRAY['SELECT']
                WHEN p.verb = 'insert' AND p.statement !~* '[^a-z_](returning|conflict)([^a-z_]|$)' THEN ARRAY['INSERT']
                WHEN p.verb = 'update' AND p.statement !~* '[^a-z_](where|from|returning)([^a-z_]|$)' 
                THEN ARRAY['UPDATE']
                WHEN p.verb = 'delete' AND p.statement !~* '[^a-z_](where|using|returning)([^a-z_]|$)' 
                THEN ARRAY['DELETE']
                WHEN p.verb IN ('insert', 'update', 'delete') THEN ARRAY['SELECT', upper(p.verb)] END AS needs
    FROM placed AS p
), missing AS MATERIALIZED (
    SELECT w.kind, w.name, w.role, w.times, w.at, w.since, w.statement, w.role_id, w.needs,
           coalesce(w.schema_id, o.relnamespace) AS schema_id, w.rel_id, o.relowner, o.relacl, o.relrowsecurity,
           CASE WHEN w.role_id IS NULL OR coalesce(w.rel_id, w.schema_id) IS NULL THEN NULL
                ELSE (SELECT array_agg(n.need ORDER BY n.need) FROM unnest(w.needs) AS n(need)
                      WHERE NOT CASE w.kind WHEN 'schema' THEN has_schema_privilege(w.role_id, w.schema_id, n.need)
                                            WHEN 'sequence' THEN has_sequence_privilege(w.role_id, w.rel_id, n.need)
                                            ELSE has_table_privilege(w.role_id, w.rel_id, n.need) END) END AS lacks
    FROM wanted AS w
    LEFT JOIN pg_class AS o ON o.oid = w.rel_id
), answer AS (
    SELECT m.kind, m.name, n.nspname::text AS schema,
           CASE WHEN m.rel_id IS NOT NULL
                THEN quote_ident(n.nspname::text) || '.' || quote_ident(m.name) END AS relation,
           pg_get_userbyid(coalesce(m.relowner, n.nspowner))::text AS owner,
           m.role, m.times, extract(epoch FROM clock_timestamp() - m.at)::float8 AS last_s,
           m.times >= 2 AND clock_timestamp() - m.at
             <= greatest(interval '3 seconds', 3 * (m.at - m.since) / greatest(1, m.times - 1)) AS ongoing,
           CASE WHEN m.role_id IS NULL OR m.needs IS NULL OR coalesce(m.rel_id, m.schema_id) IS NULL THEN NULL
                ELSE m.lacks IS NOT NULL END AS still,
           m.lacks,
           CASE WHEN m.kind = 'schema' THEN n.nspacl IS NOT NULL ELSE m.relacl IS NOT NULL END AS touched,
           (SELECT count(*)::int FROM pg_class AS b
            WHERE b.relnamespace = m.schema_id AND b.relkind IN ('r', 'p', 'v', 'm') AND b.oid IS DISTINCT FROM m.rel_id
              AND (m.relowner IS NULL OR b.relowner = m.relowner)
              AND EXISTS (SELECT 1 FROM aclexplode(b.relacl) AS g WHERE g.grantee = m.role_id
                          AND (m.kind <> 'table' OR g.privilege_type = ANY (m.lacks)))) AS beside,
           EXISTS (SELECT 1 FROM pg_attribute AS t CROSS JOIN LATERAL aclexplode(t.attacl) AS g
                   WHERE t.attrelid = m.rel_id AND t.attacl IS NOT NULL AND g.grantee = m.role_id) AS column_rights,
           (SELECT coalesce(string_agg(DISTINCT pg_get_userbyid(g.grantee)::text, ', '), '')
            FROM aclexplode(CASE WHEN m.kind = 'schema' THEN n.nspacl ELSE m.relacl END) AS g
            JOIN pg_roles AS e ON e.oid = g.grantee
            WHERE g.grantee NOT IN (coalesce(m.relowner, 0::oid), n.nspowner)
              AND left(e.rolname::text, 3) <> 'pg_' AND g.privilege_type = ANY (m.lacks)) AS held_by,
           EXISTS (SELECT 1 FROM pg_class AS b WHERE b.relnamespace = m.schema_id AND b.relkind IN ('r', 'p')
                   AND b.relowner = m.role_id AND b.oid IS DISTINCT FROM m.rel_id) AS owns_beside,
           coalesce(m.relrowsecurity, false) AS row_security,
           left(m.statement, 200) AS statement, NULL::text AS reason, m.role_id, m.statement AS whole
    FROM missing AS m
    LEFT JOIN pg_namespace AS n ON n.oid = m.schema_id
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           u.reason, NULL, NULL
    FROM unread AS u
)
