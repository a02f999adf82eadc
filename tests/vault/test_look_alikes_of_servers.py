"""A dead pooler, a lag, a crash that is none: what is concluded on real servers, and what their diagnosis costs."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import psycopg
import pytest

from ratchet.domain.binding import calls_of
from ratchet.domain.differential import Candidate, Moment, judge
from ratchet.domain.hypothesis import Hypothesis
from ratchet.domain.target import SecretRef, Target
from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import free_port
from ratchet.lab.lab import NAMES, Lab, Part
from ratchet.lab.pooler import find_pooler
from ratchet.lab.shop import DATABASE, SHOP_ROLE
from ratchet.security.redact import Redactor
from ratchet.security.secrets import Secret
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.registry import Hands
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.seeding import shipped_texts

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(find_pooler() is None, reason="PgBouncer is not installed"),
]
PATIENCE = 15.0
LOADED = "external_cpu_contention"
"""The machine that runs the tests may well be loaded by others; that is not what these situations are about."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Doctor:
    """All shipped playbooks over one lab with replica and pooler."""

    lab: Lab
    hands: Hands
    candidates: list[Candidate]
    stack: ExitStack = field(default_factory=ExitStack)

    def found(self, alert: str = "Degraded") -> list[Hypothesis]:
        calls = {call.key: call for one in self.candidates for bound in one.calls.values() for call in bound}
        evidence = {each.call_key: each for each in self.hands.look(list(calls.values()))}
        said = judge(self.candidates, Moment(evidence=evidence, alert={"labels": {}, "name": alert}, now=now()))
        return [h for h in said.hypotheses if h.verdict in ("confirmed", "contradictory") and h.cause != LOADED]

    def confirms(self, cause: str) -> Hypothesis:
        """Looks until this cause and no other is confirmed."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.found()
            if [h.cause for h in found] == [cause]:
                return found[0]
            assert time.monotonic() < deadline, [(h.id, h.cause) for h in found]
            time.sleep(0.1)

    def admin(self, statement: str, on: Part = "primary") -> None:
        member = self.lab.member("replica" if on == "replica" else "primary")
        with member.connect(dbname=DATABASE) as session:
            session.execute(statement.encode())

    def behind_pooler(self) -> psycopg.Connection[Any]:
        """A client of the pooler that stays."""
        opened = psycopg.connect(self.lab.through_pooler(SHOP_ROLE), autocommit=True, prepare_threshold=None)
        self.stack.callback(opened.close)
        return opened


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def whole(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    root = tmp_path_factory.mktemp("servers") / "root"
    with Lab.up(root, replica=True, pgbouncer=True, seed=9, binaries=pg_binaries) as lab:
        lab.shop.close()
        lab.shop.wait()
        yield lab


@pytest.fixture
def doctor(whole: Lab, playbook_files: PlaybookFiles) -> Iterator[Doctor]:
    assert whole.pooler is not None
    secrets: dict[str, Secret] = {"stats": Secret(whole.pooler.stats_dsn())}
    targets: list[Target] = []
    for member in ("primary", "replica"):
        place = whole.endpoint(member)
        secrets |= {f"{member}_diag": Secret(place.admin_dsn), f"{member}_canary": Secret(place.canary_dsn)}
        targets.append(
            Target(
                name=place.name, kind="postgres", address=place.address, host_control=place.host_control,
                diag=SecretRef(kind="env", name=f"{member}_diag"),
                canary=SecretRef(kind="env", name=f"{member}_canary"),
                replica_of=None if member == "primary" else NAMES["primary"],
            )
        )  # fmt: skip
    pooler = Target(
        name=NAMES["pgbouncer"], kind="postgres", diag=SecretRef(kind="env", name="stats"), pooler_of=NAMES["primary"]
    )
    targets.append(pooler)
    shelf = ProbeShelf.load([files("ratchet.library") / "probes" / "postgres"])
    hands = Hands(lambda: targets, shelf, lambda ref: secrets[ref.name], Redactor([], b"key"), now)
    books = [playbook_files.load(text, name) for name, text in shipped_texts().items()]
    params = {"min_idle": 1.0}
    candidates = [
        Candidate(playbook=book, version_id=book.pin, calls=calls_of(book, targets[0], targets, params), params=params)
        for book in books
    ]
    one = Doctor(whole, hands, candidates)
    assert hands.pointed(NAMES["primary"])
    with one.stack:
        one.stack.callback(hands.close)
        yield one


def test_a_healthy_group_confirms_nothing(doctor: Doctor) -> None:
    until(lambda: not doctor.found())


def test_a_paused_database_is_not_a_dead_pooler(doctor: Doctor) -> None:
    pooler = doctor.lab.the_pooler()
    client = doctor.behind_pooler()
    doctor.stack.callback(pooler.command, f"RESUME {DATABASE}")
    pooler.command(f"PAUSE {DATABASE}")
    client.pgconn.send_query(b"SELECT 1")
    said = doctor.confirms("pgbouncer_paused")
    assert [(o.kind, o.id) for o in said.objects] == [("target", NAMES["pgbouncer"])]


def test_a_pooler_without_room_for_clients_is_told_from_a_full_server(doctor: Doctor) -> None:
    pooler = doctor.lab.the_pooler()
    doctor.stack.callback(pooler.command, "SET max_client_conn = 100")
    doctor.behind_pooler()
    doctor.found()
    pooler.command("SET max_client_conn = 2")
    assert doctor.confirms("pgbouncer_client_limit").then == ("escalate",)


def test_a_stopped_pooler_is_hung_and_not_gone(doctor: Doctor) -> None:
    process = doctor.lab.the_pooler().process
    assert process is not None
    doctor.stack.callback(process.send_signal, signal.SIGCONT)
    process.send_signal(signal.SIGSTOP)
    assert doctor.confirms("pgbouncer_hung").then == ("escalate",)


def test_a_stopped_process_is_hung_and_not_gone(doctor: Doctor) -> None:
    pid = doctor.lab.primary.pid
    assert pid is not None
    doctor.stack.callback(os.kill, pid, signal.SIGCONT)
    os.kill(pid, signal.SIGSTOP)
    assert doctor.confirms("server_hung").then == ("escalate",)


def test_a_query_that_holds_replay_is_told_from_a_paused_replica(doctor: Doctor) -> None:
    doctor.admin("ALTER SYSTEM SET max_standby_streaming_delay = -1", on="replica")
    doctor.stack.callback(doctor.lab.member("replica").reload)
    doctor.stack.callback(doctor.admin, "ALTER SYSTEM RESET max_standby_streaming_delay", "replica")
    doctor.lab.member("replica").reload()
    doctor.admin("CREATE TABLE parcels AS SELECT n FROM generate_series(1, 5000) n")
    doctor.stack.callback(doctor.admin, "DROP TABLE parcels")
    reader = doctor.lab.member("replica").connect(dbname=DATABASE, application_name="year-report")
    doctor.stack.callback(reader.close)

    def arrived() -> bool:
        with suppress(psycopg.errors.UndefinedTable):
            return reader.execute("SELECT count(*) FROM parcels").fetchone() == (5000,)
        return False

    until(arrived)
    reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    reader.execute("SELECT count(*) FROM parcels")
    doctor.admin("DELETE FROM parcels")
    doctor.admin("VACUUM parcels")
    said = doctor.confirms("replay_held_by_query")
    assert ("target", NAMES["replica"]) in [(o.kind, o.id) for o in said.objects]
    assert "year-report" in [o.name for o in said.objects]


def test_a_disabled_subscription_is_no_conflict(doctor: Doctor) -> None:
    doctor.admin(
        "CREATE SUBSCRIPTION copy_of_stock CONNECTION 'host=127.0.0.1' PUBLICATION stock"
        " WITH (connect = false, slot_name = NONE, enabled = false, create_slot = false)"
    )
    doctor.stack.callback(doctor.admin, "DROP SUBSCRIPTION copy_of_stock")
    assert not doctor.found(), "it may have been switched off long ago"
    (said,) = doctor.found("SubscriptionStands")
    assert (said.cause, [o.id for o in said.objects]) == ("subscription_disabled", ["copy_of_stock"])


def test_a_logical_slot_that_nobody_reads_is_not_dropped(doctor: Doctor) -> None:
    doctor.admin("SELECT pg_create_logical_replication_slot('change_feed', 'pgoutput')")
    doctor.stack.callback(doctor.admin, "SELECT pg_drop_replication_slot('change_feed')")
    for _ in range(5):
        doctor.admin("UPDATE heartbeat SET beat_at = clock_timestamp()")
        doctor.admin("SELECT pg_switch_wal()")
    said = doctor.confirms("stale_logical_slot")
    assert ([o.id for o in said.objects], said.then) == (["change_feed"], ("escalate",))


def test_a_replica_without_its_slot_is_not_shut_out(doctor: Doctor) -> None:
    replica = doctor.lab.member("replica")
    replica.stop()
    doctor.admin("SELECT pg_drop_replication_slot('replica_one')")
    doctor.stack.callback(until, lambda: [h.cause for h in doctor.found()] != ["replication_slots_used_up"])
    doctor.stack.callback(doctor.admin, "SELECT pg_create_physical_replication_slot('replica_one', true)")
    replica.start()
    assert doctor.confirms("replication_slots_used_up").then == ("escalate",)


def test_a_smart_shutdown_that_waits_is_no_crash(doctor: Doctor) -> None:
    primary = doctor.lab.primary
    waits = primary.connect(dbname=DATABASE)
    doctor.stack.callback(primary.start)
    doctor.stack.callback(primary.stop)
    doctor.stack.callback(waits.close)
    doctor.found()
    primary.account.run([primary.pg_ctl, "stop", "-m", "smart", "-W", "-D", str(primary.data_dir)], primary.home)
    assert doctor.confirms("shutdown_in_progress").then == ("escalate",)


def test_a_server_on_another_port_is_not_down(doctor: Doctor) -> None:
    primary, port = doctor.lab.primary, doctor.lab.primary.port

    def back() -> None:
        primary.configure({"port": port})
        primary.restart()

    doctor.stack.callback(back)
    primary.configure({"port": free_port()})
    primary.restart()
    assert doctor.confirms("listen_address_changed").then == ("escalate",)


def test_a_replica_with_smaller_limits_is_not_resumed(doctor: Doctor, whole: Lab) -> None:
    assert whole.replica is not None
    whole.primary.configure({"max_locks_per_transaction": 640})
    whole.primary.restart()
    found = doctor.confirms("standby_limits_too_low")
    assert ([each.id for each in found.objects], found.then) == ([NAMES["replica"]], ("escalate",))
    whole.replica.configure({"max_locks_per_transaction": 640})
    whole.replica.restart()
    until(lambda: not doctor.found())


def test_an_old_primary_is_not_started_beside_a_promoted_replica(doctor: Doctor, whole: Lab) -> None:
    """The last one: the group is not the same afterwards."""
    assert whole.replica is not None
    whole.primary.stop()
    with whole.replica.connect() as session:
        session.execute("SELECT pg_promote()")
    found = doctor.confirms("replica_promoted")
    assert ([each.id for each in found.objects], found.then) == ([NAMES["replica"]], ("escalate",))
