"""Where a gateway is asked."""

from urllib.parse import urlsplit

from ratchet.domain.errors import invalid


def place_of(url: str) -> str:
    """Scheme, host, port and prefix of an address; a credential in it is refused unseen."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
        parts = urlsplit("")
    if not fits or "@" in parts.netloc or parts.query or parts.fragment:
        raise invalid("RATCHET_URL is not an address of a gateway.", "Write it as http://127.0.0.1:8080.")
    return url.rstrip("/")
