"""Clients that meet an error after a change: what is concluded on a real server, where one picture has many causes."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import psycopg
import pytest

from ratchet.domain.binding import calls_of
from ratchet.domain.differential import Candidate, Moment, judge
from ratchet.domain.hypothesis import Conclusion, Hypothesis
from ratchet.domain.target import SecretRef, Target
from ratchet.lab.binaries import Binaries
from ratchet.lab.lab import Lab
from ratchet.lab.shop import DATABASE
from ratchet.security.redact import Redactor
from ratchet.security.secrets import Secret
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.postgres.provision import provision
from ratchet.tools.registry import Hands
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.seeding import shipped_texts

pytestmark = pytest.mark.postgres
PATIENCE = 15.0
ROLE = "parcel_app"
MADE = f"""CREATE TABLE parcels (id serial PRIMARY KEY, note text); CREATE TABLE labels (id int, note text);
INSERT INTO parcels (note) SELECT 'n' FROM generate_series(1, 50);
ALTER TABLE parcels OWNER TO shop_app; ALTER TABLE labels OWNER TO shop_app;
GRANT SELECT, INSERT, UPDATE ON parcels, labels TO {ROLE}; GRANT USAGE ON SEQUENCE parcels_id_seq TO {ROLE};
GRANT SELECT ON parcels_id_seq TO pg_monitor"""
GONE = "DROP TABLE IF EXISTS parcels, labels; DROP SCHEMA IF EXISTS annex CASCADE; DROP ROLE IF EXISTS readers"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Ward:
    """The access playbook over one lab's primary, one application with a table of its own, and what befalls it."""

    lab: Lab
    hands: Hands
    candidate: Candidate
    stack: ExitStack = field(default_factory=ExitStack)

    def admin(self, text: str) -> None:
        with self.lab.primary.connect(dbname=DATABASE) as session:
            for statement in filter(None, (part.strip() for part in text.split(";"))):
                session.execute(statement.encode())

    def look(self) -> Conclusion:
        seen = self.hands.look([call for bound in self.candidate.calls.values() for call in bound])
        evidence = {each.call_key: each for each in seen}
        return judge([self.candidate], Moment(evidence=evidence, alert={"labels": {}, "name": "Degraded"}, now=now()))

    def confirms(self, hypothesis: str) -> Hypothesis:
        """Looks until this hypothesis is confirmed; whatever else is confirmed on the way there fails."""
        deadline = time.monotonic() + PATIENCE
        while True:
            said = self.look()
            found = [h.id for h in said.hypotheses if h.verdict in ("confirmed", "contradictory")]
            assert set(found) <= {hypothesis}, (found, said.why)
            if found and said.leading is not None:
                return said.leading
            assert time.monotonic() < deadline, said.why
            time.sleep(0.1)

    def confirms_nothing_while(self, requests: "Requests") -> None:
        """Looks after each of several failures of the client; none may confirm anything."""
        for wanted in (3, 6, 9):
            requests.wait_for(wanted)
            assert [h.id for h in self.look().hypotheses if h.verdict in ("confirmed", "contradictory")] == []

    @contextmanager
    def asks(
        self, statement: str, *, user: str = ROLE, password: str = "", rests: float = 0.0, **more: Any
    ) -> Iterator["Requests"]:
        """A client that asks again and again, each time in a session of its own; twice with a rest of so many s."""
        told = {"password": password, **more} if password else more
        requests = Requests(self.lab, statement, user, told, rests)
        thread = threading.Thread(target=requests.run, daemon=True)
        thread.start()
        try:
            yield requests
        finally:
            requests.over.set()
            thread.join(10)


@dataclass
class Requests:
    """How often the client failed, and with what."""

    lab: Lab
    statement: str
    user: str
    more: dict[str, Any]
    rests: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)
    failed: list[str] = field(default_factory=list[str])

    def run(self) -> None:
        while not self.over.wait(0.1):
            try:
                with self.lab.primary.connect(self.user, **{"dbname": DATABASE, **self.more}) as session:
                    session.execute(self.statement.encode())
                    if self.rests:
                        self.over.wait(self.rests)
                        session.execute(self.statement.encode())
            except psycopg.Error as error:
                self.failed.append(str(error))

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while len(self.failed) < count:
            assert time.monotonic() < deadline, self.failed
            time.sleep(0.05)


