"""What goes wrong on the server in these stories: a leak, a blocker, and the innocents beside them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg import Connection

from ratchet.lab.embedded import Cluster


def login(server: Cluster, app: str) -> Connection:
    """An ordinary session under an application name."""
    return psycopg.connect(server.dsn("night_app"), application_name=app, connect_timeout=5, autocommit=True)


@contextmanager
def leak(server: Cluster, app: str = "checkout-svc", spare: int = 0) -> Iterator[list[Connection]]:
    """Idle sessions of one application until a login is refused (or `spare` slots are left)."""
    with ExitStack() as held:
        sessions: list[Connection] = []
        try:
            while len(sessions) < 60:
                sessions.append(held.enter_context(login(server, app)))
        except psycopg.OperationalError:
            pass
        for extra in sessions[len(sessions) - spare :]:
            extra.close()
        yield sessions


@contextmanager
def bystanders(server: Cluster) -> Iterator[list[Connection]]:
    """Idle sessions of other applications that nobody may touch."""
    with ExitStack() as held:
        yield [held.enter_context(login(server, app)) for app in ("billing", "reports", "cron")]


def alive(session: Connection) -> bool:
    """Whether the server still answers this session."""
    try:
        return session.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False
