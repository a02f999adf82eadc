"""Serves an application with uvicorn: in this thread, or in one of its own that can be stopped."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType

import uvicorn
from starlette.types import ASGIApp

from ratchet.domain.errors import Code, Refusal, invalid
from ratchet.gateway.house import Listener

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, never bound
"""Addresses that stand for all of a machine's, and the loopback of each."""
START_LIMIT = 10.0
STOP_LIMIT = 10.0
"""Seconds that starting and stopping may take."""


def is_loopback(host: str) -> bool:
    """Whether a listener on this host is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _nothing() -> None:
    """Nobody is told."""


def serve(
    app: ASGIApp,
    where: tuple[str, int],
    ready: Callable[[str], None],
    *,
    leaving: Callable[[], None] = _nothing,
    allow_remote: bool = False,
) -> None:
    """Serve at a host and a port until a signal ends it; port 0 takes a free one.

    `ready` gets the address for this machine once requests are answered; `leaving` is called before the port is given
    up, after which anybody may listen there.
    """
    listening = _bind(*where, allow_remote)
    try:
        _Announcing(_config(app), lambda: ready(_url(listening)), leaving).run(sockets=[listening])
    finally:
        listening.close()


class Server:
    """A server in a thread of its own; also a context that stops it."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = 0, *, allow_remote: bool = False) -> None:
        self._started = threading.Event()
        self._uvicorn = _Announcing(_config(app), self._started.set)
        self._where = (host, port, allow_remote)
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Bind, serve, and give the address once requests are answered."""
        listening = _bind(*self._where)
        url = _url(listening)
        self._thread = threading.Thread(target=self._run, args=(listening,), name="ratchet-gateway", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_LIMIT
        while not self._started.wait(0.05):
            if time.monotonic() > deadline or not self._thread.is_alive():
                self.stop()
                raise Refusal(Code.FAILED, f"The server at {url} did not start.", "Look at its log.")
        return url

    def stop(self) -> None:
        """Answer what is under way, then close; safe to call again."""
        self._uvicorn.should_exit = True
        if self._thread is not None:
            self._thread.join(STOP_LIMIT)

    def _run(self, listening: socket.socket) -> None:
        try:
            self._uvicorn.run(sockets=[listening])
        finally:
            listening.close()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Announcing(uvicorn.Server):
    """Tells when it has started and before it stops; uvicorn itself only logs it."""

    def __init__(
        self, config: uvicorn.Config, announce: Callable[[], None], leaving: Callable[[], None] = _nothing
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._leaving = leaving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._leaving()
        await super().shutdown(sockets)


def _config(app: ASGIApp) -> uvicorn.Config:
    """Headers of proxies are not believed, nothing is logged twice, and a stop does not wait for idle clients."""
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=1000,
        timeout_graceful_shutdown=5,
    )


def _bind(host: str, port: int, allow_remote: bool) -> socket.socket:
    """A socket that listens; the port is ours from here on, and answered as soon as the server runs."""
    if not is_loopback(host) and not allow_remote:
        raise invalid(
            f"{host} can be reached from other machines, and Ratchet speaks plain HTTP.",
            "Listen on 127.0.0.1, or say --allow-remote and put TLS in front of it.",
        )
    address = "127.0.0.1" if host == "localhost" else host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay (40 ms an answer) off only for sockets that name it.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(512)
    except (OSError, OverflowError) as error:
        listening.close()
        said = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise Refusal(
            Code.UNAVAILABLE, f"Cannot listen on {host}:{port}: {said}.", "Choose another port with --port."
        ) from None
    return listening


def listener_of(host: str, names: Sequence[str]) -> Listener:
    """How a server bound to this host is reached. Where only known names are answered, its own address is one of them;
    an address that stands for all of a machine's is no name."""
    local, address = is_loopback(host), host.strip("[]").casefold()
    known = (*names, address) if (local or names) and not _is_wildcard(address) else tuple(names)
    return Listener(loopback=local, names=known)


def _is_wildcard(address: str) -> bool:
    try:
        return not address or ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def _url(listening: socket.socket) -> str:
    """Where this machine reaches it; a server that listens on all addresses is reached by the loopback."""
    bound: tuple[str, int] = listening.getsockname()[:2]
    host, port = WILDCARDS.get(bound[0], bound[0]), bound[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
