"""Situations that resemble a known failure and are another: what is concluded of them on a real server."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import psycopg
import pytest

from ratchet.domain.binding import calls_of
from ratchet.domain.differential import Candidate, Moment, judge
from ratchet.domain.duration import parse_duration
from ratchet.domain.hypothesis import Conclusion, Hypothesis
from ratchet.domain.target import SecretRef, Target
from ratchet.lab.binaries import Binaries
from ratchet.lab.lab import Lab
from ratchet.lab.shop import DATABASE, SHOP_ROLE
from ratchet.security.redact import Redactor
from ratchet.security.secrets import Secret
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.postgres.provision import provision
from ratchet.tools.registry import Hands
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.seeding import shipped_texts

pytestmark = pytest.mark.postgres
PATIENCE = 40.0
# Read whole, a table of so many rows costs several times what counts as slow, on a fast machine too.
LONG_TO_READ = 240_000
BIG = """CREATE TABLE {0} (id int PRIMARY KEY, customer int NOT NULL, note text NOT NULL);
INSERT INTO {0} SELECT n, n, 'delivered to the door, signed by ' || n FROM generate_series(1, {1}) n"""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Doctor:
    """All shipped playbooks over one lab's primary, and the sessions that make a situation."""

    lab: Lab
    hands: Hands
    candidates: list[Candidate]
    stack: ExitStack = field(default_factory=ExitStack)

    def look(self) -> Conclusion:
        calls = {call.key: call for one in self.candidates for bound in one.calls.values() for call in bound}
        seen = self.hands.look(list(calls.values()))
        evidence = {each.call_key: each for each in seen}
        return judge(self.candidates, Moment(evidence=evidence, alert={"labels": {}, "name": "Degraded"}, now=now()))

    def confirms(self, *causes: str) -> Hypothesis:
        """Looks until these causes and no others are confirmed; the leading hypothesis."""
        deadline = time.monotonic() + PATIENCE
        while True:
            said = self.look()
            found = [h for h in said.hypotheses if h.verdict in ("confirmed", "contradictory")]
            if found and {h.cause for h in found} == set(causes):
                return found[0]
            assert time.monotonic() < deadline, ([(h.id, h.cause) for h in found], said.why)
            time.sleep(0.1)

    def session(self, app: str, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        opened = self.lab.primary.connect(SHOP_ROLE, DATABASE, application_name=app, autocommit=autocommit)
        self.stack.callback(opened.close)
        return opened

    def admin(self, *statements: str) -> None:
        with self.lab.primary.connect(dbname=DATABASE) as session:
            for statement in statements:
                session.execute(statement.encode())

    def table(self, name: str, rows: int = 60_000) -> None:
        """A table of so many orders, gone afterwards."""
        self.admin(
            f"DROP TABLE IF EXISTS {name}", *BIG.format(name, rows).split(";"), f"ALTER TABLE {name} OWNER TO shop_app"
        )
        self.admin(f"ANALYZE {name}")
        self.stack.callback(self.admin, f"DROP TABLE IF EXISTS {name}")

    def begin(self, session: psycopg.Connection[Any], statement: str) -> None:
        """Runs a statement that will wait, in a thread of its own."""
        thread = threading.Thread(target=_swallow, args=(session, statement), daemon=True)
        thread.start()
        self.stack.callback(thread.join, 10)
        self.stack.callback(session.cancel)

    def wait_for(self, question: str) -> None:
        deadline = time.monotonic() + PATIENCE
        with self.lab.primary.connect(dbname=DATABASE) as session:
            while session.execute(question.encode()).fetchone() != (True,):
                assert time.monotonic() < deadline, question
                time.sleep(0.05)


def _swallow(session: psycopg.Connection[Any], statement: str) -> None:
    with suppress(psycopg.Error):
        session.execute(statement.encode())


@pytest.fixture(scope="module")
def small(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab without a replica that takes prepared transactions."""
    with Lab.up(tmp_path_factory.mktemp("alike") / "root", replica=False, seed=7, binaries=pg_binaries) as lab:
        lab.primary.configure({"max_prepared_transactions": 5})
        lab.primary.restart()
        lab.bystanders.return_after_restart()
        yield lab


@pytest.fixture(scope="module")
def hands(small: Lab) -> Iterator[tuple[Hands, Target]]:
    """Hands on the lab's primary through the roles that provisioning makes."""
    end = small.endpoint()
    made = provision(Secret(end.admin_dsn), "shop", now, frozenset({"log", "slots", "role_settings"}))
    small.let_maintain(made.act_role)
    secrets = {"diag": made.diag, "act": made.act, "canary": Secret(end.canary_dsn)}
    refs = {name: SecretRef(kind="env", name=name) for name in secrets}
    target = Target(
        name="shop-db", kind="postgres", tags=("chaos",),
        diag=refs["diag"], act=refs["act"], canary=refs["canary"],
    )  # fmt: skip
    shelf = ProbeShelf.load([files("ratchet.library").joinpath("probes/postgres")])
    opened = Hands(lambda: [target], shelf, lambda ref: secrets[ref.name], Redactor((), b"key"), now)
    opened.pointed(target.name)
    yield opened, target
    opened.close()


@pytest.fixture
def doctor(small: Lab, hands: tuple[Hands, Target], playbook_files: PlaybookFiles) -> Iterator[Doctor]:
    opened, target = hands
    found: list[Candidate] = []
    for name, text in shipped_texts().items():
        playbook = playbook_files.load(text, name)
        given = {key: parse_duration(rule.default) for key, rule in playbook.spec.params.items() if rule.default}
        calls = calls_of(playbook, target, [target], given)
        found.append(Candidate(playbook=playbook, version_id=playbook.pin, calls=calls, params=given))
    one = Doctor(small, opened, found)
    with one.stack:
        yield one
    one.wait_for("SELECT count(*) < 12 FROM pg_stat_activity WHERE backend_type = 'client backend'")


@contextmanager
def altered(doctor: Doctor, *settings: str) -> Iterator[None]:
    """ALTER SYSTEM SET for the while, reloaded."""
    names = [each.partition(" ")[0] for each in settings]
    doctor.admin(*(f"ALTER SYSTEM SET {each}" for each in settings), "SELECT pg_reload_conf()")
    try:
        yield
    finally:
        doctor.admin(*(f"ALTER SYSTEM RESET {name}" for name in names), "SELECT pg_reload_conf()")


def ids(found: Hypothesis) -> list[tuple[str, str]]:
    return [(each.kind, each.id) for each in found.objects]


def asked(doctor: Doctor, session: psycopg.Connection[Any], statement: str, times: int = 25) -> None:
    """The statement so often that counters show it, also to others."""
    for _ in range(times):
        session.execute(statement.encode())
    session.execute("SELECT pg_stat_force_next_flush()")
    session.execute(statement.encode())


def test_a_lab_in_which_nothing_is_wrong_confirms_nothing(doctor: Doctor):
    said = doctor.look()
    assert [h.id for h in said.hypotheses if h.verdict in ("confirmed", "contradictory")] == []


def test_a_pool_whose_sessions_are_used_in_turn_is_no_leak(doctor: Doctor):
    pool = [doctor.session("basket-api") for _ in range(28)]
    doctor.wait_for(
        "SELECT min(clock_timestamp() - backend_start) > interval '1.1 s' FROM pg_stat_activity"
        " WHERE application_name = 'basket-api'"
    )
    for session in pool:
        session.execute("SELECT 1")
    found = doctor.confirms("connection_pool_oversized")
    assert (ids(found), found.then) == ([("application", "basket-api")], ("escalate",))


def test_open_transactions_that_block_nobody_fill_the_slots_and_are_no_leak(doctor: Doctor):
    for _ in range(28):
        doctor.session("ledger-sync", autocommit=False).execute("SELECT 1")
    found = doctor.confirms("connection_exhaustion_open_transactions")
    assert (ids(found), found.then) == ([("application", "ledger-sync")], ("escalate",))


def test_a_failed_transaction_left_open_holds_nobody_up(doctor: Doctor):
    left = doctor.session("wish-list", autocommit=False)
    left.execute("UPDATE order_counter SET last_number = last_number")
    with pytest.raises(psycopg.errors.DivisionByZero):
        left.execute("SELECT 1 / 0")
    doctor.wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction (aborted)'")
    assert not [h.id for h in doctor.look().hypotheses if h.verdict == "confirmed"]


@pytest.mark.parametrize(
    ("work", "asked_for", "mode", "behind"),
    [
        ("SELECT count(*), pg_sleep(60) FROM stock", "ALTER TABLE stock ADD COLUMN place text", "AccessExclusiveLock",
         "SELECT count(*) FROM stock"),
        ("UPDATE stock SET quantity = quantity + length(pg_sleep(60)::text)", "CREATE INDEX slowly ON stock (quantity)",
         "ShareLock", "DELETE FROM stock WHERE false"),
    ],
)  # fmt: skip
def test_a_schema_change_in_the_queue_is_cancelled_and_not_the_work_before_it(
    doctor: Doctor, work: str, asked_for: str, mode: str, behind: str
):
    report, change, reader = doctor.session("report"), doctor.session("migration"), doctor.session("reader")
    doctor.begin(report, work)
    doctor.wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'report' AND state = 'active'")
    doctor.wait_for("SELECT count(*) >= 1 FROM pg_locks WHERE granted AND relation = 'stock'::regclass")
    doctor.begin(change, asked_for)
    doctor.wait_for(
        f"SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation' AND mode = '{mode}'"
    )
    doctor.begin(reader, behind)
    found = doctor.confirms("ddl_lock_queue")
    assert ids(found) == [("session", str(change.info.backend_pid))]
    assert found.then == ("cancel_schema_change",)


def test_an_index_build_that_others_wait_for_is_nobodys_to_end(doctor: Doctor):
    doctor.table("parcels")
    doctor.admin(
        "CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql"
        " AS 'BEGIN IF n = 1 THEN PERFORM pg_sleep(60); END IF; RETURN n; END'"
    )
    doctor.stack.callback(doctor.admin, "DROP FUNCTION slow(int) CASCADE")
    build, writers = doctor.session("migration"), [doctor.session("basket-api") for _ in range(3)]
    doctor.begin(build, "CREATE INDEX slowly ON parcels (slow(id))")
    doctor.wait_for("SELECT count(*) = 1 FROM pg_locks WHERE granted AND mode = 'ShareLock' AND locktype = 'relation'")
    for writer in writers:
        doctor.begin(writer, "UPDATE parcels SET customer = 1 WHERE id = 9")
    found = doctor.confirms("maintenance_lock_blocker")
    assert (ids(found), found.then) == ([("session", str(build.info.backend_pid))], ("escalate",))


def test_a_prepared_transaction_that_blocks_is_a_persons_to_finish(doctor: Doctor):
    coordinator = doctor.session("coordinator", autocommit=False)
    coordinator.execute("UPDATE order_counter SET last_number = last_number")
    coordinator.execute("PREPARE TRANSACTION 'order-77'")
    doctor.stack.callback(doctor.admin, "ROLLBACK PREPARED 'order-77'")
    for _ in range(2):
        doctor.begin(doctor.session("voucher-mailer"), "UPDATE order_counter SET last_number = last_number")
    found = doctor.confirms("prepared_transaction_in_doubt")
    assert (ids(found), found.then) == ([("prepared_transaction", "order-77")], ("escalate",))


def test_an_old_snapshot_keeps_dead_rows_and_the_table_is_not_to_blame(doctor: Doctor):
    doctor.table("parcels")
    reader = doctor.session("stock-report", autocommit=False)
    reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    reader.execute("SELECT 1 FROM products")
    doctor.admin("DELETE FROM parcels WHERE id > 6000", "VACUUM parcels")
    found = doctor.confirms("vacuum_held_back")
    assert (ids(found), found.then) == ([("session", str(reader.info.backend_pid))], ("escalate",))


def test_a_parameter_of_another_type_is_no_missing_index(doctor: Doctor):
    doctor.table("parcels", LONG_TO_READ)
    asked(doctor, doctor.session("basket-api"), "SELECT note FROM parcels WHERE id = 77.0")
    found = doctor.confirms("index_passed_over")
    assert (ids(found), found.then) == ([("table", "public.parcels")], ("escalate",))


def test_an_index_over_some_of_the_rows_is_told_from_none(doctor: Doctor):
    doctor.table("parcels", LONG_TO_READ)
    doctor.admin("CREATE INDEX part_of ON parcels (customer) WHERE customer < 10")
    asked(doctor, doctor.session("basket-api"), "SELECT note FROM parcels WHERE customer = 50000")
    found = doctor.confirms("missing_index")
    assert (found.id, ids(found), found.then) == ("narrow_index", [("table", "public.parcels")], ("escalate",))


def test_index_scans_that_were_switched_off_are_no_missing_index(doctor: Doctor):
    doctor.table("parcels")
    with altered(doctor, "enable_indexscan = off", "enable_bitmapscan = off"):
        doctor.wait_for("SELECT current_setting('enable_indexscan') = 'off'")
        asked(doctor, doctor.session("basket-api"), "SELECT note FROM parcels WHERE id = 77")
        found = doctor.confirms("planner_setting_changed")
    assert {each.id for each in found.objects} == {"enable_indexscan", "enable_bitmapscan"}
    assert found.then == ("escalate",)


def test_rows_loaded_a_moment_ago_are_autovacuums_and_nobody_elses(doctor: Doctor):
    doctor.table("parcels")
    doctor.admin("INSERT INTO parcels SELECT n, n, 'late' FROM generate_series(60001, 90000) n")
    doctor.wait_for("SELECT n_mod_since_analyze >= 30000 FROM pg_stat_user_tables WHERE relname = 'parcels'")
    assert not [h.id for h in doctor.look().hypotheses if h.verdict == "confirmed"]


def test_pages_that_are_kept_empty_are_no_bloat(doctor: Doctor):
    doctor.admin(
        "CREATE TABLE parcels (id int PRIMARY KEY, note text) WITH (fillfactor = 10)",
        "INSERT INTO parcels SELECT n, 'delivered to the door' FROM generate_series(1, 30000) n",
        "VACUUM ANALYZE parcels",
    )
    doctor.stack.callback(doctor.admin, "DROP TABLE parcels")
    found = doctor.confirms("table_fillfactor_low")
    assert (ids(found), found.then) == ([("table", "public.parcels")], ("escalate",))


def test_a_roles_own_limit_is_told_from_a_full_server(doctor: Doctor):
    doctor.lab.primary.add_login("parcel_app", "CONNECTION LIMIT 2")
    doctor.stack.callback(doctor.admin, "DROP ROLE parcel_app")
    for _ in range(2):
        doctor.stack.callback(doctor.lab.primary.connect("parcel_app", DATABASE).close)
    assert not [h.id for h in doctor.look().hypotheses if h.verdict == "confirmed"]
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            doctor.lab.primary.connect("parcel_app", DATABASE)
    found = doctor.confirms("database_connection_limit")
    assert (ids(found), found.then) == ([("role", "parcel_app")], ("escalate",))


def test_commits_that_wait_for_a_lost_standby_are_nobodys_to_end(doctor: Doctor):
    doctor.admin("ALTER SYSTEM SET synchronous_standby_names = 'standby_b'", "SELECT pg_reload_conf()")
    doctor.stack.callback(
        doctor.admin,
        "SET synchronous_commit = local",
        "ALTER SYSTEM RESET synchronous_standby_names",
        "SELECT pg_reload_conf()",
    )
    doctor.wait_for("SELECT current_setting('synchronous_standby_names') = 'standby_b'")
    doctor.begin(doctor.session("checkout"), "UPDATE order_counter SET last_number = last_number")
    doctor.wait_for("SELECT count(*) >= 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    for _ in range(3):
        doctor.begin(doctor.session("voucher-mailer"), "UPDATE order_counter SET last_number = last_number")
    doctor.wait_for(
        "SELECT count(*) >= 3 FROM pg_locks WHERE NOT granted AND waitstart < clock_timestamp() - '1 s'::interval"
    )
    found = doctor.confirms("synchronous_standby_missing")
    assert (ids(found), found.then) == ([("setting", "synchronous_standby_names")], ("escalate",))


@pytest.mark.parametrize(
    ("app", "said", "whose"),
    [("order-events", "LISTEN orders", ("application", "order-events")), ("", "SELECT 1", ("role", "shop_app"))],
)
def test_idle_sessions_that_listen_or_have_no_name_are_not_ended(
    doctor: Doctor, app: str, said: str, whose: tuple[str, str]
):
    for _ in range(28):
        doctor.session(app).execute(said.encode())
    found = doctor.confirms("connection_exhaustion_idle_leak")
    assert (found.id, ids(found), found.then) == ("idle_not_to_end", [whose], ("escalate",))


def test_an_index_that_is_being_rebuilt_or_lacks_a_part_is_not_dropped(doctor: Doctor):
    doctor.table("parcels")
    doctor.admin("CREATE INDEX by_customer ON parcels (customer)", "CREATE TABLE day (n int) PARTITION BY RANGE (n)")
    doctor.admin("CREATE TABLE day_1 PARTITION OF day FOR VALUES FROM (0) TO (9)", "CREATE INDEX ON ONLY day (n)")
    doctor.stack.callback(doctor.admin, "DROP TABLE day")
    doctor.begin(doctor.session("report"), "UPDATE parcels SET note = note || pg_sleep(60) WHERE id = 3")
    doctor.begin(doctor.session("migration"), "REINDEX TABLE CONCURRENTLY parcels")
    doctor.wait_for("SELECT count(*) >= 3 FROM pg_index WHERE NOT indisvalid")
    assert "invalid_index" not in {h.cause for h in doctor.look().hypotheses if h.verdict != "refuted"}
