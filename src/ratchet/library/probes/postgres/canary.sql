-- name: postgres.canary
-- summary: An ordinary login can connect and be answered, which is what users see
-- privilege: none
-- versions: 14+
-- where: any
-- columns:
--   ok int                         1 when the server answers
--   now timestamp                  the server's clock
--   db text                        database that was reached
--   in_recovery bool               true when a replica answered
--   read_only bool                 new transactions of this login cannot write
--   read_only_by text              who set its default: user (its own role), database, configuration file, default ...
SELECT 1 AS ok,
       to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS now,
       current_database()::text AS db,
       pg_is_in_recovery() AS in_recovery,
       pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS read_only,
       (SELECT s.source FROM pg_settings AS s WHERE s.name = 'default_transaction_read_only') AS read_only_by
LIMIT 1
