"""A whole turn of the flywheel, typed as it was published, on a PostgreSQL that is nobody's lab."""

import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ratchet.lab.binaries import Binaries
from ratchet.lab.embedded import Cluster
from tests.cli.conftest import PROGRAM, environment

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl and jq are not here"),
]
PATIENCE_S = 60
FAULTTEST = (PROGRAM[0], "-c", "import sys; from ratchet.cli.faulttest import main; sys.exit(main())")
AUTH = '-H "Authorization: Bearer $HELPDESK_CLIENT_API_KEY"'
FLEET = "curl -s http://localhost:8080/api/v1/fleet/playbooks"
RUN = (
    './faulttest run --conn "host=localhost port=5432 dbname=postgres user=postgres password=devpassword" '
    "--db-agent http://localhost:8080 --api-key $HELPDESK_CLIENT_API_KEY --gateway http://localhost:8080 "
    "--remediate --id db-max-connections --judge --judge-vendor anthropic --judge-model claude-haiku-4-5-20251001 "
    '--judge-api-key "$ANTHROPIC_API_KEY"'
)


class Desk:
    """A directory with the program in it, and a served house; lines are as published, but for ports and a password."""

    def __init__(self, place: Path, server: Cluster) -> None:
        self.place, self.server = place, server
        self.conn = f"host=localhost port={server.port} dbname=postgres user=chief password={server.passwords['chief']}"
        extra = {
            "STAGING": self.conn, "RATCHET_PERSON": "ana", "HELPDESK_FAULT_HISTORY_FILE": str(place / "history.json")
        }  # fmt: skip
        self.env = environment(place / "home", extra)
        self.env.pop("ANTHROPIC_API_KEY", None)
        for name, words in {"faulttest": FAULTTEST, "ratchet": PROGRAM}.items():
            script = place / name
            script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            script.chmod(0o755)
        self.url = ""
        self.first = subprocess.CompletedProcess[str]((), 1)

    def serve(self) -> "subprocess.Popen[bytes]":
        log = self.place / "serve.log"
        with log.open("wb") as said:
            process = subprocess.Popen([*PROGRAM, "serve", "--port", "0"], env=self.env, stdout=said, stderr=said)
        deadline = time.monotonic() + PATIENCE_S
        while " listens at " not in (text := log.read_text()):
            assert process.poll() is None and time.monotonic() < deadline, text
            time.sleep(0.05)
        self.url = text.partition(" listens at ")[2].partition(";")[0]
        self.env["HELPDESK_CLIENT_API_KEY"] = (self.place / "home" / "token").read_text().strip()
        return process

    def type(self, line: str, **more: str) -> "subprocess.CompletedProcess[str]":
        published = "host=localhost port=5432 dbname=postgres user=postgres password=devpassword"
        ready = line.replace(published, self.conn).replace("http://localhost:8080", self.url)
        return subprocess.run(
            ["bash", "-c", ready], cwd=self.place, env={**self.env, **more}, capture_output=True, text=True,
            timeout=180, check=False,
        )  # fmt: skip

    def answer(self, line: str, **more: str) -> Any:
        return json.loads(self.type(line, **more).stdout)


