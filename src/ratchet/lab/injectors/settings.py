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


def reset_system(grip: Grip, args: SystemArgs) -> None:
    """Takes the setting back as ALTER SYSTEM knows it; what stands in the server's own file counts again."""
    with grip.admin(args.on) as session:
        session.execute(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(args.name)))
    _count(grip, args, None)


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
    raise UndoFailed(f"the server did not take {args.name} = {value or 'its default'} within 5 s")


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
