-- name: postgres.archive_status
-- summary: WAL segments that wait to be archived
-- privilege: pg_ls_archive_statusdir
-- versions: 14+
-- where: any
-- columns:
--   ready int                      segments that wait
--   done int                       segments archived and not yet recycled
--   oldest_ready text              oldest segment that waits, null when none does
--   oldest_ready_s float           seconds it has waited, null when none does
--   ready_bytes int                WAL that waits
SELECT count(*) FILTER (WHERE name LIKE '%%.ready')::int AS ready,
       count(*) FILTER (WHERE name LIKE '%%.done')::int AS done,
       left(min(name) FILTER (WHERE name LIKE '%%.ready'), 24) AS oldest_ready,
       (max(extract(epoch FROM clock_timestamp() - modification)) FILTER (WHERE name LIKE '%%.ready'))::float8
           AS oldest_ready_s,
       count(*) FILTER (WHERE name LIKE '%%.ready')
           * (SELECT i.bytes_per_wal_segment::bigint FROM pg_control_init() AS i) AS ready_bytes
FROM pg_ls_archive_statusdir()
LIMIT 1
