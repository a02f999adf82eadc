-- name: postgres.xmin_holders
-- summary: What keeps old row versions of this database alive: sessions, slots, prepared transactions, replicas
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   kind text                      session, slot, prepared transaction or replica
--   name text                      application, slot, global name or replica
--   pid int                        process id, null when no process holds it
--   backend_start timestamp        when the session connected, to the microsecond
--   user text                      role
--   db text                        database
--   state text                     session state, or active / inactive for a slot
--   xmin_age int                   transactions held back
--   age_s float                    seconds since its transaction began or it was prepared, null when not known
--   has_writes bool                a session holding a transaction id
--   oldest bool                    it holds back the most: vacuum waits for this one first
WITH holder AS (
    -- Sessions of other databases, a vacuum at work and a slot's catalog_xmin keep no rows of these tables.
    SELECT 'session' AS kind, coalesce(nullif(a.application_name, ''), '(none)') AS name, a.pid, a.backend_start,
           a.usename::text AS usr, a.datname::text AS db, a.state,
           greatest(age(a.backend_xmin), age(a.backend_xid)) AS xmin_age, a.xact_start AS since,
           a.backend_xid IS NOT NULL AS has_writes
    FROM pg_stat_activity AS a
    WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
      AND a.backend_type <> 'walsender' AND a.pid <> pg_backend_pid()
      AND (a.datname IS NULL OR a.datname = current_database())
      AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_vacuum AS v WHERE v.pid = a.pid)
    UNION ALL
    SELECT 'slot', s.slot_name::text, s.active_pid, NULL::timestamptz, NULL, s.database::text,
           CASE WHEN s.active THEN 'active' ELSE 'inactive' END,
           age(s.xmin), NULL::timestamptz, NULL::bool
    FROM pg_replication_slots AS s
    WHERE s.xmin IS NOT NULL
    UNION ALL
    SELECT 'prepared transaction', p.gid, NULL::int, NULL::timestamptz, p.owner::text, p.database::text, NULL,
           age(p.transaction), p.prepared, true
    FROM pg_prepared_xacts AS p
    WHERE p.database = current_database()
    UNION ALL
    SELECT 'replica', r.application_name, r.pid, r.backend_start, r.usename::text, NULL, r.state,
           age(r.backend_xmin), NULL::timestamptz, NULL::bool
    FROM pg_stat_replication AS r
    WHERE r.backend_xmin IS NOT NULL
)
SELECT h.kind,
       h.name,
       h.pid,
       to_char(h.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS backend_start,
       h.usr AS "user",
       h.db,
       h.state,
       h.xmin_age,
       extract(epoch FROM clock_timestamp() - h.since)::float8 AS age_s,
       h.has_writes,
       row_number() OVER (ORDER BY h.xmin_age DESC, array_position(
           ARRAY['prepared transaction', 'slot', 'session', 'replica'], h.kind), h.since, h.pid) = 1 AS oldest
FROM holder AS h
ORDER BY h.xmin_age DESC, h.kind, h.pid
LIMIT 50
