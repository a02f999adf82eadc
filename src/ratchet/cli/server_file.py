"""The small file by which a running server of this home is found: its address and process, gone when it stops."""

import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from ratchet.domain.noun import Noun
from ratchet.security.private_file import replace_private

NAME = "server"
ANSWER_S = 0.3


class Running(Noun):
    """Where a server of this home listens."""

    url: str
    pid: int


def write(home: Path, url: str) -> None:
    """Say that this process serves the home."""
    body = Running(url=url, pid=os.getpid()).model_dump_json()
    replace_private(home / NAME, f"{body}\n".encode())


def remove(home: Path) -> None:
    """Take the word back, if it is ours."""
    found = _read(home)
    if found is not None and found.pid == os.getpid():
        (home / NAME).unlink(missing_ok=True)


def running(home: Path) -> Running | None:
    """The server of this home, if its process lives and its port is open."""
    found = _read(home)
    return found if found is not None and _alive(found.pid) and _listens(found.url) else None


def _read(home: Path) -> Running | None:
    try:
        return Running.model_validate(json.loads((home / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return pid > 0


def _listens(url: str) -> bool:
    where = urlsplit(url)
    try:
        with socket.create_connection((where.hostname or "127.0.0.1", where.port or 80), timeout=ANSWER_S):
            return True
    except OSError:
        return False
