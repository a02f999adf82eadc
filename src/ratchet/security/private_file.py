"""Files that only their owner may read: made with mode 0600 in one step, refused when others could have read them."""

import os
import stat
import threading
from pathlib import Path

from ratchet.domain.errors import Code, Refusal, invalid

_OPEN_TO_OTHERS = 0o177
"""Any right of group or others, and execution by the owner; what is left is 0600 or 0400."""


def read_private(path: Path) -> str:
    """The text of a file with mode 0600 or 0400; raises Refusal(INVALID) when it is missing or open to others."""
    return read_private_bytes(path).decode("utf-8")


def read_private_bytes(path: Path) -> bytes:
    """The bytes of a file with mode 0600 or 0400; the mode is read from the very file that was opened."""
    try:
        with path.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            if mode & _OPEN_TO_OTHERS:
                raise invalid(f"{path} has mode {mode:04o}; others may have read it.", f"chmod 600 {path}")
            return opened.read()
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise invalid(f"{path} cannot be read: {reason}.", "Create it with mode 0600, or correct its path.") from None


def write_private(path: Path, content: bytes) -> None:
    """Make a new file with mode 0600, whole and durable; raises FileExistsError when it is there already."""
    fresh = _fresh(path, content)
    try:
        os.link(fresh, path)
    finally:
        fresh.unlink()
    sync_directory(path.parent)


def replace_private(path: Path, content: bytes) -> None:
    """Replace a file's content in one step, durable when this returns; a reader sees the old or the new, never a part.

    Raises Refusal(UNAVAILABLE) when the file system does not take it.
    """
    whole = path.resolve()
    try:
        fresh = _fresh(whole, content)
        try:
            fresh.replace(whole)
        finally:
            fresh.unlink(missing_ok=True)
        sync_directory(whole.parent)
    except OSError as error:
        raise Refusal(
            Code.UNAVAILABLE,
            f"{path} cannot be written: {error.strerror or 'input/output error'}.",
            f"Make room and give this account write access to {whole.parent}.",
        ) from None


def _fresh(path: Path, content: bytes) -> Path:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return fresh


def sync_directory(directory: Path) -> None:
    """Make names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
