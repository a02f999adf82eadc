"""The processes and listening sockets of this host, read as cheaply as a probe must: one short file for each process.

Without Linux's `/proc` both come from psutil, which costs several times as much.
"""

import os
import pwd
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_ntop

import psutil

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
COMM_LIMIT = 15
"""Characters that the kernel keeps of a program's name."""
TABLES = (("net/tcp", AF_INET), ("net/tcp6", AF_INET6))
LISTENS = "0A"


@dataclass(frozen=True)
class Task:
    """One process at one moment: processor time in seconds, memory in bytes, whether it ran or waited to run."""

    program: str
    parent: int
    session: int
    seconds: float
    rss: int
    runs: bool


@dataclass(frozen=True)
class Socket:
    """A place that a process listens on."""

    host: str
    port: int
    inode: str

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


def tasks() -> dict[int, Task]:
    """Every process by its id; one that ended meanwhile is left out."""
    if not (PROC / "stat").is_file():
        return dict(_by_psutil())
    pids = (int(each.name) for each in PROC.iterdir() if each.name.isdigit())
    return {pid: task for pid in pids if (task := _task(pid)) is not None}


def owner_of(pid: int, *, closely: bool) -> str | None:
    """The account of a process, None when it ended. The kernel shows the files of one that may not be looked into as
    root's; `closely` asks once more for those."""
    try:
        uid = (PROC / str(pid)).stat().st_uid if PROC.is_dir() else 0
        return _account(psutil.Process(pid).uids().real if uid == 0 and closely else uid)
    except (OSError, psutil.Error):
        return None


def family(tasks_now: dict[int, Task], pid: int) -> set[int]:
    """A process and all that came from it, while their parents live."""
    children: dict[int, list[int]] = {}
    for each, task in tasks_now.items():
        children.setdefault(task.parent, []).append(each)
    found, waiting = {pid}, [pid]
    while waiting:
        fresh = [each for each in children.get(waiting.pop(), ()) if each not in found]
        found.update(fresh)
        waiting.extend(fresh)
    return found


def ancestors(tasks_now: dict[int, Task], pid: int) -> set[int]:
    """The parent of a process, its parent and so on, without the first process of the host."""
    found: set[int] = set()
    while (task := tasks_now.get(pid)) is not None and task.parent > 1 and task.parent not in found:
        pid = task.parent
        found.add(pid)
    return found


def sockets_of(pid: int) -> list[Socket] | None:
    """Where a process listens; None when it ended, or its sockets are not shown to this account."""
    if not (PROC / "net/tcp").is_file():
        return _sockets_by_psutil(pid)
    try:
        held = {target for target in _links(PROC / str(pid) / "fd") if target.startswith("socket:[")}
    except OSError:
        return None
    return [each for each in _listening() if f"socket:[{each.inode}]" in held]


def nobody_listens(port: int) -> bool:
    """Whether no process at all listens on the port; false as well where that cannot be seen."""
    return (PROC / "net/tcp").is_file() and all(each.port != port for each in _listening())


def _task(pid: int) -> Task | None:
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        # The name stands in parentheses and may hold some itself.
        head, _, tail = text.rpartition(")")
        words = tail.split()
        return Task(
            program=_whole_name(pid, head.partition("(")[2]), parent=int(words[1]), session=int(words[3]),
            seconds=(int(words[11]) + int(words[12])) / TICKS, rss=int(words[21]) * PAGE, runs=words[0] == "R",
        )  # fmt: skip
    except (OSError, ValueError, IndexError):
        return None


def _whole_name(pid: int, name: str) -> str:
    """The name that the kernel cut, from the command line where that goes on with it."""
    if len(name) < COMM_LIMIT:
        return name or "?"
    first = (PROC / str(pid) / "cmdline").read_bytes().partition(b"\0")[0].decode("utf-8", errors="replace")
    called = Path(first).name
    return called if called.startswith(name) else name


def _by_psutil() -> Iterator[tuple[int, Task]]:
    for process in psutil.process_iter(["name", "ppid", "cpu_times", "memory_info", "status"]):
        said = process.info
        if said["cpu_times"] is None:
            continue
        try:
            session = os.getsid(process.pid)
        except OSError:
            session = 0
        seconds = said["cpu_times"].user + said["cpu_times"].system
        rss = said["memory_info"].rss if said["memory_info"] else 0
        runs = said["status"] == psutil.STATUS_RUNNING
        yield process.pid, Task(str(said["name"] or "?"), said["ppid"] or 0, session, seconds, rss, runs)


def _sockets_by_psutil(pid: int) -> list[Socket] | None:
    try:
        held = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return None
    return [Socket(each.laddr[0], each.laddr[1], "") for each in held if each.status == psutil.CONN_LISTEN]


def _links(folder: Path) -> Iterator[str]:
    for each in folder.iterdir():
        try:
            yield str(each.readlink())
        except FileNotFoundError:
            continue


def _listening() -> list[Socket]:
    """Every socket that listens: a busy server has thousands that do not, which are passed over unread."""
    found: list[Socket] = []
    for table, kind in TABLES:
        try:
            lines = (PROC / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for words in (line.split(None, 10) for line in lines if f" {LISTENS} " in line):
            host, _, port = words[1].partition(":")
            if words[3] == LISTENS:
                found.append(Socket(_address(host, kind), int(port, 16), words[9]))
    return found


def _address(word: str, kind: int) -> str:
    """An address as the kernel prints it: groups of four bytes, each in the order of this machine."""
    raw = bytes.fromhex(word)
    groups = (raw[start : start + 4] for start in range(0, len(raw), 4))
    return inet_ntop(kind, b"".join(int.from_bytes(each, "big").to_bytes(4, sys.byteorder) for each in groups))


@lru_cache(maxsize=256)
def _account(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
