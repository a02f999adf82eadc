"""A page as blocks of lines: built once, shown in a terminal, in a pipe, or as Markdown."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ratchet.cli.words import clean

Tone = Literal["", "strong", "good", "bad", "warn", "dim", "code"]
LABEL_WIDTH = 19
"""Columns for labels; a longer label takes a line of its own."""


@dataclass(frozen=True)
class Line:
    """One line of text; `code` is shown exactly as it stands."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True)
class Heading:
    """The title of a page (level 1) or of a part of it, with a word at its right edge."""

    text: str
    aside: str = ""
    tone: Tone = "strong"
    level: int = 1


@dataclass(frozen=True)
class Field:
    """A label with the lines that belong to it."""

    label: str
    lines: tuple[Line, ...]
    tone: Tone = ""


@dataclass(frozen=True)
class Whole:
    """Lines under no label, over the full width: long ones are broken there, and nothing of them is left out."""

    lines: tuple[Line, ...]


Block: TypeAlias = Heading | Field | Whole


def field(label: str, *lines: Line | str, tone: Tone = "") -> Field:
    """A field; a plain text is a line without a tone."""
    return Field(label, tuple(Line(line) if isinstance(line, str) else line for line in lines), tone)


def plain(blocks: Iterable[Block]) -> Iterator[str]:
    """The page for a pipe: every line whole, nothing cut, no colour."""
    first = True
    for block in blocks:
        if isinstance(block, Heading):
            if not first:
                yield ""
            aside = f"  [{clean(block.aside)}]" if block.aside else ""
            yield f"{clean(block.text)}{aside}"
        elif isinstance(block, Whole):
            yield from (clean(line.text).rstrip() for line in block.lines)
        else:
            yield from _plain_field(block)
        first = False


def _plain_field(block: Field) -> Iterator[str]:
    label = clean(block.label)
    if len(label) >= LABEL_WIDTH:
        yield label
        label = ""
    for line in block.lines or (Line("-"),):
        yield f"{label:<{LABEL_WIDTH}}{clean(line.text)}".rstrip()
        label = ""


def markdown(blocks: Iterable[Block]) -> Iterator[str]:
    """The page as Markdown, for a ticket or a chat."""
    for block in blocks:
        if isinstance(block, Heading):
            aside = f" ({escaped(block.aside)})" if block.aside else ""
            yield f"{'#' * block.level} {escaped(block.text)}{aside}"
            yield ""
        elif isinstance(block, Whole):
            yield from _fenced(block.lines, "")
        else:
            yield from _markdown_field(block)


def _markdown_field(block: Field) -> Iterator[str]:
    code = [line for line in block.lines if line.tone == "code"]
    words = [line for line in block.lines if line.tone != "code"]
    label = f"**{escaped(block.label)}** " if block.label else ""
    yield f"- {label}{' <br> '.join(escaped(line.text) for line in words)}".rstrip()
    if code:
        yield from _fenced(code, "  ")


def _fenced(lines: Iterable[Line], indent: str) -> Iterator[str]:
    yield f"{indent}```"
    yield from (f"{indent}{clean(line.text).replace('```', '` ` `')}" for line in lines)
    yield f"{indent}```"


def escaped(text: str) -> str:
    """Text that no reader of Markdown takes for markup."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|" else c for c in clean(text))
