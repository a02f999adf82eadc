"""Drafts of verified drills, each activated as Ratchet wrote it, one after the other: how many are taken unedited."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.figure import Figure
from ratchet.config import read_settings
from ratchet.desk.contract import Desk
from ratchet.domain.errors import Refusal
from ratchet.lab.catalog import load_catalog
from ratchet.wiring import open_house

GOAL = 70.0
PROGRAM = (sys.executable, "-c", "import sys; from ratchet.cli import main; sys.exit(main())")
FAULTS = (
    "db-connection-refused", "db-lock-contention", "db-max-connections", "db-replication-lag", "db-table-bloat",
    "pg-bad-config", "pg-checkpoint-storm", "pg-missing-index", "pg-role-nologin", "pgb-pool-starved",
)  # fmt: skip
"""One or two of each series; RATCHET_BENCH_FAULTS=all takes every fault that has a remedy, in about nine minutes."""


def run() -> list[Figure]:
    """Cause, mend, draft, activate."""
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as place:
        home = Path(place) / "home"
        runs = drilled(home, chosen())
        house = open_house(read_settings(os.environ, home), lambda _: None)
        try:
            refused = activated(house.desk(house.operator()), runs)
        finally:
            house.close()
    verified = [each for each in runs if each["draft"]]
    good = len(verified) - len(refused)
    share = 100 * good / len(verified) if verified else 0.0
    note = f"{good} of {len(verified)} drafts can be activated unedited; {len(runs)} faults caused"
    lacking = [f"{each['fault']} ({each['verdict']})" for each in runs if not each["draft"]]
    note += f"; no draft of {', '.join(lacking)}" if lacking else ""
    return [Figure("drafts taken unedited", share, "%", GOAL, "more", "; ".join([note, *refused]))]


def chosen() -> Sequence[str]:
    if os.environ.get("RATCHET_BENCH_FAULTS") != "all":
        return FAULTS
    faults = load_catalog().faults.values()
    return [each.id for each in faults if each.spec.expects == "cause" and each.spec.remedy == "acted"]


def drilled(home: Path, faults: Sequence[str]) -> list[dict[str, Any]]:
    """The runs of one batch over a lab of its own, as a person types it."""
    env = {**os.environ, "RATCHET_HOME": str(home), "HELPDESK_FAULT_HISTORY_FILE": str(home / "history.json")}
    line = [*PROGRAM, "fault", "run", "--ids", ",".join(faults), "--remediate", "--strength", "named", "-o", "json"]
    ended = subprocess.run(line, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return json.loads(ended.stdout)["runs"]


def activated(desk: Desk, runs: Sequence[dict[str, Any]]) -> list[str]:
    """Ask for each activation in turn; the reasons of those that were refused."""
    refused: list[str] = []
    for each in runs:
        try:
            if each["draft"]:
                desk.activate(each["draft"], "read it, as it stands")
        except Refusal as no:
            refused.append(f"{each['fault']}: {no.message}")
    return refused
