-- name: postgres.conflicts
-- summary: Statements that replay cancelled on a replica, by reason
-- privilege: pg_monitor
-- versions: 14+
-- where: replica
-- columns:
--   db text                        database
--   total int                      cancelled since the statistics were reset
--   snapshot int                   they needed row versions that were cleaned away
--   lock int                       they held a lock that replay needed
--   bufferpin int                  they held a page that replay needed
--   deadlock int                   they were in a deadlock with replay
--   tablespace int                 a tablespace was dropped
SELECT c.datname::text AS db,
       c.confl_tablespace + c.confl_lock + c.confl_snapshot + c.confl_bufferpin + c.confl_deadlock AS total,
       c.confl_snapshot AS snapshot,
       c.confl_lock AS lock,
       c.confl_bufferpin AS bufferpin,
       c.confl_deadlock AS deadlock,
       c.confl_tablespace AS tablespace
FROM pg_stat_database_conflicts AS c
ORDER BY total DESC, c.datname
LIMIT 100
