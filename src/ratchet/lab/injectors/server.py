"""Failures of the server itself: killed, unable to start, its port taken, its directory lost."""

import os
import random
import signal
import time
from contextlib import suppress

import psycopg

from ratchet.domain.noun import Noun
from ratchet.lab.account import LabProgramFailed
from ratchet.lab.injectors import outside
from ratchet.lab.injectors.grip import Grip, NoArgs, UndoFailed
from ratchet.lab.lab import NAMES
from ratchet.lab.sweep import end_server, forget_uncollected

MISSPELT = ("shared_bufers", "work_memory", "max_connection", "checkpoint_timeouts", "wal_keep_segments")
HOLD_PORT = """
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
print("bound", flush=True)
while True: time.sleep(60)
"""


class CrashArgs(Noun):
    """How often a session is killed: once, or again and again."""

    every: float = 2.0
    times: int = 1000


def kill_postmaster(grip: Grip, _args: NoArgs) -> None:
    """The first process is killed as a machine out of memory would; its children go with it."""
    data_dir = grip.lab.primary.data_dir
    end_server(data_dir, signal.SIGKILL)
    forget_uncollected(data_dir)
    grip.point_at("target", NAMES["primary"])


def start(grip: Grip, _args: NoArgs) -> None:
    """The server runs again and takes logins; nothing happens where it already does."""
    grip.admin().close()


def crash_sessions(grip: Grip, args: CrashArgs) -> None:
    """A session of the fault's own is killed from outside; every time the server throws all others out."""
    grip.point_at("target", NAMES["primary"])
    _crash_one(grip)
    grip.spawn(_keep_crashing, grip, args)


def _keep_crashing(grip: Grip, args: CrashArgs) -> None:
    for _ in range(args.times - 1):
        if grip.over.wait(args.every):
            return
        with suppress(psycopg.OperationalError):
            _crash_one(grip)


def _crash_one(grip: Grip) -> None:
    with grip.admin() as session:
        session.execute("SELECT set_config('application_name', %s, false)", [grip.names.application])
        os.kill(session.info.backend_pid, signal.SIGKILL)
        with suppress(psycopg.OperationalError):
            session.execute("SELECT 1")


def crash_once(grip: Grip, _args: NoArgs) -> None:
    """One crash, and the recovery after it waited for."""
    with grip.admin() as session:
        session.execute("CHECKPOINT")
    _crash_one(grip)
    grip.admin().close()


def _wrong_line(grip: Grip) -> str:
    name = random.Random(grip.seed).choice(MISSPELT)  # noqa: S311 - a spelling mistake, not a secret
    return f"{name} = 64  # {grip.label}\n"


def break_configuration(grip: Grip, _args: NoArgs) -> None:
    """A parameter that does not exist stands in postgresql.conf, and somebody restarts the server."""
    conf = grip.lab.primary.data_dir / "postgresql.conf"
    with conf.open("a", encoding="utf-8") as file:
        file.write(_wrong_line(grip))
    grip.lab.primary.stop()
    with suppress(LabProgramFailed):
        grip.lab.primary.start()
    grip.point_at("file", str(conf), _wrong_line(grip).split()[0])


def mend_configuration(grip: Grip, _args: NoArgs) -> None:
    """Takes exactly our line out and starts the server."""
    conf = grip.lab.primary.data_dir / "postgresql.conf"
    lines = conf.read_text(encoding="utf-8").splitlines(keepends=True)
    conf.write_text("".join(line for line in lines if line != _wrong_line(grip)), encoding="utf-8")
    grip.admin().close()


def take_port(grip: Grip, _args: NoArgs) -> None:
    """While the server is down for a moment, another program takes its port."""
    primary = grip.lab.primary
    primary.stop()
    process = outside.start(grip, HOLD_PORT, str(primary.port))
    grip.hold_process(process)
    if process.stdout is None or process.stdout.readline().strip() != b"bound":
        raise UndoFailed(f"port {primary.port} could not be taken")
    with suppress(LabProgramFailed):
        primary.start()
    grip.point_at("process", str(process.pid), grip.names.program)


def free_port(grip: Grip, _args: NoArgs) -> None:
    outside.end_all(grip)
    grip.collect_processes()
    grip.admin().close()


def lose_directory(grip: Grip, _args: NoArgs) -> None:
    """With a fresh backup and an archive at hand, the server is killed and its directory is gone."""
    primary = grip.lab.primary
    primary.back_up()
    with grip.admin() as session:
        session.execute("SELECT pg_switch_wal()")
        _wait_for_archive(session)
    grip.keep("moved", str(primary.home / f"was_{grip.label}"))
    primary.kill()
    primary.data_dir.rename(primary.home / f"was_{grip.label}")
    grip.point_at("target", NAMES["primary"])


def _wait_for_archive(session: "psycopg.Connection[tuple[object, ...]]") -> None:
    deadline = time.monotonic() + 10
    while session.execute("SELECT FROM pg_stat_archiver WHERE archived_count > 0").rowcount == 0:
        if time.monotonic() > deadline:
            raise UndoFailed("no WAL segment reached the archive within 10 s")
        time.sleep(0.05)


def bring_directory_back(grip: Grip, _args: NoArgs) -> None:
    """The very directory, not a copy of it; whatever stands in its place by now is left beside it."""
    primary = grip.lab.primary
    moved = primary.home / f"was_{grip.label}"
    if moved.is_dir():
        if primary.data_dir.exists():
            primary.kill()
            primary.data_dir.rename(primary.home / f"instead_{grip.label}")
        moved.rename(primary.data_dir)
    grip.admin().close()
