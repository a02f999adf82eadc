"""Reads the probe `postgres.role_spills` until it sees a spill: a temporary file lives for milliseconds."""

from collections.abc import Callable
from time import monotonic, sleep

from ratchet.tools.postgres.line import Row

SPILLS = "postgres.role_spills"
WATCHED = 0.8
"""Seconds that are given to a spill to show, where somebody has a tiny work_mem at all."""
TINY = 1024.0
"""kB of work_mem below which it is waited."""
PAUSE = 0.02


def watched(read: Callable[[], list[Row]]) -> list[Row]:
    """The first reading that shows a spill, or that has nothing to wait for; else the last one."""
    until = monotonic() + WATCHED
    rows = read()
    tiny = any(row["value_kb"] < TINY for row in rows)
    while tiny and not any(row["spilling"] for row in rows) and monotonic() < until:
        sleep(PAUSE)
        rows = read()
    return rows
