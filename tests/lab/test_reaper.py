"""Nothing of the lab outlives the process that started it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import ratchet
from ratchet.lab.sweep import POINTER

Becomes = Callable[[Callable[[], bool]], bool]
Ended = Callable[[psutil.Process], bool]
pytestmark = pytest.mark.postgres

PARENT = """
import os, sys, time
from pathlib import Path
from ratchet.lab.binaries import find_binaries
from ratchet.lab.embedded import Cluster
root = Path(sys.argv[1])
primary = Cluster.create(root / "one", find_binaries(os.environ))
replica = primary.replica(root / "two")
print(primary.pid, replica.pid, primary.home, replica.home, primary.reaper.pid, replica.reaper.pid, flush=True)
if sys.argv[2] == "wait":
    time.sleep(600)
"""


def start_parent(root: Path, then: str) -> "subprocess.Popen[str]":
    source = Path(ratchet.__file__).parents[1]
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, str(root), then],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    )


@pytest.mark.parametrize("then", ["wait", "leave"])
def test_servers_end_with_their_parent_even_when_it_is_killed(
    then: str, tmp_path: Path, becomes: Becomes, ended: Ended
) -> None:
    with start_parent(tmp_path, then) as parent:
        assert parent.stdout is not None
        said = parent.stdout.readline().split()
        processes = [psutil.Process(int(pid)) for pid in (*said[:2], *said[4:])]
        if then == "wait":
            assert all(process.is_running() for process in processes)
            # Even a server that is stopped, and so takes no orders, must go.
            processes[1].suspend()
            parent.kill()
        parent.wait(timeout=30)
    assert becomes(lambda: all(ended(process) for process in processes))
    assert not any(Path(home).exists() for home in said[2:4])
    assert not (tmp_path / "one" / POINTER).exists()
