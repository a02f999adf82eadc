"""Where in its files a server's own complaint about its configuration stands: file, line, setting, the line's text."""

import re
from pathlib import Path

from ratchet.domain.noun import Noun
from ratchet.domain.target import HostControl
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.trust import end_of

NAMED = re.compile(r'(?:parameter|value for parameter) "([^"]{1,120})"')
PLACED = re.compile(r'(?:in|of) (?:configuration )?file "([^"]{1,500})",? (?:near )?line (\d+)')
FILES = ("postgresql.auto.conf", "postgresql.conf")
LARGEST_FILE = 1_000_000


class ConfigFault(Noun):
    """A line that the server cannot take. `text` is the line as it stands."""

    file: str
    line: int
    name: str
    text: str


def config_fault(host: HostControl, complaint: str) -> ConfigFault | None:
    """The line that a complaint means; None without a complaint, or when no line of ours fits it."""
    if not complaint:
        return None
    named, placed = NAMED.search(complaint), PLACED.search(complaint)
    name = named.group(1) if named else ""
    if placed is not None:
        return _at(host, Path(placed.group(1)), int(placed.group(2)), name)
    return _setting(host, name) if name else None


def file_lines(host: HostControl, path: Path) -> list[str]:
    """The lines of a configuration file; none where the server's account cannot read it, or too large, or no text."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return []
        # The server and the editor of the line count newlines alone; other marks that end a line elsewhere do not here.
        lines = end_of(host, path, LARGEST_FILE).decode("utf-8").split("\n")
    except (OSError, NoAnswer, UnicodeDecodeError):
        return []
    return [line.rstrip("\r") for line in (lines if lines[-1] else lines[:-1])]


def _at(host: HostControl, path: Path, number: int, name: str) -> ConfigFault | None:
    lines = file_lines(host, path)
    if not 1 <= number <= len(lines):
        return None
    text = lines[number - 1]
    return ConfigFault(file=str(path), line=number, name=name or text.split("=")[0].strip()[:60], text=text[:400])


def _setting(host: HostControl, name: str) -> ConfigFault | None:
    """The last line that gives a setting: the one that counts, with what ALTER SYSTEM wrote before all others."""
    given = re.compile(rf"^\s*{re.escape(name)}\b", re.IGNORECASE)
    for file in FILES:
        path = Path(host.pg_data) / file
        hits = [number for number, line in enumerate(file_lines(host, path), start=1) if given.match(line)]
        if hits:
            return _at(host, path, hits[-1], name)
    return None
