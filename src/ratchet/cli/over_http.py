"""The desk behind a gateway, and the curl line that would have asked the same."""

import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager

import httpx2

from ratchet.desk.contract import Desk
from ratchet.gateway.client import HttpDesk

QUIET_HEADERS = ("host", "user-agent", "accept-encoding", "connection", "content-length")


@contextmanager
def open_desk(url: str, token: str | None, *, debug: bool = False) -> Generator[Desk]:
    """The desk at `url`; with `debug` every request is told on stderr before it is sent."""
    desk = HttpDesk(url, token, transport=Telling() if debug else None)
    try:
        yield desk
    finally:
        desk.close()


class Telling(httpx2.BaseTransport):
    """Sends requests and says each as a curl line, the token masked."""

    def __init__(self) -> None:
        self._road = httpx2.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        sys.stderr.write(as_curl(request) + "\n")
        return self._road.handle_request(request)

    def close(self) -> None:
        self._road.close()


def as_curl(request: httpx2.Request) -> str:
    """The request as a line for a shell; `$RATCHET_TOKEN` stands for the token."""
    words = ["curl", "-sS", "-X", request.method, shlex.quote(str(request.url))]
    for name, value in request.headers.items():
        if name.lower() == "authorization":
            words += ["-H", '"Authorization: Bearer $RATCHET_TOKEN"']
        elif name.lower() not in QUIET_HEADERS:
            words += ["-H", shlex.quote(f"{name}: {value}")]
    body = request.read()
    if body:
        words += ["-d", shlex.quote(body.decode("utf-8", "replace"))]
    return " ".join(words)
