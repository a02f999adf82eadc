"""Innocent sessions and slots that resemble a culprit; a remedy that touches one has failed."""

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from ratchet.lab.embedded import Cluster
from ratchet.lab.shop import DATABASE, SHOP_ROLE

IDLE = ("metrics-agent", "admin-desk", "price-import", "mail-merge", "session-cache", "tax-sync")
READERS = ("analyst-notebook", "audit-view", "stock-forecast")


@dataclass(frozen=True)
class Trace:
    """What identifies one session and its open transaction on the server."""

    pid: int
    backend_start: datetime
    xact_start: datetime | None


class Bystanders:
    """Three idle sessions, one reader idle in its transaction that blocks nobody, and the slots that stood at first."""

    def __init__(self, primary: Cluster, seed: int, *, present: bool = True) -> None:
        """Without `present` nobody comes, and the server is not asked."""
        chosen = random.Random(seed)  # noqa: S311 - names, not secrets
        self._primary = primary
        self._sessions: dict[str, psycopg.Connection[tuple[Any, ...]]] = {}
        self._before: frozenset[Trace] = frozenset()
        self._slots: frozenset[tuple[Any, ...]] = frozenset()
        if present:
            self._arrive(chosen)

    def _arrive(self, chosen: random.Random) -> None:
        for name in chosen.sample(IDLE, 3):
            self._sessions[name] = self._open(name, autocommit=True)
        reader = chosen.choice(READERS)
        self._sessions[reader] = self._open(reader, autocommit=False)
        self._before = self._look()
        self._slots = self._look_at_slots()

    def names(self) -> tuple[str, ...]:
        """Their application names."""
        return tuple(self._sessions)

    def pids(self) -> frozenset[int]:
        return frozenset(trace.pid for trace in self._before)

    def untouched(self, *, sessions: bool = True) -> bool:
        """Whether every one still lives on as the same session in the same transaction, and every slot still serves.

        Without `sessions` only what outlives a restart is looked at.
        """
        try:
            alive = not sessions or self._before <= self._look()
            return alive and self._slots <= self._look_at_slots()
        except psycopg.OperationalError:
            return False

    def return_after_restart(self) -> None:
        """New sessions of the same names, after a failure that threw everybody out; from now on these count."""
        for name, session in list(self._sessions.items()):
            session.close()
            self._sessions[name] = self._open(name, autocommit=session.autocommit)
        self._before = self._look()

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()

    def _open(self, name: str, *, autocommit: bool) -> psycopg.Connection[tuple[Any, ...]]:
        session = self._primary.connect(SHOP_ROLE, DATABASE, application_name=name, autocommit=autocommit)
        session.execute("SELECT title FROM products WHERE id = 1")
        return session

    def _look(self) -> frozenset[Trace]:
        pids = [session.info.backend_pid for session in self._sessions.values() if not session.closed]
        with self._primary.connect() as session:
            rows = session.execute(
                "SELECT pid, backend_start, xact_start FROM pg_stat_activity WHERE pid = ANY (%s)", [pids]
            ).fetchall()
        return frozenset(Trace(*row) for row in rows)

    def _look_at_slots(self) -> frozenset[tuple[Any, ...]]:
        with self._primary.connect() as session:
            return frozenset(session.execute("SELECT slot_name, slot_type FROM pg_replication_slots").fetchall())
