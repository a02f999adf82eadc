"""A diagnosis that may see less than it should: it says so and stops, and never takes one thing for another."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ratchet.domain.fault import Fault
from ratchet.domain.hypothesis import Conclusion
from ratchet.lab.binaries import Binaries
from ratchet.lab.catalog import load_catalog
from ratchet.lab.checks import unmet
from ratchet.lab.embedded import Cluster
from ratchet.lab.faults import inject
from ratchet.lab.lab import Lab
from ratchet.lab.shop import DATABASE
from tests.nights.conftest import Night, opened
from tests.nights.culprits import leak
from tests.nights.protocol import alert_apart, events

pytestmark = [pytest.mark.postgres, pytest.mark.night]
FAULTS = load_catalog().faults
NAMED = ("pg-missing-index", "pg-stale-stats", "pg-redundant-indexes")
"""Slowness whose cause stands elsewhere too."""
UNSEEN = "pg-cast-mismatch"
"""The text of the statement, which only the extension keeps, is what tells it."""


def concluded(night: Night, name: str) -> Conclusion:
    """What was concluded of an incident once nothing more is done by itself."""
    night.until(name, "awaiting_approval", "escalated")
    found = night.house.store.incident(name).conclusion
    assert found is not None
    return found


def test_a_login_that_lost_pg_monitor_says_so_and_stops_until_its_line_is_run(night: Night, server: Cluster) -> None:
    with server.connect() as session, leak(server, "basket-api", spare=1):
        session.execute("REVOKE pg_monitor FROM ratchet_diag_shop_db")
        name = alert_apart(night, "BlindLogin")
        stopped = night.until(name, "awaiting_approval", "escalated")
        said = stopped["handoff"]
        line = 'GRANT pg_monitor TO "ratchet_diag_shop_db"'
        assert said["escalation_reason"] == "unknown_cause" and line in said["detail"], said
        assert "ratchet target check" in said["human_action_required"]
        assert not {"fix_started", "approval_requested"} & set(events(stopped))
        slots = next(
            each for each in night.house.store.evidence(night.house.store.incident(name).evidence)
            if each.probe == "postgres.slots"
        )  # fmt: skip
        assert (slots.answer, slots.rows) == ("permission", ()), "half of the rows would look like all of them"
        session.execute(line.encode())
        found = concluded(night, alert_apart(night, "SeeingLogin"))
    assert found.cause == "connection_exhaustion_idle_leak"


@pytest.fixture(scope="module")
def shop(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A shop on a server without pg_stat_statements."""
    root = tmp_path_factory.mktemp("plain") / "root"
    with Lab.up(root, replica=False, seed=5, binaries=replace(pg_binaries, contrib=False)) as lab:
        lab.primary.add_login("night_admin", "SUPERUSER")
        lab.primary.add_login("night_canary")
        with lab.primary.connect(dbname=DATABASE) as session:
            assert session.execute("SELECT FROM pg_extension WHERE extname = 'pg_stat_statements'").rowcount == 0
        yield lab


@pytest.fixture(scope="module")
def plain(shop: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    with opened(shop.primary, tmp_path_factory.mktemp("home"), database=DATABASE) as one:
        yield one


def without_needs(fault: Fault) -> Fault:
    return fault.model_copy(update={"spec": fault.spec.model_copy(update={"needs": ("primary",)})})


@pytest.mark.parametrize("name", [*NAMED, UNSEEN])
def test_without_the_statement_statistics_the_cause_is_named_or_left_open(name: str, shop: Lab, plain: Night) -> None:
    fault = without_needs(FAULTS[name])
    with inject(fault, shop, seed=11) as injected:
        assert not unmet(fault.spec.symptom, shop, injected.at, injected.grip)
        found = concluded(plain, alert_apart(plain, f"Slow-{name}"))
        culprits = {each.id for each in injected.objects}
    confirmed = {each.cause for each in found.hypotheses if each.verdict == "confirmed"}
    assert confirmed <= {fault.spec.cause}, found.why
    if name == UNSEEN:
        assert found.outcome == "unknown_cause", found.why
    else:
        assert found.leading is not None and {each.id for each in found.leading.objects} & culprits, found.why
