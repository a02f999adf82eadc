"""Every fault takes, is seen where it should be, hurts nobody else, and is taken back cleanly."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ratchet.domain.fault import FaultCheck, FaultStep
from ratchet.lab.binaries import Binaries
from ratchet.lab.catalog import Catalog
from ratchet.lab.checks import unmet
from ratchet.lab.faults import FaultRefused, Injected, inject, undo_left_over
from ratchet.lab.injectors.grip import Grip, UndoFailed
from ratchet.lab.journal import Entry
from ratchet.lab.keeper import Asked, Keeper
from ratchet.lab.lab import Lab

Becomes = Callable[[Callable[[], bool]], bool]
pytestmark = pytest.mark.postgres

DEMO = ("db-max-connections", "db-lock-contention", "db-idle-in-transaction", "db-replication-lag")


def labelled(lab: Lab, label: str) -> list[tuple[object, ...]]:
    with lab.primary.connect() as session:
        return session.execute(
            "SELECT pid, application_name, state, wait_event_type, backend_xid IS NOT NULL, pg_blocking_pids(pid)"
            " FROM pg_stat_activity WHERE application_name LIKE %s",
            [f"%-{label}"],
        ).fetchall()


def end(lab: Lab, *pids: int) -> None:
    with lab.primary.connect() as session:
        for pid in pids:
            session.execute("SELECT pg_terminate_backend(%s)", [pid])


def caused(lab: Lab, catalog: Catalog, name: str, seed: int) -> Injected:
    fault = catalog.find(name)
    assert not unmet(fault.spec.baseline, lab)
    return inject(fault, lab, seed)


@pytest.mark.parametrize("name", DEMO)
def test_a_fault_takes_is_seen_by_customers_and_leaves_nothing(name: str, lab: Lab, catalog: Catalog) -> None:
    fault = catalog.find(name)
    with caused(lab, catalog, name, seed=3) as injected:
        assert list(lab.journal.iterdir())
        assert injected.took()
        assert lab.shop.sample(2).last_error
        (found,) = injected.objects
        assert found.kind == fault.spec.object.kind
        assert lab.bystanders.untouched()
    assert labelled(lab, injected.owner_label) == []
    assert not list(lab.journal.iterdir())
    assert lab.bystanders.untouched()
    assert not unmet(fault.spec.baseline, lab)


def test_the_leak_ends_with_the_sessions_of_its_application_alone(lab: Lab, catalog: Catalog, becomes: Becomes) -> None:
    with caused(lab, catalog, "db-max-connections", seed=11) as injected:
        assert injected.took()
        sessions = labelled(lab, injected.owner_label)
        assert {state for _, _, state, *_ in sessions} == {"idle"}
        assert {application for _, application, *_ in sessions} == {injected.objects[0].id}
        end(lab, *[int(str(pid)) for pid, *_ in sessions])
        assert becomes(lambda: labelled(lab, injected.owner_label) == [])
        assert not unmet(injected.fault.spec.baseline, lab, since=time.monotonic())
        assert labelled(lab, injected.owner_label) == []
        assert lab.bystanders.untouched()


def test_the_lock_tree_has_one_busy_root_and_falls_with_it(lab: Lab, catalog: Catalog) -> None:
    with caused(lab, catalog, "db-lock-contention", seed=12) as injected:
        assert injected.took()
        rows = labelled(lab, injected.owner_label)
        roots = [row for row in rows if not row[5]]
        assert [(str(pid), state, xid) for pid, _, state, _, xid, _ in roots] == [
            (injected.objects[0].id, "active", True)
        ]
        assert len(rows) == 4
        end(lab, int(injected.objects[0].id))
        assert not unmet(injected.fault.spec.baseline, lab, since=time.monotonic())


def test_the_silent_transaction_has_writes_and_survives_a_cancel(lab: Lab, catalog: Catalog) -> None:
    with caused(lab, catalog, "db-idle-in-transaction", seed=13) as injected:
        pid = int(injected.objects[0].id)
        with lab.primary.connect() as session:
            session.execute("SELECT pg_cancel_backend(%s)", [pid])
        assert injected.took()
        blocked_by_nobody = [row for row in labelled(lab, injected.owner_label) if not row[5]]
        assert [(row[0], row[2], row[4]) for row in blocked_by_nobody] == [(pid, "idle in transaction", True)]
        end(lab, pid)
        assert not unmet(injected.fault.spec.baseline, lab, since=time.monotonic())


def test_a_fault_never_outlives_its_time(lab: Lab, catalog: Catalog, becomes: Becomes) -> None:
    fault = catalog.find("db-idle-in-transaction")
    brief = fault.model_copy(update={"spec": fault.spec.model_copy(update={"ttl": 0.2})})
    injected = inject(brief, lab, seed=14)
    assert becomes(lambda: injected.undone)
    assert labelled(lab, injected.owner_label) == []
    injected.undo()


def test_what_an_earlier_process_left_is_taken_back(lab: Lab, catalog: Catalog) -> None:
    injected = caused(lab, catalog, "db-replication-lag", seed=15)
    assert undo_left_over(lab) == (injected.owner_label,)
    with lab.member("replica").connect() as session:
        assert session.execute("SELECT pg_is_wal_replay_paused()").fetchone() == (False,)
    injected.undo()


def test_a_fault_that_does_nothing_did_not_take_whatever_failed_before(lab: Lab, catalog: Catalog) -> None:
    fault = catalog.find("db-idle-in-transaction")
    with inject(fault, lab, seed=17) as real:
        assert real.took()
    idle = fault.spec.model_copy(
        update={
            "inject": (FaultStep(uses="postgres.resume_replay"),),
            "symptom": (FaultCheck(uses="shop.failing", args={"worker": "checkout", "window": 60}, within=1.2),),
        }
    )
    # Requests that still waited when the first one was undone have ended before the second begins.
    assert not unmet(fault.spec.baseline, lab, since=real.at)
    with inject(fault.model_copy(update={"spec": idle}), lab, seed=18) as empty:
        assert not empty.took()


def test_a_fault_on_a_server_that_died_is_taken_back_all_the_same(
    tmp_path: Path, pg_binaries: Binaries, catalog: Catalog
) -> None:
    with Lab.up(tmp_path / "root", replica=False, seed=2, binaries=pg_binaries) as small:
        with inject(catalog.find("db-lock-contention"), small, seed=19) as injected:
            assert labelled(small, injected.owner_label)
            small.primary.stop("immediate")
        assert injected.undone
        small.primary.start()
        assert labelled(small, injected.owner_label) == []


def test_a_fault_that_fails_halfway_is_taken_back(lab: Lab, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(grip: Grip, *args: object) -> None:
        raise RuntimeError("stumbled")

    monkeypatch.setattr(Grip, "spawn", stumble)
    with pytest.raises(RuntimeError, match="stumbled"):
        inject(catalog.find("db-lock-contention"), lab, seed=16)
    assert not list(lab.journal.iterdir())
    with lab.primary.connect() as session:
        rows = session.execute(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'UPDATE order_counter SET last_number = last_number'"
            " AND state = 'idle in transaction'"
        ).fetchall()
    assert rows == []


@pytest.fixture
def keeper(lab: Lab, catalog: Catalog) -> Iterator[Keeper]:
    keeper = Keeper(lab, catalog)
    yield keeper
    assert "error" not in keeper.answer(Asked(verb="undo"))


def test_two_faults_of_one_seed_bear_two_labels_and_both_are_taken_back(keeper: Keeper, lab: Lab) -> None:
    archive = "SELECT current_setting('archive_command'), current_setting('log_statement')"
    with lab.primary.connect() as session:
        before = session.execute(archive).fetchall()
    caused = [keeper.answer(Asked(verb="inject", fault=name)) for name in ("pg-archive-fail", "pg-log-flood")]
    assert len({each["label"] for each in caused}) == len(list(lab.journal.iterdir())) == 2
    assert sorted(keeper.answer(Asked(verb="status"))["caused"].values()) == ["pg-archive-fail", "pg-log-flood"]
    in_effect = keeper.answer(Asked(verb="well", fault="db-max-connections"))["unmet"]
    assert in_effect[0] == f"pg-archive-fail ({caused[0]['label']}) is in effect", "and nothing was forgotten"
    assert len(keeper.answer(Asked(verb="undo"))["undone"]) == 2
    with lab.primary.connect() as session:
        assert session.execute(archive).fetchall() == before
    assert not list(lab.journal.iterdir())


def test_a_label_that_stands_written_down_is_nobody_else_s(lab: Lab, catalog: Catalog) -> None:
    fault = catalog.find("pg-archive-fail")
    first = Entry.write(lab, fault, "aaaa", 1)
    first.keep("what was", "this")
    with pytest.raises(FileExistsError):
        Entry.write(lab, fault, "aaaa", 2)
    assert first.kept("what was") == "this" and list(lab.journal.iterdir()) == [first.path]
    first.forget()


def test_a_fault_that_neither_took_nor_went_is_known_to_its_keeper(
    keeper: Keeper, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(grip: Grip, *args: object) -> None:
        raise UndoFailed("stumbled")

    with monkeypatch.context() as broken:
        broken.setattr(Grip, "spawn", stumble)
        broken.setattr(Grip, "release", stumble)
        said = keeper.answer(Asked(verb="inject", fault="db-lock-contention"))["error"]
        assert said.startswith("stumbled It is not taken back: ")
        assert list(keeper.answer(Asked(verb="status"))["caused"].values()) == ["db-lock-contention"]
        assert "stumbled" in keeper.answer(Asked(verb="undo"))["error"]
    assert len(keeper.answer(Asked(verb="undo"))["undone"]) == 1
    assert not list(lab.journal.iterdir())


def test_nobody_can_tell_that_a_fault_was_mended_whose_time_was_over(lab: Lab, catalog: Catalog) -> None:
    injected = inject(catalog.find("control-noisy-alert"), lab, seed=20)
    assert injected.mended(0.2)
    injected.undo()
    with pytest.raises(FaultRefused, match="ended by its time"):
        injected.mended(0.2)


def test_names_vary_with_the_seed_and_say_nothing(lab: Lab) -> None:
    grips = [Grip(lab, f"lab{seed}", seed) for seed in range(8)]
    applications = {grip.next_application() for grip in grips}
    assert len(applications) > 4
    assert not any(word in name for name in applications for word in ("fault", "test", "chaos"))


def test_a_fault_without_its_replica_is_refused(lab: Lab, catalog: Catalog) -> None:
    with pytest.raises(FaultRefused, match="replica"):
        inject(catalog.find("db-replication-lag"), replace(lab, replica=None), seed=1)
