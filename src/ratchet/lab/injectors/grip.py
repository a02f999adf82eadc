"""What one caused fault holds: its label, its sessions, its threads, and nothing that is not its own."""

import random
import string
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from ratchet.domain.fault import CausedObject
from ratchet.domain.noun import Noun
from ratchet.lab.lab import Lab
from ratchet.lab.shop import DATABASE, SHOP_ROLE

Session = psycopg.Connection[tuple[Any, ...]]

APPLICATIONS = (
    "basket-api", "coupon-engine", "invoice-batch", "ledger-sync", "loyalty-points", "parcel-tracker",
    "price-watch", "refund-desk", "search-feed", "supplier-portal", "voucher-mailer", "wish-list",
)  # fmt: skip
LABEL_LENGTH = 4
# A session whose client died asks after it this often, so that it ends even in the middle of a long statement.
SESSION_OPTIONS = "-c client_connection_check_interval=1000"


class UndoFailed(RuntimeError):
    """A fault could not be taken back; the message says what is left."""


class NoArgs(Noun):
    """An injector that takes no arguments."""


class Grip:
    """One fault's hold on the lab. Every session it opens carries `label` at the end of its application name."""

    def __init__(self, lab: Lab, label: str, seed: int = 0) -> None:
        self.lab = lab
        self.label = label
        self.objects: list[CausedObject] = []
        self.over = threading.Event()
        self._names = random.Random(seed).sample(APPLICATIONS, len(APPLICATIONS))  # noqa: S311 - names, not secrets
        self._sessions: list[Session] = []
        self._threads: list[threading.Thread] = []

    def next_application(self) -> str:
        return f"{self._names.pop()}-{self.label}"

    def open(self, application: str, *, autocommit: bool = True) -> Session:
        """A session of the shop's own role; it ends with this process."""
        session = self.lab.primary.connect(
            SHOP_ROLE, DATABASE, application_name=application, autocommit=autocommit, options=SESSION_OPTIONS
        )
        self._sessions.append(session)
        return session

    def open_sessions(self) -> list[Session]:
        return list(self._sessions)

    def forget(self, session: Session) -> None:
        """Closes a session of ours."""
        self._sessions.remove(session)
        session.close()

    def spawn(self, job: Callable[..., None], *args: object) -> None:
        """Runs `job` beside us until it ends or its session is ended."""
        thread = threading.Thread(target=job, args=args, name=f"grip-{self.label}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def release(self, within_s: float = 10) -> None:
        """Ends every session of ours, and proves that the server holds none of them any more."""
        self.over.set()
        deadline = time.monotonic() + within_s
        # By label and from outside: a session that a thread of ours still waits on must not be closed under it.
        while self._end_labelled():
            if time.monotonic() > deadline:
                raise UndoFailed(f"sessions labelled {self.label} outlive their end; look at pg_stat_activity")
            time.sleep(0.05)
        for thread in self._threads:
            thread.join(timeout=max(deadline - time.monotonic(), 0.1))
        for session in self._sessions:
            session.close()
        self._sessions.clear()

    def _end_labelled(self) -> int:
        if not self.lab.primary.is_running():
            return 0
        with self.lab.primary.connect() as session:
            rows = session.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE right(application_name, %s) = %s",
                [LABEL_LENGTH + 1, f"-{self.label}"],
            ).fetchall()
        return len(rows)


def new_label(seed: int) -> str:
    """A short random word; it says nothing of its purpose."""
    letters = random.Random(f"label {seed}")  # noqa: S311 - a name, not a secret
    return "".join(letters.choices(string.ascii_lowercase + string.digits, k=LABEL_LENGTH))
