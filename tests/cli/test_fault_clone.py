"""`--conn` on a server that has a clone: they share their identifier, and only one of them may be broken."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ratchet.cli.faults.stand import chaos_target
from ratchet.cli.in_house import open_desk
from ratchet.cli.refused import Stopped
from ratchet.config import Settings
from ratchet.desk.contract import Desk
from ratchet.desk.views import TargetRequest
from ratchet.domain.target import SecretRef, Target
from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import Cluster
from ratchet.lab.visited import Host, look_up

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def pair(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Cluster]]:
    """Production, and staging as it is restored from production's files; both run."""
    with (
        Cluster.create(tmp_path_factory.mktemp("production") / "root", pg_binaries) as production,
        Cluster.prepare(tmp_path_factory.mktemp("staging") / "root", pg_binaries) as staging,
    ):
        production.add_login("monitor", "IN ROLE pg_monitor")
        production.add_login("passer_by")
        production.stop()
        shutil.copytree(production.data_dir, staging.data_dir)
        for path in (staging.data_dir, *staging.data_dir.rglob("*")):
            staging.account.own(path)
        staging.passwords = production.passwords
        production.start()
        staging.start_on_a_port(fixed=False)
        yield production, staging


def add(desk: Desk, name: str, login: str, *tags: str) -> None:
    diag = SecretRef(kind="env", name=login)
    desk.add_target(TargetRequest(target=Target(name=name, kind="postgres", owner="ana", tags=tags, diag=diag)))


def test_a_clone_is_not_taken_for_what_it_was_made_from(pair: tuple[Cluster, Cluster], tmp_path: Path) -> None:
    production, staging = pair
    here, there = look_up(staging.dsn()), look_up(production.dsn())
    assert here.system_identifier == there.system_identifier
    logins = {
        "STAGING": staging.dsn("monitor"), "PRODUCTION": production.dsn("monitor"),
        "NOT_TOLD": production.dsn("passer_by"),
    }  # fmt: skip
    with open_desk(Settings(home=tmp_path / "home", environ=logins)) as desk:

        def refused(host: Host = here) -> str:
            with pytest.raises(Stopped) as said:
                chaos_target(desk, host)
            assert said.value.exit_code == 3 and said.value.remedy
            return said.value.message

        assert "is not a registered target" in refused()
        add(desk, "staging-db", "STAGING", "chaos")
        assert chaos_target(desk, here).name == "staging-db"
        assert "is not staging-db, but a clone" in refused(there)
        add(desk, "crm-db", "PRODUCTION")
        assert chaos_target(desk, here).name == "staging-db", "production is told from its clone"
        assert "crm-db is not tagged chaos" in refused(there)
        add(desk, "crm-db", "NOT_TOLD")
        assert "is target crm-db cannot be told" in refused()
        add(desk, "crm-db", "STAGING")
        assert "crm-db is not tagged chaos" in refused(), "one server under two names is spared where one spares it"
