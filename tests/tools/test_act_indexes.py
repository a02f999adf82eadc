"""Indexes built and dropped, and table options taken back: exactly what was shown, and back again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from ratchet.domain.errors import Refusal
from ratchet.domain.gate import Reread, changed_since
from ratchet.domain.plan import Act, Preview
from ratchet.lab.embedded import Cluster
from tests.domain.test_gate import packet
from tests.tools.conftest import Bench, now, until

pytestmark = pytest.mark.postgres

TABLE = """
CREATE TABLE public."Odd ""parcels" (id int PRIMARY KEY, "the customer" int, note text, tag int UNIQUE);
INSERT INTO public."Odd ""parcels" SELECT n, n % 7, 'n', n FROM generate_series(1, 500) AS n;
CREATE INDEX one ON public."Odd ""parcels" (note); CREATE INDEX two ON public."Odd ""parcels" (note);
CREATE INDEX three ON public."Odd ""parcels" (note); CREATE INDEX other_order ON public."Odd ""parcels" (note DESC);
CREATE INDEX part ON public."Odd ""parcels" (note) WHERE id > 5; CREATE INDEX again ON public."Odd ""parcels" (tag);
ALTER TABLE public."Odd ""parcels" SET (autovacuum_enabled = off, fillfactor = 70);
ALTER TABLE public."Odd ""parcels" OWNER TO ratchet_act_db; GRANT CREATE ON SCHEMA public TO ratchet_act_db
"""
WAITS_LONG = """SELECT count(*) FROM pg_stat_activity
WHERE wait_event = 'virtualxid' AND clock_timestamp() - query_start > interval '2.5 s'"""
NAME: dict[str, Any] = {"schema": "public", "table": 'Odd "parcels'}


@pytest.fixture
def parcels(bench: Bench, served: Cluster) -> Iterator[psycopg.Connection[Any]]:
    """A table of the act role's own with an odd name and too many indexes; an administrator's session."""
    with served.connect() as admin:
        admin.execute("""DROP TABLE IF EXISTS public."Odd ""parcels" """)
        for statement in TABLE.split(";"):
            admin.execute(statement.encode())
        with pytest.raises(psycopg.errors.UniqueViolation):
            admin.execute("""CREATE UNIQUE INDEX CONCURRENTLY broken ON public."Odd ""parcels" ("the customer")""")
        yield admin
        admin.execute("""DROP TABLE public."Odd ""parcels" """)
        admin.execute("REVOKE CREATE ON SCHEMA public FROM ratchet_act_db")


def indexes(admin: psycopg.Connection[Any]) -> set[str]:
    query = "SELECT relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE indrelid = %s::regclass"
    return {name for (name,) in admin.execute(query, ['public."Odd ""parcels"']).fetchall()}


def definitions(admin: psycopg.Connection[Any]) -> set[str]:
    query = "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass"
    return {text for (text,) in admin.execute(query, ['public."Odd ""parcels"']).fetchall()}


def soon() -> datetime:
    """Late enough for an index that waits for whatever else this server does."""
    return now() + timedelta(seconds=60)


def undo(bench: Bench, act: Act) -> None:
    back = act.model_copy(update={"statements": act.undo.statements})
    assert act.undo.possible
    assert bench.hands.act(back, bench.grant(back)).outcome != "failed_clean"


def test_an_index_is_built_on_the_column_that_was_shown_and_can_be_dropped_again(
    bench: Bench, parcels: psycopg.Connection[Any]
):
    parcels.execute("DROP INDEX broken")
    before = indexes(parcels)
    act = bench.offer("postgres.create_index", **NAME, column="the customer")
    assert bench.hands.took(act, bench.grant(act)).verdict == "no"
    sent = bench.hands.act(act, bench.grant(act, soon()))
    assert (sent.outcome, sent.return_code) == ("done", "CREATE INDEX"), sent
    assert indexes(parcels) - before == {act.identities[0]["index"]}
    assert bench.hands.took(act, bench.grant(act)).verdict == "yes"
    undo(bench, act)
    assert indexes(parcels) == before


def test_an_index_waits_for_an_older_transaction_longer_than_for_a_lock(
    bench: Bench, served: Cluster, parcels: psycopg.Connection[Any]
):
    parcels.execute("DROP INDEX broken")
    act = bench.offer("postgres.create_index", **NAME, column="the customer")
    with served.connect(autocommit=False) as report, ThreadPoolExecutor(1) as other:
        report.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        report.execute("SELECT 1")
        sending = other.submit(bench.hands.act, act, bench.grant(act, soon()))
        until(lambda: parcels.execute(WAITS_LONG).fetchone() == (1,))
        report.rollback()
        sent = sending.result()
    assert (sent.outcome, bench.hands.took(act, bench.grant(act)).verdict) == ("done", "yes"), sent
    undo(bench, act)


@pytest.mark.parametrize("column", ["tag", "the customer", "no_such_column"])
def test_no_index_is_offered_where_one_stands_or_nothing_is_there(
    bench: Bench, parcels: psycopg.Connection[Any], column: str
):
    preview = bench.hands.preview("db", "postgres.create_index", {**NAME, "column": column})
    assert isinstance(preview, Preview)
    assert (preview.rows, preview.statements) == ((), ())


def test_of_exact_copies_one_stays_and_whatever_differs_is_not_touched(bench: Bench, parcels: psycopg.Connection[Any]):
    before = definitions(parcels)
    act = bench.offer("postgres.drop_indexes", **NAME, which="duplicate")
    assert {row["index"] for row in act.identities} == {"two", "three", "again"}
    sent = bench.hands.act(act, bench.grant(act))
    assert sent.outcome == "done", sent
    assert sent.result["rows"] == [{"left_over": 0}]
    assert {"one", "other_order", "part", "broken"} <= indexes(parcels)
    assert bench.hands.took(act, bench.grant(act)).verdict == "yes"
    undo(bench, act)
    assert definitions(parcels) == before


def test_a_copy_that_queries_use_is_not_offered(bench: Bench, parcels: psycopg.Connection[Any]):
    parcels.execute("DROP INDEX other_order")
    parcels.execute("SET enable_seqscan = off")
    parcels.execute("""SELECT count(*) FROM public."Odd ""parcels" WHERE note = 'x'""")
    used = "SELECT relname FROM pg_class WHERE relname IN ('one', 'two', 'three') AND pg_stat_get_numscans(oid) > 0"
    parcels.execute("SELECT pg_stat_force_next_flush()")
    names = {name for (name,) in parcels.execute(used).fetchall()}
    preview = bench.hands.preview("db", "postgres.drop_indexes", {**NAME, "which": "duplicate"})
    assert isinstance(preview, Preview)
    assert names
    assert not names & {row["index"] for row in preview.rows}


def test_an_index_that_is_not_valid_is_dropped_and_its_definition_stays_in_the_packet(
    bench: Bench, parcels: psycopg.Connection[Any]
):
    act = bench.offer("postgres.drop_indexes", **NAME, which="invalid", index="broken")
    assert "UNIQUE INDEX broken" in act.identities[0]["definition"]
    assert not act.undo.possible
    assert bench.hands.act(act, bench.grant(act)).outcome == "done"
    assert "broken" not in indexes(parcels)
    preview = bench.hands.preview("db", "postgres.drop_indexes", {**NAME, "which": "invalid", "index": "one"})
    assert isinstance(preview, Preview)
    assert preview.rows == ()


def test_an_index_that_is_gone_meanwhile_ends_in_a_clean_failure(bench: Bench, parcels: psycopg.Connection[Any]):
    act = bench.offer("postgres.drop_indexes", **NAME, which="duplicate", index="two")
    parcels.execute("DROP INDEX two")
    assert bench.hands.act(act, bench.grant(act)).outcome == "failed_clean"
    assert bench.hands.took(act, bench.grant(act)).verdict == "yes"


def test_an_index_made_anew_under_its_name_is_not_the_one_shown(bench: Bench, parcels: psycopg.Connection[Any]):
    args = {**NAME, "which": "duplicate", "index": "two"}
    act = bench.offer("postgres.drop_indexes", **args)
    parcels.execute("DROP INDEX two")
    parcels.execute("""CREATE INDEX two ON public."Odd ""parcels" (note)""")
    preview = bench.hands.preview("db", "postgres.drop_indexes", args)
    assert isinstance(preview, Preview)
    asked = packet(act=act)
    reread = Reread(fingerprint=asked.fingerprint, preview=preview, preconditions_hold=True, at=now())
    assert "1 of the approved objects are gone, 1 are new" in str(changed_since(asked, reread))
    assert bench.hands.took(act, bench.grant(act)).verdict == "cannot_tell"


def test_an_option_is_taken_back_alone_and_put_back_exactly(bench: Bench, parcels: psycopg.Connection[Any]):
    options = """SELECT reloptions FROM pg_class WHERE oid = 'public."Odd ""parcels"'::regclass"""
    act = bench.offer("postgres.reset_table_option", **NAME, option="autovacuum_enabled")
    assert bench.hands.took(act, bench.grant(act)).verdict == "no"
    assert bench.hands.act(act, bench.grant(act)).outcome == "done"
    assert parcels.execute(options).fetchone() == (["fillfactor=70"],)
    assert bench.hands.took(act, bench.grant(act)).verdict == "yes"
    undo(bench, act)
    assert set(next(iter(parcels.execute(options).fetchall()))[0]) == {"fillfactor=70", "autovacuum_enabled=off"}
    preview = bench.hands.preview(
        "db", "postgres.reset_table_option", {**NAME, "option": "autovacuum_vacuum_threshold"}
    )
    assert isinstance(preview, Preview)
    assert preview.rows == ()


def test_a_table_of_somebody_else_is_refused_before_anybody_is_asked(bench: Bench, parcels: psycopg.Connection[Any]):
    parcels.execute("""ALTER TABLE public."Odd ""parcels" OWNER TO shopper""")
    with pytest.raises(Refusal, match="GRANT shopper TO ratchet_act_db"):
        bench.hands.preview("db", "postgres.drop_indexes", {**NAME, "which": "duplicate"})
    parcels.execute("""ALTER TABLE public."Odd ""parcels" OWNER TO ratchet_act_db""")
    parcels.execute("REVOKE CREATE ON SCHEMA public FROM ratchet_act_db")
    parcels.execute("DROP INDEX broken")
    with pytest.raises(Refusal, match="CREATE on the schema public"):
        bench.hands.preview("db", "postgres.create_index", {**NAME, "column": "the customer"})
