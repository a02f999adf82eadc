"""Failures of replication: replay that is paused, a receiver shut out, queries cancelled, a feed that stands still."""

from typing import LiteralString

from psycopg import sql

from ratchet.lab.embedded import REPLICATION_ROLE, SUPERUSER
from ratchet.lab.injectors.grip import Grip, NoArgs
from ratchet.lab.lab import NAMES
from ratchet.lab.shop import DATABASE

COPY: LiteralString = (
    "CREATE TABLE {} (id int PRIMARY KEY, customer int NOT NULL, status text NOT NULL,"
    " note text NOT NULL, changed_at timestamptz NOT NULL)"
)
SUBSCRIBE: LiteralString = (
    "CREATE SUBSCRIPTION {subscription} CONNECTION {line} PUBLICATION {publication}"
    " WITH (create_slot = false, copy_data = false, slot_name = {slot})"
)


def pause_replay(grip: Grip, _args: NoArgs) -> None:
    """The replica goes on receiving and stops replaying."""
    with grip.lab.member("replica").connect() as session:
        session.execute("SELECT pg_wal_replay_pause()")
    point_at_replica(grip, NoArgs())


def resume_replay(grip: Grip, _args: NoArgs) -> None:
    """The replica replays again; nothing happens where it already does, was promoted, or is down (a start forgets)."""
    replica = grip.lab.member("replica")
    if not replica.is_running():
        return
    with replica.connect() as session:
        session.execute(
            "SELECT CASE WHEN pg_is_in_recovery() AND pg_get_wal_replay_pause_state() <> 'not paused'"
            " THEN pg_wal_replay_resume()::text END"
        )


def point_at_replica(grip: Grip, _args: NoArgs) -> None:
    grip.point_at("target", NAMES["replica"])


def shut_receiver_out(grip: Grip, _args: NoArgs) -> None:
    """The replication role may no longer log in, and the running sender is ended."""
    with grip.admin() as session:
        session.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(REPLICATION_ROLE)))
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE usename = %s", [REPLICATION_ROLE]
        )
    point_at_replica(grip, NoArgs())


def let_receiver_in(grip: Grip, _args: NoArgs) -> None:
    with grip.admin() as session:
        session.execute(sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(REPLICATION_ROLE)))


def feed(grip: Grip, _args: NoArgs) -> None:
    """A database that subscribes to the fault's own table, and in it a row that will get in the way."""
    names = grip.names
    table = sql.Identifier(names.table)
    with grip.admin() as session:
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(names.database)))
        session.execute(sql.SQL("CREATE PUBLICATION {} FOR TABLE {}").format(sql.Identifier(names.index), table))
        session.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [names.subscription])
    subscribe = sql.SQL(SUBSCRIBE).format(
        subscription=sql.Identifier(names.subscription),
        line=sql.Literal(_line(grip)),
        publication=sql.Identifier(names.index),
        slot=sql.Literal(names.subscription),
    )
    with grip.admin(dbname=names.database) as session:
        session.execute(sql.SQL(COPY).format(table))
        session.execute(sql.SQL("INSERT INTO {} VALUES (900001, 1, 'open', 'was here first', now())").format(table))
        session.execute(subscribe)
    with grip.admin() as session:
        session.execute(sql.SQL("INSERT INTO {} VALUES (900001, 1, 'open', 'comes second', now())").format(table))
    grip.point_at("subscription", names.subscription)


def _line(grip: Grip) -> str:
    """How the subscriber reaches its publisher; the password stands in a file and in no catalogue."""
    primary = grip.lab.primary
    words = primary.write_private(
        f"feed_{grip.label}", f"127.0.0.1:{primary.port}:*:{SUPERUSER}:{primary.passwords[SUPERUSER]}\n"
    )
    return f"host=127.0.0.1 port={primary.port} user={SUPERUSER} dbname={DATABASE} passfile={words}"


def unfeed(grip: Grip, _args: NoArgs) -> None:
    """The subscription, its slot, its publication and its database go; each only where it is there."""
    names = grip.names
    subscription = sql.Identifier(names.subscription)
    with grip.admin() as session:
        there = session.execute("SELECT FROM pg_database WHERE datname = %s", [names.database]).rowcount
    if there:
        with grip.admin(dbname=names.database) as session:
            if session.execute("SELECT FROM pg_subscription WHERE subname = %s", [names.subscription]).rowcount:
                session.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(subscription))
                session.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(subscription))
                session.execute(sql.SQL("DROP SUBSCRIPTION {}").format(subscription))
    with grip.admin() as session:
        session.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(names.index)))
        session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(names.database)))
        session.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s AND active",
            [names.subscription],
        )
        session.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
            [names.subscription],
        )
    (grip.lab.primary.home / f"feed_{grip.label}").unlink(missing_ok=True)
