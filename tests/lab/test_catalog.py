"""Fault files are refused as a whole, with everything that is wrong with them."""

from importlib.resources import files
from pathlib import Path

import pytest

from ratchet.domain.errors import Refusal
from ratchet.lab.catalog import Catalog, load_catalog
from ratchet.lab.drill import REMEDY_LIMIT_S, TRIAGE_LIMIT_S

DEMO = {"db-max-connections", "db-lock-contention", "db-idle-in-transaction", "db-replication-lag"}
GIVEAWAYS = ("fault", "test", "drill", "chaos", "inject", "lab")


def shipped(name: str) -> str:
    return files("ratchet").joinpath("library", "faults", f"{name}.fault.yaml").read_text(encoding="utf-8")


def mistakes_of(directory: Path) -> list[str]:
    with pytest.raises(Refusal) as refused:
        load_catalog([directory])
    return [str(mistake) for mistake in refused.value.mistakes]


def test_the_four_faults_of_the_demo_are_there_under_both_their_names(catalog: Catalog) -> None:
    assert set(catalog.faults) >= DEMO
    assert catalog.find("pg-lock-chain").id == "db-lock-contention"


def test_an_unknown_name_is_answered_with_the_known_ones(catalog: Catalog) -> None:
    with pytest.raises(Refusal, match="db-lock-contention"):
        catalog.find("db-on-fire")


@pytest.mark.parametrize("name", sorted(load_catalog().faults))
def test_no_alert_gives_the_game_away(name: str, catalog: Catalog) -> None:
    fault = catalog.find(name)
    for strength in ("named", "symptom", "bare"):
        text = fault.spec.alert.at(strength)
        words = " ".join([*text.labels.values(), *text.annotations.values()]).lower()
        assert not any(word in words.split() for word in GIVEAWAYS)
        assert fault.spec.cause not in words
    assert fault.spec.alert.named != fault.spec.alert.symptom != fault.spec.alert.bare


def test_ten_mistakes_are_shown_at_once_each_with_its_line(tmp_path: Path) -> None:
    lines = shipped("db-lock-contention").splitlines()

    def swap(old: str, new: str) -> int:
        found = next(number for number, line in enumerate(lines) if old in line)
        lines[found] = lines[found].replace(old, new)
        return found + 1

    wrong = [
        swap("apiVersion: ratchet/v1", "apiVersion: ratchet/v9"),
        swap("  id: db-lock-contention", "  id: DB LOCK"),
        swap("  series: pbs_connection_triage", "  series: connection"),
        swap("needs: [primary]", "needs: [mainframe]"),
        swap("object: {kind: session}", "object: {kind: rabbit}"),
        swap("ttl: 10m", "ttl: soon"),
        swap("owner: user:default/ana", "owner: platform-team"),
        swap("uses: postgres.lock_chain, args: {leaves: 2}", "uses: postgres.lock_chain, args: {leafs: 2}"),
        swap("uses: postgres.end_sessions", "uses: postgres.end_everything"),
        swap("  cause: lock_chain_root_blocker", "  cause: lock_chain_root_blocker\n  colour: red") + 1,
    ]
    wrong = [line + (line > wrong[-1] - 1 and line != wrong[-1]) for line in wrong]
    (tmp_path / "db-lock-contention.fault.yaml").write_text("\n".join(lines) + "\n")
    told = mistakes_of(tmp_path)
    for line in wrong:
        assert any(f"db-lock-contention.fault.yaml:{line}:" in each for each in told), (line, told)
    assert all(" -> " in each for each in told)


def test_a_file_must_carry_its_id_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "other.fault.yaml").write_text(shipped("db-lock-contention"))
    assert any("FL004" in each for each in mistakes_of(tmp_path))


def test_a_name_used_twice_is_refused(tmp_path: Path) -> None:
    text = shipped("db-lock-contention").replace("id: db-lock-contention", "id: site-locks")
    (tmp_path / "site-locks.fault.yaml").write_text(text)
    assert any("FL003" in each and "pg-lock-chain" in each for each in mistakes_of(tmp_path))


def test_a_key_that_stands_twice_does_not_hide_what_else_is_wrong(tmp_path: Path) -> None:
    text = shipped("db-lock-contention").replace("kind: session", "kind: rabbit")
    (tmp_path / "db-lock-contention.fault.yaml").write_text(f"{text}\nkind: Fault\n")
    told = mistakes_of(tmp_path)
    assert "the key 'kind' stands twice" in told[0]
    assert any("spec.object.kind" in each for each in told[1:])


@pytest.mark.parametrize("text", ["a: [", "- 1\n", ""])
def test_what_is_no_fault_file_is_refused_kindly(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.fault.yaml").write_text(text)
    assert len(mistakes_of(tmp_path)) == 1


def test_a_site_may_put_its_own_in_the_place_of_ours(tmp_path: Path) -> None:
    text = shipped("db-lock-contention").replace("user:default/ana", "user:default/noor")
    (tmp_path / "db-lock-contention.fault.yaml").write_text(text)
    assert load_catalog([tmp_path]).find("db-lock-contention").spec.owner == "user:default/noor"


def test_a_fault_stands_for_as_long_as_a_drill_may_take() -> None:
    brief = {name: each.spec.ttl for name, each in load_catalog().faults.items()}
    assert {name: ttl for name, ttl in brief.items() if ttl < TRIAGE_LIMIT_S + REMEDY_LIMIT_S} == {}
