"""Which target an alert means, and which incident it belongs to."""

from datetime import UTC, datetime

import pytest

from ratchet.domain.alert import Alert
from ratchet.domain.ports import Joinable, Joining, Opening
from ratchet.domain.target import Target
from ratchet.triage.correlate import correlator, match_target

NOW = datetime(2026, 11, 20, 2, 3, 4, tzinfo=UTC)
SHOP = Target(name="shop-db", kind="postgres", address="10.0.0.5:5432/shop")
BILLING = Target(name="billing-db", kind="postgres", address="db2.internal:5432/billing")
REPLICA = Target(name="shop-db-replica", kind="postgres", address="10.0.0.6:5432/shop", replica_of="shop-db")


def alert(fingerprint: str = "f1", status: str = "firing", group_key: str = "", **labels: str) -> Alert:
    return Alert.model_validate({
        "source": "alertmanager", "fingerprint": fingerprint, "starts_at": NOW, "status": status, "labels": labels,
        "group_key": group_key,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"target": "billing-db"}, "billing-db"),
        ({"instance": "10.0.0.5:5432"}, "shop-db"),
        ({"instance": "10.0.0.6:5432"}, "shop-db-replica"),
        ({"host": "db2.internal"}, "billing-db"),
        ({"datname": "billing"}, "billing-db"),
        ({"database": "shop"}, "shop-db"),
    ],
)
def test_the_target_is_found_by_label_then_address_then_database(labels: dict[str, str], name: str) -> None:
    assert match_target(alert(**labels), [SHOP, BILLING, REPLICA])[0] == name


def test_the_only_group_is_the_target_when_nothing_else_tells() -> None:
    assert match_target(alert(instance="exporter:9187"), [SHOP, REPLICA])[0] == "shop-db"


def test_an_alert_that_matches_nothing_names_no_target_and_says_what_it_saw() -> None:
    name, reason = match_target(alert(instance="elsewhere:5432", job="pg"), [SHOP, BILLING])
    assert name is None
    assert "instance=elsewhere:5432" in reason and "shop-db, billing-db" in reason


def test_an_unregistered_explicit_target_is_never_replaced_by_a_guess() -> None:
    name, reason = match_target(alert(target="other-db"), [SHOP])
    assert name is None
    assert "'other-db'" in reason


def opened(group_key: str = "", *, holds: bool = False) -> Joinable:
    return Joinable(incident_id="01A", target="shop-db", group_key=group_key, holds=holds)


def test_a_storm_of_one_fingerprint_joins_the_open_incident() -> None:
    correlate = correlator([SHOP], lambda: "01B")
    assert correlate(alert("f1"), [opened(holds=True)]) == Joining(incident_id="01A")


def test_alerts_of_one_group_on_one_target_are_one_incident_and_on_two_targets_are_two() -> None:
    correlate = correlator([SHOP, BILLING], lambda: "01B")
    held = [opened("g")]
    assert correlate(alert("f2", group_key="g", target="shop-db"), held) == Joining(incident_id="01A")
    assert isinstance(correlate(alert("f3", group_key="g", target="billing-db"), held), Opening)


def test_a_resolve_of_nothing_opens_nothing() -> None:
    assert correlator([SHOP], lambda: "01B")(alert("f9", status="resolved"), []) is None


def test_a_drill_label_counts_only_on_a_target_tagged_chaos() -> None:
    plain = correlator([SHOP], lambda: "01B")(alert(ratchet_drill="db-x"), [])
    chaos = correlator([SHOP.model_copy(update={"tags": ("chaos",)})], lambda: "01B")(alert(ratchet_drill="db-x"), [])
    assert isinstance(plain, Opening) and (plain.origin, plain.fault) == ("production", None)
    assert isinstance(chaos, Opening) and (chaos.origin, chaos.fault) == ("drill", "db-x")
