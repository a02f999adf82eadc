"""A visit to somebody else's server leaves what people made there as they made it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest

import ratchet
from ratchet.domain.errors import Refusal
from ratchet.domain.fault import Fault, FaultCheck, FaultStep
from ratchet.lab.binaries import Binaries
from ratchet.lab.catalog import Catalog
from ratchet.lab.embedded import Cluster
from ratchet.lab.faults import Injected, inject, undo_left_over
from ratchet.lab.ground import LabGround
from ratchet.lab.injectors.grip import UndoFailed
from ratchet.lab.journal import Entry
from ratchet.lab.lab import Lab
from ratchet.lab.leaving import lease
from ratchet.lab.visit import Visit
from ratchet.lab.visited import MARK, look_up

Becomes = Callable[[Callable[[], bool]], bool]
pytestmark = pytest.mark.postgres
EVERYTHING = """SELECT (SELECT array_agg((oid, datname) ORDER BY oid) FROM pg_database)::text,
 (SELECT array_agg((oid, rolname, shobj_description(oid, 'pg_authid')) ORDER BY oid) FROM pg_roles)::text"""
WRITTEN = """SELECT setting FROM pg_file_settings WHERE name = 'temp_file_limit'
 AND sourcefile LIKE '%/postgresql.auto.conf'"""

KILLED = """
import os, sys
from pathlib import Path
from ratchet.lab.catalog import load_catalog
from ratchet.lab.faults import inject
from ratchet.lab.visit import Visit
from ratchet.lab.visited import look_up
from tests.lab.test_visit import small_limit
with Visit(look_up(os.environ["CONN"]), Path(sys.argv[1]), seed=3) as lab:
    inject(small_limit(load_catalog()), lab, seed=4)
    print("caused", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def theirs(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server that is nobody's lab."""
    root = tmp_path_factory.mktemp("theirs") / "root"
    with Cluster.create(root, pg_binaries, settings={"max_connections": 40}) as cluster:
        cluster.add_login("boss", "SUPERUSER")
        yield cluster


def visit(theirs: Cluster, home: Path) -> Visit:
    return Visit(look_up(theirs.dsn("boss")), home, seed=3)


def query(theirs: Cluster, statement: str) -> list[tuple[object, ...]]:
    with theirs.connect() as session:
        return session.execute(statement.encode()).fetchall()


def tell(theirs: Cluster, *statements: str) -> None:
    with theirs.connect() as session:
        for statement in statements:
            session.execute(statement.encode())


def small_limit(catalog: Catalog) -> Fault:
    """A fault that is one setting, and nothing else."""
    fault = catalog.find("pg-temp-file-limit")
    inject_, undo = (
        FaultStep(uses="setting.alter_system", args={"name": "temp_file_limit", "value": "1MB"}),
        FaultStep(uses="setting.reset_system", args={"name": "temp_file_limit"}),
    )
    return fault.model_copy(update={"spec": fault.spec.model_copy(update={"inject": (inject_,), "undo": (undo,)})})


@pytest.mark.parametrize("name", ["shop_app", "canary"])
def test_a_role_of_somebody_that_has_our_name_is_refused_and_kept(name: str, theirs: Cluster, tmp_path: Path) -> None:
    tell(theirs, f"CREATE ROLE {name} LOGIN")
    before = query(theirs, EVERYTHING)
    with pytest.raises(Refusal, match=f"a role '{name}' already"), visit(theirs, tmp_path):
        pytest.fail("the visit began")
    assert query(theirs, EVERYTHING) == before
    tell(theirs, f"DROP ROLE {name}")


def test_what_a_visit_makes_bears_its_mark_and_goes(theirs: Cluster, tmp_path: Path) -> None:
    before = query(theirs, EVERYTHING)
    with visit(theirs, tmp_path):
        marks = (
            "SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname IN ('shop_app', 'canary')"
        )
        assert {mark for _, mark in query(theirs, marks)} == {MARK}
        with pytest.raises(Refusal, match="Another drill is on this server"), lease(tmp_path, 0):
            pytest.fail("two drills at once")
    assert query(theirs, EVERYTHING) == before


def test_a_server_that_does_not_say_who_it_is_is_refused(theirs: Cluster, tmp_path: Path) -> None:
    theirs.add_login("passer_by")
    tell(theirs, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    with pytest.raises(Refusal, match="does not say who it is: permission denied"):
        look_up(theirs.dsn("passer_by"))
    tell(theirs, "GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC", "DROP ROLE passer_by")
    with pytest.raises(Refusal, match="not a connection string"):
        look_up(f"{theirs.dsn('boss')} nonsense")


def test_a_visit_whose_roles_are_not_let_in_says_so_and_leaves_nothing(theirs: Cluster, tmp_path: Path) -> None:
    before = query(theirs, EVERYTHING)
    rules = theirs.data_dir / "pg_hba.conf"
    usual = rules.read_text()
    rules.write_text(f"host all shop_app all reject\n{usual}")
    theirs.reload()
    with pytest.raises(Refusal, match=r"cannot begin on this server.*pg_hba\.conf rejects"), visit(theirs, tmp_path):
        pytest.fail("the visit began")
    rules.write_text(usual)
    theirs.reload()
    assert query(theirs, EVERYTHING) == before


def test_a_visit_that_cannot_end_says_what_stays_and_it_goes_when_the_server_is_back(
    theirs: Cluster, tmp_path: Path, becomes: Becomes
) -> None:
    before = query(theirs, EVERYTHING)
    over = visit(theirs, tmp_path)
    with over:
        theirs.stop("immediate")
    assert len(over.left) == 1 and theirs.passwords["boss"] not in over.left[0]
    theirs.start()
    assert becomes(lambda: query(theirs, EVERYTHING) == before)


@pytest.mark.parametrize("watched", [True, False])
def test_a_visit_that_is_killed_is_taken_back_by_the_process_beside_it_or_else_by_the_next_visit(
    watched: bool, theirs: Cluster, tmp_path: Path, becomes: Becomes, ended: Callable[[psutil.Process], bool]
) -> None:
    before, secret = query(theirs, EVERYTHING), theirs.passwords["boss"]
    env = {
        **os.environ, "PYTHONPATH": f"{Path(ratchet.__file__).parents[1]}:{Path(__file__).parents[2]}",
        "CONN": f"host=127.0.0.1 port={theirs.port} dbname=postgres user=boss", "PGPASSWORD": secret,
    }  # fmt: skip
    line = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as it:
        assert it.stdout is not None and it.stdout.readline() == b"caused\n"
        assert query(theirs, WRITTEN) == [("1MB",)]
        (beside,) = psutil.Process(it.pid).children()
        assert secret not in f"{beside.cmdline()} {beside.environ()}"
        if not watched:
            beside.kill()
        it.kill()
    if not watched:
        tell(theirs, "COMMENT ON DATABASE shop IS NULL")
        with visit(theirs, tmp_path):
            assert query(theirs, WRITTEN) == []
    assert becomes(lambda: ended(beside))
    assert (query(theirs, WRITTEN), query(theirs, EVERYTHING)) == ([], before)
    assert not list((tmp_path / "caused").glob("*.json"))


@pytest.fixture(scope="module")
def guest(theirs: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One visit for every test of a setting."""
    with visit(theirs, tmp_path_factory.mktemp("visit")) as lab:
        yield lab


def undo(injected: Injected, *, known: bool) -> None:
    """By who caused it; who does not know any more what was there before claims nothing, and touches nothing."""
    with nullcontext() if known else pytest.raises(UndoFailed, match="written down no more"):
        injected.undo()


@pytest.mark.parametrize("was", ["2GB", None])
@pytest.mark.parametrize("crashed", [True, False])
def test_a_setting_is_again_what_somebody_had_set(
    was: str | None, crashed: bool, theirs: Cluster, guest: Lab, catalog: Catalog
) -> None:
    tell(theirs, "ALTER SYSTEM RESET temp_file_limit" if was is None else f"ALTER SYSTEM SET temp_file_limit = '{was}'")
    injected = inject(small_limit(catalog), guest, seed=4)
    assert query(theirs, WRITTEN) == [("1MB",)]
    if crashed:
        assert undo_left_over(guest) == (injected.owner_label,)
    undo(injected, known=not crashed)
    assert query(theirs, WRITTEN) == ([] if was is None else [(was,)])
    tell(theirs, "ALTER SYSTEM SET temp_file_limit = '3GB'")
    undo(injected, known=not crashed)
    assert undo_left_over(guest) == ()
    assert query(theirs, WRITTEN) == [("3GB",)], "an undo that is done is not done again"


def test_what_the_server_says_no_to_is_a_refusal_and_ends_no_batch(guest: Lab, catalog: Catalog) -> None:
    fault = small_limit(catalog)
    asks = (FaultCheck(uses="sql.holds", args={"query": "SELECT no_such_column"}, within=1),)
    no = {"baseline": asks, "symptom": asks}
    ground = LabGround(guest, lambda _: ())
    odd = fault.model_copy(update={"spec": fault.spec.model_copy(update=no)})
    with pytest.raises(Refusal, match=r"all is well before cannot be told: column"):
        ground.unwell(odd)
    with pytest.raises(Refusal, match="could not be caused: column"):
        ground.cause(odd, 7)
    assert ground.undo("") == ""


def test_where_it_crashed_before_anything_was_caused_nothing_is_taken_back(
    theirs: Cluster, guest: Lab, catalog: Catalog
) -> None:
    tell(theirs, "ALTER SYSTEM SET temp_file_limit = '2GB'")
    Entry.write(guest, small_limit(catalog), "zzzz", 5)
    assert undo_left_over(guest) == ("zzzz",)
    assert query(theirs, WRITTEN) == [("2GB",)]


def test_a_list_that_somebody_had_set_is_left_alone_because_it_could_not_be_given_back(
    theirs: Cluster, guest: Lab, catalog: Catalog
) -> None:
    tell(theirs, 'ALTER SYSTEM SET search_path = "$user", public')
    fault = small_limit(catalog)
    steps = {
        part: (getattr(fault.spec, part)[0].model_copy(update={"args": {"name": "search_path", "value": "nowhere"}}),)
        for part in ("inject", "undo")
    }
    with pytest.raises(RuntimeError, match="search_path was set by ALTER SYSTEM before"):
        inject(fault.model_copy(update={"spec": fault.spec.model_copy(update=steps)}), guest, seed=6)
    kept = "SELECT setting FROM pg_file_settings WHERE name = 'search_path'"
    assert query(theirs, kept) == [('"$user", public',)]
    tell(theirs, "ALTER SYSTEM RESET search_path")
