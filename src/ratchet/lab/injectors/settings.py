"""Failures that are settings: of the server, of a role, of a database."""

import time
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from pydantic import Field

from ratchet.domain.noun import Noun
from ratchet.lab.injectors.grip import Grip, UndoFailed
from ratchet.lab.lab import Member

NAME = r"^[a-z_]+$"
LISTS_IN_QUOTES = frozenset({
    "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries",
    "temp_tablespaces",
})  # fmt: skip
"""Settings whose text ALTER SYSTEM would take for one name, and quote: given back, they would say something else."""
# ALTER SYSTEM writes there; of several lines the last counts.
BY_ALTER_SYSTEM = """SELECT setting FROM pg_file_settings WHERE lower(name) = lower(%s)
 AND right(sourcefile, 21) = '/postgresql.auto.conf' ORDER BY seqno DESC LIMIT 1"""


class SystemArgs(Noun):
    """A setting of a whole server, by ALTER SYSTEM; `restart` where it counts only from a start."""

    name: str = Field(pattern=NAME)
    value: str = ""
    on: Member = "primary"
    restart: bool = False


class RoleArgs(Noun):
    """A setting of the fault's own role."""

    name: str = Field(pattern=NAME)
    value: str


class DatabaseArgs(Noun):
    """A setting of the shop's database."""

    name: str = Field(pattern=NAME)
    value: str = ""


class LimitArgs(Noun):
    """A connection limit of the shop's database; -1 is none."""

    limit: int


def alter_system(grip: Grip, args: SystemArgs) -> None:
    with grip.admin(args.on) as session:
        session.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(args.name), sql.Literal(args.value)))
    _count(grip, args, args.value)


def remember_system(grip: Grip, args: SystemArgs) -> None:
    """Writes down what somebody set by ALTER SYSTEM before; RuntimeError where that could not be given back."""
    with grip.admin(args.on) as session:
        row = session.execute(BY_ALTER_SYSTEM, [args.name]).fetchone()
    was = None if row is None else str(row[0])
    if was is not None and args.name in LISTS_IN_QUOTES:
        raise RuntimeError(f"{args.name} was set by ALTER SYSTEM before, and a list cannot be given back as it was")
    grip.keep(_key(args), {"was": was})


def reset_system(grip: Grip, args: SystemArgs) -> None:
    """As ALTER SYSTEM knew it before the fault: as it was set then, else not at all. Nothing happens where the entry
    does not say that, because then nothing was caused either; without its entry it fails."""
    kept = grip.must_know(_key(args))
    if kept is None:
        return
    name, was = sql.Identifier(args.name), kept["was"]
    back = sql.SQL("ALTER SYSTEM RESET {}").format(name)
    if was is not None:
        back = sql.SQL("ALTER SYSTEM SET {} = {}").format(name, sql.Literal(was))
    with grip.admin(args.on) as session:
        session.execute(back)
    _count(grip, args, was)


def _key(args: SystemArgs) -> str:
    return f"alter system {args.on} {args.name}"


def _count(grip: Grip, args: SystemArgs, value: str | None) -> None:
    cluster = grip.lab.member(args.on)
    if args.restart:
        cluster.restart()
        return
    with grip.admin(args.on) as session:
        before = _in_force(session)
        session.execute("SELECT pg_reload_conf()")
    # A reload is asked for, not done; a new session shows when it was.
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with suppress(psycopg.OperationalError), grip.admin(args.on) as session:
            if _in_force(session) > before:
                return
        time.sleep(0.02)
    raise UndoFailed(f"the server did not take {args.name} = {value or 'what it was'} within 5 s")


def _in_force(session: "psycopg.Connection[tuple[Any, ...]]") -> float:
    row = session.execute("SELECT extract(epoch FROM pg_conf_load_time())::float8").fetchone()
    return float(row[0]) if row else 0.0


def alter_role(grip: Grip, args: RoleArgs) -> None:
    role, name = sql.Identifier(grip.names.role), sql.Identifier(args.name)
    with grip.admin() as session:
        session.execute(sql.SQL("ALTER ROLE {} SET {} = {}").format(role, name, sql.Literal(args.value)))


def alter_database(grip: Grip, args: DatabaseArgs) -> None:
    with grip.admin() as session:
        session.execute(
            sql.SQL("ALTER DATABASE shop SET {} = {}").format(sql.Identifier(args.name), sql.Literal(args.value))
        )


def reset_database(grip: Grip, args: DatabaseArgs) -> None:
    with grip.admin() as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute(sql.SQL("ALTER DATABASE shop RESET {}").format(sql.Identifier(args.name)))


def limit_database(grip: Grip, args: LimitArgs) -> None:
    with grip.admin() as session:
        session.execute(sql.SQL("ALTER DATABASE shop CONNECTION LIMIT {}").format(sql.Literal(args.limit)))
