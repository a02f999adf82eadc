"""`ratchet fault` on a server that is nobody's lab, and over the files of a person."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ratchet.cli import main
from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import Cluster
from tests.cli.conftest import Shell

FAULT = "db-idle-in-transaction"


@pytest.fixture(scope="module")
def other(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server that is nobody's lab."""
    root = tmp_path_factory.mktemp("other") / "root"
    with Cluster.create(root, pg_binaries, settings={"max_connections": 40}) as cluster:
        cluster.add_login("boss", "SUPERUSER")
        yield cluster


EVERYTHING = """SELECT (SELECT array_agg(datname ORDER BY datname) FROM pg_database)::text,
 (SELECT array_agg(rolname ORDER BY rolname) FROM pg_roles)::text, (SELECT count(*) FROM pg_file_settings)"""


@pytest.mark.postgres
def test_a_server_of_others_is_drilled_only_when_registered_and_tagged_and_keeps_nothing(
    other: Cluster, tmp_path: Path
) -> None:
    shell = Shell(tmp_path / "home")
    conn = f"host=127.0.0.1 port={other.port} dbname=postgres user=boss password={other.passwords['boss']}"
    run = ("fault", "run", "--conn", conn, "--remediate", "--id")
    stranger = shell(*run, "db-max-connections")
    assert (
        stranger.returncode == 3 and "ratchet target add NAME" in stranger.stderr and "--tag chaos" in stranger.stderr
    )
    assert other.passwords["boss"] not in stranger.stdout + stranger.stderr
    add = ("target", "add", "staging-db", "--owner", "user:default/ana", "--provision", "--admin-dsn-env", "BOSS")
    more = {"BOSS": conn, "CANARY": conn}
    shell(*add, "--canary-dsn-env", "CANARY", **more)
    untagged = shell(*run, "db-max-connections", **more)
    assert untagged.returncode == 3 and "staging-db is not tagged chaos" in untagged.stderr
    shell(*add, "--canary-dsn-env", "CANARY", "--tag", "chaos", **more)
    with other.connect() as session:
        before = session.execute(EVERYTHING).fetchone()
    ended = shell(*run, FAULT, "--id", "db-connection-refused", "--judge", "--judge-model", "m", "-o", "json", **more)
    body = json.loads(ended.stdout)
    assert [(each["fault"], each["target"], each["verdict"]) for each in body["runs"]] == [
        (FAULT, "staging-db", "pass")
    ]
    assert [each["fault"] for each in body["skipped"]] == ["db-connection-refused"]
    judged = body["runs"][0]["score"]["parts"][-1]
    assert (judged["name"], judged["passed"]) == ("judge", None) and "no model judges" in judged["because"]
    with other.connect() as session:
        assert session.execute(EVERYTHING).fetchone() == before


def test_files_are_validated_and_the_example_is_one_without_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path / "home"))
    good = tmp_path / f"{FAULT}.fault.yaml"
    assert main(["fault", "example"]) == 0
    good.write_text(capsys.readouterr().out)
    assert main(["fault", "validate", str(good)]) == 0
    good.write_text(good.read_text().replace("postgres.lock_waiters", "postgres.lock_waters"))
    assert main(["fault", "validate", str(good)]) == 5
    assert "there is no 'postgres.lock_waters'" in capsys.readouterr().out
