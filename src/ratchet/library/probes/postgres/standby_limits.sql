-- name: postgres.standby_limits
-- summary: The limits that a standby needs at least as high as its primary has them
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- columns:
--   max_connections int            client sessions
--   max_worker_processes int       background workers
--   max_wal_senders int            WAL senders
--   max_prepared_transactions int  prepared transactions
--   max_locks_per_transaction int  locks per session in the shared lock table
SELECT current_setting('max_connections')::int AS max_connections,
       current_setting('max_worker_processes')::int AS max_worker_processes,
       current_setting('max_wal_senders')::int AS max_wal_senders,
       current_setting('max_prepared_transactions')::int AS max_prepared_transactions,
       current_setting('max_locks_per_transaction')::int AS max_locks_per_transaction
LIMIT 1
