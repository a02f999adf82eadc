"""Family C, names: every write tool that takes a name, on a real server, with names made of quotes and SQL.

Each acts on exactly the object of that name, its way back restores that object, and nothing else in the catalogs moves.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ratchet.domain.errors import Refusal
from ratchet.domain.plan import Act, Preview
from ratchet.domain.target import Target
from ratchet.execution.handoffs import _road
from ratchet.lab.embedded import Cluster
from tests.tools.conftest import Bench
from tests.tools.conftest import served as served  # noqa: PLC0414 - a fixture is used by its name

pytestmark = pytest.mark.postgres
NAMES = {
    "a double quote": 'o"; DROP TABLE public.orders; --', "a quote": "o'; DROP TABLE public.orders; --",
    "a line feed": "o\nDROP TABLE public.orders;\n--", "63 bytes of two": "é" * 31 + "x",
    "63 bytes of four": "😀" * 15 + "abc",
    "percent": "%(name)s %s %%", "dollar": "$1 $$ $user", "a backslash": "E'\\'; --", "an option": "--host=evil",
    "a comment": "/* x */ --", "a keyword": "user", "placeholders": "{{ params.x }}{0}", "an escape": "\x1b[31mx",
    "only quotes": "\"\"''", "bidi": "a\u202eb\u200bc", "a dot": "a.b", "a comma": "a,b",
}  # fmt: skip
STATE = """
SELECT 'role ' || rolname, concat_ws(' ', rolcanlogin, rolconnlimit, rolsuper) FROM pg_roles
UNION ALL SELECT 'database ' || datname, concat_ws(' ', datconnlimit, datallowconn, datacl) FROM pg_database
UNION ALL SELECT 'setting ' || coalesce(d.datname, '-') || '/' || coalesce(r.rolname, '-'), s.setconfig::text
  FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
UNION ALL SELECT 'relation ' || n.nspname || '/' || c.relname,
    concat_ws(' ', c.relkind, coalesce(c.relacl, acldefault('r', c.relowner)), c.reloptions)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
UNION ALL SELECT 'schema ' || nspname, coalesce(nspacl, acldefault('n', nspowner))::text
  FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_temp%'
