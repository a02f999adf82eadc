"""A connection whose every wait ends at a wall limit, also when the server is stopped and no socket ever moves."""

import gc
import ipaddress
import logging
import select
import socket
import threading
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from ratchet.domain.evidence import Answer
from ratchet.tools.answers import NoAnswer
from ratchet.tools.postgres.failures import WallLimit, login_failed

RV = TypeVar("RV")
# What the driver would warn about while a broken session is put away is an answer of the target here.
logging.getLogger("psycopg").setLevel(logging.ERROR)
Row = dict[str, Any]

CONNECT_LIMIT = 3
"""Seconds for one login; libpq counts whole seconds, two at least."""
RESOLVE_LIMIT = 2.0
PREPARE_AFTER = 2
SOCKET: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
}


class Line(psycopg.Connection[Row]):
    """One session. `until` is the moment (monotonic) at which any wait gives up and closes the socket."""

    until: float = float("inf")

    def ended(self) -> bool:
        """Whether the session is closed, or the server has hung up meanwhile; sends nothing."""
        if self.closed:
            return True
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        # The server's last words come first, the end of the stream only after them.
        while poll.poll(0):
            try:
                self.pgconn.consume_input()
            except psycopg.OperationalError:
                self.pgconn.finish()
                return True
        return False

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As psycopg's, bounded by `until`; raises WallLimit, and the session is then closed."""
        left = self.until - monotonic()
        bound = left if timeout is None else min(left, timeout)
        try:
            return super().wait(gen, min(interval, max(bound, 0.001)), max(bound, 0.001) if bound < 1e9 else None)
        except psycopg.OperationalError as error:
            if monotonic() < self.until or error.sqlstate is not None:
                raise
            self.pgconn.finish()
            raise WallLimit("nothing came back within the wall limit; the session was closed on our side") from None


def open_line(conninfo: str, application_name: str, *, pooled: bool = False) -> Line:
    """A new autocommit session; raises NoAnswer. The connection string is never part of a message."""
    try:
        params: dict[str, Any] = dict(conninfo_to_dict(conninfo))
    except psycopg.ProgrammingError:
        raise NoAnswer(Answer.ERROR, "the connection string cannot be read; check the credential's value") from None
    asked: dict[str, Any] = {
        **SOCKET,
        **_addresses(params),
        "application_name": application_name,
        "client_encoding": "UTF8",
        "connect_timeout": CONNECT_LIMIT,
    }
    try:
        return Line.connect(
            make_conninfo("", **{**params, **asked}),
            autocommit=True,
            row_factory=dict_row,
            prepare_threshold=None if pooled else PREPARE_AFTER,
        )
    except psycopg.Error as error:
        failed = login_failed(error)
    if failed.answer is Answer.HUNG:
        # The driver keeps a login that timed out in a ring of references; its socket would stay open until some
        # later collection.
        gc.collect()
    raise failed


def _addresses(params: dict[str, Any]) -> dict[str, str]:
    """The host's addresses, looked up beside us: a silent name server must not hold the look."""
    host = str(params.get("host") or "")
    if not host or params.get("hostaddr") or "," in host or host.startswith(("/", "@")) or _is_address(host):
        return {}
    found: list[str] = []
    failed: list[str] = []

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(entry[4][0]) for entry in entries))
        except OSError as error:
            failed.append(str(error))

    asking = threading.Thread(target=ask, name="ratchet-name", daemon=True)
    asking.start()
    asking.join(RESOLVE_LIMIT)
    if not found:
        why = failed[0] if failed else f"no name server answered within {RESOLVE_LIMIT:g} s"
        raise NoAnswer(Answer.NAME_RESOLUTION, f"the host name {host} cannot be resolved: {why}")
    port = str(params.get("port") or "")
    spread = {"host": ",".join([host] * len(found)), "hostaddr": ",".join(found)}
    return spread | ({"port": ",".join([port] * len(found))} if port else {})


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
