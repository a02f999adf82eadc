"""The probe `host.pg_status`: what can be said of a server from its host, above all when it is down."""

import os
import shutil
from pathlib import Path
from typing import Any

from ratchet.domain.evidence import Answer
from ratchet.domain.target import HostControl
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.config_fault import config_fault
from ratchet.tools.host.control import (
    PidFile,
    configured_port,
    listening,
    port_holder,
    process_state,
    read_control,
    read_pid_file,
    run,
)
from ratchet.tools.host.trust import end_of, own_directory
from ratchet.tools.probe_columns import CodeProbe

PG_STATUS = CodeProbe(
    name="host.pg_status",
    summary="What a server's own files and its host say of it, above all when it is down",
    needs="host control (`--pg-ctl`, `--pg-data`, `--run-as`) on the host that Ratchet runs on",
    columns={
        "data_dir": "text: data directory",
        "data_dir_present": "bool: it is there",
        "running": "bool: a server process of this directory lives",
        "listens_here": "bool: it listens on the registered port, null when that cannot be seen",
        "process_state": "text: of that process: running, sleeping, stopped, ...; null when there is none",
        "pid": "int: process id in postmaster.pid",
        "pid_file_present": "bool: postmaster.pid is there",
        "stale_pid_file": "bool: it names no living server",
        "control_state": "text: state in the control file, such as `in production`",
        "clean_shutdown": "bool: the control file says that it was shut down",
        "system_identifier": "text: identity of the cluster",
        "timeline": "int: timeline of the last checkpoint",
        "max_connections": "int: connections that the server was last started for, superusers' included",
        "port": "int: port that the server has, or would take",
        "registered_port": "int: port under which the target is registered, null when that is not known",
        "listens_on": "list: `address:port` that the server process listens on, null when it cannot be seen",
        "port_holder": "text: another process on its port, `name (pid)`; empty when there is none",
        "port_holder_pid": "int: its process id",
        "port_holder_name": "text: its name",
        "port_taken": "bool: there is one",
        "config_ok": "bool: the server can read its configuration",
        "config_error": "text: what it finds wrong, in its own words",
        "config_file": "text: file with the wrong line, null when that is not known",
        "config_line": "int: that line's number",
        "config_name": "text: the setting there",
        "config_text": "text: the whole line",
        "log_file": "text: log file",
        "log_errors": "text: what went wrong since the latest start, in the log's words",
        "disk_free_bytes": "int: room on the volume of the data directory",
        "disk_free_ratio": "float: the same as a part of its size, 0 to 1",
    },
)
STATUS = PG_STATUS.name
STATUS_COLUMNS = tuple(PG_STATUS.columns)
TAIL_BYTES = 65_536
MOST_LINES = 20
LOUD = ("FATAL", "PANIC", "ERROR", "LOG:  could not", "No space left", "HINT", "invalid")


