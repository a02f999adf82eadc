-- name: postgres.version
-- summary: Server version and the choices made when the cluster was created
-- privilege: none
-- versions: 14+
-- where: any
-- columns:
--   version_num int                server version as a number, 150018 for 15.18
--   major int                      major version
--   version text                   full version text
--   server_encoding text           encoding of this database
--   data_checksums bool            page checksums are on
--   block_size_bytes int           size of a page
--   wal_segment_bytes int          size of a WAL segment
SELECT current_setting('server_version_num')::int AS version_num,
       current_setting('server_version_num')::int / 10000 AS major,
       version() AS version,
       current_setting('server_encoding') AS server_encoding,
       current_setting('data_checksums')::bool AS data_checksums,
       current_setting('block_size')::int AS block_size_bytes,
       (SELECT i.bytes_per_wal_segment FROM pg_control_init() AS i) AS wal_segment_bytes
LIMIT 1
