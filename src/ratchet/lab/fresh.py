"""The lab as on another day: its server's log is cut and its counters begin anew, so that one fault's traces are not
taken for the next one's."""

import os
from contextlib import suppress

import psycopg

from ratchet.lab.embedded import Cluster
from ratchet.lab.lab import Lab
from ratchet.lab.shop import DATABASE

FORGET = (
    "SELECT pg_stat_reset()", "SELECT pg_stat_reset_shared('archiver')", "SELECT pg_stat_reset_shared('bgwriter')",
    "SELECT pg_stat_reset_shared('wal')",
)  # fmt: skip


def refresh(lab: Lab) -> None:
    """Forget the past on every server of the lab; one that does not answer is left as it is. Innocents that an
    earlier fault or remedy ended come back."""
    for cluster in (lab.primary, lab.replica):
        if cluster is None or not cluster.is_running():
            continue
        with suppress(psycopg.Error):
            _forget(cluster, primary=cluster is lab.primary)
        if cluster.log_path.exists():
            # The server appends, wherever the end is.
            os.truncate(cluster.log_path, 0)

    if not lab.bystanders.untouched():
        with suppress(psycopg.Error):
            lab.bystanders.return_after_restart()


def _forget(cluster: Cluster, *, primary: bool) -> None:
    with cluster.connect(dbname=DATABASE) as session:
        for statement in FORGET:
            session.execute(statement)
        if primary and cluster.binaries.contrib:
            session.execute("SELECT pg_stat_statements_reset()")
        if primary:
            # Counters of rows begin at nothing, which is not what the tables hold.
            session.execute("VACUUM (ANALYZE)")
