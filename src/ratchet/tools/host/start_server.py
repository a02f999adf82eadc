"""Starts a stopped server through pg_ctl on a host of ours, as the account that owns its files."""

import subprocess
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from ratchet.domain.errors import conflict
from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Clock, Sent, Took
from ratchet.domain.target import HostControl
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.control import read_pid_file, run
from ratchet.tools.host.host_tool import HostTool
from ratchet.tools.host.status import find_log, pg_status
from ratchet.tools.host.trust import BARE, account, program
from ratchet.tools.tool import declare

MARGIN = 5.0
LEFT_STATES = (
    "shut down", "shut down in recovery", "shutting down", "starting up", "in production", "in archive recovery",
    "in crash recovery",
)  # fmt: skip
"""How a control file may say that a server was left; with no process alive none of them means that it runs."""


class StartArguments(Noun):
    """How long the server may take until it answers."""

    wait_s: int = Field(default=60, ge=1, le=600)


class StartServer(HostTool[StartArguments]):
    """Only when nothing runs in the directory and nobody else holds the port."""

    arguments = StartArguments
    two_sided: ClassVar[bool] = True
    spec: ClassVar[ToolSpec] = declare(
        "host.start_server",
        "Start a stopped PostgreSQL server with pg_ctl",
        StartArguments,
        effect="disruptive",
        klass="B",
        scope="exact",
        capabilities=("start_server",),
    )

    def offered(self, host: HostControl, args: StartArguments) -> Preview:
        """What stands in the data directory, and the argument list; no rows when it must not be started."""
        row = pg_status(host)[0]
        obstacle = _obstacle(row)
        shown: dict[str, Any] = {
            "state": row["control_state"], "data_dir": row["data_dir"], "port": row["port"],
            "stale_pid": row["pid"] if row["stale_pid_file"] else None, "disk_free_bytes": row["disk_free_bytes"],
        }  # fmt: skip
        left = "a clean shutdown" if row["clean_shutdown"] else "a crash: it recovers from WAL when it starts"
        stop = Statement(argv=(host.pg_ctl, "stop", "-D", host.pg_data, "-m", "fast", "-w"))
        return Preview(
            rows=() if obstacle else (shown,),
            statements=() if obstacle else (Statement(argv=_argv(host, args)),),
            summary=obstacle or f"the server was left by {left}",
            undo=Undo(possible=True, statements=(stop,), note="stop the server again"),
            clock=self.clock().isoformat(),
        )

    def send(self, act: Act, grant: Grant, host: HostControl) -> Sent:
        return start(act, grant, host, self.clock)

    def took(self, host: HostControl, act: Act) -> Took:
        """Whether the server runs now, by pg_ctl's own word."""
        del act
        code = run(host, "pg_ctl", "status", "-D", host.pg_data).returncode
        if code == 0:
            return Took(verdict="yes", because="pg_ctl says that the server runs")
        if code == 3:
            return Took(verdict="no", because="pg_ctl says that no server runs")
        return Took(verdict="cannot_tell", because=f"pg_ctl status ended with {code}")


def start(act: Act, grant: Grant, host: HostControl, clock: Clock) -> Sent:
    """Run the argument list once, a start or the stop that takes it back.

    Its host is ours, so the deadline is tested just before, on our clock, which nobody sets.
    """
    if grant.action_digest != act.digest:
        raise conflict("The grant is for another act than the one that was to be sent.", "Ask again.")
    started = clock()

    def sent(outcome: str, code: str, category: str, because: str) -> Sent:
        touched = act.identities if outcome == "done" else ()
        return Sent.model_validate({
            "outcome": outcome, "started_at": started, "ended_at": clock(), "return_code": code,
            "error_category": category, "because": because, "touched": touched,
        })  # fmt: skip

    argv = act.statements[0].argv
    try:
        row = pg_status(host)[0]
        obstacle = _unstoppable(row) if argv[1] == "stop" else _obstacle(row)
        obstacle = obstacle or _another(argv[0], host, row, grant)
        program(host, Path(host.pg_ctl).name)
        switch = account(host)
    except NoAnswer as failed:
        return sent("failed_clean", failed.answer.value, failed.answer.value, f"nothing was sent: {failed.detail}")
    left = (grant.settle_after - clock()).total_seconds()
    if obstacle or left <= 0:
        return sent("failed_clean", "refused", "too_late" if left <= 0 else "in_use", obstacle or "the deadline passed")
    return _run(argv, left + MARGIN, switch, sent)


def _run(argv: tuple[str, ...], limit: float, switch: dict[str, Any], sent: Any) -> Sent:
    try:
        code = subprocess.call(
            list(argv), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            timeout=limit, cwd="/", env=BARE, **switch,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return sent("unknown", "timeout", "timeout", "pg_ctl did not end in time; the server may still come up")
    except OSError as error:
        return sent("failed_clean", str(error.errno), "error", f"pg_ctl could not be run: {error.strerror}")
    if code == 0:
        return sent("done", "0", "none", "")
    return sent("unknown", str(code), "error", "pg_ctl gave up; look at the server's log")


def _argv(host: HostControl, args: StartArguments) -> tuple[str, ...]:
    log = find_log(host, read_pid_file(host)) or Path(host.pg_data) / "ratchet-start.log"
    return (host.pg_ctl, "start", "-D", host.pg_data, "-w", "-t", str(args.wait_s), "-l", str(log))


def _another(program_shown: str, host: HostControl, row: dict[str, Any], grant: Grant) -> str:
    """Why this is not what was shown; empty when it is."""
    if program_shown != host.pg_ctl:
        return f"{program_shown} is not the registered pg_ctl any more"
    if row["system_identifier"] != grant.system_identifier:
        return f"another cluster than the one shown lies in {row['data_dir']}"
    return ""


def _unstoppable(row: dict[str, Any]) -> str:
    """Why there is nothing to stop; empty when the server runs. The way back of a start is a stop."""
    return "" if row["running"] else f"no server runs in {row['data_dir']}"


def _obstacle(row: dict[str, Any]) -> str:
    """Why the server must not be started; empty when it may."""
    if not row["data_dir_present"]:
        return f"there is no data directory {row['data_dir']}"
    if row["running"]:
        return f"a server runs in {row['data_dir']} already (pid {row['pid']})"
    if row["port_taken"]:
        return f"port {row['port']} is held by {row['port_holder']}"
    if not row["config_ok"]:
        return f"the configuration cannot be read: {row['config_error']}"
    if row["control_state"] not in LEFT_STATES:
        return f"the control file says {row['control_state']!r}"
    return ""
