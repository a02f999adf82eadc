"""A line that causes faults takes them back when the terminal that it was typed in is lost."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import environment

LINE = """
import fcntl, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
if len(sys.argv) == 3:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
from ratchet.cli.faults.batch import interruptible
try:
    with interruptible():
        open(sys.argv[1] + ".caused", "w").close()
        print("caused", flush=True)
        sys.stdin.read() if len(sys.argv) == 2 else open(sys.argv[2]).readline()
except KeyboardInterrupt:
    open(sys.argv[1] + ".back", "w").close()
"""


def in_a_terminal(place: Path, *words: str) -> "tuple[subprocess.Popen[bytes], int]":
    """The line as the first program of a terminal of its own, once it has caused something; as under nohup where a
    second word names the file that it waits for."""
    ours, theirs = pty.openpty()
    line = subprocess.Popen(
        [sys.executable, "-c", LINE, *words], env=environment(place), stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while b"caused\r\n" not in said:
        said += os.read(ours, 1000)
    return line, ours


def test_a_lost_terminal_takes_back_what_was_caused(tmp_path: Path) -> None:
    line, terminal = in_a_terminal(tmp_path, str(tmp_path / "it"))
    os.close(terminal)
    assert line.wait(60) == 0
    assert (tmp_path / "it.back").exists()


def test_under_nohup_a_lost_terminal_interrupts_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "end")
    line, terminal = in_a_terminal(tmp_path, str(tmp_path / "it"), str(tmp_path / "end"))
    os.close(terminal)
    line.send_signal(signal.SIGHUP)
    # Open for reading too, so that a program that ended too soon fails the test instead of keeping it waiting.
    end = os.open(tmp_path / "end", os.O_RDWR)
    os.write(end, b"over\n")
    assert line.wait(60) == 0
    os.close(end)
    assert (tmp_path / "it.caused").exists() and not (tmp_path / "it.back").exists()
