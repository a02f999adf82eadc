"""`ratchet vault`: drafts read, judged, written out and brought in, as a person or a pipeline types it."""

import json
import os
import pty
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from xml.etree import ElementTree

import pytest

from ratchet.cli.vault_folder import check_digest, each_text, write_new
from ratchet.config import Settings
from ratchet.domain.errors import Refusal
from ratchet.gateway.app import create_app
from ratchet.gateway.server import Server
from ratchet.wiring.house import open_house
from tests.cli.conftest import PROGRAM, environment

SERIES = "pbs_vacuum_triage"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A house behind HTTP for the whole module, so that a line costs a request and not a house."""
    house = open_house(Settings(home=tmp_path_factory.mktemp("served") / "home", operator="ana"), lambda _: None)
    server = Server(create_app(house))
    url = server.start()
    yield {"RATCHET_URL": url, "RATCHET_TOKEN": (house.settings.home / "token").read_text().strip()}
    server.stop()
    house.close()


def activated_on_a_terminal(home, served, draft: str, meanwhile) -> tuple[int, str]:
    """The line as a person types it who says yes after `meanwhile`; its exit code and all that stood there."""
    ours, theirs = pty.openpty()
    words = [*PROGRAM, "vault", "activate", draft, "--reason", "read it"]
    process = subprocess.Popen(words, stdin=theirs, stderr=theirs, stdout=theirs, env=environment(home, served))
    os.close(theirs)
    told = b""
    while b"[y/N]" not in told:
        told += os.read(ours, 65536)
    meanwhile()
    os.write(ours, b"y\n")
    with suppress(OSError):  # Linux: the other end is closed.
        while more := os.read(ours, 65536):
            told += more
    os.close(ours)
    return process.wait(60), " ".join(told.decode().split())


def test_on_a_terminal_what_was_shown_is_what_becomes_active(ratchet, home, served):
    draft = draft_of(ratchet, served, "pbs_replication_lag")
    assert ratchet("vault", "edit", draft, "--owner", "user:default/ana", env=served).returncode == 0
    edit = ("vault", "edit", draft, "--owner", "user:default/bo")
    code, told = activated_on_a_terminal(home, served, draft, lambda: ratchet(*edit, env=served))
    assert code != 0
    assert "DIGEST" in told and "changed since it was read" in told
    code, told = activated_on_a_terminal(home, served, draft, lambda: None)
    assert code == 0, told
    assert "user:default/bo" in told


def draft_of(ratchet, served, series: str = SERIES) -> str:
    said = ratchet("vault", "draft", series, "--reason", "to be better", env=served)
    assert said.returncode == 0, said.stderr
    return said.stderr.split()[0]


def test_a_draft_is_listed_compared_judged_edited_activated_and_gone_back_from(ratchet, served):
    first = json.loads(ratchet("playbook", "show", SERIES, "-o", "json", env=served).stdout)["id"]
    draft = draft_of(ratchet, served)
    row = ratchet("vault", "drafts", env=served).stdout.splitlines()[0].split("\t")
    assert row[0] == draft and row[1].startswith(f"{SERIES}@")
    assert row[2] == "manual" and "owner" in row[3]
    assert "CHANGES" in ratchet("vault", "diff", draft, env=served).stdout
    assert ratchet("vault", "edit", draft, "--owner", "user:default/ana", env=served).returncode == 0
    assert "words" in ratchet("vault", "diff", draft, env=served).stdout
    assert "nothing to replay" in ratchet("vault", "backtest", draft, "--since", "30d", env=served).stdout
    page = ratchet("vault", "show", draft, env=served).stdout
    assert "nothing stands against it" in page
    read = json.loads(ratchet("vault", "diff", draft, "-o", "json", env=served).stdout)["digest"]
    assert ratchet("vault", "edit", draft, "--owner", "user:default/bo", env=served).returncode == 0
    named = ("vault", "activate", draft, "--reason", "read it", "--yes", "--digest")
    stale = ratchet(*named, read, env=served)
    assert stale.returncode != 0
    assert "changed since it was read" in stale.stderr and f"ratchet vault diff {draft}" in stale.stderr
    page = ratchet("vault", "diff", draft, env=served).stdout
    done = ratchet(*named, page.rpartition("DIGEST")[2].split()[0], env=served)
    assert done.returncode == 0, done.stderr
    back = ratchet("vault", "activate", first, "--reason", "it misled us", "--yes", env=served)
    assert back.returncode == 0, back.stderr
    events = [line.split("\t")[2] for line in ratchet("vault", "history", SERIES, env=served).stdout.splitlines()]
    assert events[0] == "seeded"
    assert events[-1] == "rolled_back"
    retired = ratchet("vault", "retire", SERIES, "--reason", "nobody needs it", "--yes", env=served)
    assert retired.returncode == 0, retired.stderr
    whats = {line.split("\t")[1] for line in ratchet("vault", "review", env=served).stdout.splitlines()}
    assert "unproved" in whats


@pytest.mark.parametrize("width", [80, 120])
def test_every_column_of_the_lists_is_there_on_a_narrow_terminal(ratchet, served, width):
    draft = draft_of(ratchet, served, "pbs_db_config_recovery")
    narrow = {**served, "COLUMNS": str(width), "CLICOLOR_FORCE": "1", "NO_COLOR": "1"}
    for verb, heads, told in (
        ("review", ("PLAYBOOK", "WHAT", "BECAUSE", "OWNER"), ("pbs_db_config_recovery@", "unproved", "waits")),
        ("drafts", ("DRAFT", "PLAYBOOK", "FROM", "BLANKS"), (draft, "pbs_db_config_recovery@", "manual", "owner")),
    ):
        done = ratchet("vault", verb, env=narrow)
        lines = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout).splitlines()
        assert tuple(lines[0].split()) == heads
        assert max(map(len, lines)) <= width
        assert all(word in "\n".join(lines) for word in told)
        assert "\u2026" not in done.stdout and "..." not in done.stdout, "nothing is cut"


def test_the_vault_goes_out_and_comes_back_byte_for_byte(ratchet, served, tmp_path):
    out, again = tmp_path / "out", tmp_path / "again"
    assert ratchet("vault", "export", str(out), env=served).returncode == 0
    done = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=out, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    brought = ratchet("vault", "import", str(out), env=served)
    assert brought.returncode == 0, brought.stderr
    assert {line.split("\t")[2] for line in brought.stdout.splitlines()} == {"there already (active)"}
    assert ratchet("vault", "export", str(again), env=served).returncode == 0
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {p.name: p.read_bytes() for p in again.iterdir()}


def test_a_text_that_was_changed_behind_the_vault_is_not_exported_and_keeps_no_other_back(ratchet, tmp_path):
    home = tmp_path / "home"
    house = open_house(Settings(home=home, operator="ana"), lambda _: None)
    house.close()
    with sqlite3.connect(home / "ratchet.db") as state:
        state.execute("UPDATE series SET body = replace(body, 'escalate', 'proceed') WHERE id = ?", (SERIES,))
    done = ratchet("vault", "export", str(tmp_path / "out"), env={"RATCHET_HOME": str(home)})
    assert done.returncode == 5, done.stderr
    assert f"{SERIES}.playbook.yaml: not written: The text of {SERIES}@" in done.stderr
    assert not (tmp_path / "out" / f"{SERIES}.playbook.yaml").exists()
    assert SERIES not in (tmp_path / "out" / "SHA256SUMS").read_text()
    assert (tmp_path / "out" / "pbs_connection_triage.playbook.yaml").exists()


def test_what_a_gateway_hands_out_under_another_digest_is_refused():
    with pytest.raises(Refusal, match="not the text of sha256:"):
        check_digest("text", "sha256:" + "0" * 64)


def test_a_file_is_a_draft_with_its_commit_and_one_that_is_refused_does_not_keep_the_others_out(
    ratchet, served, tmp_path
):
    place = tmp_path / "repo"
    place.mkdir()
    (place / "a.md").write_text("# Totals are zero after the load\n\n## Symptoms\n- totals are zero\n")
    (place / "b.playbook.yaml").write_text("apiVersion: ratchet/v1\nkind: Playbook\n")
    (place / "0.md").write_bytes(b"# " + b"x" * 300 * 1024)
    (place / "1.md").write_bytes(b"\xff\xfe")
    for words in (
        ["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "x"],
    ):  # fmt: skip
        subprocess.run(["git", *words], cwd=place, check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"})
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=place, check=True, capture_output=True, text=True)
    done = ratchet("vault", "import", str(place), env=served)
    assert done.returncode == 5
    assert "b.playbook.yaml: refused" in done.stderr
    assert "0.md: refused: " in done.stderr and "is larger than 256 KB" in done.stderr
    assert "1.md: refused: " in done.stderr and "is not text in UTF-8" in done.stderr
    (line,) = done.stdout.splitlines()
    assert line.split("\t")[2] == "a draft"
    shown = json.loads(ratchet("vault", "show", line.split("\t")[0], "-o", "json", env=served).stdout)
    assert shown["commit"] == head.stdout.strip()


def test_lint_for_a_pipeline_names_file_line_and_rule(ratchet, served, tmp_path):
    assert ratchet("vault", "export", str(tmp_path / "files"), env=served).returncode == 0
    good = next((tmp_path / "files").glob("*.playbook.yaml"))
    bad = tmp_path / "files" / "bad.playbook.yaml"
    bad.write_text(good.read_text().replace("uses: postgres.", "uses: postgres.un", 1))
    told = ratchet("vault", "lint", str(tmp_path / "files"), "-o", "sarif", env=served)
    assert told.returncode == 5
    run = json.loads(told.stdout)["runs"][0]
    found = run["results"][0]
    assert found["ruleId"] == "PB010"
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == str(bad)
    assert found["locations"][0]["physicalLocation"]["region"]["startLine"] > 1
    suite = ElementTree.fromstring(ratchet("vault", "lint", str(tmp_path / "files"), "-o", "junit", env=served).stdout)
    assert (suite.get("failures"), suite.get("tests")) == ("1", str(len(suite)))
    bad.write_bytes(b"\xff")
    told = ratchet("vault", "lint", str(tmp_path / "files"), env=served)
    assert told.returncode == 5 and "is not text in UTF-8" in told.stdout
    bad.unlink()
    assert ratchet("vault", "lint", str(tmp_path / "files"), "-o", "json", env=served).returncode == 0


def test_what_leads_out_of_the_directory_is_refused_both_ways(tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    (tmp_path / "secret.md").write_text("# Secret\n")
    (place / "a.md").symlink_to(tmp_path / "secret.md")
    (place / "b.md").symlink_to(place / "b.md")
    (place / "c.md").write_text("# Fine\n")
    (out, loop, fine) = each_text(place).values()
    assert isinstance(out, Refusal) and "leads out of" in out.message
    assert isinstance(loop, Refusal) and "leads" in loop.message
    assert fine == "# Fine\n"
    with pytest.raises(Refusal, match="no name for a playbook file"):
        write_new(tmp_path / "out", {"../../evil.playbook.yaml": "x"})
    assert not (tmp_path / "out").exists()
