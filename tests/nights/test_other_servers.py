"""Other versions of the server, without contrib modules: what is broken is named and mended there too."""

from collections.abc import Iterator

import pytest

from ratchet.lab.catalog import load_catalog
from ratchet.lab.checks import unmet
from ratchet.lab.faults import inject
from ratchet.lab.lab import Lab
from ratchet.lab.shop import DATABASE
from tests.nights.conftest import Night, opened
from tests.nights.protocol import alert_apart
from tests.tools.postgres.test_probes_live import carried

pytestmark = [pytest.mark.postgres, pytest.mark.night]
FAULTS = load_catalog().faults
ACT_ROLE = "ratchet_act_shop_db"


@pytest.fixture(scope="module", params=[16, 18])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    root = tmp_path_factory.mktemp("other") / "root"
    with Lab.up(root, replica=request.param == 18, seed=6, binaries=carried(request.param)) as one:
        one.primary.add_login("night_admin", "SUPERUSER")
        one.primary.add_login("night_canary")
        yield one


@pytest.fixture(scope="module")
def night(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    home, allow = tmp_path_factory.mktemp("home"), ("log", "slots", "role_settings")
    with opened(lab.primary, home, allow=allow, database=DATABASE) as one:
        yield one


@pytest.mark.parametrize("name", ["pg-stale-slot", "db-idle-in-transaction"])
def test_what_is_broken_is_named_with_its_object(name: str, lab: Lab, night: Night) -> None:
    fault = FAULTS[name]
    with inject(fault, lab, seed=3) as injected:
        # A slot that was made a moment ago is named too, and handed over; its drill waits until it may be dropped.
        assert name == "pg-stale-slot" or not unmet(fault.spec.symptom, lab, injected.at, injected.grip)
        reference = alert_apart(night, f"Other-{name}")
        night.until(reference, "awaiting_approval", "escalated")
        found = night.house.store.incident(reference).conclusion
        culprits = {(each.kind, each.id) for each in injected.objects}
    assert found is not None and found.cause == fault.spec.cause, found
    assert found.leading is not None and {(each.kind, each.id) for each in found.leading.objects} & culprits


def test_a_role_is_let_in_again_by_an_act_role_that_was_given_it(lab: Lab, night: Night) -> None:
    lab.let_maintain(ACT_ROLE)
    lab.let_alter_roles(ACT_ROLE)
    fault = FAULTS["pg-role-nologin"]
    with inject(fault, lab, seed=4) as injected:
        assert not unmet(fault.spec.symptom, lab, injected.at, injected.grip)
        reference = alert_apart(night, "OtherRole")
        asked = night.until(reference, "awaiting_approval", "escalated")
        assert asked["status"] == "awaiting_approval", asked["handoff"]
        assert night.answer(asked)[0] == 200
        ended = night.until(reference, "resolved", "escalated")
        assert (ended["status"], injected.mended()) == ("resolved", True), ended["handoff"]


def test_a_replica_outlives_the_full_lock_table_of_its_primary(lab: Lab) -> None:
    if lab.replica is None:
        pytest.skip("this lab has no replica")
    fault = FAULTS["pg-locktable-full"]
    with inject(fault, lab, seed=5) as injected:
        assert not unmet(fault.spec.symptom, lab, injected.at, injected.grip)
        with lab.primary.connect() as ahead, lab.replica.connect() as behind:
            row = ahead.execute("SELECT pg_current_wal_lsn()").fetchone()
            assert row is not None
            caught_up = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
            for _ in range(200):
                if behind.execute(caught_up, [row[0]]).fetchone() == (True,):
                    break
                behind.execute("SELECT pg_sleep(0.05)")
            assert behind.execute(caught_up, [row[0]]).fetchone() == (True,)
