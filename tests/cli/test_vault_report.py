"""`vault list`, `status` and `drift`, typed as they always were, over real records of a planted regression."""

import json
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ratchet import __version__
from ratchet.cli import faulttest
from ratchet.cli.plots import svg
from ratchet.cli.plots.picture import status_picture
from ratchet.config import Settings
from ratchet.domain.drill import Environment, Run
from ratchet.domain.score import Part, Score
from ratchet.gateway.app import create_app
from ratchet.gateway.server import Server
from ratchet.wiring.house import House, open_house
from tests.cli.conftest import environment

SERIES = "pbs_connection_triage"
FAULTTEST = (sys.executable, "-c", "import sys; from ratchet.cli.faulttest import main; sys.exit(main())")
PROVED = Score(parts=(Part(name="recovery", passed=True, weight=15, because="it held"),))


@dataclass
class Served:
    """A house behind HTTP, in which the second version of a playbook made things worse."""

    home: Path
    url: str
    key: str
    today: datetime

    def typed(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """The line as it was published, in a process of its own."""
        return subprocess.run(
            [*FAULTTEST, *words, "--gateway", self.url, "--api-key", self.key], capture_output=True, text=True,
            timeout=60, env=environment(self.home.parent / "nobody"), check=False,
        )  # fmt: skip

    def line(self, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
        """The same in this process, which is faster."""
        code = faulttest.main([*words, "--gateway", self.url, "--api-key", self.key])
        said = capsys.readouterr()
        return code, said.out, said.err


def plant(house: House, today: datetime) -> None:
    """Four weekly batches of two faults, twice each; between the second and the third a new version is activated, and
    from then on the locks come back."""
    before = house.store.series(SERIES).active
    for week in range(4):
        if week == 2:
            desk = house.desk(house.operator())
            draft = desk.vault.new_draft(SERIES, "planted")
            desk.activate(desk.vault.edit(draft.id, {"owner": "user:default/ana"}).id, "planted")
        active = house.store.series(SERIES).active
        assert active is not None and before is not None
        where = Environment(
            playbook=active.pin, playbook_digest=active.digest, server_version="150018", ratchet_version=__version__
        )
        for n, fault in enumerate(["db-lock-contention", "db-max-connections"] * 2):
            good = week < 2 or fault != "db-lock-contention"
            when = today - timedelta(days=7 * (4 - week)) + timedelta(minutes=n)
            run = Run(
                id=f"run_{week}{n}", batch=f"{week + 1:08x}", fault=fault, title="Orders wait", series=SERIES, seed=n,
                strength="named", target="staging-db", remediate=True, started_at=when, ended_at=when,
                verdict="pass" if good else "fail", score=PROVED, expected_cause="x", environment=where,
            )  # fmt: skip
            house.store.put_run(run, "user:ana")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    today = datetime.now(UTC)
    house = open_house(Settings(home=tmp_path_factory.mktemp("vault") / "home", operator="root"), lambda _: None)
    plant(house, today)
    key = house.desk(house.operator()).make_token("vera", person=True, role="viewer").text
    server = Server(create_app(house))
    yield Served(house.settings.home, server.start(), key, today)
    server.stop()
    house.close()


def test_vault_list_has_the_published_layout_and_each_fault_once(served: Served):
    said = served.typed("vault", "list")
    assert said.returncode == 0, said.stderr
    header, rule, *rows = said.stdout.splitlines()
    assert re.match(r"FAULT +PLAYBOOK +LAST RUN +STATUS +CERTIFICATE +SERIES VERSION", header)
    assert re.match(r"-+ -+ -+ -+ -+ -+", rule) and [len(w) for w in rule.split()][2] == 10
    by_fault = {row.split()[0]: row.split() for row in rows}
    day = (served.today - timedelta(days=7)).date().isoformat()
    assert by_fault["db-max-connections"][1:] == [SERIES, day, "PASS", "none", "1.1", "-"]
    assert by_fault["db-lock-contention"][1:4] == [SERIES, day, "FAIL"]
    assert by_fault["db-table-bloat"][1:4] == ["pbs_vacuum_triage", "(never)", "-"]
    assert len(by_fault) == len(rows) and "pg-conn-leak" not in by_fault


def test_vault_status_has_the_published_layout(served: Served):
    said = served.typed("vault", "status", "--since-days", "30")
    assert said.returncode == 0, said.stderr
    title, header, rule, *rows = said.stdout.splitlines()
    assert title == "=== Vault Status - staging-db (last 30 days, 4 runs) ==="
    assert re.match(r"DATE +RUN ID +PASS RATE", header) and rule.startswith("---------- -------- ----------")
    assert [" ".join(row.split()[1:4]) for row in rows[:4]] == [
        "00000001 100% (4/4)", "00000002 100% (4/4)", "00000003 50% (2/4)", "00000004 50% (2/4)",
    ]  # fmt: skip
    assert rows[0].split()[0] == (served.today - timedelta(days=28)).date().isoformat()
    assert rows[4] == "Trend ██▅▅"


def test_vault_drift_has_the_published_layout_and_names_what_the_regression_came_with(served: Served):
    said = served.typed("vault", "drift", "--since-days", "90")
    assert said.returncode == 0, said.stderr
    title, header, _, first, factor, second = said.stdout.splitlines()
    assert title == "=== Vault Drift - staging-db (last 90 days) ==="
    assert re.match(r"FAULT +FIRST HALF +SECOND HALF +DRIFT +SAMPLES +TEST +TREND", header)
    assert re.match(r"db-lock-contention +100% +0% +▼ -100% +4\+4 +p 0\.029 significant +████▁▁▁▁$", first)
    assert re.match(
        rf"  playbook: {SERIES}@1\.0 sha256:\w{{12}} \(4/4\) -> {SERIES}@1\.1 sha256:\w{{12}} \(0/4\)", factor
    )
    assert re.match(r"db-max-connections +100% +100% +0% +4\+4 +p 1 +████████$", second)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 0), (("--fail-on-drift", "99.9"), 5), (("--fail-on-drift", "100"), 0),
        (("--fail-on-drift", "20", "--significant-only"), 5), (("--fail-on-drift", "0", "--since-days", "15"), 0),
        (("--fail-on-drift", "100", "--target", "nowhere"), 5), (("--target", "nowhere"), 0),
        (("--fail-on-drift", "-1"), 2), (("--since-days", "0"), 2),
    ],
)  # fmt: skip
def test_a_pipeline_fails_beyond_its_limit_and_where_nothing_is_known(served, capsys, words, code):
    assert served.line(capsys, "vault", "drift", *words)[0] == code


