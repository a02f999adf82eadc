"""`faulttest` is the same program: its lines, as they were always printed, are lines of `ratchet`."""

import pytest

from ratchet.cli.faulttest import as_ratchet, main


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("vault list --gateway http://g:8080 --api-key k", "--url http://g:8080 --api-key k vault list"),
        ("run --conn c --db-agent http://g --api-key k --gateway http://g --remediate --id x --judge",
         "--api-key k --url http://g fault run --conn c --db-agent http://g --remediate --id x --judge"),
        ("vault status --since-days 30", "vault status --since-days 30"),
        ("list", "fault list"), ("--home /h --debug list -q", "--home /h --debug fault list -q"),
        ("version", "version"), ("", "fault"),
    ],
)  # fmt: skip
def test_a_line_of_faulttest_is_a_line_of_ratchet(typed, meant):
    assert as_ratchet(typed.split()) == meant.split()


def test_a_variable_that_is_not_set_leaves_its_option_an_empty_value():
    assert as_ratchet(["run", "--judge-api-key", ""]) == ["fault", "run", "--judge-api-key", ""]


def test_the_seeds_own_line_is_understood_whole(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("RATCHET_HOME", str(tmp_path))
    conn = "host=127.0.0.1 port=1 dbname=postgres user=postgres password=devpassword"
    line = [
        "run", "--conn", conn, "--db-agent", "http://127.0.0.1:1", "--api-key", "k", "--gateway", "http://127.0.0.1:1",
        "--remediate", "--id", "db-max-connections", "--judge", "--judge-vendor", "anthropic", "--judge-model",
        "claude-haiku-4-5-20251001", "--judge-api-key", "sk-1", "--repeat", "2",
    ]  # fmt: skip
    code = main(line)
    said = capsys.readouterr()
    assert code == 1 and "does not let this login in" in said.err
    assert "devpassword" not in said.out + said.err and "sk-1" not in said.out + said.err