def pg_status(host: HostControl, address: str = "") -> list[dict[str, Any]]:
    """One row with STATUS_COLUMNS; raises NoAnswer when the files may not be read. `address` is the registered one."""
    data = Path(host.pg_data)
    try:
        if not data.is_dir():
            return [_absent(host)]
        usage = shutil.disk_usage(data)
        own_directory(host)
    except PermissionError as error:
        raise NoAnswer(Answer.PERMISSION, f"{host.pg_data}: {error.strerror}") from None
    control, pid = read_control(host), read_pid_file(host)
    config_error = config_complaint(host)
    port = (pid.port if pid and pid.alive else None) or (None if config_error else configured_port(host))
    log = find_log(host, pid)
    alive = pid.pid if pid and pid.alive else None
    places = listening(alive)
    # To find another's socket every process must be looked at; a server that listens there itself saves that.
    own = places is not None and any(place.endswith(f":{port}") for place in places)
    holder = port_holder(port, alive) if port and not own else None
    wrong = config_fault(host, config_error)
    return [{
        "data_dir": host.pg_data, "data_dir_present": True,
        "running": bool(pid and pid.alive), "pid": pid.pid if pid else None,
        "pid_file_present": pid is not None, "stale_pid_file": bool(pid and not pid.alive),
        "control_state": control.state, "clean_shutdown": control.state.startswith("shut down"),
        "system_identifier": control.system_identifier, "timeline": control.timeline,
        "max_connections": control.max_connections,
        "process_state": process_state(alive), "listens_on": places,
        "listens_here": None if places is None else any(p.endswith(f":{_registered(address)}") for p in places),
        "port": port, "registered_port": _registered(address), "port_taken": holder is not None,
        "port_holder": f"{holder.name} ({holder.pid or 'pid not visible'})" if holder else "",
        "port_holder_pid": holder.pid if holder else None, "port_holder_name": holder.name if holder else None,
        "config_ok": not config_error, "config_error": config_error,
        "config_file": wrong.file if wrong else None, "config_line": wrong.line if wrong else None,
        "config_name": wrong.name if wrong else None, "config_text": wrong.text if wrong else None,
        "log_file": str(log) if log else None, "log_errors": "\n".join(_loud_lines(host, log)) if log else "",
        "disk_free_bytes": usage.free, "disk_free_ratio": round(usage.free / usage.total, 4) if usage.total else None,
    }]  # fmt: skip


def _registered(address: str) -> int | None:
    """The port of `host:port/database`."""
    word = address.partition("/")[0].rpartition(":")[2]
    return int(word) if word.isdigit() else None


def _absent(host: HostControl) -> dict[str, Any]:
    """A lost data directory is something seen, not a probe that failed: a person must know that it is gone."""
    known = {
        "data_dir": host.pg_data, "data_dir_present": False, "running": False, "pid_file_present": False,
        "stale_pid_file": False, "clean_shutdown": False, "port_taken": False, "port_holder": "", "config_ok": False,
        "config_error": f"the data directory {host.pg_data} is not there", "log_errors": "",
    }  # fmt: skip
    return dict.fromkeys(STATUS_COLUMNS) | known


def find_log(host: HostControl, pid: PidFile | None) -> Path | None:
    """Where the server writes: the collector's own note, the running server's stderr, else the newest log beside it."""
    data = Path(host.pg_data)
    noted = _noted(host, data)
    if noted is not None:
        return noted
    if pid is not None and pid.alive:
        try:
            stderr = Path(f"/proc/{pid.pid}/fd/2").readlink()
        except OSError:
            stderr = Path("/dev/null")
        if stderr.is_file() and not str(stderr).startswith("/dev/"):
            return stderr
    places = [*data.glob("*.log"), *data.glob("log/*"), *data.parent.glob("*.log"), *data.glob("logfile")]
    found = [place for place in places if place.is_file() and os.access(place, os.R_OK)]
    return max(found, key=lambda place: place.stat().st_mtime, default=None)


def _noted(host: HostControl, data: Path) -> Path | None:
    note = data / "current_logfiles"
    if not note.is_file():
        return None
    try:
        text = end_of(host, note, TAIL_BYTES)
    except NoAnswer:
        return None
    for line in text.decode("utf-8", errors="replace").splitlines():
        path = data / line.partition(" ")[2]
        if path.is_file():
            return path
    return None


def config_complaint(host: HostControl) -> str:
    """What the server itself finds wrong in its configuration; empty when it would start with it."""
    said = run(host, "postgres", "-D", host.pg_data, "-C", "data_directory")
    return "" if said.returncode == 0 else " ".join(said.stderr.split())[:500]


def _loud_lines(host: HostControl, log: Path) -> list[str]:
    """What went wrong since the latest start; an older run's troubles would mislead."""
    try:
        lines = end_of(host, log, TAIL_BYTES).decode("utf-8", errors="replace").splitlines()
    except NoAnswer:
        return []
    starts = [number for number, line in enumerate(lines) if "starting PostgreSQL" in line]
    latest = lines[starts[-1] :] if starts else lines
    return [line[:400] for line in latest if any(word in line for word in LOUD)][-MOST_LINES:]
