-- name: postgres.login_failures
-- summary: Logins refused in the last 128 KB of the server's log, by reason, each against what the catalog says now
-- privilege: pg_monitor, pg_read_file, pg_hba_file_rules
-- versions: 14+
-- where: any
-- columns:
--   kind text                      why: nologin, expired, wrong_password, unfit_secret, hba_reject, ...; null when unread
--   role text                      role as the log names it, null when it does not
--   db text                        database as the log names it, null when it does not
--   times int                      refusals of this kind in the last five minutes
--   last_s float                   seconds since the latest of them
--   ongoing bool                   they still come, at the pace at which they came
--   still bool                     the catalog says now what the refusal says; null where no catalog could
--   is_group bool                  other roles belong to it
--   superuser bool                 the role is a superuser
--   rule_line int                  the one line of the server's main pg_hba.conf that rejects this role alone, else null
--   valid_until timestamp          end of the role's password, null without one
--   connection_limit int           limit of that role or database, null without one
--   detail text                    what the server added for its administrators, 200 characters
--   reason text                    why nothing could be read, null when something was
WITH
-- include: log_lines
, told AS MATERIALIZED (
    SELECT r.position, r.at, r.said,
           (SELECT left(substring(d.line FROM 'DETAIL:  (.*)$'), 200) FROM split AS d
            WHERE d.position = r.position + 1 AND strpos(d.line, 'DETAIL:  ') > 0) AS detail
    FROM met AS r
    WHERE r.level = 'FATAL' AND r.at > clock_timestamp() - interval '5 minutes'
), sorted AS MATERIALIZED (
    SELECT t.at, t.detail,
           CASE WHEN t.said ~ '^role ".*" is not permitted to log in$' THEN 'nologin'
                WHEN t.said ~ '^role ".*" does not exist$' OR t.detail ~ '^Role ".*" does not exist' THEN 'role_missing'
                WHEN t.said ~ 'authentication failed for user ".*"$' AND t.detail ~ 'has an expired password'
                THEN 'expired'
                WHEN t.detail ~ '^User ".*" has no password assigned' THEN 'no_password'
                WHEN t.detail ~ 'does not have a valid SCRAM secret|cannot be used with MD5|in unrecognized format'
                THEN 'unfit_secret'
                WHEN t.said ~ '^password authentication failed for user ".*"$' THEN 'wrong_password'
                WHEN t.said ~ ' authentication failed for user ".*"$' THEN 'other_method'
                WHEN t.said ~ '^pg_hba.conf rejects connection for ' THEN 'hba_reject'
                WHEN t.said ~ '^no pg_hba.conf entry for ' THEN 'hba_none'
                WHEN t.said ~ '^permission denied for database ".*"$' THEN 'no_connect'
                WHEN t.said ~ '^database ".*" is not currently accepting connections$' THEN 'closed'
                WHEN t.said ~ '^database ".*" does not exist$' THEN 'database_missing'
                WHEN t.said ~ '^too many connections for role ".*"$' THEN 'role_limit'
                WHEN t.said ~ '^too many connections for database ".*"$' THEN 'database_limit' END AS kind,
           substring(t.said FROM '(?:^role|user|for role) "([^"]*)"') AS role,
           substring(t.said FROM 'database "([^"]*)"') AS db
    FROM told AS t
), counted AS (
    SELECT s.kind, s.role, s.db, count(*)::int AS times, max(s.at) AS at, min(s.at) AS since,
           (array_agg(s.detail ORDER BY s.at DESC))[1] AS detail
    FROM sorted AS s
    WHERE s.kind IS NOT NULL
    GROUP BY s.kind, s.role, s.db
), judged AS (
    SELECT c.kind, c.role, c.db, c.times, extract(epoch FROM clock_timestamp() - c.at)::float8 AS last_s,
           c.times >= 2 AND clock_timestamp() - c.at
             <= greatest(interval '3 seconds', 3 * (c.at - c.since) / greatest(1, c.times - 1)) AS ongoing, c.detail,
           CASE c.kind
                WHEN 'nologin' THEN coalesce(NOT r.rolcanlogin, false)
                WHEN 'expired' THEN coalesce(r.rolvaliduntil < clock_timestamp(), false)
                WHEN 'role_missing' THEN r.oid IS NULL
                WHEN 'other_method' THEN r.oid IS NOT NULL
                WHEN 'wrong_password'
                THEN coalesce(r.rolcanlogin AND NOT coalesce(r.rolvaliduntil < clock_timestamp(), false), false)
                WHEN 'no_password' THEN coalesce(r.rolcanlogin, false)
                WHEN 'unfit_secret' THEN coalesce(r.rolcanlogin, false)
                WHEN 'hba_reject' THEN EXISTS (SELECT 1 FROM pg_hba_file_rules AS h WHERE h.auth_method = 'reject'
                                               AND h.user_name && ARRAY[c.role, 'all'])
                WHEN 'hba_none' THEN EXISTS (SELECT 1 FROM pg_hba_file_rules AS h WHERE h.error IS NULL)
                WHEN 'database_missing' THEN d.oid IS NULL
                WHEN 'closed' THEN coalesce(NOT d.datallowconn, false)
                WHEN 'no_connect' THEN coalesce(NOT has_database_privilege('public', d.oid, 'CONNECT'), false)
                WHEN 'role_limit' THEN coalesce(r.rolconnlimit >= 0, false)
                WHEN 'database_limit' THEN coalesce(d.datconnlimit >= 0, false) END AS still,
           EXISTS (SELECT 1 FROM pg_auth_members AS g JOIN pg_roles AS e ON e.oid = g.member
                   WHERE g.roleid = r.oid AND e.rolcanlogin AND NOT e.rolcreaterole
                     AND NOT pg_has_role(e.oid, 'pg_monitor', 'MEMBER')) AS is_group,
           coalesce(r.rolsuper, false) AS superuser,
           -- 16 and later tell of included files too, whose lines are counted apart
           CASE WHEN c.kind = 'hba_reject'
                THEN (SELECT min(h.line_number) FROM pg_hba_file_rules AS h
                      WHERE h.auth_method = 'reject' AND h.user_name = ARRAY[c.role] AND h.database && ARRAY[c.db, 'all']
                        AND (to_jsonb(h) ->> 'file_name' IS NULL
                             OR to_jsonb(h) ->> 'file_name' = (SELECT s.setting FROM pg_settings AS s
                                                               WHERE s.name = 'hba_file'))
                      HAVING count(*) = 1) END AS rule_line,
           CASE WHEN isfinite(r.rolvaliduntil)
                THEN to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
                END AS valid_until,
           CASE c.kind WHEN 'role_limit' THEN r.rolconnlimit WHEN 'database_limit' THEN d.datconnlimit
                END AS connection_limit
    FROM counted AS c
    LEFT JOIN pg_roles AS r ON r.rolname = c.role
    LEFT JOIN pg_database AS d ON d.datname = c.db
    -- a replica that is refused is told from its own side
    WHERE NOT coalesce(r.rolreplication AND NOT r.rolsuper, false)
), answer AS (
    SELECT j.kind, j.role, j.db, j.times, j.last_s, j.ongoing, j.still, j.is_group, j.superuser, j.rule_line,
           j.valid_until, j.connection_limit, j.detail, NULL::text AS reason
    FROM judged AS j
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, u.reason
    FROM unread AS u
)
SELECT a.kind, a.role, a.db, a.times, a.last_s, a.ongoing, a.still, a.is_group, a.superuser, a.rule_line,
       a.valid_until, a.connection_limit, a.detail, a.reason
FROM answer AS a
ORDER BY a.times DESC NULLS LAST, a.kind, a.role, a.db
LIMIT 50
