"""What goes wrong on the server in these stories: a leak, a blocker, and the innocents beside them."""

import time
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
        until_idle(server, app, 1.2)
        yield sessions


def until_idle(server: Cluster, app: str, seconds: float) -> None:
    """Wait until every session of an application has been idle that long, by the server's own clock."""
    query = """SELECT coalesce(min(extract(epoch FROM clock_timestamp() - state_change)), 1e9) >= %s
               FROM pg_stat_activity WHERE application_name = %s AND state = 'idle'"""
    deadline = time.monotonic() + 20
    with server.connect() as superuser:
        while superuser.execute(query, (seconds, app)).fetchone() != (True,):
            assert time.monotonic() < deadline, f"sessions of {app} never became idle"
            time.sleep(0.05)


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
