"""Reads one probe file: the header into a frozen spec, every mistake with its line and remedy."""

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, get_args

from ratchet.domain.errors import Mistake
from ratchet.tools.postgres.classify import PLACEHOLDER, objections
from ratchet.tools.postgres.privileges import PRIVILEGES
from ratchet.tools.postgres.probe_fragments import expanded
from ratchet.tools.postgres.probe_spec import (
    ArgSpec,
    ArgType,
    ColumnSpec,
    ColumnType,
    ProbeSpec,
    VersionRange,
    Where,
    coerce,
)

MOST_ROWS = 200
READ_FILE_PROBES = frozenset({
    "postgres.log_tail", "postgres.deadlock_log", "postgres.login_failures", "postgres.denied_statements",
    "postgres.lost_rights", "postgres.missing_names", "postgres.numbering_failures", "postgres.statement_limits",
})  # fmt: skip
"""The only probes that may open a file: the server's own log, named by the server."""

NO_READ = "this is not a known read"
PLAIN = "Write one plain SELECT over catalogues."

_ONCE = ("name", "summary", "privilege", "versions", "extension", "where")
_OPTIONAL = ("extension",)
_COLUMN = re.compile(r"--   (\S+)\s+(\S+)\s+(\S.*)")
_LINE = re.compile(r"-- ([a-z]+):\s*(.*)")
_ARG = re.compile(r"([a-z][a-z0-9_]*)\s+(\S+)\s*(?:=\s*(.+))?")
_VERSIONS = re.compile(r"(\d{2})(\+|-(\d{2}))?")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_LAST_LIMIT = re.compile(r"(?i)\blimit\s+(\d+)\s*;?\s*\Z")
_UNCAST = re.compile(r"%\(([A-Za-z0-9_]*)\)s(?!::)")


def judged(name: str, sql: str) -> tuple[str, ...]:
    """Why the SQL of the probe `name` is no harmless read; empty when it is one."""
    return objections(sql, frozenset({"pg_read_binary_file"} if name in READ_FILE_PROBES else ()))


