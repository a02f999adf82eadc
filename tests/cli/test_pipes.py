"""What a pipe gets: whole, plain, tab-separated; JSON as the API says it; and never a question."""

import json
import shutil

import pytest

from ratchet.cli.page import Heading, Line, field, markdown, plain
from ratchet.cli.words import clean
from ratchet.vault.seeding import shipped_texts
from tests.cli.conftest import said

BODY = {
    "version": "4", "groupKey": "{}", "status": "firing", "receiver": "r", "groupLabels": {}, "commonLabels": {},
    "commonAnnotations": {}, "externalURL": "http://a.example",
    "alerts": [{
        "status": "firing", "labels": {"alertname": "Sick"}, "fingerprint": "aa",
        "annotations": {"summary": "red \x1b[31mtext\x1b[0m and\ta tab\nand a line"},
        "startsAt": "2026-11-20T02:03:04Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "",
    }],
}  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A home with an incident whose monitor tries to steer the terminal, to be copied; and that incident."""
    home = tmp_path_factory.mktemp("kept") / "home"
    done = said(home, "alert", "ingest", text=json.dumps(BODY))
    assert done.returncode == 0, done.stderr
    return home, done.stdout.strip()


@pytest.fixture
def incident(kept, home):
    """That incident, in a home of the test's own."""
    shutil.copytree(kept[0], home)
    return kept[1]


def test_an_alert_by_stdin_becomes_an_incident_and_says_that_nobody_works(ratchet, incident):
    assert incident == "INC-1"
    (first,) = BODY["alerts"]
    other = {**first, "labels": {"alertname": "Slow"}, "fingerprint": "bb"}
    again = ratchet("alert", "ingest", "-", "-o", "json", text=json.dumps({**BODY, "alerts": [first]}))
    assert json.loads(again.stdout) == {"incidents": ["INC-1"]}
    assert "ratchet serve" in again.stderr
    ratchet("alert", "ingest", "-", text=json.dumps({**BODY, "groupKey": "{slow}", "alerts": [other]}))
    cut = ratchet("incident", "list", "-q", "--limit", "1")
    assert (cut.stdout, "more than these 1" in cut.stderr) == ("INC-2\n", True)


def test_a_body_that_is_garbage_is_refused_with_what_is_wrong(ratchet):
    done = ratchet("alert", "ingest", text="{}")
    assert done.returncode == 2
    assert "version" in done.stderr


def test_a_list_in_a_pipe_is_tabs_without_header_or_colour(ratchet, incident):
    lines = ratchet("incident", "list").stdout.splitlines()
    assert len(lines) == 1
    assert lines[0].split("\t")[:2] == ["INC-1", "open"]
    assert "\x1b" not in lines[0]


def test_a_header_comes_when_it_is_asked(ratchet, incident):
    lines = ratchet("incident", "list", "--header").stdout.splitlines()
    assert lines[0].split("\t")[:2] == ["INCIDENT", "STATUS"]


def test_what_a_monitor_says_cannot_steer_a_terminal_or_break_a_row(ratchet, incident):
    for words in (["list"], ["show", "INC-1"], ["timeline", "INC-1"], ["show", "INC-1", "-o", "md"]):
        said = ratchet("incident", *words).stdout
        assert "red" in said
        assert "\x1b" not in said
    assert len(ratchet("incident", "list").stdout.splitlines()) == 1


def test_quiet_is_ids_and_name_is_noun_and_id(ratchet, incident):
    assert ratchet("incidents", "list", "-q").stdout == "INC-1\n"
    assert ratchet("inc", "list", "-o", "name").stdout == "incident/INC-1\n"


def test_json_is_the_object_of_the_api(ratchet, incident):
    listed = json.loads(ratchet("incident", "list", "-o", "json").stdout)
    assert set(listed) == {"items", "next_cursor"}
    shown = json.loads(ratchet("incident", "show", "INC-1", "-o", "json").stdout)
    assert {"status", "cause", "confidence", "hypotheses", "decision", "timeline", "handoff", "draft"} <= set(shown)
    assert set(json.loads(ratchet("playbook", "list", "-o", "json").stdout)) == {"playbooks"}


