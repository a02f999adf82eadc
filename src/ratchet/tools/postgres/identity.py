"""Reads who stands behind a target's address: identity, timeline, role in replication, version and clock."""

from ratchet.domain.ports import Clock
from ratchet.domain.target import Fingerprint
from ratchet.tools.tool import Reader

# On a primary the name of the present WAL file holds the timeline at once, also right after a promotion; the control
# file follows with the next checkpoint. On a standby the end of recovery is what it follows.
IDENTITY = """SELECT (SELECT s.system_identifier::text FROM pg_control_system() AS s) AS system_identifier,
  CASE WHEN pg_is_in_recovery()
       THEN greatest((SELECT c.timeline_id FROM pg_control_checkpoint() AS c),
                     (SELECT r.min_recovery_end_timeline FROM pg_control_recovery() AS r))
       ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END AS timeline,
  pg_is_in_recovery() AS in_recovery, current_setting('server_version_num')::int AS server_version,
  clock_timestamp() AS clock"""


def read_identity(read: Reader, clock: Clock) -> Fingerprint:
    """The server's own word; raises NoAnswer."""
    row = read(IDENTITY, {}, timeout=3.0)[0]
    return Fingerprint(**row, taken_at=clock())
