"""What goes wrong on the server in these stories: a leak, a blocker, and the innocents beside them."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

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


@contextmanager
def cut_off(server: Cluster, role: str) -> Iterator[None]:
    """A role with a statement_timeout of 50 ms, and one session of it whose statements end by that all the time."""
    with server.connect() as superuser:
        superuser.execute(f"ALTER ROLE {role} SET statement_timeout = '50ms'".encode())
    over, often = threading.Event(), threading.Semaphore(0)

    def ask() -> None:
        with server.connect(role) as session:
            while not over.wait(0.2):
                with suppress(psycopg.errors.QueryCanceled):
                    session.execute("SELECT pg_sleep(0.2)")
                often.release()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        assert all(often.acquire(timeout=20) for _ in range(6))
        yield
    finally:
        over.set()
        asking.join()


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