@pytest.fixture(scope="module")
def desk(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A served house that looks after a server on which one run has passed."""
    place = tmp_path_factory.mktemp("turn")
    with Cluster.create(place / "server" / "root", pg_binaries, settings={"max_connections": 40}) as server:
        server.add_login("chief", "SUPERUSER")
        here = Desk(place, server)
        process = here.serve()
        add = "./ratchet target add staging-db --provision --admin-dsn-env STAGING --owner user:default/ana --tag chaos"
        assert here.type(add).returncode == 0
        here.first = here.type(RUN)
        yield here
        process.terminate()
        process.wait(PATIENCE_S)


def test_a_run_becomes_a_draft_and_a_version_by_which_the_next_run_passes(desk: Desk) -> None:
    first = desk.first
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout.startswith("[PASS] ") and "Remediation: RECOVERED in " in first.stdout
    reviewed(desk, first.stdout.partition("draft saved → ")[2].split()[0])
    second = desk.type(RUN)
    assert second.stdout.startswith("[PASS] "), second.stdout + second.stderr
    used = desk.answer(f"curl -s http://localhost:8080/api/v1/runs {AUTH}")["items"][0]["environment"]
    assert used["playbook"] == "pbs_connection_triage@1.1"


@pytest.mark.skipif(not os.environ.get("RATCHET_ALL_FAULTS"), reason="a third run takes long: make faults-check")
def test_a_regression_that_two_persons_let_pass_is_named_by_every_report(desk: Desk) -> None:
    pin = regression(desk)
    ended = desk.type(RUN)
    assert ended.returncode == 5 and not ended.stdout.startswith("[PASS] ")
    told(desk, pin)


def reviewed(desk: Desk, draft: str) -> None:
    """Listed, read, edited and activated, each by its published line."""
    listed = desk.type(
        f'curl -s "http://localhost:8080/api/v1/fleet/playbooks?source=generated" {AUTH} '
        "| jq '.playbooks[] | select(.is_active == false) | {id, name, created_at}'"
    )
    assert json.loads(listed.stdout)["id"] == draft
    assert desk.type(f"{FLEET}/{draft} {AUTH} | jq -r '.guidance'").stdout.startswith("Learned from INC-1, ")
    put = f'{FLEET}/{draft} -X PUT {AUTH} -H "Content-Type: application/json" '
    changed = desk.answer(put + '-d \'{"guidance": "Updated guidance based on operator review..."}\'')
    assert changed["revision"] == 2
    assert desk.answer(f"{FLEET}/{draft}/activate -X POST {AUTH}")["is_active"] is True


def regression(desk: Desk) -> str:
    """A text by which the cause is never found again; it takes two persons to activate one, and its pin is given."""
    made = desk.answer(f'{FLEET}/pbs_connection_triage/draft -X POST {AUTH} --json \'{{"reason": "tighten it"}}\'')
    yaml = YAML()
    text = yaml.load(made["text"])
    for rule in text["spec"]["triage"]["hypotheses"]:
        if rule["cause"] == "connection_exhaustion_idle_leak":
            rule["confirm"] = "slots.first.used > 100000"
    with (desk.place / "worse.yaml").open("w") as file:
        yaml.dump(text, file)
    assert desk.type(f"./ratchet vault edit {made['id']} --text worse.yaml").returncode == 0
    refused = desk.answer(f"{FLEET}/{made['id']}/activate -X POST {AUTH}")
    assert refused["status"] == 403 and "what was known to be right would be concluded wrongly" in refused["detail"]
    token = desk.type("./ratchet token create --person bo --role approver").stdout.split()[-1]
    unread = desk.answer(f"{FLEET}/{made['id']}/activate -X POST {AUTH}", HELPDESK_CLIENT_API_KEY=token)
    assert unread["status"] == 409 and "which text of it was read" in unread["detail"]
    digest = desk.type(f"./ratchet vault diff {made['id']} -o json | jq -r .digest").stdout.strip()
    read = f'--json \'{{"digest": "{digest}"}}\''
    other = desk.answer(f"{FLEET}/{made['id']}/activate -X POST {AUTH} {read}", HELPDESK_CLIENT_API_KEY=token)
    assert other["is_active"] is True
    return f"{other['series_id']}@{other['version']}"


def told(desk: Desk, pin: str) -> None:
    """Every report says it."""
    status = desk.type("./faulttest vault status --since-days 30").stdout.splitlines()
    assert status[0].startswith("=== Vault Status - staging-db (last 30 days, ")
    rates = [" ".join(line.split()[2:4]) for line in status[3:-1]]
    assert (rates[0], rates[-1]) == ("100% (1/1)", "0% (0/1)")
    drift = desk.type("./faulttest vault drift --since-days 90").stdout
    row = next(line for line in drift.splitlines() if line.startswith("db-max-connections"))
    assert "▼ -" in row, drift
    assert pin in drift.partition("->")[2], "what the drop came with is named"
    listed = desk.type(
        "./faulttest vault list --gateway http://localhost:8080 --api-key $HELPDESK_CLIENT_API_KEY"
    ).stdout
    assert next(line for line in listed.splitlines() if line.startswith("db-max-connections")).split()[3] == "FAIL"
    due = desk.type("./ratchet vault review").stdout.splitlines()[0]
    assert "\tfailed\t" in due and pin.partition("@")[2] in due