def test_only_what_is_significant_is_shown_when_that_is_asked(served, capsys):
    out = served.line(capsys, "vault", "drift", "--significant-only")[1]
    assert "db-lock-contention" in out and "db-max-connections" not in out


def test_programs_get_the_objects_of_the_api(served, capsys):
    listed = json.loads(served.line(capsys, "vault", "list", "-o", "json")[1])
    row = next(each for each in listed["items"] if each["fault"] == "db-max-connections")
    assert (row["status"], row["aliases"], row["changed"]) == ("PASS", ["pg-conn-leak"], [])
    found = json.loads(served.line(capsys, "vault", "status", "--since-days", "30", "-o", "json")[1])
    assert found["targets"] == ["staging-db"] and [b["passed"] for b in found["batches"]] == [4, 4, 2, 2]
    lines = served.line(capsys, "vault", "drift", "-o", "jsonl")[1].splitlines()
    assert [json.loads(line)["points"] for line in lines] == [-100.0, 0.0]
    ids = served.line(capsys, "vault", "status", "-q")[1].splitlines()
    assert ids == ["00000001", "00000002", "00000003", "00000004"]


def test_pictures_are_written_as_svg_and_as_png(served, capsys, tmp_path):
    code, _, told = served.line(capsys, "vault", "drift", "--plot", str(tmp_path / "drift.svg"))
    assert code == 0 and "drift.svg" in told
    words = [each.text for each in ElementTree.parse(tmp_path / "drift.svg").getroot().iter() if each.text]
    assert "Vault Drift - staging-db (last 90 days)" in words and "4/4 then 0/4, -100, significant" in words
    assert served.line(capsys, "vault", "status", "--plot", str(tmp_path / "status.svg"))[0] == 0
    pytest.importorskip("PIL", reason="the extra `plots` is not installed")
    assert served.line(capsys, "vault", "drift", "--plot", str(tmp_path / "drift.png"))[0] == 0
    written = (tmp_path / "drift.png").read_bytes()
    assert written[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", written[16:24])
    assert (width, height) == (1920, 2 * (66 + 2 * 26 + 16)) and len(written) > 4000


def test_a_terminal_has_colours_and_cuts_at_its_edge_unless_wide(served, capsys, monkeypatch):
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    monkeypatch.setenv("COLUMNS", "70")
    narrow, wide = (served.line(capsys, "vault", "list", "-o", form)[1].splitlines() for form in ("table", "wide"))
    row, whole = (next(line for line in lines if "db-lock-contention" in line) for lines in (narrow, wide))
    assert "\x1b[31mFAIL" in row and "…" in row
    assert "…" not in whole and "pg-lock-chain" in whole


def test_a_name_cannot_break_out_of_a_picture():
    path = ElementTree.fromstring(svg.paint(status_picture("a <b> & 'c' \"d\"", [])).decode())
    assert [each.text for each in path.iter() if each.text and each.text.strip()] == ["a <b> & 'c' \"d\""] * 2


def test_a_picture_that_cannot_be_painted_is_refused_before_anything_is_asked(served, capsys, tmp_path, monkeypatch):
    assert served.line(capsys, "vault", "drift", "--plot", "drift.gif")[0] == 2
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "ratchet.cli.plots.png", raising=False)
    code, out, told = served.line(capsys, "vault", "drift", "--plot", str(tmp_path / "drift.png"))
    assert (code, out) == (2, "") and "ratchet[plots]" in told
    assert served.line(capsys, "vault", "drift", "--plot", str(tmp_path / "no" / "drift.svg"))[0] == 1


def test_a_source_may_not_read_it_and_a_house_in_this_process_says_the_same(served, capsys, tmp_path, monkeypatch):
    assert faulttest.main(["vault", "list", "--gateway", served.url, "--api-key", "rtk_nobody"]) == 4
    capsys.readouterr()
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path / "own"))
    assert faulttest.main(["vault", "drift", "--fail-on-drift", "20"]) == 5
    assert capsys.readouterr().out.startswith("=== Vault Drift - no target (last 90 days) ===")
