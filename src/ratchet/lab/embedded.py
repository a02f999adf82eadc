"""A PostgreSQL server of our own on the loopback: made, started, stopped, killed and removed without a trace."""

import os
import secrets
import signal
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, LiteralString, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from ratchet.lab.account import Account, LabProgramFailed, make_home, reachable_binaries, server_account
from ratchet.lab.binaries import Binaries
from ratchet.lab.reaper import Reaper
from ratchet.lab.sweep import OUTSIDE, end_server, forget_uncollected, postmaster, sweep, write_pointer

StopMode = Literal["smart", "fast", "immediate"]
Settings = Mapping[str, str | int]

SUPERUSER = "postgres"
REPLICATION_ROLE = "replicator"
START_TRIES = 3
LAB_SETTINGS: dict[str, str | int] = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "32MB",
    "max_connections": 40,
    "log_rotation_age": 0,
    "log_rotation_size": 0,
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "500ms",
}

REPLICA_SETTINGS: Settings = {"max_locks_per_transaction": 256}
"""A replica takes over the exclusive locks of its primary: where both have the same room, it ends when that is full."""


@dataclass(eq=False)
class Cluster:
    """One server. `root` names it for `sweep`; its files lie in `home`, which its own account owns."""

    root: Path
    home: Path
    binaries: Binaries
    account: Account
    port: int
    passwords: dict[str, str] = field(repr=False)
    reaper: Reaper = field(repr=False)
    replicas: "list[Cluster]" = field(default_factory=list["Cluster"], repr=False)
    mark: str = field(default="", kw_only=True)
    """The comment on every role made here, where roles of others live beside ours."""

    @classmethod
    def create(
        cls, root: Path, binaries: Binaries, *, settings: Settings | None = None, port: int | None = None
    ) -> Self:
        """A new, running server below `root`; a stale one at the same root is removed first."""
        cluster = cls.prepare(root, binaries, port=port)
        with ExitStack() as failed:
            failed.callback(cluster.destroy)
            cluster.initialise(settings or {})
            cluster.start_on_a_port(fixed=port is not None)
            failed.pop_all()
        return cluster

    @classmethod
    def prepare(cls, root: Path, binaries: Binaries, *, port: int | None = None) -> Self:
        """The places and the watch of a server to be; no data directory yet."""
        root = root.resolve()
        sweep(root)
        account = server_account()
        home = make_home(root, account)
        write_pointer(root, home)
        reaper = Reaper.watch(os.getpid(), root)
        return cls(root, home, binaries, account, port or free_port(), {SUPERUSER: secrets.token_hex(16)}, reaper)

    def initialise(self, settings: Settings) -> None:
        """Makes the data directory; passwords are asked for on every way in, the UNIX socket too."""
        self.binaries = reachable_binaries(self.binaries, self.account, self.home)
        words = self.write_private("superuser", f"{self.passwords[SUPERUSER]}\n")
        self._run(
            "initdb", "-D", str(self.data_dir), "-U", SUPERUSER, f"--pwfile={words}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-sync", "--no-instructions",
        )  # fmt: skip
        extra: dict[str, str | int] = {}
        if self.binaries.contrib:
            extra["shared_preload_libraries"] = "pg_stat_statements"
        self.configure({**LAB_SETTINGS, **extra, **settings})

    def configure(self, settings: Settings) -> None:
        """Appends settings to the server's file (the last one wins); they count from the next start or reload."""
        lines = [f"{name} = '{_escape(str(value))}'\n" for name, value in settings.items()]
        with (self.data_dir / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(lines)

    def start_on_a_port(self, *, fixed: bool) -> None:
        """Starts; unless the port was given, another one is taken when somebody was quicker."""
        for attempt in range(START_TRIES):
            self.configure({"port": self.port, "unix_socket_directories": str(self.home), **self._log_settings()})
            try:
                self.start()
                break
            except LabProgramFailed as failed:
                if fixed or "Address already in use" not in str(failed) or attempt == START_TRIES - 1:
                    raise
                self.port = free_port()

    def _log_settings(self) -> Settings:
        """Its own collector writes the file that pg_ctl writes first, so that its functions can read it too."""
        return {"logging_collector": "on", "log_directory": str(self.home), "log_filename": self.log_path.name}

    def log_size(self) -> int:
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def start(self) -> None:
        """Starts and waits until it answers; nothing happens where it runs already."""
        if self.is_running():
            return
        seen = self.log_size()
        try:
            self._run("pg_ctl", "start", "-w", "-t", "60", "-D", str(self.data_dir), "-l", str(self.log_path))
        except LabProgramFailed as failed:
            said = self.log_path.read_bytes()[seen:].decode(errors="replace") if self.log_path.exists() else ""
            raise LabProgramFailed(f"{failed}\n{said[-1500:]}") from failed

    def stop(self, mode: StopMode = "fast") -> None:
        """Stops and waits; nothing happens where it does not run."""
        if self.is_running():
            self._run("pg_ctl", "stop", "-w", "-t", "60", "-m", mode, "-D", str(self.data_dir))

    def restart(self) -> None:
        self.stop()
        self.start()

    def reload(self) -> None:
        self._run("pg_ctl", "reload", "-D", str(self.data_dir))

    def kill(self) -> None:
        """Ends the server as a crash would: SIGKILL to its first process, then waits for its children."""
        end_server(self.data_dir, signal.SIGKILL)
        forget_uncollected(self.data_dir)

    def is_running(self) -> bool:
        return postmaster(self.data_dir) is not None

    def destroy(self) -> None:
        """Stops and removes this server and its replicas, and sends the reaper home. May be repeated."""
        for replica in self.replicas:
            replica.destroy()
        sweep(self.root)
        self.reaper.dismiss()

    @property
    def pid(self) -> int | None:
        found = postmaster(self.data_dir)
        return found.pid if found else None

    @property
    def data_dir(self) -> Path:
        return self.home / "data"

    @property
    def log_path(self) -> Path:
        return self.home / "server.log"

    @property
    def outside(self) -> Path:
        """Where whatever runs beside the server has its files; `sweep` ends every program started from there."""
        return self.home / OUTSIDE

    @property
    def archive(self) -> Path:
        """Where WAL is archived, for a server that was told so by `archiving`."""
        return self.home / "archive"

    @property
    def backup(self) -> Path:
        return self.home / "backup"

    def archiving(self) -> Settings:
        """Settings that keep every WAL segment in `archive`."""
        self.archive.mkdir(exist_ok=True)
        self.account.own(self.archive)
        place = self.archive
        return {"archive_mode": "on", "archive_command": f"test ! -f {place}/%f && cp %p {place}/%f"}

    def back_up(self) -> None:
        """A base backup in `backup`; nothing happens where there is one."""
        if self.backup.exists():
            return
        passfile = self.write_private("pgpass", f"127.0.0.1:{self.port}:*:{SUPERUSER}:{self.passwords[SUPERUSER]}\n")
        self._run(
            "pg_basebackup", "-D", str(self.backup), "-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER,
            "--wal-method=none", "--checkpoint=fast", "--no-sync", "--no-password",
            env={"PGPASSFILE": str(passfile)},
        )  # fmt: skip

    @property
    def pg_ctl(self) -> str:
        return self.binaries.program("pg_ctl")

    def dsn(self, user: str = SUPERUSER, dbname: str = "postgres") -> str:
        """A connection URL with the password of a role that this lab made; never print it."""
        return f"postgresql://{quote(user)}:{self.passwords[user]}@127.0.0.1:{self.port}/{quote(dbname)}"

    def connect(
        self, user: str = SUPERUSER, dbname: str = "postgres", *, application_name: str = "lab", **options: Any
    ) -> psycopg.Connection[tuple[Any, ...]]:
        """An autocommit session of a role that this lab made."""
        options = {"autocommit": True, "connect_timeout": 5, "application_name": application_name, **options}
        return psycopg.connect(self.dsn(user, dbname), **options)

    def add_login(self, name: str, attributes: LiteralString = "") -> None:
        """A login role with a random password, known afterwards to `dsn`; with its mark, or not at all."""
        password = secrets.token_hex(16)
        with self.connect(application_name="lab") as session, session.transaction():
            # The server would log the statement with its password if it failed; a verifier tells nobody anything.
            verifier = session.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
            session.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} {}").format(
                    sql.Identifier(name), sql.Literal(verifier), sql.SQL(attributes)
                )
            )
            if self.mark:
                session.execute(
                    sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(name), sql.Literal(self.mark))
                )
        self.passwords[name] = password

    def replica(self, root: Path, *, slot: str = "replica_one", port: int | None = None) -> "Cluster":
        """A running streaming standby below `root`, with a physical slot; it goes when this server is destroyed."""
        if REPLICATION_ROLE not in self.passwords:
            self.add_login(REPLICATION_ROLE, "REPLICATION")
        replica = Cluster.prepare(root, self.binaries, port=port)
        replica.passwords = self.passwords
        with ExitStack() as failed:
            failed.callback(replica.destroy)
            with self.connect() as session:
                session.execute("SELECT pg_create_physical_replication_slot(%s, true)", [slot])
            replica.copy_from(self, slot)
            replica.configure(REPLICA_SETTINGS)
            replica.start_on_a_port(fixed=port is not None)
            failed.pop_all()
        self.replicas.append(replica)
        return replica

    def copy_from(self, primary: "Cluster", slot: str) -> None:
        """Fills this server's data directory from `primary` and sets it to follow through `slot`."""
        password = self.passwords[REPLICATION_ROLE]
        passfile = self.write_private("pgpass", f"127.0.0.1:{primary.port}:*:{REPLICATION_ROLE}:{password}\n")
        self._run(
            "pg_basebackup", "--write-recovery-conf", "-D", str(self.data_dir), "-h", "127.0.0.1",
            "-p", str(primary.port), "-U", REPLICATION_ROLE, "--slot", slot, "--wal-method=stream",
            "--checkpoint=fast", "--no-sync", "--no-password",
            env={"PGPASSFILE": str(passfile), "PGAPPNAME": slot},
        )  # fmt: skip

    def write_private(self, name: str, text: str) -> Path:
        """A file of mode 0600 in `home` that the server's account owns."""
        path = self.home / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        self.account.own(path)
        return path

    def _run(self, program: str, *args: str, env: Mapping[str, str] | None = None) -> None:
        self.account.run([self.binaries.program(program), *args], self.home, env)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.destroy()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
