"""The probe `host.programs`: which programs use the processors of the server's host, by name and owner."""

import os
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil

from ratchet.domain.target import HostControl
from ratchet.tools.host.control import read_pid_file
from ratchet.tools.host.proc_table import Task, ancestors, family, owner_of, tasks
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
    started, before, idle = monotonic(), tasks(), psutil.cpu_times()
    sleep(SAMPLE)
    after, elapsed, now_idle = tasks(), monotonic() - started, psutil.cpu_times()
    server, here = _server_pid(host), os.getpid()
    sides = dict.fromkeys(_own(after, here) | ancestors(after, here), "ratchet")
    sides |= dict.fromkeys(family(after, server) if server is not None else (), "server")
    groups: dict[tuple[str, str | None, str], _Group] = {}
    for pid, now in after.items():
        then, ours = before.get(pid, now), sides.get(pid, "")
        owner = owner_of(pid, closely=now.runs or now.seconds > then.seconds)
        group = groups.setdefault((now.program, owner, ours), _Group(now.program, owner, ours, []))
        group.pids.append(pid)
        group.used += max(0.0, now.seconds - then.seconds) / elapsed
        group.hungry += pid in before and now.runs and then.runs
        group.rss += now.rss
    busiest = sorted(groups.values(), key=lambda each: (-each.hungry, -each.used))[:MOST_PROGRAMS]
    around = _around(_busy(idle, now_idle))
    return [_row(group, around) for group in busiest]


def _server_pid(host: HostControl) -> int | None:
    found = read_pid_file(host)
    return found.pid if found is not None and found.alive else None


def _own(now: dict[int, Task], here: int) -> set[int]:
    """This process and its children; a child in a session of its own, such as a lab, is a program like any other."""
    session = os.getsid(0)
    return {pid for pid in family(now, here) if pid == here or now[pid].session == session}


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
