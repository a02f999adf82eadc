"""Stops and removes a lab server by its root path alone, whoever started it and however that one died."""

import contextlib
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import cast

import psutil

# The file in a root that says where the server's own directory lies; without it nothing is ever removed.
POINTER = "lab-home"
# The directory in a home that foreign programs of the lab are started from, and volumes are mounted below.
OUTSIDE = "outside"


def write_pointer(root: Path, home: Path) -> None:
    (root / POINTER).write_text(f"{home}\n", encoding="utf-8")


def read_home(root: Path) -> Path | None:
    """The server's own directory, or None where `root` holds no lab server."""
    pointer = root / POINTER
    if not pointer.is_file():
        return None
    return Path(pointer.read_text(encoding="utf-8").strip())


def postmaster(data_dir: Path) -> psutil.Process | None:
    """The live server process of `data_dir`, judged by the process itself and not only by the number in the file."""
    lines = _pid_file(data_dir)
    if not lines or not lines[0].strip().isdigit():
        return None
    try:
        process = psutil.Process(int(lines[0]))
        same = str(data_dir) in process.cmdline() and not _ended(process)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if same else None


def end_server(data_dir: Path, send: signal.Signals, wait_s: float = 10) -> None:
    """Sends the server `send`, waits for it and for its children, and kills what outlives `wait_s` seconds."""
    process = postmaster(data_dir)
    if process is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [process, *process.children(recursive=True)]
        process.send_signal(send)
        # A stopped process acts on a signal only once it is continued.
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGCONT)
        for each in _wait_for_end(family, wait_s):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        _wait_for_end(family, wait_s)


def forget_uncollected(data_dir: Path, wait_s: float = 3) -> None:
    """After a kill: waits until the dead server is collected; where nobody collects, removes the file naming it.

    Without this the next start takes the zombie for a running server and refuses.
    """
    lines = _pid_file(data_dir)
    if not lines or postmaster(data_dir) is not None:
        return
    deadline = time.monotonic() + wait_s
    while psutil.pid_exists(int(lines[0])):
        if time.monotonic() > deadline:
            (data_dir / "postmaster.pid").unlink(missing_ok=True)
            return
        time.sleep(0.02)


def _wait_for_end(family: list[psutil.Process], wait_s: float) -> list[psutil.Process]:
    deadline = time.monotonic() + wait_s
    while alive := [each for each in family if not _ended(each)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return alive


def _ended(process: psutil.Process) -> bool:
    # Where nobody collects orphans (a container without an init), an ended server stays a zombie.
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _free_shared_memory(data_dir: Path) -> None:
    # Only a killed server leaves its file behind, and with it a small System V segment that nobody else frees.
    lines = _pid_file(data_dir)
    words = lines[6].split() if len(lines) > 6 else []
    if len(words) == 2 and shutil.which("ipcrm"):
        subprocess.run(["ipcrm", "-m", words[1]], capture_output=True, check=False, timeout=10)


def sweep(root: Path) -> bool:
    """Ends the server of `root` and removes what it left; false where `root` holds none. May be repeated."""
    home = read_home(root)
    if home is None:
        return False
    if home.is_dir():
        end_outside(home / OUTSIDE)
        end_server(home / "data", signal.SIGQUIT)
        _free_shared_memory(home / "data")
        _unmount(home / OUTSIDE)
        _remove(home)
    (root / POINTER).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        root.rmdir()
    return True


def end_outside(place: Path) -> None:
    """Ends every program whose own path or configuration lies directly in `place`."""
    ours: list[psutil.Process] = []
    for process in psutil.process_iter(["cmdline"]):
        words = cast("list[str]", process.info["cmdline"] or [])[:3]
        if any(Path(word).parent == place for word in words if word.startswith("/")):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
                ours.append(process)
    _wait_for_end(ours, 5)


def _unmount(place: Path) -> None:
    for volume in place.glob("volume_*"):
        if volume.is_mount():
            subprocess.run(["umount", str(volume)], capture_output=True, check=False, timeout=10)


def _remove(home: Path) -> None:
    # A dying server may still create a file between listing and removing.
    for _ in range(20):
        shutil.rmtree(home, ignore_errors=True)
        if not home.exists():
            return
        time.sleep(0.1)
    shutil.rmtree(home)


def _pid_file(data_dir: Path) -> list[str]:
    try:
        return (data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
