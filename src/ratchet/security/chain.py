"""The chain over stored events: each link covers the one before it and the exact bytes that were stored."""

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from ratchet.domain.errors import Code, Refusal
from ratchet.security.private_file import read_private_bytes, write_private

KEY_BYTES = 32
GENESIS = bytes(32)
"""What stands before the first event."""


def link(key: bytes, previous: bytes, stored: bytes) -> bytes:
    """HMAC-SHA256 over the previous link (32 bytes) and the stored bytes; raises ValueError for another length.

    The fixed length of the first part is what keeps `previous + stored` from being read in two ways.
    """
    if len(previous) != len(GENESIS):
        raise ValueError("a link is 32 bytes")
    begun = _begun(key).copy()
    begun.update(previous)
    begun.update(stored)
    return begun.digest()


@lru_cache(maxsize=8)
def _begun(key: bytes) -> hmac.HMAC:
    """The key taken in, once: a third of what a link would cost else. It is only ever copied."""
    return hmac.new(key, digestmod=hashlib.sha256)


def same(one: bytes, other: bytes) -> bool:
    """Whether two links are equal, compared in constant time."""
    return hmac.compare_digest(one, other)


def read_key(path: Path) -> bytes:
    """The key of the chain; raises Refusal when the file is missing, open to others or not 32 bytes long."""
    key = read_private_bytes(path)
    if len(key) != KEY_BYTES:
        raise Refusal(
            Code.FAILED,
            f"{path} is not a chain key: it has {len(key)} bytes, not {KEY_BYTES}.",
            "Put the key back from the backup that belongs to this database.",
        )
    return key


def make_key(path: Path, random: Callable[[int], bytes]) -> bytes:
    """Make the key at first start (mode 0600), or read the one that another process made in the same moment."""
    try:
        write_private(path, random(KEY_BYTES))
    except FileExistsError:
        pass
    return read_key(path)
