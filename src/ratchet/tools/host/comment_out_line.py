"""Comments out one line of a server's configuration that the server itself cannot take, or that rejects clients."""

import hashlib
import re
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from ratchet.domain.errors import conflict
from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Sent, Took
from ratchet.domain.target import HostControl
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.config_fault import LARGEST_FILE, config_fault, file_lines
from ratchet.tools.host.control import read_pid_file
from ratchet.tools.host.host_tool import HostTool
from ratchet.tools.host.status import config_complaint
from ratchet.tools.host.trust import BARE, account, end_of, own_directory, program
from ratchet.tools.tool import declare

MARK = "#ratchet# "
SED = "/bin/sed"
LIMIT = 10.0
REJECTS = re.compile(r"^\s*(?:local|host|hostssl|hostnossl|hostgssenc|hostnogssenc)\s.*\sreject\s*(?:#.*)?$")


class LineNamed(Noun):
    """A line of one of the server's own files, by number and by its whole text."""

    file: Literal["postgresql.conf", "postgresql.auto.conf", "pg_hba.conf"]
    line: int = Field(ge=1, le=1_000_000)
    text: str = Field(default="", max_length=400)
    """The line as it was seen; it is not touched when it says something else now. Empty: whatever stands there."""


class CommentOutLine(HostTool[LineNamed]):
    """Only a line that the server's own complaint names, or a `reject` of pg_hba.conf; any other is refused."""

    arguments = LineNamed
    two_sided: ClassVar[bool] = True
    spec: ClassVar[ToolSpec] = declare(
        "host.comment_out_line",
        "Comment out a wrong line of a configuration file, or a rule that rejects clients",
        LineNamed,
        effect="reversible",
        klass="B",
        scope="exact",
        capabilities=("mend_configuration",),
    )

    def offered(self, host: HostControl, args: LineNamed) -> Preview:
        """The line, and the file's digest, so that any other change of the file voids the packet."""
        path = Path(host.pg_data) / args.file
        obstacle, text = _obstacle(host, args, path)
        if obstacle:
            return Preview(rows=(), statements=(), summary=obstacle, undo=Undo.none("there is nothing to do"))
        reload = _reload(host)
        row = {
            "source": str(path),
            "setting": f"line {args.line}",
            "line": args.line,
            "current": text,
            "digest": _digest(host, path),
        }
        return Preview(
            rows=(row,),
            statements=(_sed(path, f"{args.line}s/^/{MARK}/"), *reload),
            summary=f"line {args.line} of {path} would be commented out: {text.strip()}",
            undo=Undo(
                possible=True,
                statements=(_sed(path, f"{args.line}s/^{MARK}//"), *reload),
                note="put the line back as it was",
            ),
            clock=self.clock().isoformat(),
        )

    def send(self, act: Act, grant: Grant, host: HostControl) -> Sent:
        """Run the lines that were shown, as the account that owns the file, if the file is still the one shown."""
        if grant.action_digest != act.digest:
            raise conflict("The grant is for another act than the one that was to be sent.", "Ask again.")
        began = self.clock()
        try:
            own_directory(host)
            program(host, Path(host.pg_ctl).name)
            switch, changed = account(host), _changed(host, act)
        except NoAnswer as failed:
            return self._sent(began, "failed_clean", failed.answer.value, f"nothing was sent: {failed.detail}")
        if changed or self.clock() >= grant.settle_after:
            return self._sent(began, "failed_clean", "in_use", changed or "nothing was sent: the deadline passed")
        for number, statement in enumerate(act.statements):
            if number and self.clock() >= grant.settle_after:
                return self._sent(began, "unknown", "too_late", "the file is changed; the server was not told in time")
            failed = _run(statement.argv, switch)
            if failed:
                outcome = "failed_clean" if number == 0 and _as_shown(host, act) else "unknown"
                return self._sent(began, outcome, "error", failed)
        return self._sent(began, "done", "none", "").model_copy(update={"touched": act.identities})

    def took(self, host: HostControl, act: Act) -> Took:
        """Whether the line is commented out now."""
        row = act.identities[0]
        lines = file_lines(host, Path(str(row["source"])))
        now = lines[int(row["line"]) - 1] if len(lines) >= int(row["line"]) else ""
        if now == MARK + str(row["current"]):
            return Took(verdict="yes", because="the line is commented out")
        if now == row["current"]:
            return Took(verdict="no", because="the line stands as it was")
        return Took(verdict="cannot_tell", because=f"the line now says {now[:80]!r}, which is neither")

    def taken_back(self, host: HostControl, act: Act) -> Took:
        """A line that stands again was not yet read where a running server still had to be told."""
        back = super().taken_back(host, act)
        if back.verdict == "yes" and len(act.statements) > 1:
            because = f"{back.because}; whether the server has read it is not known"
            return Took(verdict="cannot_tell", because=because)
        return back

    def _sent(self, began: datetime, outcome: Any, category: str, because: str) -> Sent:
        code = "0" if outcome == "done" else category
        return Sent(outcome=outcome, started_at=began, ended_at=self.clock(), return_code=code,
                    error_category=category, because=because)  # fmt: skip


