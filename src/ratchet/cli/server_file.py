"""How a running server of this home is found: its address in a small file that counts only while its process lives.

The process holds `server.lock` from before the file is written until after it is gone. A file that was left behind by a
process that was killed names a port that is anybody's by now, and tokens are sent to that port: it counts as nothing.
"""

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ratchet.domain.errors import conflict
from ratchet.domain.noun import Noun
from ratchet.security.alone import WORKER, alone, held
from ratchet.security.private_file import replace_private

NAME = "server"
LOCK = "server.lock"


class Running(Noun):
    """Where a server of this home listens."""

    url: str
    pid: int


@contextmanager
def the_server(home: Path) -> Generator[None]:
    """This process is the one server of the home in this block; raises Refusal(CONFLICT) while there is another."""
    with alone(home / LOCK) as mine:
        if not mine:
            found = _read(home)
            which = f", at {found.url} (process {found.pid})" if found is not None else ""
            raise conflict(
                f"A server of {home} runs already{which}.",
                "Use that one, stop it first, or name another home with --home.",
            )
        remove(home)
        try:
            yield
        finally:
            remove(home)


@contextmanager
def the_worker(home: Path) -> Generator[None]:
    """This process works on the incidents of the home in this block; raises Refusal(CONFLICT) while another does."""
    with alone(home / WORKER) as mine:
        if not mine:
            raise conflict(
                f"Another process works on the incidents of {home} already.",
                "Leave it to that one (a server beside it takes --no-worker), or stop it first.",
            )
        yield


def write(home: Path, url: str) -> None:
    """Say that this process, `the_server`, answers there."""
    body = Running(url=url, pid=os.getpid()).model_dump_json()
    replace_private(home / NAME, f"{body}\n".encode())


def remove(home: Path) -> None:
    """Take the word back, before the port is given up; for `the_server` alone."""
    (home / NAME).unlink(missing_ok=True)


def running(home: Path) -> Running | None:
    """The server of this home, if its process lives and has said where it answers."""
    return _read(home) if held(home / LOCK) else None


def works(home: Path) -> bool:
    """Whether a server or a worker of this home works on its incidents."""
    return held(home / WORKER)


def _read(home: Path) -> Running | None:
    try:
        return Running.model_validate(json.loads((home / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
