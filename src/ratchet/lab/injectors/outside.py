"""Foreign processes that a fault starts beside the server, and how every one of them is ended."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from ratchet.lab.injectors.grip import Grip, UndoFailed

# It ends when its standard input does, and so never outlives whoever started it.
WATCH = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
"""


def start(grip: Grip, program: str, *args: str) -> "subprocess.Popen[bytes]":
    """A Python program under the fault's own program name; the journal needs nothing, its path names it."""
    link = _place(grip)
    if not link.is_symlink():
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(Path(sys.executable).resolve())
    return subprocess.Popen(
        [str(link), "-I", "-S", "-c", WATCH + program, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    )


def running(grip: Grip) -> Iterator[psutil.Process]:
    """Our foreign processes that live."""
    own = str(_place(grip))
    for process in psutil.process_iter(["cmdline", "status"]):
        if (process.info["cmdline"] or [""])[0] == own and process.info["status"] != psutil.STATUS_ZOMBIE:
            yield process


def end_all(grip: Grip, within_s: float = 5) -> None:
    for process in running(grip):
        process.kill()
    deadline = time.monotonic() + within_s
    while left := [process.pid for process in running(grip)]:
        if time.monotonic() > deadline:
            raise UndoFailed(f"processes {left} do not end")
        time.sleep(0.02)
    _place(grip).unlink(missing_ok=True)


def _place(grip: Grip) -> Path:
    return grip.lab.outside / grip.names.program