class HeaderReader:
    """Collects one file's header. `mistakes` fills while it reads; `spec` is there when it stays empty.

    `file` is `postgres/locks@17.sql` and names the probe; `fragments` are those that the SQL may include.
    With `late` the SQL is not judged to be a read here; `judged` must say so before it is sent.
    """

    def __init__(self, file: str, kind: str, fragments: Mapping[str, str], *, late: bool) -> None:
        self.file = file
        self.expected = f"{kind}.{PurePosixPath(file).stem.partition('@')[0]}"
        self.fragments = fragments
        self.late = late
        self.mistakes: list[Mistake] = []
        self._said: dict[str, tuple[str, int]] = {}
        self._args: list[ArgSpec] = []
        self._columns: list[ColumnSpec] = []

    def read(self, text: str) -> ProbeSpec | None:
        """The spec of the file's text, or None with `mistakes` filled."""
        lines = text.splitlines()
        length = next((n for n, line in enumerate(lines) if not line.startswith("--")), len(lines))
        for number, line in enumerate(lines[:length], start=1):
            self._header_line(number, line)
        sql, wrong = expanded(lines[length:], self.fragments)
        for place, message, remedy in wrong:
            self._wrong(length + 1 + place, message, remedy)
        for key in _ONCE:
            if key not in self._said and key not in _OPTIONAL:
                self._wrong(1, f"the header has no '{key}:' line", f"Add '-- {key}: ...'.")
        if not self._columns:
            self._wrong(
                1, "the header names no columns", "Add '-- columns:' and one line per column: name, type, meaning."
            )
        fields = self._fields()
        self._check_sql(sql, length + 1)
        if not self.late:
            for reason in judged(self.expected, sql):
                self._wrong(length + 1, f"{NO_READ}: {reason}", PLAIN, "PB014")
        if self.mistakes:
            return None
        return ProbeSpec(**fields, args=tuple(self._args), columns=tuple(self._columns), sql=sql, file=self.file)

    def _wrong(self, line: int, message: str, remedy: str, code: str = "PB001") -> None:
        self.mistakes.append(Mistake(where=self.file, line=line, code=code, message=message, remedy=remedy))

    def _header_line(self, number: int, line: str) -> None:
        column = _COLUMN.fullmatch(line)
        if column is not None and "columns" in self._said:
            self._column(number, column[1], column[2], column[3])
            return
        said = _LINE.fullmatch(line)
        if said is None:
            self._wrong(
                number, "this header line cannot be read", "Write '-- key: value', or '--   name type meaning'."
            )
        elif said[1] == "args":
            self._arg(number, said[2].strip())
        elif said[1] not in (*_ONCE, "columns"):
            self._wrong(number, f"unknown key {said[1]!r}", f"The keys are {', '.join(_ONCE)}, args, columns.")
        elif said[1] in self._said:
            self._wrong(number, f"{said[1]!r} stands twice", "Keep one of the two lines.")
        else:
            self._said[said[1]] = (said[2].strip(), number)

    def _column(self, number: int, name: str, kind: str, meaning: str) -> None:
        if _WORD.fullmatch(name) is None or name in {column.name for column in self._columns}:
            self._wrong(
                number, f"column name {name!r} is ill-formed or taken", "Use a new lower-case name with underscores."
            )
        elif kind not in get_args(ColumnType):
            self._wrong(number, f"unknown column type {kind!r}", f"Use one of: {', '.join(get_args(ColumnType))}.")
        else:
            self._columns.append(ColumnSpec.model_validate({"name": name, "type": kind, "meaning": meaning}))

    def _arg(self, number: int, text: str) -> None:
        found = _ARG.fullmatch(text)
        if found is None:
            self._wrong(
                number, f"argument {text!r} cannot be read", "Write '-- args: name type' or '-- args: name type = 5'."
            )
        elif found[1] in {arg.name for arg in self._args}:
            self._wrong(number, f"argument {found[1]!r} stands twice", "Keep one of the two lines.")
        elif found[2] not in get_args(ArgType):
            self._wrong(number, f"unknown argument type {found[2]!r}", f"Use one of: {', '.join(get_args(ArgType))}.")
        else:
            self._typed_arg(number, found[1], found[2], found[3])

    def _typed_arg(self, number: int, name: str, kind: Any, written: str | None) -> None:
        try:
            default = None if written is None else coerce(kind, json.loads(written))
        except ValueError:
            self._wrong(
                number, f"default {written!r} is not a {kind}", 'Write the default as JSON: 5, true, "" or "5m".'
            )
            return
        self._args.append(ArgSpec(name=name, type=kind, required=written is None, default=default))

    def _fields(self) -> dict[str, Any]:
        name, line = self._value("name")
        if name and name != self.expected:
            self._wrong(line, f"the name is {name!r}", f"Name it {self.expected!r}, as its directory and file say.")
        summary, line = self._value("summary")
        if "summary" in self._said and not summary:
            self._wrong(line, "the summary is empty", "Say in one line what the probe shows.")
        privileges = tuple(word.strip() for word in self._value("privilege")[0].split(",") if word.strip())
        for unknown in (word for word in privileges if word not in PRIVILEGES):
            remedy = f"Use some of: {', '.join(PRIVILEGES)}."
            self._wrong(self._value("privilege")[1], f"unknown privilege {unknown!r}", remedy)
        where, line = self._value("where")
        if "where" in self._said and where not in get_args(Where):
            self._wrong(line, f"unknown place {where!r}", f"Use one of: {', '.join(get_args(Where))}.")
        extension = self._value("extension")[0] or None
        versions = self._versions()
        return {"name": name, "summary": summary, "privileges": privileges, "versions": versions,
                "extension": extension, "where": where}  # fmt: skip

    def _versions(self) -> VersionRange | None:
        text, line = self._value("versions")
        found = _VERSIONS.fullmatch(text)
        if found is None:
            if "versions" in self._said:
                self._wrong(line, f"versions {text!r} cannot be read", "Write 14, 14-16 or 17+.")
            return None
        low = int(found[1])
        high = None if found[2] == "+" else int(found[3] or low)
        if high is not None and high < low:
            self._wrong(line, f"versions {text!r} end before they begin", "Write the lower version first.")
        return VersionRange(low=low, high=high)

    def _value(self, key: str) -> tuple[str, int]:
        return self._said.get(key, ("", 1))

    def _check_sql(self, sql: str, line: int) -> None:
        used = {found[1] for found in PLACEHOLDER.finditer(sql)}
        declared = {arg.name for arg in self._args}
        for name in sorted(used - declared):
            self._wrong(line, f"the SQL uses {name!r}, which is no argument", f"Add '-- args: {name} type'.", "PB010")
        for name in sorted(declared - used):
            self._wrong(line, f"the SQL never uses the argument {name!r}", "Use it, or drop its line.", "PB010")
        for name in sorted({found[1] for found in _UNCAST.finditer(sql)}):
            self._wrong(line, f"the argument {name!r} is used without a cast", f"Write %({name})s::type everywhere.")
        limit = _LAST_LIMIT.search(sql)
        if limit is None or int(limit[1]) > MOST_ROWS:
            self._wrong(
                line, f"the SQL does not end in a limit of at most {MOST_ROWS}", "End it in 'LIMIT 100' or less."
            )
