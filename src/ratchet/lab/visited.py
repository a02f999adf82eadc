"""The server that a drill visits: who it is, and our small part of it, told from everybody else's by its mark."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ratchet.domain.errors import Code, Refusal, conflict
from ratchet.lab.account import server_account
from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import Cluster, Settings, StopMode
from ratchet.lab.lab import CANARY_ROLE, PartMissing
from ratchet.lab.reaper import Reaper
from ratchet.lab.shop import DATABASE, SHOP_ROLE, mark_database

Session = psycopg.Connection[tuple[Any, ...]]
OUR_ROLES = (SHOP_ROLE, CANARY_ROLE)
MARK = "made by ratchet for drills"
"""The comment on our database and roles: without it one of that name is somebody else's."""
WHO = """SELECT (SELECT system_identifier::text FROM pg_control_system()), current_setting('server_version_num')::int,
 to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
 (SELECT coalesce(max(setting), '') FROM pg_settings WHERE name = 'data_directory'),
 (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"""
ELSEWHERE = frozenset({"service", "servicefile"})
"""Words for a place where other words are; those are known by now."""


@dataclass(frozen=True)
class Host:
    """The server that is visited, as its superuser's connection finds it."""

    conn: str = field(repr=False)
    """With all that the environment and its files add, so that a process without them reaches the same server."""
    system_identifier: str
    version: int
    instance: tuple[str, str]
    """When it was started, to the microsecond, and its data directory: together with the identifier, which clones and
    replicas share, they name one running server. As the probe postgres.ping tells them."""
    superuser: bool


def look_up(conn: str) -> Host:
    """Who stands behind a connection string. Raises Refusal; the string, which may hold a password, is never told."""
    try:
        with psycopg.connect(conn, connect_timeout=5, autocommit=True, application_name="ratchet") as session:
            row = session.execute(WHO).fetchone()
            whole = _whole(conn, session)
    except psycopg.Error as failed:
        if failed.sqlstate is not None and not isinstance(failed, psycopg.OperationalError):
            message = f"The server of --conn does not say who it is: {failed.diag.message_primary}."
            raise Refusal(Code.FORBIDDEN, message, "Give its superuser's login, to the server itself.") from None
        if isinstance(failed, psycopg.ProgrammingError):
            remedy = 'Write it as --conn "host=... port=... dbname=... user=...".'
            raise Refusal(Code.INVALID, "--conn is not a connection string that libpq understands.", remedy) from None
        remedy = "Check host, port, user and password; psql with the same words says more."
        raise Refusal(Code.UNAVAILABLE, "The server of --conn does not let this login in.", remedy) from None
    identifier, version, started, directory, superuser = row or ("", 0, "", "", False)
    return Host(whole, str(identifier), int(version), (str(started), str(directory)), bool(superuser))


def _whole(conn: str, session: Session) -> str:
    """The connection string with what libpq found elsewhere: variables, services, password files."""
    given = conninfo_to_dict(conn)
    found = {**given, **session.info.get_parameters()}
    ours = {name for name in ("application_name", "connect_timeout") if name not in given}
    password = {"password": session.info.password} if session.info.password else {}
    return make_conninfo("", **{name: each for name, each in found.items() if name not in ours | ELSEWHERE} | password)


@dataclass(eq=False)
class HostCluster(Cluster):
    """Somebody else's server in the shape of one of ours: spoken to, and never started, stopped or configured."""

    conn: str = field(default="", repr=False)

    def dsn(self, user: str = "", dbname: str = DATABASE) -> str:
        """A connection string of a role of ours; of the superuser for any other."""
        words: dict[str, Any] = {**conninfo_to_dict(self.conn), "dbname": dbname}
        if user in self.passwords:
            words |= {"user": user, "password": self.passwords[user]}
        return make_conninfo("", **words)

    def log_size(self) -> int:
        return 0

    def start(self) -> None:
        """It is up, or it is not ours to start."""

    def stop(self, mode: StopMode = "fast") -> None:
        raise PartMissing(f"a server of others is not stopped ({mode})")

    def reload(self) -> None:
        with self.connect() as session:
            session.execute("SELECT pg_reload_conf()")

    def configure(self, settings: Settings) -> None:
        raise PartMissing(f"files of a server of others are not written ({', '.join(settings)})")

    def is_running(self) -> bool:
        try:
            self.connect(dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def destroy(self) -> None:
        """Our database and roles go; nothing else was made."""
        with self.connect(dbname="postgres") as session:
            session.execute("SET default_transaction_read_only = off")
            if _database_mark(session) == MARK:
                session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
            for role, mark in _role_marks(session, (*OUR_ROLES, *self.passwords)).items():
                if mark == MARK:
                    session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))

    def have_database(self) -> None:
        """A database of our name, for an undo that looks into one; an empty one where there is none any more."""
        with self.connect(dbname="postgres") as session:
            if _database_mark(session) is None:
                session.execute("SET default_transaction_read_only = off")
                session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
                mark_database(session, self.mark)


def refuse_taken(session: Session) -> None:
    """A database or role of our name that is not ours is somebody's. Raises Refusal before anything is touched."""
    taken = [f"a role {name!r}" for name, mark in _role_marks(session, OUR_ROLES).items() if mark != MARK]
    if _database_mark(session) not in (None, MARK):
        taken.insert(0, f"a database {DATABASE!r}")
    if taken:
        message = f"The server has {' and '.join(taken)} already, and not of Ratchet's making."
        raise conflict(message, "Drill on a server without; nothing was touched.")


def _database_mark(session: Session) -> str | None:
    """The comment on the database of our name, else on the role that it was made for: who made it may have ended before
    the comment. None where there is none of that name."""
    query = """SELECT coalesce(shobj_description(oid, 'pg_database'), shobj_description(datdba, 'pg_authid'), '')
 FROM pg_database WHERE datname = %s"""
    row = session.execute(query, [DATABASE]).fetchone()
    return None if row is None else str(row[0])


def _role_marks(session: Session, names: Iterable[str]) -> dict[str, str]:
    """The comments on the roles of these names that exist."""
    query = "SELECT rolname, coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = ANY (%s)"
    return {str(name): str(mark) for name, mark in session.execute(query, [list(names)]).fetchall()}


def host_cluster(host: Host, home: Path) -> HostCluster:
    """The server in the shape of one of ours; `home` is where its faults are written down."""
    words: Mapping[str, Any] = conninfo_to_dict(host.conn)
    binaries = Binaries(home, (host.version // 10000, host.version % 10000), "installed", contrib=False)
    return HostCluster(
        root=home, home=home, binaries=binaries,
        account=server_account(), port=int(words.get("port") or 5432), passwords={}, reaper=NoReaper(), conn=host.conn,
        mark=MARK,
    )  # fmt: skip


class NoReaper(Reaper):
    """No process of the server's is to be reaped; `ratchet.lab.visit_reaper` takes back what a visit leaves."""

    def __init__(self) -> None:
        """Starts nothing."""

    def dismiss(self) -> None:
        """Nothing to end."""
