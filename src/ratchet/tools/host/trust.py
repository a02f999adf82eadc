"""What Ratchet lets itself be pointed at on a host: programs that nobody else can exchange, files read as their reader.

Ratchet may run as root. Paths come from a registration, or out of files that the server's account writes; neither makes
root run or read anything for somebody who could not do so alone.
"""

import os
import pwd
import stat
import subprocess
from pathlib import Path
from typing import Any

from ratchet.domain.evidence import Answer
from ratchet.domain.target import HostControl
from ratchet.tools.answers import NoAnswer

BARE = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""A bare environment: what Ratchet was started with is nobody else's business."""
TAIL = "/usr/bin/tail"
READ_LIMIT = 5.0


def account(host: HostControl) -> dict[str, Any]:
    """How to become the account that owns the files; nothing when we are it. Raises NoAnswer when we may not."""
    entry = _entry(host)
    if entry.pw_uid == os.geteuid():
        return {}
    if os.geteuid() != 0:
        raise NoAnswer(Answer.PERMISSION, f"only root or {host.run_as} itself can work as {host.run_as}")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def program(host: HostControl, name: str) -> str:
    """The path of a program beside pg_ctl, fit to be run; raises NoAnswer.

    Path and directories must belong to root, to us or to the server's account, and nobody else may write them.
    """
    path = Path(host.pg_ctl).with_name(name)
    if not path.is_absolute():
        raise NoAnswer(Answer.PERMISSION, f"{path} is not run: give its path from the root on")
    try:
        true = path.resolve(strict=True)
        steps = [true, *true.parents]
        doubts = [f"{step} {doubt}" for step in steps if (doubt := _doubt(step, _entry(host)))]
    except OSError as error:
        answer = Answer.PERMISSION if isinstance(error, PermissionError) else Answer.MISSING
        raise NoAnswer(answer, f"{name}: {error.strerror}") from None
    if doubts:
        raise NoAnswer(Answer.PERMISSION, f"{path} is not run: {doubts[0]}; correct its owner and mode")
    return str(path)


def own_directory(host: HostControl) -> None:
    """Raise NoAnswer when the data directory is not the server's account's own, or its path is not a whole one."""
    data = Path(host.pg_data)
    if not data.is_absolute():
        raise NoAnswer(Answer.PERMISSION, f"{data} is not looked into: give its path from the root on")
    try:
        found = data.stat()
    except OSError as error:
        raise NoAnswer(Answer.MISSING, f"{data}: {error.strerror}") from None
    if found.st_uid != _entry(host).pw_uid:
        raise NoAnswer(Answer.PERMISSION, f"{data} does not belong to {host.run_as}; nothing is run on it")
    if found.st_mode & stat.S_IWOTH:
        raise NoAnswer(Answer.PERMISSION, f"{data} may be written by everybody; nothing is run on it")


def end_of(host: HostControl, path: Path, most: int) -> bytes:
    """The last `most` bytes of a file, read as the server's account: what that may not read, nobody is shown.

    Raises NoAnswer.
    """
    switch = account(host)
    try:
        ended = subprocess.run(
            [TAIL, "-c", str(most), "--", str(path)], capture_output=True, timeout=READ_LIMIT, check=False, cwd="/",
            env=BARE, stdin=subprocess.DEVNULL, user=switch.get("user"), group=switch.get("group"),
            extra_groups=switch.get("extra_groups"),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NoAnswer(Answer.HUNG, f"{path} could not be read within {READ_LIMIT:g} s") from None
    except OSError as error:
        raise NoAnswer(Answer.ERROR, f"{TAIL}: {error.strerror}") from None
    if ended.returncode != 0:
        raise NoAnswer(Answer.PERMISSION, f"{path} cannot be read as {host.run_as}")
    return ended.stdout


def _entry(host: HostControl) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(host.run_as)
    except KeyError:
        raise NoAnswer(Answer.MISSING, f"there is no account {host.run_as} on this host") from None


def _doubt(step: Path, entry: pwd.struct_passwd) -> str:
    """Who else could put something there; empty when nobody can."""
    found = step.stat()
    if found.st_uid not in (0, os.geteuid(), entry.pw_uid):
        return "belongs to another account"
    if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX:
        return ""  # as in /tmp: what lies there is exchanged by its owner alone
    if found.st_mode & stat.S_IWOTH:
        return "may be written by everybody"
    if found.st_mode & stat.S_IWGRP and found.st_gid not in (0, os.getegid(), entry.pw_gid):
        return "may be written by a group"
    return ""
