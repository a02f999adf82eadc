-- name: postgres.slots
-- summary: Client connections against the limits, by state
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   max int                        connections, max_connections
--   superuser_reserved int         connections only a superuser may use
--   reserved int                   kept from applications: superuser_reserved plus reserved_connections (16+)
--   usable int                     connections an application may use: max minus reserved
--   used int                       connections, client backends now
--   free int                       connections an application may still open
--   active int                     sessions running a statement
--   idle int                       sessions doing nothing
--   idle_in_tx int                 sessions idle inside an open transaction, failed ones included
--   waiting_on_lock int            sessions waiting for a heavyweight lock
--   starting int                   sessions that have not finished their login, as far as the server shows them (18+)
--   young int                      sessions that connected within the last second
WITH bounds AS (
    SELECT current_setting('max_connections')::int AS max,
           current_setting('superuser_reserved_connections')::int AS superuser_reserved,
           coalesce(current_setting('reserved_connections', true)::int, 0) AS others_reserved
), sessions AS (
    SELECT count(*)::int AS used,
           count(*) FILTER (WHERE state = 'active')::int AS active,
           count(*) FILTER (WHERE state = 'idle')::int AS idle,
           count(*) FILTER (WHERE state IN ('idle in transaction', 'idle in transaction (aborted)'))::int AS idle_in_tx,
           count(*) FILTER (WHERE wait_event_type = 'Lock')::int AS waiting_on_lock,
           count(*) FILTER (WHERE usesysid IS NULL OR state = 'starting')::int AS starting,
           count(*) FILTER (WHERE backend_start > clock_timestamp() - interval '1 second')::int AS young
    FROM pg_stat_activity
    WHERE backend_type = 'client backend'
)
SELECT b.max,
       b.superuser_reserved,
       b.superuser_reserved + b.others_reserved AS reserved,
       b.max - b.superuser_reserved - b.others_reserved AS usable,
       s.used,
       greatest(0, b.max - b.superuser_reserved - b.others_reserved - s.used) AS free,
       s.active,
       s.idle,
       s.idle_in_tx,
       s.waiting_on_lock,
       s.starting,
       s.young
FROM bounds AS b CROSS JOIN sessions AS s
LIMIT 1
