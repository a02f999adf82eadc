"""What a fault makes for itself: a role, a table with an innocent sibling, a customer; and how all of it goes again."""

import time
from contextlib import suppress
from typing import Literal, LiteralString

import psycopg
from psycopg import sql

from ratchet.domain.noun import Noun
from ratchet.lab.injectors.client import Client
from ratchet.lab.injectors.grip import Grip, NoArgs, UndoFailed, Via
from ratchet.lab.lab import Member
from ratchet.lab.shop import DATABASE, SHOP_ROLE

ROWS = (
    "INSERT INTO {} SELECT n, n %% 97, 'open', 'delivered to the door, signed by ' || n, now()"
    " FROM generate_series(%s::int, %s::int) n"
)
SHAPE: LiteralString = (
    "CREATE {} {} (id int PRIMARY KEY, customer int NOT NULL, status text NOT NULL, note text NOT NULL,"
    " changed_at timestamptz NOT NULL)"
)
INNOCENT = """SELECT c.oid::text, c.relfilenode::text, coalesce(c.reloptions::text, ''), c.relacl::text,
  (SELECT string_agg(i.indexrelid::text, ',' ORDER BY i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid)
FROM pg_class c WHERE c.relname = %s"""
MAY_FAIL: dict[bool, tuple[type[psycopg.Error], ...]] = {True: (psycopg.Error,), False: ()}


class TableArgs(Noun):
    """A table of orders-to-be: `rows` rows, planner statistics gathered."""

    rows: int = 1000
    unlogged: bool = False


class RunArgs(Noun):
    """Statements for a superuser, one after the other, each in a transaction of its own."""

    statements: tuple[str, ...]
    on: Member = "primary"
    may_fail: bool = False


class ClientArgs(Noun):
    """A customer: what it asks, as whom, by which way, how often."""

    statement: str
    user: Literal["shop", "own"] = "own"
    via: Via = "primary"
    every: float = 0.2
    stay: bool = False
    must_find: bool = False


class PointArgs(Noun):
    """The object that a right diagnosis names; `id` may hold names such as `{table}`."""

    kind: str
    id: str


def make_role(grip: Grip, _args: NoArgs) -> None:
    """A login of one application, as ordinary as the shop's."""
    grip.lab.primary.add_login(grip.names.role)
    grip.lab.entrust(grip.names.role)
    grip.lab.admit()


def make_table(grip: Grip, args: TableArgs) -> None:
    """`{table}` and, beside it, `{sibling}` of the same shape; both belong to the shop's owner."""
    names = grip.names
    table, sibling = sql.Identifier(names.table), sql.Identifier(names.sibling)
    kind = sql.SQL("UNLOGGED TABLE" if args.unlogged else "TABLE")
    with grip.admin() as session:
        session.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(SHOP_ROLE)))
        for name, rows, what in ((table, args.rows, kind), (sibling, 300, sql.SQL("TABLE"))):
            session.execute(sql.SQL(SHAPE).format(what, name))
            session.execute(sql.SQL(ROWS).format(name), [1, rows])
            if names.role in grip.lab.primary.passwords:
                role = sql.Identifier(names.role)
                session.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}").format(name, role))
        session.execute(sql.SQL("CREATE INDEX ON {} (customer)").format(sibling))
    # In a session of its own: one that has just inserted would add its rows once more to what ANALYZE counted.
    with grip.admin() as session:
        session.execute(sql.SQL("ANALYZE {}, {}").format(table, sibling))
        grip.keep("innocent", session.execute(INNOCENT, [names.sibling]).fetchone())


def innocent_table_untouched(grip: Grip) -> bool:
    """Whether the sibling still is what it was: the same table, files, options, rights and indexes."""
    before = grip.kept("innocent")
    if before is None:
        return True
    with grip.lab.primary.connect(dbname=DATABASE) as session:
        now = session.execute(INNOCENT, [grip.names.sibling]).fetchone()
    return now is not None and list(now) == list(before)


def run(grip: Grip, args: RunArgs) -> None:
    with grip.admin(args.on) as session:
        session.execute("SET lock_timeout = '10s'")
        for statement in args.statements:
            with suppress(*MAY_FAIL[args.may_fail]):
                session.execute(grip.names.fill(statement))


def start_client(grip: Grip, args: ClientArgs) -> None:
    role = grip.names.role if args.user == "own" else SHOP_ROLE
    grip.serve(
        Client(
            open=lambda: grip.open_as(role, args.via),
            statement=grip.names.fill(args.statement),
            every_s=args.every,
            stay=args.stay,
            must_find=args.must_find,
        )
    )


def point(grip: Grip, args: PointArgs) -> None:
    names = grip.names
    words = {"database": DATABASE}
    for each in ("role", "table", "index", "sequence", "slot", "subscription", "application"):
        words[each] = getattr(names, each)
    identity = args.id.format(**words)
    grip.point_at(args.kind, identity, identity.removeprefix("public."))


def drop_made(grip: Grip, _args: NoArgs) -> None:
    """Drops the table, its sibling, its sequence and the role by their exact names, and proves them gone."""
    names = grip.names
    role = sql.Identifier(names.role)
    with grip.admin() as session:
        session.execute("SET lock_timeout = '10s'")
        for name in (names.table, names.sibling):
            session.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(name)))
        session.execute(sql.SQL("DROP SEQUENCE IF EXISTS {}").format(sql.Identifier(names.sequence)))
        if session.execute("SELECT FROM pg_roles WHERE rolname = %s", [names.role]).rowcount:
            _end_role(grip, session)
            session.execute(sql.SQL("DROP OWNED BY {}").format(role))
            session.execute(sql.SQL("DROP ROLE {}").format(role))
        left = session.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY (%s)", [[names.table, names.sibling, names.sequence]]
        ).fetchall()
    grip.lab.expel(names.role)
    if left:
        raise UndoFailed(f"these are still there: {', '.join(str(name) for (name,) in left)}")


def _end_role(grip: Grip, session: "psycopg.Connection[tuple[object, ...]]") -> None:
    deadline = time.monotonic() + 10
    while session.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [grip.names.role]
    ).rowcount:
        if time.monotonic() > deadline:
            raise UndoFailed(f"sessions of {grip.names.role} do not end")
        time.sleep(0.05)


def nothing(grip: Grip, _args: NoArgs) -> None:
    """Nothing is done; where an alert comes all the same, it is noise."""
    del grip
