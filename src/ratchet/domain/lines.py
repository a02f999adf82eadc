"""Reads YAML 1.2 into plain values with their lines; duplicates, alias bombs and foreign tags are mistakes."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, cast

import yaml

from ratchet.domain.errors import Mistake
from ratchet.domain.sheet import Path, Sheet
from ratchet.domain.unseen import called

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
_UNREAD = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML 1.2 does not print (section 5.1), and the line ends of 1.1, which editors do not show as such."""
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "value")
)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, which reads the shipped files in a twentieth of the time; the same in Python where it was not built in."""
_TOO_DEEP = "the file is too large: nested too deeply"
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
    nothing = Sheet(where, None, {})
    unread = _UNREAD.search(text)
    if unread is not None:
        return nothing, [_unreadable(text, unread.start(), where)]
    if len(text.encode()) > MAX_BYTES:
        size = f"the file has {len(text.encode()) // 1024} KB; at most {MAX_BYTES // 1024} are read"
        return nothing, [_plain(where, None, size, "Move prose into linked pages.")]
    try:
        root = _compose(text)
        if root is None:
            return nothing, [_plain(where, 1, "the file is empty", "Start with `apiVersion: ratchet/v1`.")]
        reader = _Reader(where)
        data = reader.value(root, (), 0)
    except _TooMuch as refusal:
        return nothing, [_plain(where, None, str(refusal), _SIMPLER)]
    except yaml.MarkedYAMLError as error:
        return nothing, [_from_yaml(error, text, where)]
    return Sheet(where, data, reader.lines), reader.mistakes


@dataclass(slots=True)
class _Node:
    """A value as written: a scalar's text, a sequence's nodes, or a mapping's pairs of nodes."""

    kind: Literal["scalar", "sequence", "mapping"]
    tag: str | None
    line: int
    value: Any
    quoted: bool = False


def _compose(text: str) -> _Node | None:
    """The one document of a text, its aliases as the node they repeat; None for none. Raises MarkedYAMLError,
    _TooMuch.
    """
    events: Iterator[Any] = cast("Any", yaml).parse(text, Loader=_LOADER)
    composer = _Composer(events)
    root: _Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if root is not None:
                problem = "but found another document"
                raise yaml.MarkedYAMLError("expected a single document", None, problem, event.start_mark)
            root = composer.node(next(events), 0)
    return root


class _Composer:
    """Makes nodes of the parser's events and goes no deeper than a playbook can be."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchored: dict[str, _Node] = {}

    def node(self, event: Any, depth: int) -> _Node:
        if isinstance(event, yaml.AliasEvent):
            known = self._anchored.get(event.anchor)
            if known is None:
                raise yaml.MarkedYAMLError(None, None, f"found undefined alias {event.anchor!r}", event.start_mark)
            return known
        if depth > MAX_DEPTH:
            raise _TooMuch(_TOO_DEEP)
        line = int(event.start_mark.line) + 1
        match event:
            case yaml.MappingStartEvent():
                node = _Node("mapping", event.tag, line, [])
            case yaml.SequenceStartEvent():
                node = _Node("sequence", event.tag, line, [])
            case _:
                node = _Node("scalar", event.tag, line, event.value, quoted=bool(event.style))
        if event.anchor is not None:
            self._anchored[event.anchor] = node
        if node.kind != "scalar":
            self._fill(node, depth + 1)
        return node

    def _fill(self, node: _Node, depth: int) -> None:
        for event in self._events:
            if isinstance(event, yaml.CollectionEndEvent):
                return
            item = self.node(event, depth)
            node.value.append((item, self.node(next(self._events), depth)) if node.kind == "mapping" else item)


class _Reader:
    """Walks the composed nodes once, expanding aliases within a budget."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.lines: dict[Path, int] = {}
        self.mistakes: list[Mistake] = []
        self.left = MAX_VALUES

    def value(self, node: _Node, path: Path, depth: int) -> Any:
        self.left -= 1
        if depth > MAX_DEPTH:
            raise _TooMuch(_TOO_DEEP)
        if self.left < 0:
            raise _TooMuch(f"the file is too large: more than {MAX_VALUES} values with aliases expanded")
        self.lines.setdefault(path, node.line)
        if node.tag is not None and node.tag not in _TAGS:
            self.wrong(node, f"the tag {node.tag!r} is not read", "Remove the tag; values are plain YAML.")
        match node.kind:
            case "mapping":
                return self.mapping(node, path, depth)
            case "sequence":
                return [self.value(item, (*path, number), depth + 1) for number, item in enumerate(node.value)]
            case _:
                return _scalar(node)

    def mapping(self, node: _Node, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, item in cast("list[tuple[_Node, _Node]]", node.value):
            if key_node.kind != "scalar":
                self.wrong(key_node, "a key is not a plain text", "Write `key: value`.")
                continue
            key = str(key_node.value)
            if key in first:
                self.wrong(key_node, f"the key {key!r} stands twice (first on line {first[key]})", "Keep one of them.")
                continue
            first[key] = key_node.line
            self.lines[(*path, key)] = first[key]
            found[key] = self.value(item, (*path, key), depth + 1)
        return found

    def wrong(self, node: _Node, message: str, remedy: str) -> None:
        self.mistakes.append(_plain(self.where, node.line, message, remedy))


def _scalar(node: _Node) -> Any:
    """YAML 1.2 core: only these plain spellings are not text, so `on`, `no` and `1_000` stay as written."""
    written = str(node.value)
    if node.quoted:
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


def _plain(where: str, line: int | None, message: str, remedy: str) -> Mistake:
    return Mistake(where=where, line=line, code="PB001", message=message, remedy=remedy)


def _unreadable(text: str, at: int, where: str) -> Mistake:
    """A character that YAML does not print, at its line."""
    line, character = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    message = f"{called(text[at])} hides in the text: its line {line}, character {character}"
    return _plain(where, line, message, "Remove it; write only what can be seen.")


def _from_yaml(error: yaml.MarkedYAMLError, text: str, where: str) -> Mistake:
    mark = error.problem_mark or error.context_mark
    said = " ".join(str(part) for part in (error.context, error.problem) if part)
    remedy = "Mend the YAML here; texts with `: ` or ` #` need quotes, and indentation is spaces."
    if mark is None:
        return _plain(where, None, f"this is not YAML: {said}", remedy)
    written = text.split("\n")[mark.line : mark.line + 1]
    here = "".join(written)[mark.column : mark.column + 1]
    if here:
        said = said.replace("found character that", f"found character {here!r} that")
    return _plain(where, int(mark.line) + 1, f"this is not YAML: {said}", remedy)
