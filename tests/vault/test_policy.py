"""The policy that ships, and what makes one unusable."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ratchet.config import Settings
from ratchet.domain.errors import Refusal
from ratchet.domain.playbook import EFFECTS
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.policy import overlaid, read_policy, shipped_policy, tighten
from ratchet.vault.seeding import shipped_texts
from ratchet.wiring.house import open_house
from tests.proof import life as lives
from tests.proof.life import living

NAME = "pbs_connection_triage.playbook.yaml"


def test_every_effect_has_a_least_approval() -> None:
    policy = shipped_policy()
    assert set(policy.effects) == set(EFFECTS)
    assert all(rule.quorum >= 1 for rule in policy.effects.values())


def test_a_drill_waits_seconds_where_production_waits_as_the_file_says(playbook_files: PlaybookFiles) -> None:
    verify = playbook_files.load(shipped_texts()[NAME], NAME).spec.verify
    assert verify is not None
    drill, real = shipped_policy().verification(verify, True), shipped_policy().verification(verify, False)
    assert (drill.wait_before, drill.every, drill.sustain, drill.min_samples, drill.give_up_after) == (
        0.2,
        0.5,
        3,
        4,
        30,
    )
    assert (real.every, real.sustain) == (verify.every, verify.sustain)
    assert drill.checks == real.checks
    assert shipped_policy().profile(True).cooldown == 0


def test_the_stricter_of_file_and_policy_counts(playbook_files: PlaybookFiles) -> None:
    step = playbook_files.load(shipped_texts()[NAME], NAME).spec.steps["end_idle_sessions"]
    policy = shipped_policy()
    lax = step.model_copy(update={"approval": step.approval.model_copy(update={"quorum": 1, "expires": 86400.0})})
    strict = step.model_copy(update={"approval": step.approval.model_copy(update={"quorum": 3, "expires": 60.0})})
    assert tighten(lax, policy).approval.expires == policy.effects["disruptive"].expires
    assert (tighten(strict, policy).approval.quorum, tighten(strict, policy).approval.expires) == (3, 60.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "effects: {}\n",
        "effects: {read: {quorum: 1, expires: 1h}}\n",
        "effects: {read: {quorum: 1, expires: soon}}\nforce: true\n",
    ],
)
def test_a_policy_with_a_gap_is_refused_and_says_where(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_policy(text, "policy.yaml")
    assert caught.value.mistakes


NOW = datetime(2026, 12, 24, tzinfo=UTC)
FREEZE = "{from: 2026-12-20T00:00:00Z, until: 2027-01-04T08:00:00+01:00, reason: the year's end"


def test_a_site_changes_what_it_names_and_every_freeze_is_added() -> None:
    ours = f"effects: {{destructive: {{quorum: 2}}}}\nfreezes:\n  - {FREEZE}, targets: [shop-db]}}\n"
    theirs = f"reminders: {{every: 1d}}\nfreezes:\n  - {FREEZE}, targets: [other]}}\n"
    policy, shipped = overlaid(shipped_policy(), {"a": ours, "b": theirs}), shipped_policy()
    assert (policy.effects["destructive"].quorum, policy.reminders.every) == (2, 86400.0)
    assert policy.effects["destructive"].expires == shipped.effects["destructive"].expires
    assert (policy.drill, policy.impact, policy.objectives) == (shipped.drill, shipped.impact, shipped.objectives)
    assert [each.targets for each in policy.freezes] == [("shop-db",), ("other",)]
    assert overlaid(shipped, {}) == shipped


@pytest.mark.parametrize(
    ("named", "frozen"),
    [
        ("", {"shop-db", "shop-replica", "shop-pooler", "other"}),
        ("shop-db", {"shop-db", "shop-replica", "shop-pooler"}),
        ("shop-replica", {"shop-replica"}),
        ("shop-pooler", {"shop-pooler"}),
    ],
)
def test_a_freeze_holds_for_what_it_names_and_for_the_group_of_a_primary(named: str, frozen: set[str]) -> None:
    policy = overlaid(shipped_policy(), {"site": f"freezes: [{FREEZE}, targets: [{named}]}}]"})
    groups = {"shop-db": "shop-db", "shop-replica": "shop-db", "shop-pooler": "shop-db", "other": "other"}
    assert {name for name, group in groups.items() if policy.frozen((group, name), NOW)} == frozen
    assert not policy.frozen(("shop-db", "shop-db"), NOW.replace(year=2028))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"# ours\nfreezes:\n  - {FREEZE}}}\n  - {{from: 2026-12-20, until: x, reason: x}}\n", 4, "freezes[1].until"),
        (f"freezes:\n  - {FREEZE}, target: [shop-db]}}\n", 2, "target"),
        (f"freezes:\n  - {FREEZE}, targets: shop-db}}\n", 2, "targets"),
        ("freezes:\n  - {from: 2027-01-01T00:00:00Z, until: 2026-01-01T00:00:00Z, reason: x}\n", 2, "ends before"),
        ("freezes:\n  - {from: 2027-01-01T00:00:00, until: 2028-01-01T00:00:00Z, reason: x}\n", 2, "timezone"),
        ("\nfreeze: []\n", 2, "freeze"),
        ("effects:\n  destructive: {quorum: 0}\n", 2, "quorum"),
        ("production:\n  window: {every: 1s, min_samples: 0}\n", 2, "min_samples"),
        ("freezes: [\n", None, ""),
        ("- freezes\n", None, "mapping"),
        ("# nothing yet\n", None, ""),
    ],
)  # fmt: skip
def test_a_mistake_of_a_site_is_told_with_its_line_and_nothing_starts(
    text: str, line: int | None, said: str, tmp_path: Path
) -> None:
    with pytest.raises(Refusal) as caught:
        overlaid(overlaid(shipped_policy(), {"first": f"freezes: [{FREEZE}}}]"}), {"site/policy.yaml": text})
    assert any(said in f"{each.message}" and line in (each.line, None) for each in caught.value.mistakes)
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Refusal, match="cannot be used"):
        open_house(Settings(home=tmp_path / "home", overlays=(tmp_path,)), print)


@pytest.mark.parametrize("spoil", [lambda at: at.write_bytes(b"\xff\xfe"), lambda at: at.mkdir()])
def test_a_file_that_is_no_text_or_a_library_that_is_not_there_starts_nothing(
    spoil: Callable[[Path], Any], tmp_path: Path
) -> None:
    with pytest.raises(Refusal, match="no directory"):
        open_house(Settings(home=tmp_path / "home", overlays=(tmp_path / "gone",)), print)
    spoil(tmp_path / "policy.yaml")
    with pytest.raises(Refusal, match="cannot be read"):
        open_house(Settings(home=tmp_path / "home", overlays=(tmp_path,)), print)


def test_the_doctor_tells_a_freeze_and_doubts_one_that_names_nobody(tmp_path: Path) -> None:
    ends = "from: 2020-01-01T00:00:00Z, until: 2099-01-01T00:00:00Z"
    text = f"freezes: [{{{ends}, reason: audit}}, {{{ends}, reason: fair, targets: [shop-bd]}}]"
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    house = open_house(Settings(home=tmp_path / "home", overlays=(tmp_path,)), print)
    try:
        told = [each for each in house.desk(house.operator()).doctor() if each.name == "freeze"]
    finally:
        house.close()
    assert [each.ok for each in told] == [True, None]
    assert "on for everything: audit" in told[0].detail
    assert "not registered: shop-bd" in told[1].detail


@pytest.mark.parametrize(("named", "waits"), [("db-r", True), ("db", True), ("other", False)])
def test_an_approved_step_on_a_replica_waits_for_a_freeze_of_it_or_of_its_group(
    monkeypatch: pytest.MonkeyPatch, named: str, waits: bool
) -> None:
    freeze = f"freezes: [{{from: 2020-01-01T00:00:00Z, until: 2099-01-01T00:00:00Z, reason: fair, targets: [{named}]}}]"
    monkeypatch.setattr(lives, "POLICY", overlaid(lives.POLICY, {"site": freeze}))
    with living() as life:
        incident = life.alert(target="db-r")
        life.run()
        assert life.approve(incident, "ana")
        life.run()
        assert bool(life.world.ledger) is not waits
        assert ("fair" in life.store.incident(incident).delayed) is waits
