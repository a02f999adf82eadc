"""A PgBouncer of the lab's own in front of its primary, in transaction mode."""

import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from ratchet.lab.account import LabProgramFailed
from ratchet.lab.embedded import SUPERUSER, Cluster, free_port
from ratchet.lab.shop import DATABASE

PROGRAM = "pgbouncer"
PLACES = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"
POOL_SIZE = 3
STATS_LOGIN = "pooler_stats"
"""May look at the console and change nothing there; it is no role of the database."""
SETTINGS: Mapping[str, str | int] = {
    "listen_addr": "127.0.0.1",
    "auth_type": "scram-sha-256",
    "admin_users": SUPERUSER,
    "stats_users": STATS_LOGIN,
    "pool_mode": "transaction",
    "default_pool_size": POOL_SIZE,
    "max_client_conn": 100,
    "query_wait_timeout": 3,
    "server_login_retry": 1,
    "server_connect_timeout": 2,
    "ignore_startup_parameters": "extra_float_digits,options",
    "application_name_add_host": 0,
}


def find_pooler() -> str | None:
    """The program's path; None where it is not installed."""
    return shutil.which(PROGRAM, path=PLACES)


@dataclass(eq=False)
class Pooler:
    """One PgBouncer; its files lie in `place`, and whoever sweeps the primary ends it too."""

    primary: Cluster
    program: str
    port: int
    place: Path
    backend_port: int
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    stats_password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    @classmethod
    def start(cls, primary: Cluster, program: str) -> "Pooler":
        """Started and answering."""
        pooler = cls(primary, program, free_port(), primary.outside, primary.port)
        pooler.write()
        account = primary.account
        pooler.process = subprocess.Popen(
            [program, "-q", str(pooler.place / "pooler.ini")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=primary.home,
            env={"PATH": "/usr/bin:/bin"},
            user=account.uid if account.switch else None,
            group=account.gid if account.switch else None,
            extra_groups=[] if account.switch else None,
        )  # fmt: skip
        pooler.wait()
        return pooler

    def write(self) -> None:
        """Its two files, for the roles that the primary knows now."""
        logins = {**self.primary.passwords, STATS_LOGIN: self.stats_password}
        users = "".join(f'"{name}" "{word}"\n' for name, word in logins.items())
        settings = {**SETTINGS, "listen_port": self.port, "logfile": self.place / "pooler.log",
                    "auth_file": self.place / "users.txt"}  # fmt: skip
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        database = f"{DATABASE} = host=127.0.0.1 port={self.backend_port} dbname={DATABASE}\n"
        self._put("users.txt", users)
        self._put("pooler.ini", f"[databases]\n{database}\n[pgbouncer]\n{''.join(lines)}")

    def _put(self, name: str, text: str) -> None:
        path = self.place / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        self.primary.account.own(path)

    def direct(self, port: int) -> None:
        """Points the shop's database at another port, and lets go of every connection to the old one."""
        self.backend_port = port
        self.write()
        self.command("RELOAD")
        self.command(f"RECONNECT {DATABASE}")

    def command(self, words: str) -> list[tuple[object, ...]]:
        """One command of its console, with the rows that it answers."""
        dsn = f"postgresql://{SUPERUSER}:{self.primary.passwords[SUPERUSER]}@127.0.0.1:{self.port}/pgbouncer"
        # The console speaks the simple protocol alone, which is what a statement without values is sent by.
        with psycopg.connect(dsn, autocommit=True, connect_timeout=5, application_name="lab") as session:
            cursor = session.execute(words.encode())
            return cursor.fetchall() if cursor.description else []

    def dsn(self, role: str) -> str:
        """A connection URL through the pooler; never print it."""
        return f"postgresql://{quote(role)}:{self.primary.passwords[role]}@127.0.0.1:{self.port}/{DATABASE}"

    def stats_dsn(self) -> str:
        """A connection URL of the login that only looks at the console; never print it."""
        return f"postgresql://{STATS_LOGIN}:{self.stats_password}@127.0.0.1:{self.port}/pgbouncer"

    def wait(self, within_s: float = 5) -> None:
        deadline = time.monotonic() + within_s
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise LabProgramFailed(f"{PROGRAM} does not answer on its port") from None
                time.sleep(0.02)

    def stop(self) -> None:
        """Ends it; may be repeated."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait(timeout=5)
