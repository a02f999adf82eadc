"""What goes to stdout, in the form that was asked: for a person, for a pipe, for a program."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import typer
from pydantic import BaseModel

from ratchet.cli.page import Block, escaped, markdown, plain
from ratchet.cli.table import TERMINAL, YAML, load
from ratchet.cli.words import clean, clean_lines, inert, unseen_escaped

T = TypeVar("T", bound=BaseModel)
LONGEST = 200
"""Entries that one page of a list has at most."""


class Form(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    JSONL = "jsonl"
    YAML = "yaml"
    NAME = "name"
    MD = "md"


FormOption = Annotated[Form, typer.Option("-o", "--output", help="How to write the answer.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Ids only.")]
HeaderOption = Annotated[bool, typer.Option("--header", help="A header line in a pipe too.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where there is no terminal.")]


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column: its header, how a cell is read, whether only `wide` shows it, and whether a person's table breaks its
    cells into lines instead of cutting them."""

    name: str
    read: Callable[[T], object]
    wide: bool = False
    wraps: bool = False


class How(NamedTuple):
    """The form, and what a list leaves out or adds."""

    form: Form = Form.TABLE
    quiet: bool = False
    header: bool = False


def for_a_person() -> bool:
    """Whether stdout is a terminal, or is to be treated as one."""
    return sys.stdout.isatty() or os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0")


def out(text: str) -> None:
    """One line, or a finished text, to stdout; nothing that steers a terminal passes here."""
    sys.stdout.write(inert(text) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """One line to stderr: progress and remarks, never the answer."""
    sys.stderr.write(inert(text) + "\n")
    sys.stderr.flush()


def json_line(body: Any) -> None:
    """A JSON value on one line of stdout; what nobody sees stands there as an escape."""
    out(unseen_escaped(json.dumps(body, ensure_ascii=False)))


def document(body: Any, form: Form) -> None:
    """A JSON value, as JSON (indented for a person), one line, or YAML."""
    match form:
        case Form.YAML:
            out(load(YAML)(body).rstrip("\n"))
        case Form.JSON if for_a_person():
            out(unseen_escaped(json.dumps(body, indent=2, ensure_ascii=False)))
        case _:
            json_line(body)


def listing(items: Sequence[T], columns: Sequence[Column[T]], how: How, envelope: dict[str, Any]) -> None:
    """A list. The first column is the id; `envelope` is the API's own object around the items."""
    match how.form:
        case _ if how.quiet:
            _lines(clean(columns[0].read(item)) for item in items)
        case Form.JSON | Form.YAML:
            document(envelope, how.form)
        case Form.JSONL:
            for item in items:
                json_line(item.model_dump(mode="json"))
        case Form.NAME:
            _lines(f"{columns[0].name.lower()}/{clean(columns[0].read(item))}" for item in items)
        case Form.MD:
            _markdown_table(items, _shown(columns, wide=True))
        case _:
            _table(items, _shown(columns, wide=how.form is Form.WIDE), how)


def more(shown: int, following: str | None, narrower: str) -> None:
    """Say on stderr that a list was cut (`following` is where its next page begins), and what shows the rest."""
    if following is not None:
        say(f"There are more than these {shown}: --limit shows up to {LONGEST}, {narrower} fewer kinds.")


def single(view: BaseModel, page: Callable[[], Iterable[Block]], form: Form, name: str) -> None:
    """One thing; `page` is what a person reads of it, `name` its `noun/id`."""
    match form:
        case Form.JSON | Form.JSONL | Form.YAML:
            document(view.model_dump(mode="json"), form)
        case Form.NAME:
            out(name)
        case Form.MD:
            _lines(markdown(page()))
        case _:
            show_page(page())


def show_page(blocks: Iterable[Block]) -> None:
    """A page on stdout."""
    if for_a_person():
        load(TERMINAL)(sys.stdout, forced=not sys.stdout.isatty()).page(blocks)
    else:
        _lines(plain(blocks))


def markdown_text(text: str) -> None:
    """A Markdown text: read out on a terminal, as it is in a pipe."""
    if for_a_person():
        load(TERMINAL)(sys.stdout, forced=not sys.stdout.isatty()).markdown(text)
    else:
        _lines(clean_lines(text.rstrip()))


def page_of(items: Sequence[BaseModel], key: str = "items") -> dict[str, Any]:
    """The API's object around a list that has no pages."""
    return {key: [item.model_dump(mode="json") for item in items]}


def _shown(columns: Sequence[Column[T]], *, wide: bool) -> list[Column[T]]:
    return [column for column in columns if wide or not column.wide]


def _table(items: Sequence[T], columns: Sequence[Column[T]], how: How) -> None:
    rows = [[_cell(column.read(item)) for column in columns] for item in items]
    header = [column.name for column in columns]
    if for_a_person():
        terminal = load(TERMINAL)(sys.stdout, forced=not sys.stdout.isatty())
        wraps = frozenset(n for n, column in enumerate(columns) if column.wraps)
        terminal.table(header, rows, whole=how.form is Form.WIDE, wraps=wraps)
        return
    _lines("\t".join(row) for row in ([header, *rows] if how.header else rows))


def _markdown_table(items: Sequence[T], columns: Sequence[Column[T]]) -> None:
    out("| " + " | ".join(column.name for column in columns) + " |")
    out("|" + "---|" * len(columns))
    for item in items:
        out("| " + " | ".join(escaped(_cell(column.read(item))) for column in columns) + " |")


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else clean(value)


def _lines(lines: Iterable[str]) -> None:
    for line in lines:
        out(line)
