"""`incident rate`, `quality` and `followup`, typed over one home in which incidents were lived through."""

import json
from pathlib import Path

import pytest

from ratchet.cli import main
from ratchet.config import read_settings
from ratchet.domain.spoken import Rated
from ratchet.domain.target import Target
from ratchet.wiring import open_house
from tests.desk.lived import LEAK, LOAD, SERIES, Lived


@pytest.fixture(scope="module")
def lived_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """INC-1 and INC-2 mended, the second rated as another cause; INC-3 to 5 handed over."""
    home = tmp_path_factory.mktemp("lived") / "home"
    house = open_house(read_settings({}, home), lambda _: None)
    house.store.put_target(Target(name="shop-db", kind="postgres"), "user:ana")
    lived = Lived(house.store)
    lived.acted()
    lived.put(lived.acted(), Rated(by="user:ana", cause=LOAD, helpful=False), by="user:ana")
    for _ in range(3):
        lived.handed_over(alert="Odd")
    house.close()
    return home


@pytest.fixture(autouse=True)
def at_home(lived_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATCHET_HOME", str(lived_home))
    for name in ("RATCHET_URL", "RATCHET_TOKEN", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)


def test_the_report_says_what_is_known_what_was_missed_and_what_would_help(capsys):
    assert main(["quality", "report", "--since", "30d"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "agreement 0% (0 of 1; 4 of 5 not known)" in said
    assert "at least 75%: MISSED" in said
    assert "routine_share 0% (0 of 3)" in said
    assert "helpful 0% (0 of 1; 4 of 5 not known)" in said
    assert f"ratchet quality suggest {SERIES}" in said
    assert "candidate for the next playbook" in said
    assert "3 times alert Odd on shop-db" in said


def test_what_is_not_known_is_never_a_zero(capsys):
    assert main(["quality", "report", "--drills"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "agreement n/a (0 of 0)" in said
    assert "mttr n/a (0 of 0)" in said
    assert "not known" in said


def test_a_program_reads_the_object_of_the_api_and_a_pipeline_the_exit_code(capsys):
    assert main(["quality", "report", "-o", "json", "--fail-on-violation"]) == 5
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["origin"] == "production" and {each["name"] for each in found["measures"]} >= {"mttd", "mttr"}
    assert "Missed:" in said.err


def test_a_span_that_is_none_is_refused(capsys):
    assert main(["quality", "report", "--since", "soon"]) == 2
    assert "Write it as 30d" in capsys.readouterr().err


def test_a_rating_is_typed_and_shown(capsys):
    assert main(["incident", "rate", "INC-1", "--cause", LEAK, "--object", "application:api", "--helpful", "yes"]) == 0
    assert f"INC-1 was {LEAK}, as user:" in capsys.readouterr().err
    assert main(["incident", "show", "INC-1"]) == 0
    assert "(application:api), and Ratchet helped" in capsys.readouterr().out
    assert main(["incident", "rate", "INC-1", "--cause", "gremlins"]) == 2
    assert "not a cause that is known" in capsys.readouterr().err
    assert main(["incident", "rate", "INC-1", "--cause", LEAK, "--object", "api"]) == 2
    assert "KIND:NAME" in capsys.readouterr().err


def test_follow_ups_are_listed_signed_and_opened_again(capsys):
    assert main(["followup", "list", "-o", "json"]) == 0
    first = next(each for each in json.loads(capsys.readouterr().out)["items"] if each["id"] == "INC-1.1")
    assert (first["state"], first["incidents"]) == ("open", ["INC-1", "INC-2"])
    assert main(["followup", "done", "INC-1.1"]) == 3, "off a terminal a reason is not asked for"
    capsys.readouterr()
    assert main(["followup", "done", "INC-1.1", "--reason", "merged"]) == 0
    assert "INC-1.1 is done, signed by user:" in capsys.readouterr().err
    main(["followup", "list", "-q"])
    assert "INC-1.1" not in capsys.readouterr().out.split()
    assert main(["followup", "list", "--all", "-q"]) == 0
    assert "INC-1.1" in capsys.readouterr().out.split()
    assert main(["followup", "reopen", "INC-1.1", "--reason", "it leaks again"]) == 0
    assert main(["followup", "wont", "INC-1.7", "--reason", "x"]) == 1


def test_what_people_confirmed_becomes_a_draft(capsys):
    assert main(["quality", "suggest", SERIES]) == 0
    draft = capsys.readouterr().out.strip()
    assert main(["vault", "diff", draft]) == 0
    assert "likelihood" in capsys.readouterr().out
