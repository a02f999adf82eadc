"""A customer of the part that a fault strikes: it keeps asking, and remembers how each request went."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from ratchet.lab.shop import Request

Open = Callable[[], "psycopg.Connection[tuple[Any, ...]]"]


class NothingFound(RuntimeError):
    """The statement succeeded and found no row where there must be one."""


@dataclass(eq=False)
class Client:
    """Asks `statement` every `every_s` seconds, each time in a session of its own unless `stay`."""

    open: Open
    statement: sql.Composed
    every_s: float
    stay: bool = False
    must_find: bool = False
    requests: deque[Request] = field(default_factory=lambda: deque[Request](maxlen=2000))

    def run(self, over: threading.Event) -> None:
        session: psycopg.Connection[tuple[Any, ...]] | None = None
        while not over.wait(self.every_s):
            begun = time.monotonic()
            error = ""
            try:
                session = session if session is not None and not session.closed else self.open()
                self._ask(session)
            except (psycopg.Error, NothingFound) as failed:
                error = " ".join(str(failed).split())[-300:] or type(failed).__name__
            if session is not None and (error or not self.stay):
                session.close()
                session = None
            ended = time.monotonic()
            self.requests.append(Request(ended, "checkout", (ended - begun) * 1000, error))
        if session is not None:
            session.close()

    def _ask(self, session: "psycopg.Connection[tuple[Any, ...]]") -> None:
        cursor = session.execute(self.statement)
        if self.must_find and cursor.rowcount == 0:
            raise NothingFound("the row that must be there is not there")

    def since(self, moment: float) -> list[Request]:
        """Requests that ended at or after `moment` (monotonic seconds)."""
        return [each for each in tuple(self.requests) if each.at >= moment]
