"""A lab never takes the place of a target that a person registered, and knows its own after it went down."""

from pathlib import Path

import pytest

from ratchet.cli import main
from ratchet.cli.in_house import open_desk
from ratchet.cli.lab_life import STATE, refuse_taken, register
from ratchet.config import Settings
from ratchet.desk.contract import Desk
from ratchet.desk.views import TargetRequest
from ratchet.domain.errors import Refusal
from ratchet.domain.target import SecretRef, Target
from ratchet.lab.embedded import Cluster
from tests.cli.conftest import Shell

pytestmark = pytest.mark.postgres
NAMES = ["shop-db"]


@pytest.fixture
def settings(pg: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home whose owner has a production database."""
    given = {"RATCHET_HOME": str(tmp_path / "home"), "PRODUCTION": pg.dsn()}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return Settings(home=tmp_path / "home", environ=given)


def add(desk: Desk, *tags: str) -> None:
    target = Target(
        name="shop-db",
        kind="postgres",
        owner="user:default/ana",
        tags=tags,
        diag=SecretRef(kind="env", name="PRODUCTION"),
    )
    assert desk.add_target(TargetRequest(target=target)).reachable


def test_no_lab_starts_where_a_person_registered_a_target_of_its_name(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_desk(settings) as desk:
        add(desk, "chaos")
        with pytest.raises(Refusal, match="shop-db is registered here already"):
            refuse_taken(desk, settings.home, NAMES)
        add(desk, "production")
        before = desk.targets()
    for line in ("lab up", "fault run --id control-noisy-alert", "playbook certify pbs_connection_triage"):
        assert main(line.split()) != 0
        refused = capfd.readouterr().err
        assert "shop-db is registered here already" in refused and "nothing was started" in refused, refused
    with open_desk(settings) as desk:
        assert desk.targets() == before
    assert not (settings.home / "lab" / STATE).exists()


def test_a_lab_takes_the_place_of_an_earlier_one_and_not_of_what_was_registered_since(settings: Settings) -> None:
    shell = Shell(settings.home)
    up = shell("lab", "up", "--no-replica", "--no-pgbouncer")
    try:
        assert up.returncode == 0, up.stderr
        lab = shell.lab
        with open_desk(settings) as desk:
            refuse_taken(desk, settings.home, NAMES)
    finally:
        assert main(["lab", "down"]) == 0
    with open_desk(settings) as desk:
        refuse_taken(desk, settings.home, NAMES)
        add(desk, "production")
        before = desk.targets()
        with pytest.raises(Refusal, match="shop-db is registered here already"):
            register(desk, settings.home, lab, "user:default/ana")
        assert desk.targets() == before
