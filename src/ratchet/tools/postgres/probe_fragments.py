"""Fragments: SQL that several probe files of a directory share, included by name where the files are read.

A line `-- include: log_lines` in a probe's SQL stands for the text of `shared/log_lines.sql` beside it. What is judged,
sent, kept in evidence and digested is the whole text, so a changed fragment changes every probe that includes it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

from ratchet.domain.errors import Mistake

SHARED = "shared"
"""The directory of the fragments, inside that of the probes."""

LARGEST_FILE = 65_536
_INCLUDE = re.compile(r"\s*--\s*include\b[:\s]*(.*?)\s*")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SUFFIX = ".sql"


def sql_files(directory: Traversable | Path) -> list[Traversable | Path]:
    """The `*.sql` files directly inside, by name."""
    return sorted((entry for entry in directory.iterdir() if entry.name.endswith(_SUFFIX)), key=lambda e: e.name)


def text_of(file: Traversable | Path, where: str, mistakes: list[Mistake]) -> str:
    """The text of a file; empty, with a mistake more, when it is none."""
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8") if len(raw) <= LARGEST_FILE else ""
    except UnicodeDecodeError:
        text = ""
    if not text:
        remedy = f"Write UTF-8 text of at most {LARGEST_FILE} bytes."
        said = "the file is empty, too large or not UTF-8"
        mistakes.append(Mistake(where=where, line=1, code="PB001", message=said, remedy=remedy))
    return text


def fragments_of(directory: Traversable | Path, mistakes: list[Mistake]) -> dict[str, str]:
    """The fragments beside the probe files of a directory, by name; what is wrong with them joins `mistakes`."""
    room = directory.joinpath(SHARED)
    found: dict[str, str] = {}
    for file in sql_files(room) if room.is_dir() else []:
        where = f"{directory.name}/{SHARED}/{file.name}"
        found[file.name.removesuffix(_SUFFIX)] = text = text_of(file, where, mistakes)
        mistakes.extend(_wrong_in(text, where))
    return found


def _wrong_in(text: str, where: str) -> Iterator[Mistake]:
    for number, line in enumerate(text.splitlines(), start=1):
        if _INCLUDE.fullmatch(line) is not None:
            said, remedy = "a fragment includes another one", "Include both in the probe, this one after the other."
            yield Mistake(where=where, line=number, code="PB001", message=said, remedy=remedy)


def expanded(lines: Sequence[str], fragments: Mapping[str, str]) -> tuple[str, list[tuple[int, str, str]]]:
    """The text with every include replaced; and what is wrong: place in `lines` from 0, message, remedy."""
    whole: list[str] = []
    wrong: list[tuple[int, str, str]] = []
    for place, line in enumerate(lines):
        named = _INCLUDE.fullmatch(line)
        if named is None:
            whole.append(line)
        elif named[1] in fragments and line.strip() == f"-- include: {named[1]}":
            whole.append(fragments[named[1]].strip())
        elif _NAME.fullmatch(named[1]) is None or named[1] in fragments:
            wrong.append((place, "this include cannot be read", "Write '-- include: name' on a line of its own."))
        else:
            known = ", ".join(sorted(fragments)) or f"none; {SHARED}/{named[1]}{_SUFFIX} beside the probe would be it"
            wrong.append((place, f"there is no fragment {named[1]!r}", f"Known here: {known}."))
    return "\n".join(whole).strip(), wrong
