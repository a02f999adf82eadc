"""Failures of the host around the server: busy processors, a volume that a foreign file fills."""

import os
import subprocess
from pathlib import Path

from psycopg import sql

from ratchet.domain.noun import Noun
from ratchet.lab.injectors import outside
from ratchet.lab.injectors.grip import Grip, NoArgs

BUSY = "while True: pass"
VOLUME_MB = 40
FOREIGN = "core.31337"


class HogArgs(Noun):
    """How many processes compute for nobody."""

    processes: int = 6


def hog_processors(grip: Grip, args: HogArgs) -> None:
    for _ in range(args.processes):
        process = outside.start(grip, BUSY)
        grip.hold_process(process)
    grip.point_at("process", grip.names.program)


def end_processes(grip: Grip, _args: NoArgs) -> None:
    outside.end_all(grip)
    grip.collect_processes()


def _volume(grip: Grip) -> Path:
    return grip.lab.outside / f"volume_{grip.label}"


def fill_volume(grip: Grip, _args: NoArgs) -> None:
    """A small volume with the fault's own table on it, and a foreign file that takes what was left."""
    place, account = _volume(grip), grip.lab.primary.account
    place.mkdir(parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={VOLUME_MB}m,mode=0700,uid={account.uid},gid={account.gid}", "tmpfs",
         str(place)],
        check=True, capture_output=True, timeout=10,
    )  # fmt: skip
    inside = place / "files"
    inside.mkdir(mode=0o700)
    account.own(inside)
    table, space = sql.Identifier(grip.names.table), sql.Identifier(grip.names.slot)
    with grip.admin() as session:
        session.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(space, sql.Literal(str(inside))))
        session.execute(sql.SQL("ALTER TABLE {} SET TABLESPACE {}").format(table, space))
    foreign = place / FOREIGN
    free = os.statvfs(place)
    with foreign.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
    grip.point_at("file", str(foreign), FOREIGN)


def free_volume(grip: Grip, _args: NoArgs) -> None:
    """Drops the table and its place, and unmounts the volume."""
    place = _volume(grip)
    (place / FOREIGN).unlink(missing_ok=True)
    with grip.admin() as session:
        session.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(grip.names.table)))
        session.execute(sql.SQL("DROP TABLESPACE IF EXISTS {}").format(sql.Identifier(grip.names.slot)))
        # A crash later on would replay the making of a place that is no longer there.
        session.execute("CHECKPOINT")
    if place.is_mount():
        subprocess.run(["umount", str(place)], check=True, capture_output=True, timeout=10)
    if place.is_dir():
        place.rmdir()
