"""A small process beside a visit that waits for our end and then takes back what we left, even after kill -9.

Run as `python -m ratchet.lab.visit_reaper PID`. Standard input gives it an Errand as the first line, with the login of
the server, and it says that it is watching; then comes `done` at a clean end. End of file without it means that
the visit is gone.
"""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
from pydantic import Field

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.noun import Noun
from ratchet.lab.leaving import clear, lease
from ratchet.lab.reaper import WATCHING, Reaper, beside, wait_for_end
from ratchet.lab.visited import Host, look_up

TRIES_FOR_S = 3600.0
"""How long a server that cannot be reached, or gives nothing back, is tried again."""
PAUSE_S = 2.0


class Errand(Noun):
    """What is to be left as it was, and by which login."""

    conn: str = Field(repr=False)
    home: str
    system_identifier: str
    data_directory: str


def watch(host: Host, home: Path) -> Reaper:
    """Starts it, before the first thing is made there; the login goes by the pipe alone. Raises OSError."""
    errand = Errand(
        conn=host.conn, home=str(home.resolve()), system_identifier=host.system_identifier,
        data_directory=host.instance[1],
    )  # fmt: skip
    process = beside("ratchet.lab.visit_reaper", str(os.getpid()), answers=True)
    if process.stdin is not None:
        process.stdin.write(errand.model_dump_json().encode() + b"\n")
        process.stdin.flush()
    return Reaper(process)


def left_as_it_was(errand: Errand) -> bool:
    """One try; true once nothing is left to do here: it is done, a later visit does it, or another server answers."""
    home = Path(errand.home)
    try:
        with lease(home, 0):
            host = look_up(errand.conn)
            if (host.system_identifier, host.instance[1]) == (errand.system_identifier, errand.data_directory):
                clear(host, home)
    except Refusal as refused:
        return refused.code is Code.CONFLICT
    except (RuntimeError, OSError, psycopg.Error):
        return False
    return True


def main(argv: list[str]) -> int:
    """Waits for the end of process `argv[0]`, then does its errand; 1 where that cannot be done within its time."""
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    errand = Errand.model_validate_json(line)
    with suppress(BrokenPipeError):
        sys.stdout.buffer.write(WATCHING)
        sys.stdout.buffer.flush()
    try:
        gone = wait_for_end(psutil.Process(int(argv[0])), sys.stdin.buffer)
    except psutil.NoSuchProcess:
        gone = True
    deadline = time.monotonic() + TRIES_FOR_S
    while gone and not left_as_it_was(errand):
        if time.monotonic() > deadline:
            return 1
        time.sleep(PAUSE_S)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