def test_jsonl_is_an_object_a_line(ratchet):
    lines = ratchet("playbook", "list", "-o", "jsonl").stdout.splitlines()
    assert len(lines) == len(shipped_texts())
    assert all(json.loads(line)["is_active"] for line in lines)


def test_an_empty_list_is_a_success(ratchet):
    done = ratchet("decision", "list")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_vault_shows_every_fault_as_never_run(ratchet):
    header, rule, *rows = [line.split() for line in ratchet("vault", "list").stdout.splitlines()]
    assert header[:5] == ["FAULT", "PLAYBOOK", "LAST", "RUN", "STATUS"] and set("".join(rule)) == {"-"}
    assert ["db-max-connections", "pbs_connection_triage", "(never)", "-"] in [row[:4] for row in rows]
    assert len(rows) >= 55


def test_colour_can_be_forced_and_refused(ratchet):
    assert "\x1b[" in ratchet("playbook", "list", env={"CLICOLOR_FORCE": "1"}).stdout
    assert "\x1b[3" not in ratchet("playbook", "list", env={"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}).stdout


@pytest.mark.parametrize(
    "words",
    [
        ["token", "revoke", "tok_1"],
        ["playbook", "discard", "pb_1"],
        ["playbook", "activate", "pb_1"],
        ["playbook", "activate", "pb_1", "--reason", "because"],
    ],
)
def test_off_a_terminal_a_question_is_a_refusal_and_not_a_wait(ratchet, words):
    done = ratchet(*words)
    assert done.returncode == 3
    assert "--yes" in done.stderr or "--reason" in done.stderr


def test_a_playbook_with_mistakes_shows_them_all_and_ends_with_five(ratchet, tmp_path):
    wrong = tmp_path / "wrong.playbook.yaml"
    wrong.write_text("apiVersion: ratchet/v1\nkind: Playbook\nmetadata: {series: nope, version: x}\nspec: {}\n")
    done = ratchet("playbook", "lint", str(wrong))
    assert done.returncode == 5
    assert len(done.stdout.splitlines()) > 2
    assert all("->" in line for line in done.stdout.splitlines())


def test_a_password_in_the_place_of_a_variable_is_refused_unsaid(ratchet):
    secret = "postgresql://u:hunter2@h/d"
    done = ratchet("target", "add", "t", "--owner", "user:default/a", "--diag-dsn-env", secret)
    assert done.returncode == 2
    assert "hunter2" not in done.stderr


def test_the_state_of_a_home_is_for_its_owner(ratchet, home):
    ratchet("doctor")
    assert (home / "token").stat().st_mode & 0o077 == 0


def test_control_characters_and_turned_writing_are_made_visible():
    assert clean("a\x1b[31mb\u202ec\x9bd") == "a\ufffd[31mb\ufffdc\ufffdd"


def test_a_page_in_a_pipe_cuts_nothing():
    long = "x" * 500
    assert list(plain([Heading("T", "open"), field("WHY", long)]))[1].endswith(long)


def test_a_page_as_markdown_escapes_what_would_be_read_as_markup():
    said = "\n".join(markdown([field("WHY", "<b> *x* `y`", Line("SELECT 1 -- ```", "code"))]))
    assert "\\<b\\>" in said
    assert said.count("```") == 2


def test_a_playbook_s_text_comes_plain_and_is_the_file_that_lint_takes(ratchet, tmp_path):
    said = ratchet("playbook", "show", "pbs_connection_triage", "--text").stdout
    assert said.startswith("apiVersion: ratchet/v1\n")
    again = ratchet("playbook", "lint", "-", text=said)
    assert (again.returncode, again.stdout) == (0, "")


def test_decisions_are_the_pending_ones_unless_all_are_asked(ratchet):
    refused = ratchet("decision", "list", "--all", "--state", "denied")
    assert refused.returncode == 2
    assert "--all" in refused.stderr
    for words in ([], ["--all"], ["--state", "denied"]):
        assert ratchet("decision", "list", *words).returncode == 0
