"""The seven faults of the published flywheel, caused for real on one live server; what its page says stands beside.

The published figures are quoted, not measured by us: "Operational SRE/DBA Flywheel: Ops Knowledge That Compounds", the
page that presents aiHelpDesk's `faulttest`. Its score is by keywords and a judging model, its clock begins where the
page does not say, and its recovery is one query of `pg_stat_activity`. Ours is right when cause class and object are
the ones that were caused; the clock begins when the alert is handed in, and ends at the first good sample of a window
in which customers were served throughout. Most of what it shows is an example, so that most of that column is n/a.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.figure import Figure
from ratchet.domain.drill import Run

SEEDS = 3
PROGRAM = (sys.executable, "-c", "import sys; from ratchet.cli import main; sys.exit(main())")
GRADED = (0, 5)
"""Exit codes of a batch that ran to its end: all right, and not all right."""


@dataclass(frozen=True)
class Published:
    """What the page says of one fault; empty where it says nothing."""

    score: str = "n/a"
    recovered: str = "n/a"


FAULTS = {
    "db-max-connections": Published("91% (keywords and a judging model)", "4.2 s"),
    "db-lock-contention": Published(),
    "db-long-running-query": Published(),
    "db-idle-in-transaction": Published(),
    "db-table-bloat": Published(),
    "db-replication-lag": Published(),
    "db-connection-refused": Published(),
}
PUBLISHED_RATE = "published, not measured by us: 70% to 90% of 10 faults passed"


def run() -> list[Figure]:
    runs = drilled(tuple(FAULTS))
    figures = [figure for fault, said in FAULTS.items() for figure in of(fault, said, runs)]
    passed = sum(each.verdict == "pass" for each in runs)
    figures.append(Figure("all: passed with a proved recovery", 100 * passed / len(runs), "%", note=PUBLISHED_RATE))
    return figures


def drilled(faults: Sequence[str]) -> list[Run]:
    """Every fault under every seed, with an alert that tells the symptom alone, on one lab that goes afterwards."""
    asked = ["--id", ",".join(faults), "--remediate", "--strength", "symptom", "--seeds", str(SEEDS), "-o", "json"]
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as place:
        home = Path(place)
        places = {"RATCHET_HOME": str(home / "home"), "HELPDESK_FAULT_HISTORY_FILE": str(home / "history.json")}
        ended = subprocess.run(
            [*PROGRAM, "fault", "run", *asked],
            env={**os.environ, **places},
            capture_output=True,
            text=True,
            check=False,
        )
    if ended.returncode not in GRADED:
        raise RuntimeError(f"the faults were not run to their end ({ended.returncode}): {ended.stderr[-2000:]}")
    return [Run.model_validate(each) for each in json.loads(ended.stdout)["runs"]]


def of(fault: str, said: Published, runs: Sequence[Run]) -> list[Figure]:
    """What was measured of one fault, and what is published of it."""
    own = [each for each in runs if each.fault == fault]
    cause = sum(each.score.holds("cause") is True for each in own)
    return [
        Figure(
            f"{fault}: right cause and object", 100 * sum(each.right for each in own) / len(own), "%",
            note=f"n={len(own)}, right cause {cause}; published: {said.score}",
        ),
        timed(f"{fault}: alert to hypotheses", [each.triage_seconds for each in own], "n/a"),
        timed(f"{fault}: alert to proved recovery", [each.detection_seconds for each in own], said.recovered),
    ]  # fmt: skip


def timed(name: str, found: Sequence[float | None], published: str) -> Figure:
    """The median of the runs that came so far; their number tells how many did not."""
    known = [each for each in found if each is not None]
    note = f"median of {len(known)} in {len(found)}; published: {published}"
    return Figure(name, median(known) if known else float("nan"), "s", note=note)