UNION ALL SELECT 'slot ' || slot_name, slot_type FROM pg_replication_slots
UNION ALL SELECT 'rows', count(*)::text FROM public.orders
"""


@dataclass(frozen=True)
class Tried:
    """A tool on an object: its arguments, how the object comes about and goes, and what may change besides its name."""

    tool: str
    args: Callable[[str], dict[str, Any]]
    make: str
    drop: str
    adds: bool = False
    can_be_undone: bool = True


ROLE = ("CREATE ROLE {} NOLOGIN", "DROP ROLE {}")
TABLE = (
    "CREATE SCHEMA {0}; CREATE TABLE {0}.{0} ({0} int); INSERT INTO {0}.{0} SELECT generate_series(1, 9)",
    "DROP SCHEMA {0} CASCADE",
)
TRIED = {
    "login": Tried("postgres.allow_login", lambda n: {"role": n}, *ROLE),
    "setting of a role": Tried(
        "postgres.reset_setting", lambda n: {"scope": "role", "role": n, "name": "work_mem"},
        "CREATE ROLE {0} LOGIN; ALTER ROLE {0} SET work_mem = '1MB'", "DROP ROLE {}",
    ),
    "setting of a database": Tried(
        "postgres.reset_setting", lambda n: {"scope": "database", "database": n, "name": "work_mem"},
        "CREATE DATABASE {0}; ALTER DATABASE {0} SET work_mem = '1MB'", "DROP DATABASE {}",
    ),
    "limit of a database": Tried(
        "postgres.limit_database", lambda n: {"database": n, "limit": -1},
        "CREATE DATABASE {} CONNECTION LIMIT 1", "DROP DATABASE {}",
    ),
    "right on a table": Tried(
        "postgres.grant_right",
        lambda n: {"on": "table", "schema": n, "name": n, "role": "names_reader", "rights": ["SELECT"]}, *TABLE,
    ),
    "right on a schema": Tried(
        "postgres.grant_right",
        lambda n: {"on": "schema", "schema": n, "role": "names_reader", "rights": ["USAGE"]}, *TABLE,
    ),
    "right of a role": Tried(
        "postgres.grant_right",
        lambda n: {"on": "table", "schema": "public", "name": "names_table", "role": n, "rights": ["SELECT"]},
        "CREATE ROLE {} LOGIN", "DROP OWNED BY {0}; DROP ROLE {0}",
    ),
    "option of a table": Tried(
        "postgres.reset_table_option", lambda n: {"schema": n, "table": n, "option": "autovacuum_enabled"},
        f"{TABLE[0]}; ALTER TABLE {{0}}.{{0}} SET (autovacuum_enabled = false)", TABLE[1],
    ),
    "vacuum": Tried("postgres.vacuum_table", lambda n: {"schema": n, "table": n}, *TABLE, can_be_undone=False),
    "analyze": Tried("postgres.analyze_table", lambda n: {"schema": n, "table": n}, *TABLE, can_be_undone=False),
    "new index": Tried(
        "postgres.create_index", lambda n: {"schema": n, "table": n, "column": n}, *TABLE, adds=True,
    ),
    "spare indexes": Tried(
        "postgres.drop_indexes", lambda n: {"schema": n, "table": n, "which": "duplicate"},
        f"{TABLE[0]}; CREATE INDEX ON {{0}}.{{0}} ({{0}}); CREATE INDEX ON {{0}}.{{0}} ({{0}})", TABLE[1], adds=True,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def hands(served: Cluster) -> Iterator[Bench]:
    """`db`, whose act login may do everything: what holds back here is the tools alone."""
    bench = Bench()
    bench.point("db", served.dsn(), served.dsn(), served.dsn("shopper"))
    with served.connect() as admin, ExitStack() as stack:
        admin.execute("CREATE ROLE names_reader LOGIN")
        admin.execute("CREATE TABLE public.names_table (id int)")
        stack.callback(admin.execute, "DROP OWNED BY names_reader; DROP ROLE names_reader")
        stack.callback(admin.execute, "DROP TABLE public.names_table")
        stack.callback(bench.hands.close)
        assert bench.hands.pointed("db")
        yield bench


def state(admin: psycopg.Connection[Any]) -> dict[str, Any]:
    return dict(admin.execute(STATE).fetchall())


def done(admin: psycopg.Connection[Any], statements: str, name: str) -> None:
    for each in statements.split("; "):
        admin.execute(sql.SQL(each).format(sql.Identifier(name), sql.Identifier(name)))  # type: ignore[arg-type]


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {key for key in {*before, *after} if before.get(key) != after.get(key)}


@pytest.mark.parametrize("what", TRIED)
def test_a_tool_touches_the_object_of_exactly_that_name_and_its_way_back_restores_it(
    hands: Bench, served: Cluster, what: str
) -> None:
    tried = TRIED[what]
    for said, name in NAMES.items():
        with served.connect() as admin:
            done(admin, tried.make, name)
            try:
                act = offered(hands, tried, name)
                if act is None:
                    assert any(ord(c) < 32 for c in name), (what, said)
                    continue
                before = state(admin)
                sent = hands.hands.act(act, hands.grant(act))
                after = state(admin)
                assert sent.outcome == "done", (what, said, sent)
                others = {key for key in changed(before, after) if name not in key and "/names_table" not in key}
                assert others == set(), (what, said)
                if tried.can_be_undone:
                    assert changed(before, after), (what, said)
                    back = act.model_copy(update={"statements": act.undo.statements})
                    assert hands.hands.act(back, hands.grant(back)).outcome == "done", (what, said)
                    assert loose(changed(before, state(admin)), adds=tried.adds) == set(), (what, said)
            finally:
                done(admin, tried.drop, name)


def loose(keys: set[str], *, adds: bool) -> set[str]:
    """An index that was dropped and built anew may stand under its old name with another order of options."""
    return {key for key in keys if not (adds and key.startswith("relation "))}


def offered(hands: Bench, tried: Tried, name: str) -> Act | None:
    """The act; None where the name is refused before the server is asked."""
    try:
        preview = hands.hands.preview("db", tried.tool, tried.args(name))
    except Refusal:
        return None
    assert isinstance(preview, Preview), preview
    assert preview.statements, (tried.tool, name, preview.summary)
    return hands.offer(tried.tool, **tried.args(name))


def victim(served: Cluster, name: str) -> psycopg.Connection[Any]:
    """A session of the role and in the database of that name."""
    there = {**conninfo_to_dict(served.dsn()), "user": name, "dbname": name, "password": "Calm-sea-9"}
    return psycopg.connect(make_conninfo(**there), autocommit=True)


def alive(session: psycopg.Connection[Any]) -> bool:
    try:
        return session.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_the_sessions_of_a_role_and_a_database_of_any_name_are_ended_alone(hands: Bench, served: Cluster) -> None:
    for said, name in NAMES.items():
        with served.connect() as admin, served.connect("shopper", application_name="bystander") as bystander:
            done(admin, "CREATE ROLE {} LOGIN PASSWORD 'Calm-sea-9'", name)
            done(admin, "CREATE DATABASE {}", name)
            session = victim(served, name)
            try:
                act = hands.offer("postgres.terminate_sessions", user=name, database=name)
                assert [row["pid"] for row in act.identities] == [session.info.backend_pid], said
                assert hands.hands.act(act, hands.grant(act)).outcome == "done", said
                assert (alive(session), alive(bystander)) == (False, True), said
            finally:
                session.close()
                done(admin, "DROP DATABASE {} WITH (FORCE)", name)
                done(admin, "DROP ROLE {}", name)


@pytest.mark.parametrize(
    "host", ["-oProxyCommand=id", "--dbname=evil", "-h evil", "$(id)", "a;id", "a\nb", "'", "\x00"]
)
def test_c9_a_host_that_is_an_option_never_becomes_a_part_of_a_command(host: str) -> None:
    said = _road(Target(name="t", kind="postgres", address=f"{host}:5432/shop"))
    assert said == "psql" or (host.replace("-", "").isalnum() and not host.startswith("-"))
