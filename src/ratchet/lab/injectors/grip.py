"""What one caused fault holds: its label, its names, its sessions and threads, and nothing that is not its own."""

import random
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

import psycopg

from ratchet.domain.fault import CausedObject
from ratchet.domain.noun import Noun
from ratchet.lab.account import LabProgramFailed
from ratchet.lab.injectors.client import Client
from ratchet.lab.injectors.names import APPLICATIONS, LABEL_LENGTH, draw
from ratchet.lab.journal import Entry
from ratchet.lab.lab import Lab, Member
from ratchet.lab.shop import DATABASE, SHOP_ROLE

Session = psycopg.Connection[tuple[Any, ...]]
Via = Literal["primary", "replica", "pgbouncer"]

# A session whose client died asks after it this often, so that it ends even in the middle of a long statement.
SESSION_OPTIONS = "-c client_connection_check_interval=1000"


class UndoFailed(RuntimeError):
    """A fault could not be taken back; the message says what is left."""


class NoArgs(Noun):
    """An injector that takes no arguments."""


class Grip:
    """One fault's hold on the lab. Every session it opens carries `label` at the end of its application name."""

    def __init__(self, lab: Lab, label: str, seed: int = 0, entry: Entry | None = None) -> None:
        self.lab = lab
        self.label = label
        self.seed = seed
        self.names = draw(seed, label)
        self.objects: list[CausedObject] = []
        self.clients: list[Client] = []
        self.over = threading.Event()
        self.log_from = lab.primary.log_size()
        self._entry = entry
        self._names = random.Random(seed).sample(APPLICATIONS, len(APPLICATIONS))  # noqa: S311 - names, not secrets
        self._sessions: list[Session] = []
        self._threads: list[threading.Thread] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def next_application(self) -> str:
        return f"{self._names.pop()}-{self.label}"

    def point_at(self, kind: str, identity: str, name: str = "") -> None:
        """Names the object that a right diagnosis must name."""
        self.objects.append(CausedObject(kind=kind, id=identity, name=name or identity))

    def keep(self, name: str, value: Any) -> None:
        """Writes down what the undo must know, before it is needed."""
        if self._entry is not None:
            self._entry.keep(name, value)

    def kept(self, name: str) -> Any:
        return self._entry.kept(name) if self._entry is not None else None

    def must_know(self, name: str) -> Any:
        """What the undo needs of what was kept; None where that was never caused. Raises UndoFailed where the entry
        is gone, because then nobody knows."""
        if self._entry is not None and not self._entry.stands:
            raise UndoFailed(f"what was there before ({name}) is written down no more: {self._entry.path}")
        return self.kept(name)

    def admin(self, member: Member = "primary", dbname: str = DATABASE) -> Session:
        """A superuser's session; a server that is down is started, and one that recovers is waited for."""
        cluster = self.lab.member(member)
        deadline = time.monotonic() + 15
        while True:
            try:
                cluster.start()
                return cluster.connect(dbname=dbname)
            except (psycopg.OperationalError, LabProgramFailed):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def open(self, application: str, *, autocommit: bool = True) -> Session:
        """A session of the shop's own role; it ends with this process."""
        session = self.lab.primary.connect(
            SHOP_ROLE, DATABASE, application_name=application, autocommit=autocommit, options=SESSION_OPTIONS
        )
        self._sessions.append(session)
        return session

    def open_as(self, role: str, via: Via = "primary") -> Session:
        """A short session of `role`; whoever asked for it closes it."""
        if via == "pgbouncer":
            return psycopg.connect(
                self.lab.through_pooler(role), application_name=self.names.application, autocommit=True
            )
        return self.lab.member(via).connect(role, DATABASE, application_name=self.names.application, connect_timeout=2)

    def open_sessions(self) -> list[Session]:
        return list(self._sessions)

    def hold(self, session: Session) -> None:
        """Counts a session that was opened elsewhere as ours."""
        self._sessions.append(session)

    def forget(self, session: Session) -> None:
        """Closes a session of ours."""
        self._sessions.remove(session)
        session.close()

    def spawn(self, job: Callable[..., None], *args: object) -> None:
        """Runs `job` beside us until it ends or its session is ended."""
        thread = threading.Thread(target=job, args=args, name=f"grip-{self.label}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def hold_process(self, process: "subprocess.Popen[bytes]") -> None:
        """Counts a foreign process as ours; its open pipe is what keeps it alive."""
        self._processes.append(process)

    def collect_processes(self) -> None:
        """Waits for our foreign processes that have ended."""
        for process in self._processes:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            process.wait(timeout=5)
        self._processes.clear()

    def serve(self, client: Client) -> None:
        """Lets a customer of ours ask from now on."""
        self.clients.append(client)
        self.spawn(client.run, self.over)

    def release(self, within_s: float = 15) -> None:
        """Ends every session of ours, and proves that no server holds any of them any more."""
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
            with suppress(psycopg.Error):
                session.close()
        self._sessions.clear()

    def _end_labelled(self) -> int:
        ended = 0
        for cluster in (self.lab.primary, self.lab.replica):
            if cluster is None or not cluster.is_running():
                continue
            try:
                with cluster.connect() as session:
                    ended += session.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_get_activity(NULL)"
                        " WHERE right(application_name, %s) = %s",
                        [LABEL_LENGTH + 1, f"-{self.label}"],
                    ).rowcount
            except psycopg.OperationalError:
                # It is just recovering, or just went down: then it holds no session, and is asked once more.
                ended += cluster.is_running()
        return ended
