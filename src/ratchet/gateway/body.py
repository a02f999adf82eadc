"""Reads a request's body with a bound on its size, packed and unpacked, before anything parses it."""

import zlib

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from ratchet.domain.errors import invalid
from ratchet.gateway.problem import Rejected

MEBIBYTE = 1024 * 1024
ALERT_LIMIT = 5 * MEBIBYTE
LIMIT = 1 * MEBIBYTE
_GZIP = 31
"""zlib's window bits for a gzip header and nothing else."""


def limit_of(path: str) -> int:
    """Bytes that a body for this path may have."""
    return ALERT_LIMIT if path.startswith(("/api/v1/sources/", "/api/v1/alerts")) else LIMIT


async def read_body(headers: Headers, receive: Receive, limit: int) -> bytes:
    """The unpacked body; raises Rejected when it is too large or packed in an unknown way."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Rejected(415, "This content encoding is not understood.", "Send the body as it is or with gzip.")
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or len(length) > 15 or int(length) > limit:
        raise _too_large(limit)
    packed = await _receive(receive, limit)
    return inflate(packed, limit) if encoding == "gzip" else packed


async def _receive(receive: Receive, limit: int) -> bytes:
    held = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        held += message.get("body", b"")
        more = message.get("more_body", False)
        if len(held) > limit:
            raise _too_large(limit)
    return bytes(held)


def inflate(packed: bytes, limit: int) -> bytes:
    """The content of one whole gzip member; never unpacks more than `limit` and one byte."""
    unpacking = zlib.decompressobj(_GZIP)
    try:
        content = unpacking.decompress(packed, limit + 1)
    except zlib.error:
        raise invalid(
            "The body is not gzip, though its header says so.", "Pack it with gzip or send it as it is."
        ) from None
    if len(content) > limit:
        raise _too_large(limit)
    if not unpacking.eof or unpacking.unused_data:
        raise invalid("The gzip body is cut off or has something after its end.", "Send one whole gzip member.")
    return content


def _too_large(limit: int) -> Rejected:
    return Rejected(413, f"The body is larger than {limit // MEBIBYTE} MiB.", "Send less at a time.")
