"""A tiny process beside us that waits for our end and then removes the servers we left, even after kill -9.

Run as `python -m ratchet.lab.reaper PID ROOT...`; it reads standard input: the word `done` means a clean end, end of
file without it means that the parent is gone.
"""

import os
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import psutil

from ratchet.lab.sweep import sweep

WAIT_S = 1.0
WATCHING = b"watching\n"


class Reaper:
    """Our side: `watch` starts it before the first file is made, `dismiss` ends it after the last one is gone."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @classmethod
    def watch(cls, pid: int, *roots: Path) -> "Reaper":
        return cls(beside("ratchet.lab.reaper", str(pid), *(str(root.resolve()) for root in roots)))

    @property
    def pid(self) -> int:
        return self._process.pid

    def dismiss(self) -> None:
        """Ends the reaper without any reaping; safe to repeat."""
        if self._process.poll() is None:
            try:
                self._process.communicate(b"done\n", timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def watches(self, within_s: float = 20) -> bool:
        """Whether it has said that it began to watch, which not every one does."""
        said = self._process.stdout
        if said is None or not select.select([said], [], [], within_s)[0]:
            return False
        with said:
            return said.readline() == WATCHING

    def abandon(self) -> None:
        """Lets it reap now, as if we were gone; it is collected where it ends before us."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        threading.Thread(target=self._process.wait, name="reaper", daemon=True).start()


def beside(module: str, *words: str, answers: bool = False) -> "subprocess.Popen[bytes]":
    """A module of ours as a process beside us, which hears us by a pipe, and where it `answers` is heard by another;
    everybody can read `words`."""
    # The places that modules came from here, so that it starts however we were started.
    places = [str(Path(__file__).resolve().parents[2]), *(place for place in sys.path if place)]
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        # Nothing of our environment: it may hold secrets, and a reaper needs none of it.
        env={"PYTHONPATH": os.pathsep.join(places), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if answers else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for_end(parent: psutil.Process, told: IO[bytes]) -> bool:
    """True once the parent is gone, false once it said that it ended cleanly."""
    while True:
        readable, _, _ = select.select([told], [], [], WAIT_S)
        if readable:
            return told.readline().strip() != b"done"
        if not parent.is_running():
            return True


def main(argv: list[str]) -> int:
    """Waits for process `argv[0]`, then sweeps the roots in `argv[1:]`."""
    try:
        gone = wait_for_end(psutil.Process(int(argv[0])), sys.stdin.buffer)
    except psutil.NoSuchProcess:
        gone = True
    if gone:
        # A replica is made after its primary and is removed before it.
        for root in reversed(argv[1:]):
            sweep(Path(root))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
