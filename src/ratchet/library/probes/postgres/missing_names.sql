-- name: postgres.missing_names
-- summary: Tables, columns and functions not found, of the last 128 KB of the server's log, against what is there
-- privilege: pg_monitor, pg_read_file
-- versions: 14+
-- where: any
-- columns:
--   kind text                      relation, column, type (of a column), function, schema; null when unread
--   name text                      as the log names it
--   role text                      who asked, null when the log does not tell
--   times int                      such errors of the last five minutes
--   last_s float                   seconds since the latest of them
--   ongoing bool                   they still come, at the pace at which they came
--   still bool                     it is still so; null when it cannot be told
--   there text                     where something of that name is, with its schema; empty when nowhere
--   in_schema text                 its schema, null when there is none or several
--   may_use bool                   the role may use that schema, null without one
--   path text                      the role's search_path here
--   path_of text                   where that comes from: role, database, role in database, server
--   in_path bool                   that schema is in the path, null without one
--   path_used bool                 the path leads to other tables that the role may use; any, if the database set it
--   db text                        this database
--   relation text                  for a column or a type: the one table of the statement that it is about
--   schema text                    schema of that table
--   columns text                   the columns of that table, 200 characters
--   statement text                 one such statement, 200 characters
--   reason text                    why nothing could be read, null when something was
WITH
-- include: log_lines
, fresh AS MATERIALIZED (
    SELECT m.position, m.at, m.said, m.prefix
    FROM met AS m
    WHERE m.level = 'ERROR' AND m.at > clock_timestamp() - interval '5 minutes'
      AND m.said ~ ' does not exist| but expression is of type '
    ORDER BY m.position DESC
    LIMIT 40
),
-- include: log_asked
, sorted AS MATERIALIZED (
    SELECT a.position, a.at, a.role, a.statement,
           CASE WHEN a.said ~ '^relation ".*" does not exist$' THEN 'relation'
                WHEN a.said ~ '^column .* does not exist$' THEN 'column'
                WHEN a.said ~ '^column ".*" is of type .* but expression is of type ' THEN 'type'
                WHEN a.said ~ '^function .*[(].*[)] does not exist$' THEN 'function'
                WHEN a.said ~ '^schema ".*" does not exist$' THEN 'schema' END AS kind,
           replace(coalesce(substring(a.said FROM '^(?:relation|schema) "(.*)" does not exist$'),
                            substring(a.said FROM '^column "?(.*?)"?(?: of relation ".*")? does not exist$'),
                            substring(a.said FROM '^column "(.*)" is of type '),
                            substring(a.said FROM '^function (.*?)[(]')), '"', '') AS name,
           substring(a.said FROM ' of relation "(.*)" does not exist$') AS owner_table
    FROM asked AS a
), counted AS MATERIALIZED (
    SELECT s.kind, s.name, s.role, s.owner_table, count(*)::int AS times, max(s.at) AS at, min(s.at) AS since,
           (array_agg(s.statement ORDER BY s.position DESC))[1] AS statement
    FROM sorted AS s
    WHERE s.kind IS NOT NULL
    GROUP BY s.kind, s.name, s.role, s.owner_table
    ORDER BY times DESC
    LIMIT 40
), given AS MATERIALIZED (
    SELECT c.kind, c.name, c.role, c.owner_table, c.times, c.at, c.since, c.statement, r.oid AS role_id,
           split_part(c.name, '.', greatest(1, length(c.name) - length(replace(c.name, '.', '')) + 1)) AS bare,
           strpos(c.name, '.') > 0 AS qualified, g.path, g.path_of
    FROM counted AS c
    LEFT JOIN pg_roles AS r ON r.rolname = c.role
    LEFT JOIN LATERAL (
        SELECT x.path, x.path_of
        FROM (SELECT substr(item, strpos(item, '=') + 1) AS path,
                     CASE WHEN s.setrole = 0 THEN 'database' WHEN s.setdatabase = 0 THEN 'role'
                          ELSE 'role in database' END AS path_of,
                     CASE WHEN s.setrole = 0 THEN 3 WHEN s.setdatabase = 0 THEN 2 ELSE 1 END AS rank
              FROM pg_db_role_setting AS s CROSS JOIN LATERAL unnest(s.setconfig) AS item
              WHERE split_part(item, '=', 1) = 'search_path' AND s.setrole IN (0, r.oid)
                AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
              UNION ALL
              SELECT f.reset_val, 'server', 9 FROM pg_settings AS f WHERE f.name = 'search_path') AS x
        WHERE r.oid IS NOT NULL
        ORDER BY x.rank
        LIMIT 1) AS g ON true
), named AS MATERIALIZED (
    SELECT v.kind, v.name, v.role, v.role_id, v.times, v.at, v.since, v.statement, v.path, v.path_of, v.bare,
           v.qualified, v.owner_table, h.there, h.schema_id,
           CASE WHEN v.kind IN ('column', 'type') THEN t.rel_id END AS rel_id
    FROM given AS v
    LEFT JOIN LATERAL (
        SELECT coalesce(string_agg(f.place, ', ' ORDER BY f.place), '') AS there,
               CASE WHEN count(DISTINCT f.nsp) = 1 THEN min(f.nsp::bigint)::oid END AS schema_id
        FROM (SELECT quote_ident(n.nspname::text) || '.' || quote_ident(c.relname::text) AS place, n.oid AS nsp
              FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
              WHERE v.kind = 'relation' AND c.relname = v.bare AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
                AND left(n.nspname::text, 3) <> 'pg_'
              UNION
              SELECT quote_ident(n.nspname::text) || '.' || quote_ident(p.proname::text), n.oid
              FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
              WHERE v.kind = 'function' AND p.proname = v.bare
              LIMIT 10) AS f) AS h ON true
    LEFT JOIN LATERAL (
        -- The tables that the statement names and that have no such column (or, for a type, that have it).
        SELECT min(c.oid::bigint)::oid AS rel_id
        FROM (SELECT DISTINCT lower(w.word) AS word
              FROM regexp_split_to_table(v.statement, '[^A-Za-z0-9_$]+') AS w(word)) AS u
        JOIN pg_class AS c ON c.relname = u.word AND c.relkind IN ('r', 'p', 'v', 'm')
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
                              AND left(n.nspname::text, 3) <> 'pg_' AND n.nspname <> 'information_schema'
        WHERE v.kind IN ('column', 'type') AND (v.owner_table IS NULL OR c.relname = v.owner_table)
          AND (v.kind = 'type') = EXISTS (SELECT 1 FROM pg_attribute AS t
                                          WHERE t.attrelid = c.oid AND t.attname = v.bare
                                          AND t.attnum > 0 AND NOT t.attisdropped)
        HAVING count(*) = 1) AS t ON true
), answer AS (
    SELECT d.kind, d.name, d.role, d.times, extract(epoch FROM clock_timestamp() - d.at)::float8 AS last_s,
           d.times >= 2 AND clock_timestamp() - d.at
             <= greatest(interval '3 seconds', 3 * (d.at - d.since) / greatest(1, d.times - 1)) AS ongoing,
           CASE WHEN d.kind = 'relation' AND d.qualified
                THEN to_regclass(quote_ident(split_part(d.name, '.', 1)) || '.' || quote_ident(d.bare)) IS NULL
                WHEN d.kind IN ('column', 'type') THEN CASE WHEN d.rel_id IS NOT NULL THEN true END
                WHEN d.kind = 'schema' THEN NOT EXISTS (SELECT 1 FROM pg_namespace AS n WHERE n.nspname = d.name)
                WHEN d.there = '' THEN true
                ELSE NOT coalesce(n.nspname::text = ANY (p.parts) AND has_schema_privilege(d.role_id, n.oid, 'USAGE'),
                                  false) END AS still,
           d.there, n.nspname::text AS in_schema,
           CASE WHEN n.oid IS NOT NULL AND d.role_id IS NOT NULL
                THEN has_schema_privilege(d.role_id, n.oid, 'USAGE') END AS may_use,
           d.path, d.path_of,
           CASE WHEN n.oid IS NOT NULL AND d.path IS NOT NULL THEN n.nspname::text = ANY (p.parts) END AS in_path,
           EXISTS (SELECT 1 FROM pg_class AS t JOIN pg_namespace AS s ON s.oid = t.relnamespace
                   WHERE s.nspname::text = ANY (p.parts) AND s.nspname NOT IN ('pg_catalog', 'information_schema')
                     AND t.relkind IN ('r', 'p', 'v', 'm', 'f')
                     -- what one role may not read may serve the others of its database
                     AND (d.path_of = 'database' OR has_schema_privilege(d.role_id, s.oid, 'USAGE')
                          AND has_table_privilege(d.role_id, t.oid, 'SELECT, INSERT, UPDATE, DELETE'))) AS path_used,
           current_database()::text AS db,
           quote_ident(m.nspname::text) || '.' || quote_ident(c.relname::text) AS relation, m.nspname::text AS schema,
           (SELECT left(string_agg(t.attname::text, ', ' ORDER BY t.attnum), 200) FROM pg_attribute AS t
            WHERE t.attrelid = d.rel_id AND t.attnum > 0 AND NOT t.attisdropped) AS columns,
           left(d.statement, 200) AS statement, NULL::text AS reason
    FROM named AS d
    LEFT JOIN pg_namespace AS n ON n.oid = d.schema_id
    LEFT JOIN pg_class AS c ON c.oid = d.rel_id
    LEFT JOIN pg_namespace AS m ON m.oid = c.relnamespace
    LEFT JOIN LATERAL (SELECT array_agg(CASE WHEN btrim(e.part) = '$user' THEN d.role ELSE btrim(e.part) END) AS parts
                       FROM string_to_table(replace(d.path, '"', ''), ',') AS e(part)) AS p ON true
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           u.reason
    FROM unread AS u
)
SELECT a.kind, a.name, a.role, a.times, a.last_s, a.ongoing, a.still, a.there, a.in_schema, a.may_use, a.path,
       a.path_of, a.in_path, a.path_used, a.db, a.relation, a.schema, a.columns, a.statement, a.reason
FROM answer AS a
ORDER BY a.times DESC NULLS LAST, a.kind, a.name, a.role
LIMIT 40
