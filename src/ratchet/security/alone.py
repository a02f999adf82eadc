"""One process at a time: a lock on a file, which the system gives back when its holder ends, however it ends."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ratchet.domain.errors import Code, Refusal

WORKER = "worker.lock"
"""The file in a home that is held by the process that works on its incidents."""
PATIENCE_S = 1.0
"""How long somebody's look (`held`) may stand in the way of who takes the lock."""
_AGAIN_S = 0.02


@contextmanager
def alone(path: Path) -> Generator[bool]:
    """Whether this process is the one that holds the file, from here to the end of the block.

    The file (mode 0600) stays behind; it means nothing by itself. Raises Refusal(UNAVAILABLE) where it cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unavailable(path, error) from None
    try:
        yield _taken(descriptor, path)
    finally:
        os.close(descriptor)


def held(path: Path) -> bool:
    """Whether a living process holds the file; looked at without holding it longer than a moment."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _taken(descriptor: int, path: Path) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_AGAIN_S)
        except OSError as error:
            raise _unavailable(path, error) from None
        else:
            return True


def _unavailable(path: Path, error: OSError) -> Refusal:
    return Refusal(
        Code.UNAVAILABLE,
        f"{path} cannot be locked: {error.strerror or 'input/output error'}.",
        f"Give this account write access to {path.parent}, on a file system that has locks.",
    )
