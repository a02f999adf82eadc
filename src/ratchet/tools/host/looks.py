"""The probes of a host, by name, and how each call of them is answered."""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.target import HostControl, Target
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.log_file import LOG_TAIL, log_lines
from ratchet.tools.host.processors import PROGRAMS, programs
from ratchet.tools.host.restore_point import RESTORE_POINT, restore_point
from ratchet.tools.host.status import PG_STATUS, pg_status
from ratchet.tools.host.volumes import VOLUMES, volumes
from ratchet.tools.probe_columns import CodeProbe
from ratchet.tools.witness import Witness

HOST_PROBES: Mapping[str, CodeProbe] = {each.name: each for each in (PG_STATUS, PROGRAMS, VOLUMES, RESTORE_POINT)}
_READS: Mapping[str, Callable[[HostControl], list[dict[str, Any]]]] = {
    PROGRAMS.name: programs, VOLUMES.name: volumes, RESTORE_POINT.name: restore_point,
}  # fmt: skip


def host_answer(target: Target, call: ProbeCall, witness: Witness) -> Evidence:
    """Evidence for one call of a host probe."""
    started = monotonic()
    try:
        host = host_control(target)
        rows = pg_status(host, target.address) if call.probe == PG_STATUS.name else _READS[call.probe](host)
    except NoAnswer as failed:
        return witness.failed(call, started, failed)
    return witness.saw(call, started, rows, f"{call.probe} of {target.name}")


def log_answer(target: Target, seen: Evidence, call: ProbeCall, witness: Witness) -> Evidence:
    """What the server said of its log, or the file itself where it could not and its host is ours."""
    unread = seen.answer is not Answer.OK or any(row.get("reason") for row in seen.rows)
    if call.probe != LOG_TAIL or target.host_control is None or not unread:
        return seen
    started = monotonic()
    try:
        rows, file = log_lines(target.host_control)
    except NoAnswer:
        return seen
    return witness.saw(call, started, rows, f"the end of {file}")


def host_control(target: Target) -> HostControl:
    """How the target's host is looked at; raises NoAnswer."""
    if target.host_control is None:
        raise NoAnswer(Answer.MISSING, f"target {target.name} has no host control registered")
    return target.host_control
