"""The line that is typed: what is loaded for it, how it is refused, and what its exit code says."""

import json
import subprocess
import sys

import pytest

from ratchet.cli.exits import BY_CODE, BY_STATUS
from ratchet.cli.given import Given, hoist, wants_json
from ratchet.cli.program import main
from ratchet.cli.table import NOUNS, load
from ratchet.domain.errors import Code

HEAVY = ("rich", "pydantic", "sqlalchemy", "psycopg", "fastapi", "uvicorn", "httpx2", "alembic", "sqlglot", "ruamel")
SEEN = "import sys; from ratchet.cli import main; main(sys.argv[1:]); print('LOADED', *sys.modules)"


@pytest.mark.parametrize("words", [["--help"], [], ["-h"]])
def test_help_imports_nothing_heavy(words):
    done = subprocess.run([sys.executable, "-c", SEEN, *words], capture_output=True, text=True, timeout=30, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.rpartition("LOADED")[2].split()}
    assert "typer" in loaded
    assert not loaded & set(HEAVY)


def test_help_names_every_noun_with_its_line(ratchet):
    said = ratchet("--help").stdout
    assert all(f"  {name} " in said for name in NOUNS)


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_of_the_table_loads_and_has_help(capsys, noun):
    assert main([noun, "--help"]) == 0
    assert f" {noun} " in capsys.readouterr().out.partition("\n\n")[0]


@pytest.mark.parametrize(("also", "noun"), [(also, name) for name, entry in NOUNS.items() for also in entry.also])
def test_a_noun_answers_to_its_other_names(capsys, also, noun):
    said = []
    for name in (also, noun):
        assert main([name, "--help"]) == 0
        said.append(capsys.readouterr().out.replace(f" {also} ", f" {noun} "))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "words", [["bogus"], ["incident", "bogus"], ["incident", "list", "--bogus"], ["token", "create"]]
)
def test_what_cannot_be_understood_ends_with_two(ratchet, words):
    done = ratchet(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "  -> " in done.stderr


def test_a_refusal_is_a_problem_document_when_json_was_asked(ratchet):
    done = ratchet("incident", "show", "INC-9", "-o", "json")
    problem = json.loads(done.stderr)
    assert done.returncode == 1
    assert done.stdout == ""
    assert (problem["status"], problem["code"]) == (404, "not_found")
    assert problem["remedy"]


def test_a_usage_error_is_a_problem_document_too(ratchet):
    done = ratchet("token", "create", "-o", "json")
    assert done.returncode == 2
    assert json.loads(done.stderr)["code"] == "invalid"


def test_a_refusal_is_one_line_and_a_remedy_for_people(ratchet):
    done = ratchet("incident", "show", "INC-9")
    assert done.stderr.splitlines()[0].startswith("error: ")
    assert done.stderr.splitlines()[1].startswith("  -> ")


def test_a_program_that_may_not_come_in_ends_with_four(ratchet):
    held = ratchet("token", "create", "--service", "monitor", "--role", "source")
    assert held.stdout.startswith("rtk_")
    assert len(held.stdout.splitlines()) == 1


def test_an_address_where_nobody_listens_ends_with_one(ratchet):
    done = ratchet("incident", "list", "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "http://127.0.0.1:9" in done.stderr


def test_every_refusal_has_its_exit_code():
    assert set(BY_CODE) == {code.value for code in Code}


def test_every_status_of_rest_has_its_exit_code():
    assert BY_STATUS == {"resolved": 0, "closed": 0, "escalated": 6, "held": 6}


@pytest.mark.parametrize("option", ["--diag-dsn-env", "--act-dsn-file", "--canary-dsn-file", "--admin-dsn-env"])
def test_a_connection_string_in_the_place_of_its_reference_is_not_repeated(capsys, option):
    line = ["target", "add", "shop", "--owner", "ana", option, "postgresql://u:hunter2222@h/db"]
    assert main(line) == 2
    said = capsys.readouterr()
    assert f"{option} takes the " in said.err and "hunter2222" not in said.out + said.err


def test_version_says_itself_to_people_and_programs(ratchet):
    assert ratchet("version").stdout.startswith("ratchet ")
    assert set(json.loads(ratchet("version", "-o", "json").stdout)) == {"version", "python"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_writes_a_script_for_the_shell(ratchet, shell):
    done = ratchet("completion", shell)
    assert done.returncode == 0
    assert "_RATCHET_COMPLETE" in done.stdout or "COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("typed", "front"),
    [
        (["incident", "list", "--url", "u"], ["--url", "u", "incident", "list"]),
        (["vault", "list", "--gateway", "g", "--api-key", "k"], ["--url", "g", "--api-key", "k", "vault", "list"]),
        (["incident", "--home=h", "list", "--debug"], ["--home", "h", "--debug", "incident", "list"]),
        (["x", "--", "--url", "u"], ["x", "--", "--url", "u"]),
    ],
)
def test_options_for_all_commands_may_stand_anywhere(typed, front):
    assert hoist(typed) == front


@pytest.mark.parametrize("words", [["-o", "json"], ["-ojson"], ["-o=json"], ["--output=jsonl"], ["--output", "json"]])
def test_json_is_recognised_however_it_is_spelled(words):
    assert wants_json(["incident", "list", *words])


@pytest.mark.parametrize("words", [[], ["-o"], ["-o", "yaml"], ["json"]])
def test_nothing_else_is_taken_for_json(words):
    assert not wants_json(words)


def test_a_flag_wins_over_a_variable(monkeypatch):
    monkeypatch.setenv("RATCHET_URL", "http://from-env")
    monkeypatch.setenv("RATCHET_TOKEN_FILE", "/from/env")
    environ = Given(url="http://from-flag", api_key="rtk_flag").environ()
    assert environ["RATCHET_URL"] == "http://from-flag"
    assert environ["RATCHET_TOKEN"] == "rtk_flag"
    assert "RATCHET_TOKEN_FILE" not in environ


def test_everything_in_the_table_can_be_loaded():
    for entry in NOUNS.values():
        assert load(f"{entry.module}:app")
