"""The end of a server's log as its host has it, for when the server itself cannot be asked; text that others wrote."""

import re
from pathlib import Path
from typing import Any

from ratchet.domain.evidence import Answer
from ratchet.domain.target import HostControl
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.control import read_pid_file
from ratchet.tools.host.status import TAIL_BYTES, find_log
from ratchet.tools.host.trust import end_of

LOG_TAIL = "postgres.log_tail"
LEVEL = re.compile(
    r"(DEBUG[1-5]|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|STATEMENT|CONTEXT):", re.ASCII
)  # fmt: skip
MOST_LINES = 200
LONGEST_LINE = 1000


def log_lines(host: HostControl, lines: int = MOST_LINES) -> tuple[list[dict[str, Any]], str]:
    """The last lines in the columns of `postgres.log_tail`, and the file; raises NoAnswer when there is none."""
    path = find_log(host, read_pid_file(host))
    if path is None:
        raise NoAnswer(Answer.MISSING, f"no log file is known beside {host.pg_data}")
    found = _tail(host, path)
    kept = list(enumerate(found, start=1))[-max(1, min(lines, MOST_LINES)) :]
    return [_row(number, line, path) for number, line in kept], str(path)


def _tail(host: HostControl, path: Path) -> list[str]:
    end = end_of(host, path, TAIL_BYTES + 1)
    lines = end[-TAIL_BYTES:].decode("utf-8", errors="replace").splitlines()
    return [line for line in (lines[1:] if len(end) > TAIL_BYTES else lines) if line]


def _row(number: int, line: str, path: Path) -> dict[str, Any]:
    level = LEVEL.search(line)
    return {
        "position": number, "level": level.group(1) if level else None, "line": line[:LONGEST_LINE],
        "file": str(path), "reason": None,
    }  # fmt: skip
