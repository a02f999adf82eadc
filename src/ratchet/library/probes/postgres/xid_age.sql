-- name: postgres.xid_age
-- summary: How far databases and the oldest tables are from transaction id wraparound
-- privilege: none
-- versions: 14+
-- where: any
-- columns:
--   kind text                      database, or table (of this database)
--   name text                      database, or table with its schema
--   xid_age int                    transactions since its oldest unfrozen row
--   mxid_age int                   multixacts since its oldest
--   freeze_max_age int             age at which autovacuum comes by force
--   ratio float                    xid_age divided by freeze_max_age
--   to_wraparound float            part of the way to the stop, 0 to 1
--   mxid_ratio float               mxid_age divided by autovacuum_multixact_freeze_max_age
--   being_vacuumed bool            a vacuum is at work in its database
--   autovacuum_enabled bool        the table's own switch; null for a database
--   est_bytes int                  size at the last vacuum or analyze; null for a database
WITH ranked AS (
    SELECT c.oid, c.relfrozenxid, c.relminmxid, c.relpages, c.reloptions,
           row_number() OVER (ORDER BY age(c.relfrozenxid) DESC, c.oid) AS place,
           array_to_string(c.reloptions, ' ') LIKE '%%autovacuum_freeze_max_age=%%' AS own
    FROM pg_class AS c
    WHERE c.relkind IN ('r', 'm', 't')
), oldest AS (
    -- A table with a limit of its own may be overdue at an age at which others are young.
    SELECT r.oid, r.relfrozenxid, r.relminmxid, r.relpages, r.reloptions
    FROM ranked AS r
    WHERE r.own OR r.place <= 30
    ORDER BY r.own DESC, r.place
    LIMIT 100
), worst AS (
    SELECT 'database' AS kind, d.datname::text AS name,
           age(d.datfrozenxid) AS xid_age, mxid_age(d.datminmxid) AS mxid_age,
           current_setting('autovacuum_freeze_max_age')::int AS freeze_max_age,
           NULL::bool AS autovacuum_enabled, NULL::bigint AS est_bytes
    FROM pg_database AS d
    UNION ALL
    SELECT 'table', o.oid::regclass::text, age(o.relfrozenxid), mxid_age(o.relminmxid),
           least(current_setting('autovacuum_freeze_max_age')::int, x.own_limit), x.enabled,
           greatest(o.relpages, 0) * current_setting('block_size')::bigint
    FROM oldest AS o
    CROSS JOIN LATERAL (
        SELECT (max(y.option_value) FILTER (WHERE y.option_name = 'autovacuum_freeze_max_age'))::int AS own_limit,
               coalesce(max(y.option_value) FILTER (WHERE y.option_name = 'autovacuum_enabled'), 'true')::bool
                   AS enabled
        FROM pg_options_to_table(o.reloptions) AS y
    ) AS x
)
SELECT w.kind,
       w.name,
       w.xid_age,
       w.mxid_age,
       w.freeze_max_age,
       (w.xid_age::float8 / nullif(w.freeze_max_age, 0))::float8 AS ratio,
       (w.xid_age::float8 / 2146483647)::float8 AS to_wraparound,
       (w.mxid_age::float8 / nullif(current_setting('autovacuum_multixact_freeze_max_age')::float8, 0))::float8
           AS mxid_ratio,
       EXISTS (SELECT 1 FROM pg_stat_progress_vacuum AS v
               WHERE v.datname = CASE WHEN w.kind = 'database' THEN w.name ELSE current_database()::text END)
           AS being_vacuumed,
       w.autovacuum_enabled,
       w.est_bytes
FROM worst AS w
ORDER BY ratio DESC, w.kind, w.name
LIMIT 60
