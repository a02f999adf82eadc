"""Giving back a login, a right, a setting and room: exactly what was shown, undone exactly, refused where it lacks."""

from collections.abc import Iterator

import pytest

from ratchet.domain.errors import Refusal
from ratchet.domain.gate import changed_since
from ratchet.domain.plan import Act, Preview
from ratchet.lab.embedded import Cluster
from tests.domain.test_gate import packet, reread
from tests.tools.conftest import Bench

pytestmark = pytest.mark.postgres
RIGHT = {"on": "table", "schema": "public", "name": "parcels", "role": "clerk", "rights": ["SELECT", "UPDATE"]}


@pytest.fixture
def made(bench: Bench, served: Cluster) -> Iterator[Bench]:
    """A role, a table and a database of a third role, whose member the act login is; it may change roles too."""
    with served.connect() as admin:
        admin.execute("CREATE ROLE clerk LOGIN")
        admin.execute("CREATE ROLE holder")
        admin.execute("CREATE TABLE public.parcels (id int)")
        admin.execute("ALTER TABLE public.parcels OWNER TO holder")
        admin.execute("CREATE DATABASE annex OWNER holder")
        admin.execute("GRANT holder TO ratchet_act_db")
        admin.execute("ALTER ROLE ratchet_act_db CREATEROLE")
        if admin.info.server_version >= 160_000:
            admin.execute("GRANT clerk TO ratchet_act_db WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    yield bench
    with served.connect() as admin:
        admin.execute("ALTER ROLE ratchet_act_db NOCREATEROLE")
        admin.execute("DROP DATABASE annex")
        admin.execute("DROP TABLE public.parcels")
        admin.execute("DROP OWNED BY holder, clerk")
        admin.execute("DROP ROLE holder, clerk")


def asked(served: Cluster, question: str) -> object:
    with served.connect() as admin:
        row = admin.execute(question.encode()).fetchone()
    return row[0] if row else None


def undo(bench: Bench, act: Act) -> None:
    assert act.undo.possible
    back = act.model_copy(update={"statements": act.undo.statements})
    assert bench.hands.act(back, bench.grant(back)).outcome == "done"


def lived(bench: Bench, served: Cluster, act: Act, question: str) -> None:
    """The act changes the answer, says that it did, and its undo puts the former answer back."""
    before = asked(served, question)
    assert bench.hands.took(act, bench.grant(act)).verdict == "no"
    assert bench.hands.act(act, bench.grant(act)).outcome == "done"
    assert asked(served, question) != before
    assert bench.hands.took(act, bench.grant(act)).verdict == "yes"
    undo(bench, act)
    assert asked(served, question) == before


def test_a_role_is_let_in_again_and_locked_out_again(made: Bench, served: Cluster) -> None:
    with served.connect() as admin:
        admin.execute("ALTER ROLE clerk NOLOGIN")
    act = made.offer("postgres.allow_login", role="clerk")
    assert [each.sql for each in act.statements] == ['ALTER ROLE "clerk" LOGIN']
    lived(made, served, act, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'clerk'")


def test_a_role_that_may_log_in_already_leaves_nothing_to_do(made: Bench) -> None:
    preview = made.hands.preview("db", "postgres.allow_login", {"role": "clerk"})
    assert isinstance(preview, Preview)
    assert (preview.rows, preview.statements) == ((), ())


@pytest.mark.parametrize("attribute", ["SUPERUSER", "CREATEROLE", "BYPASSRLS"])
def test_a_role_with_rights_over_the_whole_server_is_not_let_in_from_here(
    made: Bench, served: Cluster, attribute: str
) -> None:
    with served.connect() as admin:
        admin.execute(f"ALTER ROLE clerk NOLOGIN {attribute}".encode())
    with pytest.raises(Refusal, match="whole server"):
        made.hands.preview("db", "postgres.allow_login", {"role": "clerk"})


def test_only_the_rights_that_are_lacking_are_granted_and_only_these_are_revoked(made: Bench, served: Cluster) -> None:
    with served.connect() as admin:
        admin.execute("GRANT SELECT ON public.parcels TO clerk")
    act = made.offer("postgres.grant_right", **RIGHT)
    assert [each.sql for each in act.statements] == ['GRANT UPDATE ON TABLE "public"."parcels" TO "clerk"']
    lived(made, served, act, "SELECT has_table_privilege('clerk', 'public.parcels', 'UPDATE')")
    assert asked(served, "SELECT has_table_privilege('clerk', 'public.parcels', 'SELECT')") is True


def test_a_right_that_was_granted_by_hand_meanwhile_is_not_ours_to_take_away(made: Bench, served: Cluster) -> None:
    act = made.offer("postgres.grant_right", **RIGHT)
    shown = packet("exact").model_copy(update={"act": act})
    same = made.hands.preview("db", act.tool, act.args)
    assert isinstance(same, Preview)
    assert changed_since(shown, reread(preview=same)) is None
    with served.connect() as admin:
        admin.execute("GRANT SELECT ON public.parcels TO clerk")
    now = made.hands.preview("db", act.tool, act.args)
    assert isinstance(now, Preview)
    assert "The preview changed" in (changed_since(shown, reread(preview=now)) or "")


@pytest.mark.parametrize(
    "change", [{"rights": ["TRUNCATE"]}, {"rights": ["ALL"]}, {"on": "schema"}, {"on": "sequence"}, {"rights": []}]
)
def test_rights_beyond_a_statements_need_cannot_be_asked_for(made: Bench, change: dict[str, object]) -> None:
    with pytest.raises(Refusal):
        made.hands.preview("db", "postgres.grant_right", {**RIGHT, **change})


def test_a_right_for_everybody_or_on_the_catalog_is_not_granted(made: Bench) -> None:
    everybody = made.hands.preview("db", "postgres.grant_right", {**RIGHT, "role": "public"})
    assert isinstance(everybody, Preview)
    assert everybody.statements == ()
    with pytest.raises(Refusal, match="catalog"):
        made.hands.preview(
            "db", "postgres.grant_right", {**RIGHT, "schema": "pg_catalog", "name": "pg_authid", "rights": ["SELECT"]}
        )


def test_a_limit_of_a_database_is_taken_away_and_set_to_what_it_was(made: Bench, served: Cluster) -> None:
    with served.connect() as admin:
        admin.execute("ALTER DATABASE annex CONNECTION LIMIT 3")
    act = made.offer("postgres.limit_database", database="annex", limit=-1)
    lived(made, served, act, "SELECT datconnlimit FROM pg_database WHERE datname = 'annex'")


def test_a_setting_of_a_database_is_taken_back_and_put_there_again(made: Bench, served: Cluster) -> None:
    with served.connect() as admin:
        admin.execute("ALTER DATABASE annex SET default_transaction_read_only = on")
    act = made.offer("postgres.reset_setting", scope="database", name="default_transaction_read_only", database="annex")
    lived(made, served, act, "SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
                             " WHERE d.datname = 'annex'")  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "args", "line"),
    [
        ("postgres.allow_login", {"role": "clerk"}, 'ALTER ROLE "clerk" LOGIN'),
        ("postgres.grant_right", RIGHT, 'GRANT SELECT, UPDATE ON TABLE "public"."parcels" TO "clerk"'),
        ("postgres.limit_database", {"database": "annex", "limit": 7}, 'ALTER DATABASE "annex" CONNECTION LIMIT 7'),
        (
            "postgres.reset_setting",
            {"scope": "role", "name": "work_mem", "role": "clerk"},
            'ALTER ROLE "clerk" RESET "work_mem"',
        ),
    ],
)
def test_what_the_act_login_may_not_do_is_refused_with_the_line_for_whoever_may(
    made: Bench, served: Cluster, tool: str, args: dict[str, object], line: str
) -> None:
    with served.connect() as admin:
        admin.execute("ALTER ROLE clerk NOLOGIN")
        admin.execute("ALTER ROLE clerk SET work_mem = '9MB'")
        admin.execute("ALTER ROLE ratchet_act_db NOCREATEROLE")
        admin.execute("REVOKE holder FROM ratchet_act_db")
    with pytest.raises(Refusal, match="may not do this") as refused:
        made.hands.preview("db", tool, args)
    assert line in refused.value.remedy
