"""The probe `host.programs`: which programs use the processors of the server's host, by name and owner."""

import os
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil

from ratchet.domain.target import HostControl
from ratchet.tools.host.control import read_pid_file
from ratchet.tools.probe_columns import CodeProbe

PROGRAMS = CodeProbe(
    name="host.programs",
    summary="Programs on the server's host by the processors they want, the hungriest first, and how many tasks wait",
    needs="host control (`--pg-data`) on the host that Ratchet runs on",
    columns={
        "program": "text: name of the program",
        "owner": "text: account, null when it cannot be read",
        "pids": "list: process ids, ten at most",
        "processes": "int: how many there are",
        "cores_used": "float: processors that they use together",
        "hungry": "int: processes of them that ran or waited to run at both readings",
        "share": "float: the same as a part of all processors, 0 to 1",
        "ours": "text: `server` for the server's own processes, `ratchet` for Ratchet's, else empty",
        "cores": "int: processors of the host",
        "busy": "float: part of all processors in use, 0 to 1",
        "runnable": "int: tasks that run or want to run",
        "load": "float: load average of one minute",
        "rss_bytes": "int: memory of the processes",
        "memory_free_ratio": "float: memory that could still be used, 0 to 1",
        "swap_used_ratio": "float: swap in use, 0 to 1, null without swap",
        "oom_kills": "int: processes that the kernel ended for want of memory since it started, null when not counted",
    },
)
SAMPLE = 0.2
"""Seconds between the two readings."""
MOST_PROGRAMS = 12
MOST_PIDS = 10


@dataclass(frozen=True)
class _Reading:
    """One process at one moment: processor time in seconds, memory in bytes, whether it ran or waited to run."""

    program: str
    owner: str | None
    seconds: float
    rss: int
    runs: bool


@dataclass
class _Group:
    """Processes of one name, owner and side."""

    program: str
    owner: str | None
    ours: str
    pids: list[int]
    used: float = 0.0
    rss: int = 0
    hungry: int = 0


def programs(host: HostControl) -> list[dict[str, Any]]:
    """Rows with the columns of `host.programs`; one row with no program on a host where nothing works."""
    started, before, idle = monotonic(), _readings(), psutil.cpu_times()
    sleep(SAMPLE)
    after, elapsed, now_idle = _readings(), monotonic() - started, psutil.cpu_times()
    server, own = _family(_server_pid(host)), _own() | _ancestors()
    groups: dict[tuple[str, str | None, str], _Group] = {}
    for pid, now in after.items():
        then = before.get(pid, now)
        ours = "server" if pid in server else "ratchet" if pid in own else ""
        group = groups.setdefault((now.program, now.owner, ours), _Group(now.program, now.owner, ours, []))
        group.pids.append(pid)
        group.used += max(0.0, now.seconds - then.seconds) / elapsed
        group.hungry += pid in before and now.runs and then.runs
        group.rss += now.rss
    busiest = sorted(groups.values(), key=lambda each: (-each.hungry, -each.used))[:MOST_PROGRAMS]
    around = _around(_busy(idle, now_idle))
    return [_row(group, around) for group in busiest]


def _readings() -> dict[int, _Reading]:
    found: dict[int, _Reading] = {}
    for process in psutil.process_iter(["name", "username", "cpu_times", "memory_info", "status"]):
        said = process.info
        if said["cpu_times"] is None:
            continue
        seconds = said["cpu_times"].user + said["cpu_times"].system
        rss = said["memory_info"].rss if said["memory_info"] else 0
        runs = said["status"] == psutil.STATUS_RUNNING
        found[process.pid] = _Reading(str(said["name"] or "?"), said["username"], seconds, rss, runs)
    return found


def _server_pid(host: HostControl) -> int | None:
    found = read_pid_file(host)
    return found.pid if found is not None and found.alive else None


def _family(pid: int | None) -> set[int]:
    if pid is None:
        return set()
    try:
        return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    except psutil.Error:
        return {pid}


def _own() -> set[int]:
    """This process and its children; a child in a session of its own, such as a lab, is a program like any other."""
    here = os.getpid()
    return {here, *(pid for pid in _family(here) if _session(pid) == os.getsid(0))}


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _ancestors() -> set[int]:
    try:
        return {each.pid for each in psutil.Process().parents() if each.pid != 1}
    except psutil.Error:
        return set()


def _busy(before: Any, after: Any) -> float | None:
    spent = sum(after) - sum(before)
    idle = (after.idle + getattr(after, "iowait", 0.0)) - (before.idle + getattr(before, "iowait", 0.0))
    return round(max(0.0, 1 - idle / spent), 3) if spent > 0 else None


def _around(busy: float | None) -> dict[str, Any]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return {
        "cores": psutil.cpu_count() or 1, "busy": busy, "runnable": _runnable(),
        "load": round(os.getloadavg()[0], 2),
        "memory_free_ratio": round(memory.available / memory.total, 4) if memory.total else None,
        "swap_used_ratio": round(swap.used / swap.total, 4) if swap.total else None, "oom_kills": _oom_kills(),
    }  # fmt: skip


def _row(group: _Group, around: dict[str, Any]) -> dict[str, Any]:
    return {
        "program": group.program, "owner": group.owner, "pids": sorted(group.pids)[:MOST_PIDS],
        "processes": len(group.pids), "hungry": group.hungry, "cores_used": round(group.used, 3),
        "share": round(group.used / around["cores"], 3), "ours": group.ours, "rss_bytes": group.rss, **around,
    }  # fmt: skip


def _runnable() -> int | None:
    return _number("/proc/stat", "procs_running")


def _oom_kills() -> int | None:
    return _number("/proc/vmstat", "oom_kill")


def _number(path: str, word: str) -> int | None:
    try:
        with Path(path).open(encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.split()[0] == word), None)
    except (OSError, ValueError, IndexError):
        return None
