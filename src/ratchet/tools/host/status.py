"""The probe `host.pg_status`: what can be said of a server from its host, above all when it is down."""

import os
import shutil
from pathlib import Path
from typing import Any

from ratchet.domain.evidence import Answer
from ratchet.domain.target import HostControl
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.control import PidFile, configured_port, port_holder, read_control, read_pid_file, run

STATUS = "host.pg_status"
STATUS_COLUMNS = (
    "data_dir", "data_dir_present", "running", "pid", "pid_file_present", "stale_pid_file", "control_state",
    "clean_shutdown", "system_identifier", "timeline", "port", "port_holder", "port_taken", "config_ok",
    "config_error", "log_file", "log_errors", "disk_free_bytes", "disk_free_ratio",
)  # fmt: skip
TAIL_BYTES = 65_536
MOST_LINES = 20
LOUD = ("FATAL", "PANIC", "ERROR", "LOG:  could not", "No space left", "HINT", "invalid")


def pg_status(host: HostControl) -> list[dict[str, Any]]:
    """One row with STATUS_COLUMNS; raises NoAnswer when the files may not be read."""
    data = Path(host.pg_data)
    try:
        if not data.is_dir():
            return [_absent(host)]
        usage = shutil.disk_usage(data)
    except PermissionError as error:
        raise NoAnswer(Answer.PERMISSION, f"{host.pg_data}: {error.strerror}") from None
    control, pid = read_control(host), read_pid_file(host)
    config_error = _config_error(host)
    port = (pid.port if pid and pid.alive else None) or (None if config_error else configured_port(host))
    log = find_log(host, pid)
    holder = port_holder(port, pid.pid if pid and pid.alive else None) if port else ""
    return [{
        "data_dir": host.pg_data, "data_dir_present": True,
        "running": bool(pid and pid.alive), "pid": pid.pid if pid else None,
        "pid_file_present": pid is not None, "stale_pid_file": bool(pid and not pid.alive),
        "control_state": control.state, "clean_shutdown": control.state.startswith("shut down"),
        "system_identifier": control.system_identifier, "timeline": control.timeline,
        "port": port, "port_holder": holder, "port_taken": bool(holder),
        "config_ok": not config_error, "config_error": config_error,
        "log_file": str(log) if log else None, "log_errors": "\n".join(_loud_lines(log)) if log else "",
        "disk_free_bytes": usage.free, "disk_free_ratio": round(usage.free / usage.total, 4) if usage.total else None,
    }]  # fmt: skip


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
    noted = _noted(data)
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


def _noted(data: Path) -> Path | None:
    try:
        lines = (data / "current_logfiles").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        path = data / line.partition(" ")[2]
        if path.is_file():
            return path
    return None


def _config_error(host: HostControl) -> str:
    """What the server itself finds wrong in its configuration; empty when it would start with it."""
    said = run(host, "postgres", "-D", host.pg_data, "-C", "data_directory")
    return "" if said.returncode == 0 else " ".join(said.stderr.split())[:500]


def _loud_lines(log: Path) -> list[str]:
    """What went wrong since the latest start; an older run's troubles would mislead."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    starts = [number for number, line in enumerate(lines) if "starting PostgreSQL" in line]
    latest = lines[starts[-1] :] if starts else lines
    return [line[:400] for line in latest if any(word in line for word in LOUD)][-MOST_LINES:]
