"""What a server's own files say about it: the control file, the pid file, and who holds its port."""

import subprocess
from datetime import datetime
from pathlib import Path

import psutil

from ratchet.domain.evidence import Answer
from ratchet.domain.noun import Noun
from ratchet.domain.target import Fingerprint, HostControl
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.proc_table import nobody_listens, sockets_of
from ratchet.tools.host.trust import BARE, account
from ratchet.tools.host.trust import program as trusted

PROGRAM_LIMIT = 10.0


class ControlFile(Noun):
    """The lines of pg_controldata that identify a cluster and say how it was left."""

    system_identifier: str
    timeline: int
    state: str
    version: int
    max_connections: int | None = None
    """As the server last started with it."""

    def fingerprint(self, now: datetime) -> Fingerprint:
        """The identity of a server that is down; its clock is this host's."""
        return Fingerprint(
            system_identifier=self.system_identifier,
            timeline=self.timeline,
            in_recovery=False,
            server_version=self.version,
            clock=now,
            taken_at=now,
        )


class PidFile(Noun):
    """`postmaster.pid`: the process it names, whether that process is a server of this directory, and the port."""

    pid: int
    alive: bool
    port: int | None


def read_control(host: HostControl) -> ControlFile:
    """The control file; raises NoAnswer."""
    said = run(host, "pg_controldata", "-D", host.pg_data)
    if said.returncode != 0:
        raise NoAnswer(Answer.ERROR, f"pg_controldata: {said.stderr.strip()[:300]}")
    lines = dict(line.split(":", 1) for line in said.stdout.splitlines() if ":" in line)
    try:
        return ControlFile(
            system_identifier=lines["Database system identifier"].strip(),
            timeline=int(lines["Latest checkpoint's TimeLineID"]),
            state=lines["Database cluster state"].strip(),
            version=int((Path(host.pg_data) / "PG_VERSION").read_text(encoding="ascii")) * 10_000,
            max_connections=int(lines["max_connections setting"]) if "max_connections setting" in lines else None,
        )
    except (KeyError, ValueError, OSError) as error:
        raise NoAnswer(Answer.ERROR, f"the control file of {host.pg_data} cannot be understood: {error}") from None


def read_pid_file(host: HostControl) -> PidFile | None:
    """The pid file, or None where there is none; raises NoAnswer when it may not be read."""
    try:
        lines = (Path(host.pg_data) / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NoAnswer(Answer.PERMISSION, f"postmaster.pid: {error.strerror}") from None
    pid = int(lines[0]) if lines and lines[0].strip().lstrip("-").isdigit() else 0
    port = int(lines[3]) if len(lines) > 3 and lines[3].strip().isdigit() else None
    return PidFile(pid=abs(pid), alive=_serves(abs(pid), host.pg_data), port=port)


def configured_port(host: HostControl) -> int | None:
    """The port in the server's configuration; None when the configuration cannot be read by the server itself."""
    said = run(host, "postgres", "-D", host.pg_data, "-C", "port")
    word = said.stdout.strip()
    return int(word) if said.returncode == 0 and word.isdigit() else None


class Holder(Noun):
    """A process that listens on a port; the pid is None when the system does not show it to us."""

    pid: int | None
    name: str


def port_holder(port: int, server_pid: int | None) -> Holder | None:
    """Another process that listens on the port; None when nobody does or only the server."""
    if nobody_listens(port):
        return None
    for held in psutil.net_connections(kind="tcp"):
        if held.pid is None and server_pid is not None:
            continue  # whose socket it is shows only to root; the running server's own is the likelier
        if held.status == psutil.CONN_LISTEN and held.laddr and held.laddr[1] == port and held.pid != server_pid:
            return Holder(pid=held.pid, name=_name(held.pid))
    return None


def listening(pid: int | None) -> list[str] | None:
    """The places that a process listens on as `address:port`; None without a process, or when they are not shown."""
    held = sockets_of(pid) if pid is not None else None
    return sorted(each.place for each in held) if held is not None else None


def process_state(pid: int | None) -> str | None:
    """What the system says of a process: sleeping, running, stopped, ..."""
    try:
        return str(psutil.Process(pid).status()) if pid is not None else None
    except psutil.Error:
        return None


def run(host: HostControl, program: str, *args: str) -> subprocess.CompletedProcess[str]:
    """A program beside pg_ctl, as the account that owns the files; raises NoAnswer when it cannot be run in time."""
    path = trusted(host, program)
    try:
        return subprocess.run(
            [path, *args],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROGRAM_LIMIT,
            check=False,
            cwd="/",
            env=BARE,
            stdin=subprocess.DEVNULL,
            **account(host),
        )
    except subprocess.TimeoutExpired:
        raise NoAnswer(Answer.HUNG, f"{program} did not end within {PROGRAM_LIMIT:g} s") from None
    except OSError as error:
        answer = Answer.PERMISSION if isinstance(error, PermissionError) else Answer.MISSING
        raise NoAnswer(answer, f"{program}: {error.strerror}") from None


def _serves(pid: int, data_dir: str) -> bool:
    """Whether the process is a server of this directory: a pid file outlives a crash, and pids are used again."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
            return False
        return Path(process.cwd()).resolve() == Path(data_dir).resolve()
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, ValueError):
        return False


def _name(pid: int | None) -> str:
    try:
        return psutil.Process(pid).name() if pid else "a process"
    except psutil.Error:
        return "a process"
