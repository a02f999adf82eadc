"""Turns two readings of the probe `postgres.rates` into growth per second."""

from time import monotonic, sleep

from ratchet.tools.postgres.line import Row

RATES = "postgres.rates"
APART = 0.25
"""Seconds between the readings, at least; the other probes of a look fill them."""
HARDLY = 4096.0
"""Bytes of WAL per second below which nothing is said of checkpoints."""


class Readings:
    """The first reading of one look. `paired` is asked with each reading in turn."""

    def __init__(self) -> None:
        self._first: tuple[float, Row] | None = None

    def wait(self) -> None:
        """Wait until a second reading tells something."""
        if self._first is not None:
            sleep(max(0.0, APART - (monotonic() - self._first[0])))

    def paired(self, row: Row) -> Row:
        """The reading with its rates: null for a first one."""
        now, first = monotonic(), self._first
        if first is None:
            self._first = (now, row)
            return {**row, "checkpoint_every_s": None}
        seconds = now - first[0]
        wal = (row["wal_bytes"] - first[1]["wal_bytes"]) / seconds
        kept = (row["log_bytes"], first[1]["log_bytes"])
        log = (kept[0] - kept[1]) / seconds if None not in kept else None
        every = row["checkpoint_every_s"] / wal if wal > HARDLY else None
        return {**row, "wal_bytes_s": wal, "log_bytes_s": log, "sampled_s": seconds, "checkpoint_every_s": every}