@pytest.fixture(scope="module")
def lab(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    root = tmp_path_factory.mktemp("access") / "root"
    with Lab.up(root, replica=False, seed=9, binaries=pg_binaries) as made:
        made.primary.add_login(ROLE)
        yield made


@pytest.fixture(scope="module")
def hands(lab: Lab) -> Iterator[Hands]:
    made = provision(Secret(lab.endpoint().admin_dsn), "shop-db", now, frozenset({"log"}))
    secrets = {"diag": made.diag, "act": made.act, "canary": Secret(lab.endpoint().canary_dsn)}
    refs = {role: SecretRef(kind="env", name=role) for role in secrets}
    target = Target(name="shop-db", kind="postgres", diag=refs["diag"], act=refs["act"], canary=refs["canary"])
    shelf = ProbeShelf.load([files("ratchet.library") / "probes" / "postgres"])
    hands = Hands(lambda: [target], shelf, lambda ref: secrets[ref.name], Redactor([], b"key"), now)
    assert hands.pointed("shop-db")
    yield hands
    hands.close()


@pytest.fixture
def ward(lab: Lab, hands: Hands, playbook_files: PlaybookFiles) -> Iterator[Ward]:
    """A fresh table and role each time, and a log that holds nothing of the test before."""
    name = "pbs_access_triage.playbook.yaml"
    playbook = playbook_files.load(shipped_texts()[name], name)
    target = Target(name="shop-db", kind="postgres")
    calls = calls_of(playbook, target, [target], {})
    ward = Ward(lab, hands, Candidate(playbook=playbook, version_id="v", calls=calls))
    ward.admin(GONE)
    ward.admin(MADE)
    lab.primary.log_path.write_bytes(b"")
    yield ward
    ward.stack.close()
    ward.admin(f"ALTER ROLE {ROLE} RESET ALL; ALTER ROLE {ROLE} LOGIN VALID UNTIL 'infinity' CONNECTION LIMIT -1")
    ward.admin(GONE)


def objects(leading: Hypothesis) -> list[tuple[str, str]]:
    return [(each.kind, each.id) for each in leading.objects]


def test_a_right_that_was_revoked_is_named_with_the_one_verb_that_is_lacking(ward: Ward) -> None:
    with ward.lab.primary.connect(ROLE, DATABASE) as session:
        session.execute("UPDATE parcels SET  note = 'before'")
    ward.admin(f"REVOKE UPDATE ON parcels FROM {ROLE}")
    with ward.asks("UPDATE parcels SET note = 'x'"):
        leading = ward.confirms("right_revoked")
    assert objects(leading) == [("table", "public.parcels")]
    assert leading.objects[0].values["rights"] == ["UPDATE"]
    assert leading.then == ("grant_back",)


def test_a_right_on_a_table_that_was_never_granted_is_for_a_person(ward: Ward) -> None:
    ward.admin("CREATE TABLE IF NOT EXISTS labels_new (id int); ALTER TABLE labels_new OWNER TO shop_app")
    ward.stack.callback(ward.admin, "DROP TABLE labels_new")
    with ward.asks("SELECT * FROM labels_new"):
        assert objects(ward.confirms("right_in_doubt")) == [("table", "public.labels_new")]


def test_a_right_that_was_taken_from_everybody_is_not_given_to_a_role_that_never_used_it(ward: Ward) -> None:
    ward.admin(f"REVOKE ALL ON parcels FROM PUBLIC; REVOKE SELECT ON parcels FROM {ROLE}")
    with ward.asks("SELECT id FROM parcels WHERE note = 'who earns what'"):
        assert ward.confirms("right_in_doubt").then == ("escalate",)


def test_what_was_read_last_year_is_no_right_to_this_year_s_table(ward: Ward) -> None:
    """A number in a name is no constant: the statements differ."""
    ward.admin("CREATE TABLE parcels_2023 (id int); CREATE TABLE parcels_2024 (id int)")
    ward.admin("ALTER TABLE parcels_2023 OWNER TO shop_app; ALTER TABLE parcels_2024 OWNER TO shop_app")
    ward.stack.callback(ward.admin, "DROP TABLE parcels_2023, parcels_2024")
    ward.admin(f"GRANT SELECT ON parcels_2023 TO {ROLE}; REVOKE ALL ON parcels_2024 FROM PUBLIC")
    with ward.lab.primary.connect(ROLE, DATABASE) as session:
        session.execute("SELECT id FROM parcels_2023 WHERE id = 7")
    with ward.asks("SELECT id FROM parcels_2024 WHERE id = 8"):
        assert ward.confirms("right_in_doubt").then == ("escalate",)


def test_a_membership_that_was_lost_is_told_from_a_right_that_was_revoked(ward: Ward) -> None:
    ward.admin(f"CREATE ROLE readers; REVOKE ALL ON parcels FROM {ROLE}; GRANT SELECT ON parcels TO readers")
    ward.stack.callback(ward.admin, "DROP OWNED BY readers")
    with ward.asks("SELECT * FROM parcels"):
        leading = ward.confirms("right_in_doubt")
    assert leading.objects[0].values["groups"] == "readers"


def test_a_row_that_a_policy_refuses_is_no_lost_right(ward: Ward) -> None:
    ward.admin(f"ALTER TABLE labels ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON labels TO {ROLE} USING (id < 5)")
    with ward.asks("INSERT INTO labels VALUES (77, 'x')"):
        assert objects(ward.confirms("row_policy")) == [("table", "public.labels")]


def test_a_schema_without_usage_hides_its_tables_without_a_word_of_rights(ward: Ward) -> None:
    ward.admin(f"CREATE SCHEMA annex; ALTER TABLE parcels SET SCHEMA annex; ALTER ROLE {ROLE} SET search_path = annex")
    with ward.asks("SELECT * FROM parcels"):
        assert objects(ward.confirms("schema_closed")) == [("role", ROLE)]


def test_a_table_that_moved_is_told_from_a_search_path_that_was_changed(ward: Ward) -> None:
    ward.admin(f"CREATE SCHEMA annex; GRANT USAGE ON SCHEMA annex TO {ROLE}; ALTER TABLE parcels SET SCHEMA annex")
    with ward.asks("SELECT * FROM parcels"):
        assert objects(ward.confirms("table_elsewhere")) == [("table", "annex.parcels")]


def test_a_path_is_not_taken_back_when_its_own_table_was_dropped_and_a_namesake_stands_elsewhere(ward: Ward) -> None:
    ward.admin(
        f"CREATE SCHEMA annex; CREATE TABLE annex.bills (id int); CREATE TABLE annex.notes (id int);"
        f"GRANT USAGE ON SCHEMA annex TO {ROLE}; GRANT SELECT ON ALL TABLES IN SCHEMA annex TO {ROLE};"
        f"ALTER ROLE {ROLE} SET search_path = annex; DROP TABLE annex.bills; CREATE TABLE bills (id int)"
    )
    ward.stack.callback(ward.admin, "DROP TABLE bills")
    with ward.asks("SELECT * FROM bills"):
        assert objects(ward.confirms("table_elsewhere")) == [("table", "public.bills")]


def test_a_path_of_the_database_that_serves_others_is_not_taken_back_for_one_role(ward: Ward) -> None:
    ward.admin(
        f"CREATE SCHEMA annex; CREATE TABLE annex.notes (id int); ALTER DATABASE {DATABASE} SET search_path = annex"
    )
    ward.stack.callback(ward.admin, f"ALTER DATABASE {DATABASE} RESET search_path")
    with ward.asks("SELECT * FROM parcels"):
        assert ward.confirms("table_elsewhere").then == ("escalate",)


def test_a_search_path_of_a_role_in_one_database_is_taken_back_there(ward: Ward) -> None:
    ward.admin(f"ALTER ROLE {ROLE} IN DATABASE shop SET search_path = archive")
    ward.stack.callback(ward.admin, f"ALTER ROLE {ROLE} IN DATABASE shop RESET ALL")
    with ward.asks("SELECT * FROM parcels"):
        leading = ward.confirms("path_of_role")
    assert leading.objects[0].values == {"setting": "search_path", "value": "archive", "database": "shop"}


def test_a_dropped_table_is_nowhere_and_nothing_is_restored(ward: Ward) -> None:
    ward.admin("DROP TABLE labels")
    with ward.asks("SELECT * FROM labels"):
        assert ward.confirms("table_gone").then == ("escalate",)


def test_a_changed_type_is_told_from_a_missing_column(ward: Ward) -> None:
    ward.admin("ALTER TABLE labels ALTER COLUMN note TYPE int USING 0")
    with ward.asks("INSERT INTO labels (id, note) SELECT 1, 'x' || 1"):
        assert objects(ward.confirms("type_changed")) == [("table", "public.labels")]


def test_an_expired_password_is_told_from_a_changed_one_and_from_a_lost_login(ward: Ward) -> None:
    ward.admin(f"ALTER ROLE {ROLE} VALID UNTIL '2020-01-01'")
    with ward.asks("SELECT 1"):
        assert objects(ward.confirms("password_expired")) == [("role", ROLE)]


def test_a_password_that_no_longer_fits_is_for_a_person_who_knows_the_clients(ward: Ward) -> None:
    with ward.asks("SELECT 1", password="not-the-word"):
        assert objects(ward.confirms("password_changed")) == [("role", ROLE)]


def test_a_role_without_a_password_is_told_from_one_with_another(ward: Ward) -> None:
    ward.lab.primary.add_login("wordless")
    ward.stack.callback(ward.admin, "DROP ROLE wordless")
    ward.admin("ALTER ROLE wordless PASSWORD NULL")
    with ward.asks("SELECT 1", user="wordless"):
        assert objects(ward.confirms("secret_unfit")) == [("role", "wordless")]


def test_a_database_that_is_not_there_is_named(ward: Ward) -> None:
    with ward.asks("SELECT 1", dbname="shoop"):
        assert objects(ward.confirms("database_gone")) == [("database", "shoop")]


def test_a_read_only_archive_beside_a_read_only_shop_stays_as_it_is(ward: Ward) -> None:
    ward.admin("CREATE DATABASE archive")
    ward.stack.callback(ward.admin, "DROP DATABASE archive")
    ward.admin("ALTER DATABASE archive SET default_transaction_read_only = on")
    ward.admin("ALTER DATABASE shop SET default_transaction_read_only = on")
    ward.stack.callback(
        ward.admin, "SET default_transaction_read_only = off; ALTER DATABASE shop RESET default_transaction_read_only"
    )
    assert objects(ward.confirms("read_only_database")) == [("database", "shop")]


def test_a_canary_that_only_reads_by_its_own_setting_says_nothing_of_the_database(ward: Ward) -> None:
    ward.admin("ALTER ROLE canary SET default_transaction_read_only = on")
    ward.stack.callback(ward.admin, "ALTER ROLE canary RESET default_transaction_read_only")
    assert [h.id for h in ward.look().hypotheses if h.verdict in ("confirmed", "contradictory")] == []


def test_an_idle_session_timeout_of_the_database_is_for_a_person(ward: Ward) -> None:
    ward.admin("ALTER DATABASE shop SET idle_session_timeout = '20ms'")
    ward.stack.callback(ward.admin, "ALTER DATABASE shop RESET idle_session_timeout")
    with ward.asks("SELECT 1", rests=0.1):
        assert objects(ward.confirms("timeout_met")) == [("setting", "idle_session_timeout")]


def test_a_database_without_connect_is_told_from_a_lost_login(ward: Ward) -> None:
    ward.admin("REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO canary")
    ward.stack.callback(ward.admin, "GRANT CONNECT ON DATABASE shop TO PUBLIC")
    with ward.asks("SELECT 1"):
        assert objects(ward.confirms("connect_revoked")) == [("database", "shop")]


def test_a_role_that_reads_only_by_its_own_setting_is_told_from_its_database(ward: Ward) -> None:
    ward.admin(f"ALTER ROLE {ROLE} SET default_transaction_read_only = on")
    with ward.asks("UPDATE parcels SET note = 'x'"):
        leading = ward.confirms("read_only_role")
    assert objects(leading) == [("role", ROLE)]
    assert leading.objects[0].values["setting"] == "default_transaction_read_only"


def test_a_client_that_asks_for_read_only_itself_is_nobody_elses_fault(ward: Ward) -> None:
    with ward.asks("UPDATE parcels SET note = 'x'", options="-c default_transaction_read_only=on") as requests:
        ward.confirms_nothing_while(requests)


def test_a_lock_timeout_of_a_role_is_told_from_a_statement_timeout(ward: Ward) -> None:
    ward.admin(f"ALTER ROLE {ROLE} SET lock_timeout = '20ms'")
    with ward.lab.primary.connect(dbname=DATABASE, autocommit=False) as holder:
        holder.execute("LOCK TABLE parcels")
        with ward.asks("UPDATE parcels SET note = 'x'"):
            assert objects(ward.confirms("timeout_of_role")) == [("role", ROLE)]
        holder.rollback()


def test_a_sequence_behind_its_table_is_told_from_a_key_inserted_twice(ward: Ward) -> None:
    with ward.asks("INSERT INTO parcels (id, note) VALUES (7, 'x')") as requests:
        ward.admin("SELECT setval('parcels_id_seq', 500)")
        ward.confirms_nothing_while(requests)
    ward.lab.primary.log_path.write_bytes(b"")
    ward.admin("INSERT INTO parcels SELECT n, 'restored' FROM generate_series(501, 2000) n")
    with ward.asks("INSERT INTO parcels (note) VALUES ('x')"):
        assert objects(ward.confirms("sequence_behind")) == [("sequence", "public.parcels_id_seq")]


def test_words_that_a_client_writes_into_the_log_open_no_door(ward: Ward) -> None:
    """Names and messages of a client's own making stand in the log; they must not make a role look locked out."""
    ward.admin("CREATE ROLE readers NOLOGIN")
    words = 'role "readers" is not permitted to log in'
    raised = "DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = {}; END $$"
    with ExitStack() as clients:
        for message, application in (
            (f"'{words}'", "FATAL:  "),
            (f"E'x\\nFATAL:  {words}'", "parcels"),
            ("'x'", f"FATAL:  {words}"),
        ):
            requests = clients.enter_context(ward.asks(raised.format(message), application_name=application))
        ward.confirms_nothing_while(requests)
    said = ward.lab.primary.log_path.read_text("utf-8", errors="replace")
    assert said.count(words) > 9


def test_a_healthy_server_confirms_nothing(ward: Ward) -> None:
    # The log is empty here, and so nothing is known of what stands at its end.
    assert {h.id for h in ward.look().hypotheses if h.verdict != "refuted"} <= {"certificate_expired"}
