"""Reads YAML 1.2 into plain values with their lines; duplicates, alias bombs and foreign tags are mistakes."""

import math
import re
import warnings
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ratchet.domain.errors import Mistake
from ratchet.domain.unseen import called
from ratchet.vault.sheet import Path, Sheet

MAX_BYTES = 256 * 1024
MAX_VALUES = 20_000
MAX_DEPTH = 40
LONGEST_NUMBER = 30
"""Characters; what is longer stays a text, since it fits nowhere and Python refuses to write it out."""

_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_OTHER_INT = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "value")
)
_SIMPLER = "Write the values out; a playbook needs no more than a few hundred."


class _TooMuch(Exception):
    """The file unfolds into more than a playbook can be; nothing further is read."""


def read_sheet(text: str, where: str) -> tuple[Sheet, list[Mistake]]:
    """The values and lines of a YAML text, and what is wrong with the YAML itself. Never raises for a bad text.

    A text is read once and its values are shared between all who ask for them: nobody may change them.
    """
    sheet, mistakes = _read(text)
    return replace(sheet, where=where), [each.model_copy(update={"where": where}) for each in mistakes]


@lru_cache(maxsize=32)
def _read(text: str) -> tuple[Sheet, tuple[Mistake, ...]]:
    sheet, mistakes = _read_at(text, "")
    return sheet, tuple(mistakes)


def _read_at(text: str, where: str) -> tuple[Sheet, list[Mistake]]:
    if len(text.encode()) > MAX_BYTES:
        size = f"the file has {len(text.encode()) // 1024} KB; at most {MAX_BYTES // 1024} are read"
        return Sheet(where, None, {}), [_plain(where, None, size, "Move prose into linked pages.")]
    try:
        root = _compose(text)
    except MarkedYAMLError as error:
        return Sheet(where, None, {}), [_from_yaml(error, where)]
    except YAMLError as error:
        return Sheet(where, None, {}), [_unreadable(error, text, where)]
    except RecursionError:
        return Sheet(where, None, {}), [_plain(where, None, "the file is nested too deeply", _SIMPLER)]
    if root is None:
        return Sheet(where, None, {}), [_plain(where, 1, "the file is empty", "Start with `apiVersion: ratchet/v1`.")]
    reader = _Reader(where)
    try:
        data = reader.value(root, (), 0)
    except _TooMuch as refusal:
        return Sheet(where, None, {}), [_plain(where, None, str(refusal), _SIMPLER)]
    return Sheet(where, data, reader.lines), reader.mistakes


def _compose(text: str) -> Any:
    loader = YAML(typ="safe", pure=True)
    loader.version = (1, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cast(Any, loader).compose(text)


class _Reader:
    """Walks the composed nodes once, expanding aliases within a budget."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.lines: dict[Path, int] = {}
        self.mistakes: list[Mistake] = []
        self.left = MAX_VALUES

    def value(self, node: Any, path: Path, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            what = "nested too deeply" if depth > MAX_DEPTH else f"more than {MAX_VALUES} values with aliases expanded"
            raise _TooMuch(f"the file is too large: {what}")
        self.lines.setdefault(path, _line(node))
        if str(node.tag) not in _TAGS:
            self.wrong(node, f"the tag {str(node.tag)!r} is not read", "Remove the tag; values are plain YAML.")
        match node.id:
            case "mapping":
                return self.mapping(node, path, depth)
            case "sequence":
                items = cast(list[Any], node.value)
                return [self.value(item, (*path, number), depth + 1) for number, item in enumerate(items)]
            case _:
                return _scalar(node)

    def mapping(self, node: Any, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, item in cast(list[tuple[Any, Any]], node.value):
            if key_node.id != "scalar":
                self.wrong(key_node, "a key is not a plain text", "Write `key: value`.")
                continue
            key = str(key_node.value)
            if key in first:
                self.wrong(key_node, f"the key {key!r} stands twice (first on line {first[key]})", "Keep one of them.")
                continue
            first[key] = _line(key_node)
            self.lines[(*path, key)] = first[key]
            found[key] = self.value(item, (*path, key), depth + 1)
        return found

    def wrong(self, node: Any, message: str, remedy: str) -> None:
        self.mistakes.append(_plain(self.where, _line(node), message, remedy))


def _scalar(node: Any) -> Any:
    """YAML 1.2 core: only these plain spellings are not text, so `on`, `no` and `1_000` stay as written."""
    written = str(node.value)
    if node.style is not None:
        return written
    if _NULL.fullmatch(written):
        return None
    if _BOOL.fullmatch(written):
        return written.lower() == "true"
    if _INT.fullmatch(written):
        return int(written) if len(written) <= LONGEST_NUMBER else written
    if _OTHER_INT.fullmatch(written):
        return int(written, 0) if len(written) <= LONGEST_NUMBER else written
    number = float(written) if _FLOAT.fullmatch(written) else None
    return written if number is None or not math.isfinite(number) else number


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _plain(where: str, line: int | None, message: str, remedy: str) -> Mistake:
    return Mistake(where=where, line=line, code="PB001", message=message, remedy=remedy)


def _unreadable(error: Any, text: str, where: str) -> Mistake:
    """A character that YAML does not allow, at its line; any other trouble of the reader as it says it."""
    at = getattr(error, "position", None)
    if not isinstance(at, int) or not 0 <= at < len(text):
        return _plain(where, None, f"this is not YAML: {error}", "Save it as UTF-8 text.")
    line, character = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    message = f"{called(text[at])} hides in the text: its line {line}, character {character}"
    return _plain(where, line, message, "Remove it; write only what can be seen.")


def _from_yaml(error: Any, where: str) -> Mistake:
    mark = error.problem_mark or error.context_mark
    line = None if mark is None else int(mark.line) + 1
    said = " ".join(str(part) for part in (error.context, error.problem) if part)
    remedy = "Mend the YAML here; texts with `: ` or ` #` need quotes, and indentation is spaces."
    return _plain(where, line, f"this is not YAML: {said}", remedy)
