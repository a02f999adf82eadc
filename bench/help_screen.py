"""How long a person waits for `ratchet --help`, a new process each time."""

import subprocess
import sys
from pathlib import Path
from time import perf_counter

from bench.figure import Figure, spread

SAMPLES = 15


def run() -> list[Figure]:
    program = Path(sys.executable).parent / "ratchet"
    return [spread("ratchet --help", [once([str(program), "--help"]) for _ in range(SAMPLES)], goal=0.25)]


def once(command: list[str]) -> float:
    begun = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - begun
