-- name: postgres.ping
-- summary: Who answers: version, role in replication, identity, clock, and whether this login sees other sessions
-- privilege: none
-- versions: 14+
-- where: any
-- columns:
--   in_recovery bool               true on a replica
--   version_num int                server version as a number, 150018 for 15.18
--   version text                   full version text
--   can_see_others bool            this login has the rights of pg_monitor; without them counts are silently wrong
--   is_superuser bool              this login is a superuser (a diagnosis login should not be)
--   postmaster_start_time timestamp  when the server was started
--   data_directory text            where its files lie; null when this login is not told
--   system_identifier text         identity of the cluster, shared by a primary and its replicas
--   timeline int                   timeline of the last checkpoint
--   clock timestamp                the server's clock at the answer
--   db text                        database of this connection
SELECT pg_is_in_recovery() AS in_recovery,
       current_setting('server_version_num')::int AS version_num,
       version() AS version,
       pg_has_role(current_user, 'pg_monitor', 'usage') AS can_see_others,
       current_setting('is_superuser')::bool AS is_superuser,
       to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
           AS postmaster_start_time,
       (SELECT f.setting FROM pg_settings AS f WHERE f.name = 'data_directory') AS data_directory,
       (SELECT s.system_identifier::text FROM pg_control_system() AS s) AS system_identifier,
       (SELECT c.timeline_id FROM pg_control_checkpoint() AS c) AS timeline,
       to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS clock,
       current_database()::text AS db
LIMIT 1
