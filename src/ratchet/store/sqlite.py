"""The SQLite engine: write-ahead log, full sync, one writer at a time, and every failure answered as a refusal."""

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ratchet.domain.errors import Code, Refusal, conflict

BUSY_MS = 5000
"""How long a statement waits for another process that writes, in milliseconds."""
_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON")
KEPT_READERS = 8
FAILURES = (DatabaseError, PoolTimeout, sqlite3.DatabaseError)
"""What the database says when it cannot; that a place is taken is among them."""
_BEGUN = "ratchet_begun"
"""Marks the connections whose transactions are begun and ended here, not by the layer above the driver."""
WRITES = "ratchet_writes"
"""Marks the connections whose transactions take the write lock at once, so that nothing read in them is old."""


def open_engine(path: Path) -> Engine:
    """The engine over one file, which is made with mode 0600 when it is not there; the log files take its mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(
        f"sqlite+pysqlite:///{path}", pool_size=KEPT_READERS, max_overflow=56, pool_timeout=BUSY_MS / 1000
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    _log_ahead(cursor)
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _log_ahead(cursor: sqlite3.Cursor) -> None:
    """SQLite does not wait by itself where several processes give a new file its write-ahead log at once."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin(connection: Connection) -> None:
    """The driver's own transactions begin too late to see one moment, so ours begin here, or in `Connections`."""
    options = connection.get_execution_options()
    if not options.get(_BEGUN, False):
        connection.connection.cursor().execute("BEGIN IMMEDIATE" if options.get(WRITES, False) else "BEGIN")


class Connections:
    """Reads from the pool, side by side; writes one after another, each one transaction and about one fsync."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = threading.Lock()
        self._held: Connection | None = None
        """The connection that writes; it stays out of the pool until something goes wrong on it."""
        self._readers: deque[Connection] = deque()
        """Connections that read before and are idle; they stay out of the pool likewise."""
        self._closed = False

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A connection whose reads all see one moment."""
        with refusing():
            connection, well = self._reader(), False
            try:
                cursor = connection.connection.cursor()
                cursor.execute("BEGIN")
                yield connection
                cursor.execute("ROLLBACK")
                connection.rollback()
                well = True
            finally:
                if well and not self._closed and len(self._readers) < KEPT_READERS:
                    self._readers.append(connection)
                else:
                    connection.close()

    def _reader(self) -> Connection:
        try:
            return self._readers.pop()
        except IndexError:
            return self._open()

    def _open(self) -> Connection:
        return self._engine.connect().execution_options(**{_BEGUN: True})

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A connection in one transaction: durable when the block ends, undone when it raises."""
        with self._writer:
            connection: Connection | None = None
            try:
                connection, self._held = self._held or self._open(), None
                cursor = connection.connection.cursor()
                cursor.execute("BEGIN IMMEDIATE")
                yield connection
                cursor.execute("COMMIT")
                connection.commit()
                self._held = connection
            except FAILURES as error:
                raise _refusal(error) from None
            finally:
                if self._held is None and connection is not None:
                    connection.close()

    def close(self) -> None:
        """Close every connection."""
        self._closed = True
        with self._writer:
            if self._held is not None:
                self._held.close()
                self._held = None
        while self._readers:
            self._readers.pop().close()
        self._engine.dispose()


@contextmanager
def refusing() -> Generator[None]:
    """Answer what the database says with a refusal; statements and values stay out of the message."""
    try:
        yield
    except FAILURES as error:
        raise _refusal(error) from None


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, (IntegrityError, sqlite3.IntegrityError)):
        return conflict("Somebody else wrote this in the same moment.", "Read it again and repeat.")
    cause = getattr(error, "orig", None) or error
    words = str(cause) if isinstance(cause, sqlite3.Error) else "no connection was free"
    return Refusal(
        Code.UNAVAILABLE,
        f"The state database does not take this now: {words}.",
        "Try again shortly; if it stays, look at the disk space and at who holds ratchet.db.",
    )
