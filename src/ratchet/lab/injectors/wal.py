"""Failures around the write-ahead log: a slot that nobody reads, WAL in bulk."""

import os
import time

from pydantic import Field

from ratchet.domain.noun import Noun
from ratchet.lab.injectors.grip import Grip, NoArgs

DAY = 86_400.0


class SlotArgs(Noun):
    """How many WAL segments the slot keeps."""

    segments: int = Field(default=3, ge=1)


def forget_slot(grip: Grip, args: SlotArgs) -> None:
    """The slot of a standby that is gone; WAL is written past it, and what it keeps is dated back by a day."""
    with grip.admin() as session:
        session.execute("SELECT pg_create_physical_replication_slot(%s, true)", [grip.names.slot])
        for _ in range(args.segments):
            session.execute("UPDATE heartbeat SET beat_at = clock_timestamp()")
            session.execute("SELECT pg_switch_wal()")
        kept = session.execute(
            "SELECT pg_walfile_name(restart_lsn) FROM pg_replication_slots WHERE slot_name = %s", [grip.names.slot]
        ).fetchone()
    oldest = grip.lab.primary.data_dir / "pg_wal" / (kept[0] if kept else "")
    yesterday = time.time() - DAY
    os.utime(oldest, (yesterday, yesterday))
    grip.point_at("slot", grip.names.slot)


def drop_slot(grip: Grip, _args: NoArgs) -> None:
    with grip.admin() as session:
        session.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
            [grip.names.slot],
        )
