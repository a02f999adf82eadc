"""Addresses of others that take a POST, as a setting gives them: `https://name:password@host/path`."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx2

from ratchet.domain.errors import Refusal, invalid


class Address(NamedTuple):
    """An address without its credentials, and these as they are sent: what was percent-encoded is decoded."""

    scheme: str
    host: str
    """With its port, if it has one."""
    path: str
    query: str
    auth: tuple[str, str] | None

    def url(self, path: str, query: str = "") -> str:
        """The address with another path, without credentials."""
        return urlunsplit((self.scheme, self.host, path, query, ""))


def address_of(url: str, otherwise: tuple[str, str]) -> Address:
    """The parts of an address; what cannot be asked at all is Refusal(INVALID) with these two sentences, which say what
    is wrong and how to write it. The address itself is not repeated, since it may hold a password."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.netloc.rpartition("@")[2]
        httpx2.URL(urlunsplit((parts.scheme, host, parts.path, parts.query, "")))
    except (ValueError, httpx2.InvalidURL):
        raise _refused(otherwise) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or host.split() != [host]:
        raise _refused(otherwise)
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return Address(parts.scheme, host, parts.path, parts.query, auth)


def _refused(otherwise: tuple[str, str]) -> Refusal:
    return invalid(*otherwise)
