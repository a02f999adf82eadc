"""The long form of the proof: random lives, mutants and kills, and the page of figures, written by the run itself.

`python -m tests.proof --kills 10000` (`make prove`).
"""

import argparse
import json
import logging
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import restart
from bench.figure import Figure
from ratchet.lab.binaries import find_binaries
from ratchet.lab.embedded import Cluster
from tests.proof import test_model
from tests.proof.kills import Tally, lane, prepare
from tests.proof.mutants import all_mutants, trial

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "proof.md"
SHM = "/dev/shm" if Path("/dev/shm").is_dir() else None
SETTINGS: dict[str, str | int] = {"max_connections": 300, "fsync": "off", "synchronous_commit": "off"}


def kill(kills: int, lanes: int, seed: int) -> list[Tally]:
    """So many kills, shared by some harnesses over one server, each in a process of its own."""
    multiprocessing.set_start_method("fork", force=True)
    with tempfile.TemporaryDirectory() as disk, tempfile.TemporaryDirectory(dir=SHM) as memory:
        roots = [Path(memory) / f"lane{n}" for n in range(lanes)]
        with Cluster.create(Path(disk) / "root", find_binaries(os.environ), settings=SETTINGS) as server:
            prepare(server)
            running = [
                multiprocessing.Process(target=lane, args=(root, server, seed + n, kills // lanes))
                for n, root in enumerate(roots)
            ]
            for process in running:
                process.start()
            for process in running:
                process.join()
        return [Tally(**json.loads((root / "tally.json").read_text("ascii"))) for root in roots]


def model(lives: int, seed: int) -> dict[str, Any]:
    """Random lives; raises at the first broken invariant. What happened in them, and the seconds."""
    test_model.EVER.clear()
    began = time.monotonic()
    test_model.run_model(lives, 20, seed)
    return {**test_model.EVER, "seconds": time.monotonic() - began}


def mutants(lives: int) -> tuple[list[str], list[str]]:
    """A line for each mutant, and the names of those that live on."""
    lines: list[str] = []
    alive: list[str] = []
    for mutant in all_mutants():
        by_bid, by_model, seconds = trial(mutant, lives, (None, 1, 2))
        if not (by_bid or by_model):
            alive.append(mutant.name)
        lines.append(f"| {mutant.name} | {by_bid or '-'} | {by_model or '-'} | {seconds:.1f} |")
        say(lines[-1])
    return lines, alive


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def added(tallies: list[Tally]) -> dict[str, int]:
    names = (
        "kills", "by_place", "stopped", "incidents", "effects", "acknowledged", "unknown", "retried", "events",
        "doubled", "lost", "stuck", "untrue", "late",
    )  # fmt: skip
    return {name: sum(getattr(tally, name) for tally in tallies) for name in names}


WORDS = {
    "kills": "Processes killed with SIGKILL", "by_place": "of these, at a named place before or after a commit, intent,"
    " anchor, send or look", "stopped": "Processes stopped past every deadline, continued, then killed",
    "incidents": "Incidents", "effects": "Effects in the target's ledger", "acknowledged": "Acknowledged alerts and"
    " approvals", "unknown": "Operations that were in doubt", "retried": "Steps tried twice under their approval",
    "events": "Events in the chain", "doubled": "**Effects that happened twice**", "lost": "**Acknowledgements lost**",
    "stuck": "**Incidents or operations stuck**", "untrue": "**Records that contradict the ledger**",
    "late": "**Effects after their deadline**",
}  # fmt: skip


RESTART = "## Restart"


def page(
    tallies: list[Tally],
    restarts: list[Figure],
    lived: dict[str, Any],
    trials: tuple[list[str], list[str]],
    asked: Any,
) -> str:
    """The page of figures."""
    counted = added(tallies)
    starts = sorted(1000 * s for tally in tallies for s in tally.starts)
    chain = ", ".join(sorted({tally.chain for tally in tallies}))
    figures = [f"| {words} | {counted[name]:,} |" for name, words in WORDS.items()]
    lines, alive = trials
    happened = ", ".join(f"{n:,} {kind}" for kind, n in sorted(lived.items()) if kind != "seconds")
    return "\n".join([
        "# What was proved, and how", "",
        "Written by `make prove`; do not edit. The contract is the step protocol: an approved act runs at most once,"
        " exactly as shown, or a person is told that its outcome is unknown.", "",
        f"- Run: {day(asked)}, seed {asked.seed}, {asked.lanes} harnesses",
        f"- Machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", "",
        "## Kills", "",
        f"Real engine, store and PostgreSQL; {max((t.seconds for t in tallies), default=0):.0f} s. A process is killed"
        " 0 to 120 ms after it is ready (some before), or kills itself at a named place. The state lies in memory,"
        " since SIGKILL takes nothing from the page cache.", "",
        "| | |", "|---|---:|", *figures, f"| Chain and anchor | {chain} |",
        f"| From fork to ready, median / 99th / longest (ms) | {starts[len(starts) // 2]:.0f} /"
        f" {starts[int(len(starts) * 0.99)]:.0f} / {starts[-1]:.0f} |", "",
        *about_restarts(restarts, ""),
        "## Random lives", "",
        f"{lived['lives']:,} lives in {lived['seconds']:.0f} s, no invariant broken. In them: {happened}.", "",
        "## Mutants", "",
        f"{len(lines)} guards and structures taken out, pairs that are redundant on purpose as pairs; survivors:"
        f" {', '.join(alive) or 'none'}.", "",
        "| Taken out | Directed trial that fails | What the random lives report | s |", "|---|---|---|---:|",
        *lines, "",
    ])  # fmt: skip


def about_restarts(restarts: list[Figure], when: str) -> list[str]:
    """The section on restarts; `when` tells of figures that are from another run than the rest."""
    return [
        RESTART, "",
        f"A process ends without closing anything; the next one has {restart.EVENTS:,} events behind it.{when}", "",
        "| | | |", "|---|---:|---|",
        *(f"| {each.name} ({each.unit}) | {each.value:.3f} | {each.note} |" for each in restarts), "",
    ]  # fmt: skip


def again(page: str, restarts: list[Figure], day: str) -> str:
    """The page with its section on restarts measured anew."""
    before, _, rest = page.partition(f"{RESTART}\n")
    _, heading, after = rest.partition("\n## ")
    said = about_restarts(restarts, f" Measured again by itself on {day}, with `make prove ARGS=--restart`.")
    return before + "\n".join(said) + heading + after


def restart_alone(asked: Any) -> int:
    """Measure only that; 1 when it is too slow."""
    restarts = restart.run()
    written = asked.page.read_text(encoding="utf-8")
    asked.page.write_text(again(written, restarts, day(asked)), encoding="utf-8")
    return 1 if slow(restarts) else 0


def slow(restarts: list[Figure]) -> int:
    """How many figures miss their goal."""
    return sum(each.met is False for each in restarts)


def day(asked: Any) -> str:
    """The day that the page names."""
    return asked.date or datetime.now(UTC).strftime("%Y-%m-%d")


def main() -> int:
    """Run everything; 1 when anything is wrong. The page is written either way."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--lanes", type=int, default=max(1, os.cpu_count() or 1))
    parser.add_argument("--lives", type=int, default=200)
    parser.add_argument("--mutant-lives", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--date", default="", help="the day that the page names, instead of today")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--restart", action="store_true", help="measure the restart alone, into the page that is there")
    asked = parser.parse_args()
    logging.disable(logging.ERROR)
    if asked.restart:
        return restart_alone(asked)
    say(f"kills: {asked.kills}")
    tallies = kill(asked.kills, asked.lanes, asked.seed)
    say(f"{added(tallies)} {[tally.chain for tally in tallies]}")
    say(f"lives: {asked.lives}")
    lived = model(asked.lives, asked.seed)
    trials = mutants(asked.mutant_lives)
    say(f"restart behind {restart.EVENTS:,} events")
    restarts = restart.run()
    asked.page.write_text(page(tallies, restarts, lived, trials, asked), encoding="utf-8")
    wrong = sum(tally.wrong() for tally in tallies) + len(trials[1]) + slow(restarts)
    say("proved" if not wrong else f"NOT PROVED: {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