def _obstacle(host: HostControl, args: LineNamed, path: Path) -> tuple[str, str]:
    """Why the line must not be touched, empty when it may; and its text."""
    lines = file_lines(host, path)
    if len(lines) < args.line:
        return f"{path} has no line {args.line}, or cannot be read", ""
    text = lines[args.line - 1]
    if args.text and text[:400] != args.text:
        return f"line {args.line} of {path} is not the one that was seen any more", text
    if args.file == "pg_hba.conf":
        return ("" if REJECTS.match(text) else f"line {args.line} of {path} rejects nobody"), text
    wrong = config_fault(host, config_complaint(host))
    if wrong is None or (Path(wrong.file).resolve(), wrong.line) != (path.resolve(), args.line):
        return f"the server does not complain of line {args.line} of {path}", text
    return "", text


def _reload(host: HostControl) -> tuple[Statement, ...]:
    """A server that runs reads its files again; one that is down reads them when it starts."""
    running = read_pid_file(host)
    argv = (host.pg_ctl, "reload", "-D", host.pg_data)
    return (Statement(argv=argv),) if running is not None and running.alive else ()


def _sed(path: Path, script: str) -> Statement:
    return Statement(argv=(SED, "-i", script, str(path)))


def _digest(host: HostControl, path: Path) -> str:
    return hashlib.sha256(end_of(host, path, LARGEST_FILE)).hexdigest()


def _changed(host: HostControl, act: Act) -> str:
    """Why the file is not the one that the act was made for; the way back starts from our own change of it."""
    row = act.identities[0]
    path = Path(str(row["source"]))
    lines = file_lines(host, path)
    now = lines[int(row["line"]) - 1] if len(lines) >= int(row["line"]) else ""
    back = act.statements[0].argv[2] == f"{row['line']}s/^{MARK}//"
    if back:
        return "" if now == MARK + str(row["current"]) else f"line {row['line']} of {path} is not as we left it"
    return "" if _digest(host, path) == row["digest"] else f"{path} was changed since it was shown"


def _as_shown(host: HostControl, act: Act) -> bool:
    try:
        return not _changed(host, act)
    except NoAnswer:
        return False


def _run(argv: tuple[str, ...], switch: dict[str, Any]) -> str:
    """Why a program did not succeed; empty when it did."""
    try:
        ended = subprocess.run(
            list(argv), capture_output=True, text=True, errors="replace", timeout=LIMIT, check=False, cwd="/",
            env=BARE, stdin=subprocess.DEVNULL, **switch,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{argv[0]} did not end within {LIMIT:g} s"
    except OSError as error:
        return f"{argv[0]} could not be run: {error.strerror}"
    return "" if ended.returncode == 0 else f"{argv[0]} ended with {ended.returncode}: {ended.stderr.strip()[:200]}"
