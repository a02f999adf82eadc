"""Every fault of the catalogue takes, hurts nobody who only resembles the culprit, and is undone without a trace.

A third of them run by default; all of them with RATCHET_ALL_FAULTS=1 (`make faults-check`).
"""

import os
from collections.abc import Callable, Iterator

import pytest

from ratchet.domain.fault import Fault
from ratchet.lab.binaries import Binaries
from ratchet.lab.catalog import load_catalog
from ratchet.lab.checks import unmet
from ratchet.lab.faults import inject, undo_left_over
from ratchet.lab.lab import Lab

Becomes = Callable[[Callable[[], bool]], bool]
pytestmark = pytest.mark.postgres

FAULTS = load_catalog().faults
# One of each way of causing and taking back; the demo's four are tested in test_faults.py whatever is chosen here.
REPRESENTATIVE = {
    "control-already-recovered", "control-fix-fails", "control-telemetry-lost", "db-connection-refused",
    "db-long-running-query", "db-table-bloat", "pg-advisory-leak", "pg-bad-config", "pg-default-read-only",
    "pg-disk-full", "pg-hba-reject", "pg-missing-index", "pg-port-conflict", "pg-stale-slot", "pg-statement-timeout",
    "pgb-wrong-backend", "repl-apply-delay", "repl-walreceiver-down",
}  # fmt: skip
CHOSEN = sorted(FAULTS if os.environ.get("RATCHET_ALL_FAULTS") else REPRESENTATIVE)
KEPT = ("backup", "caused", "pgpass", "replica.log")
STATE = {
    "tables": "SELECT c.oid::regclass::text, c.reloptions, c.relacl::text, c.relpersistence, c.relhastriggers"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'S', 'i', 'p') AND n.nspname = 'public'",
    "roles": "SELECT rolname, rolcanlogin, rolsuper, rolreplication, rolconnlimit, rolconfig FROM pg_roles",
    "databases": "SELECT datname, datconnlimit, datacl::text FROM pg_database",
    "role settings": "SELECT setdatabase, setrole, setconfig FROM pg_db_role_setting",
    "settings": "SELECT name, setting FROM pg_file_settings WHERE applied",
    "rules": "SELECT line_number, type, database, user_name, auth_method FROM pg_hba_file_rules",
    "slots": "SELECT slot_name, slot_type FROM pg_replication_slots",
    "tablespaces": "SELECT spcname FROM pg_tablespace",
    "subscriptions": "SELECT subname FROM pg_subscription",
    "publications": "SELECT pubname FROM pg_publication",
    "prepared": "SELECT gid FROM pg_prepared_xacts",
    "advisory locks": "SELECT objid, mode FROM pg_locks WHERE locktype = 'advisory'",
}


def state(lab: Lab) -> dict[str, list[str]]:
    """All that a fault might leave behind, on both servers."""
    found: dict[str, list[str]] = {}
    for member in ("primary", "replica") if lab.replica is not None else ("primary",):
        with lab.member(member).connect(dbname="shop") as session:
            for name, query in STATE.items():
                found[f"{member}: {name}"] = sorted(map(str, session.execute(query.encode()).fetchall()))
    found["files"] = sorted(each.name for each in lab.primary.home.iterdir() if each.name not in KEPT)
    found["outside"] = sorted(each.name for each in lab.outside.iterdir())
    return found


@pytest.fixture(scope="module")
def lonely(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab without a replica."""
    with Lab.up(tmp_path_factory.mktemp("lonely") / "root", replica=False, seed=8, binaries=pg_binaries) as small:
        yield small


@pytest.fixture
def stage(fault: Fault, request: pytest.FixtureRequest) -> Lab:
    wanted: Lab = request.getfixturevalue("lonely" if "alone" in fault.spec.needs else "lab")
    if lacking := wanted.lacks(fault.spec.needs):
        pytest.skip(f"{fault.id} needs {' and '.join(lacking)}")
    return wanted


@pytest.mark.parametrize("fault", [FAULTS[name] for name in CHOSEN], ids=lambda fault: fault.id)
def test_a_fault_takes_touches_no_innocent_and_is_undone_without_a_trace(
    fault: Fault, stage: Lab, becomes: Becomes
) -> None:
    assert not unmet(fault.spec.baseline, stage)
    before = state(stage)
    with inject(fault, stage, seed=sum(map(ord, fault.id))) as injected:
        assert not unmet(fault.spec.symptom, stage, injected.at, injected.grip)
        assert bool(injected.objects) == (fault.spec.object.kind != "none") or fault.spec.control
        assert {found.kind for found in injected.objects} <= {fault.spec.object.kind, "session"}
        if stage.primary.is_running():
            assert injected.innocents_untouched()
    # A replica may still have to catch up with what was taken back.
    assert becomes(lambda: state(stage) == before), state(stage)
    assert not list(stage.journal.iterdir())
    assert stage.bystanders.untouched()
    assert not unmet(fault.spec.baseline, stage)


@pytest.mark.parametrize("name", ["pg-hba-reject", "pg-archive-fail", "pg-role-nologin"])
def test_a_fault_of_a_process_that_died_is_taken_back_from_the_journal_alone(
    name: str, lab: Lab, becomes: Becomes
) -> None:
    before = state(lab)
    injected = inject(FAULTS[name], lab, seed=31)
    injected.grip.over.set()
    assert undo_left_over(lab) == (injected.owner_label,)
    assert becomes(lambda: state(lab) == before), state(lab)
    assert injected.watchdog is not None
    injected.watchdog.cancel()


def test_the_catalogue_is_whole() -> None:
    assert len(FAULTS) == 55
    controls = {fault.id for fault in FAULTS.values() if fault.spec.control}
    assert len(controls) == 7
    names = {name for fault in FAULTS.values() for name in (fault.id, *fault.metadata.aliases)}
    assert {
        "db-max-connections", "db-lock-contention", "db-long-running-query", "db-idle-in-transaction",
        "db-table-bloat", "db-replication-lag", "db-connection-refused",
    } <= names  # fmt: skip
    assert all(FAULTS[name].spec.expects != "cause" for name in controls)


def test_faults_below_root_and_those_that_need_it_are_told_apart() -> None:
    assert {fault.id for fault in FAULTS.values() if fault.tier == 1} == {"pg-disk-full"}
