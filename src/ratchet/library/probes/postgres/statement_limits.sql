-- name: postgres.statement_limits
-- summary: Statements that met a read-only default, a timeout or temp_file_limit, in the log's last 128 KB, by setter
-- privilege: pg_monitor, pg_read_file, pg_file_settings
-- versions: 14+
-- where: any
-- columns:
--   kind text                      read_only, temp_file_limit, statement_timeout, lock_timeout, ...; null when unread
--   role text                      who asked, null when the log does not tell
--   times int                      such errors of the last five minutes
--   last_s float                   seconds since the latest of them
--   ongoing bool                   they still come, at the pace at which they came
--   setting text                   the setting that decides it
--   value text                     its value for this role here, null where only the server's default is left
--   value_ms float                 the value in milliseconds, null for one that is no time
--   limit_kb float                 the temp_file_limit that was met, in kB, null for another kind
--   set_for text                   role, database, role in database, server; null where nobody set it
--   set_by text                    ALTER SYSTEM or the file's name where it is set for the server
--   db text                        this database
--   still bool                     the setting explains the errors now; null when the role is not known
--   statement text                 one such statement, 200 characters
--   reason text                    why nothing could be read, null when something was
WITH
-- include: log_lines
, fresh AS MATERIALIZED (
    SELECT m.position, m.at, m.said, m.prefix
    FROM met AS m
    WHERE m.at > clock_timestamp() - interval '5 minutes'
      AND m.said ~ 'read-only transaction|^canceling statement due to |^terminating connection due to |^temporary file size '
    ORDER BY m.position DESC
    LIMIT 40
),
-- include: log_asked
, sorted AS MATERIALIZED (
    SELECT a.position, a.at, a.role, a.statement,
           substring(a.said FROM '^temporary file size exceeds temp_file_limit [(]([0-9]+)kB[)]$')::float8 AS limit_kb,
           CASE WHEN a.said ~ '^cannot execute .* in a read-only transaction$' THEN 'read_only'
                WHEN a.said = 'canceling statement due to statement timeout' THEN 'statement_timeout'
                WHEN a.said = 'canceling statement due to lock timeout' THEN 'lock_timeout'
                WHEN a.said = 'terminating connection due to idle-in-transaction timeout' THEN 'idle_in_transaction'
                WHEN a.said = 'terminating connection due to idle-session timeout' THEN 'idle_session'
                WHEN a.said = 'terminating connection due to transaction timeout' THEN 'transaction_timeout'
                WHEN a.said ~ '^temporary file size exceeds temp_file_limit ' THEN 'temp_file_limit'
                END AS kind
    FROM asked AS a
), counted AS MATERIALIZED (
    SELECT s.kind, s.role, count(*)::int AS times, max(s.at) AS at, min(s.at) AS since,
           (array_agg(s.statement ORDER BY s.position DESC))[1] AS statement,
           (array_agg(s.limit_kb ORDER BY s.position DESC))[1] AS limit_kb,
           CASE s.kind WHEN 'read_only' THEN 'default_transaction_read_only'
                       WHEN 'idle_in_transaction' THEN 'idle_in_transaction_session_timeout'
                       WHEN 'idle_session' THEN 'idle_session_timeout' ELSE s.kind END AS setting
    FROM sorted AS s
    WHERE s.kind IS NOT NULL
    GROUP BY s.kind, s.role
    ORDER BY times DESC
    LIMIT 40
), given AS MATERIALIZED (
    SELECT c.kind, c.role, r.oid AS role_id, c.times, c.at, c.since, c.statement, c.setting, c.limit_kb, g.value,
           g.set_for, g.set_by,
           substring(g.value FROM '^-?[0-9]+')::float8
             * CASE lower(btrim(substring(g.value FROM '^-?[0-9]+ *([a-zA-Z]*)')))
               WHEN 'mb' THEN 1024 WHEN 'gb' THEN 1048576 WHEN 'tb' THEN 1073741824 ELSE 1 END AS value_kb,
           substring(g.value FROM '^([0-9]+)')::float8
             * CASE lower(btrim(substring(g.value FROM '^[0-9]+ *([a-zA-Z]*)')))
               WHEN 'us' THEN 0.001 WHEN 's' THEN 1000 WHEN 'min' THEN 60000 WHEN 'h' THEN 3600000
               WHEN 'd' THEN 86400000 ELSE 1 END AS value_ms
    FROM counted AS c
    LEFT JOIN pg_roles AS r ON r.rolname = c.role
    LEFT JOIN LATERAL (
        SELECT x.value, x.set_for, x.set_by
        FROM (SELECT substr(item, strpos(item, '=') + 1) AS value, NULL::text AS set_by,
                     CASE WHEN s.setrole = 0 THEN 'database' WHEN s.setdatabase = 0 THEN 'role'
                          ELSE 'role in database' END AS set_for,
                     CASE WHEN s.setrole = 0 THEN 3 WHEN s.setdatabase = 0 THEN 2 ELSE 1 END AS rank, 0 AS place
              FROM pg_db_role_setting AS s CROSS JOIN LATERAL unnest(s.setconfig) AS item
              WHERE split_part(item, '=', 1) = c.setting AND s.setrole IN (0, r.oid)
                AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
              UNION ALL
              SELECT f.setting, CASE WHEN f.sourcefile LIKE '%%/postgresql.auto.conf' THEN 'ALTER SYSTEM'
                                     ELSE regexp_replace(f.sourcefile, '^.*/', '') END, 'server', 9, f.seqno
              FROM pg_file_settings AS f
              WHERE f.name = c.setting AND f.applied) AS x
        ORDER BY x.rank, x.place DESC
        LIMIT 1) AS g ON true
), answer AS (
    SELECT v.kind, v.role, v.times, extract(epoch FROM clock_timestamp() - v.at)::float8 AS last_s,
           v.times >= 2 AND clock_timestamp() - v.at
             <= greatest(interval '3 seconds', 3 * (v.at - v.since) / greatest(1, v.times - 1)) AS ongoing,
           v.setting, v.value,
           CASE WHEN v.kind NOT IN ('read_only', 'temp_file_limit') THEN v.value_ms END AS value_ms, v.limit_kb, v.set_for, v.set_by, current_database()::text AS db,
           CASE WHEN v.role_id IS NULL THEN NULL
                -- a session's own SET is met too; the limit that was set must be the one that was met
                WHEN v.kind = 'temp_file_limit' THEN coalesce(v.value_kb = v.limit_kb, false)
                WHEN v.kind = 'read_only' THEN coalesce(lower(v.value) IN ('on', 'true', 'yes', '1', 't', 'y'), false)
                ELSE coalesce(v.value_ms > 0, false) END AS still,
           left(v.statement, 200) AS statement, NULL::text AS reason
    FROM given AS v
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, u.reason
    FROM unread AS u
)
SELECT a.kind, a.role, a.times, a.last_s, a.ongoing, a.setting, a.value, a.value_ms, a.limit_kb, a.set_for, a.set_by, a.db,
       a.still, a.statement, a.reason
FROM answer AS a
ORDER BY a.times DESC NULLS LAST, a.kind, a.role
LIMIT 40
