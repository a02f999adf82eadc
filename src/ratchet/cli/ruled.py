"""Tables with a rule under their header, in a terminal and in a pipe alike: the layout that faulttest is known for."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from ratchet.cli.show import for_a_person, out
from ratchet.cli.table import TERMINAL, load
from ratchet.cli.words import clean


class Row(NamedTuple):
    """The cells of one row, and lines that stand below it."""

    cells: Sequence[str]
    notes: Sequence[str] = ()


def show_ruled(header: Sequence[str], rows: Sequence[Row], *, whole: bool = False) -> None:
    """The table. A terminal has colours, and cuts at its edge unless `whole`; a pipe gets every line whole."""
    lines = [
        list(header),
        ["-" * width for width in _widths(header, rows)],
        *(line for row in rows for line in ([_cell(each) for each in row.cells], *([f"  {n}"] for n in row.notes))),
    ]
    widths = _widths(header, rows)
    if for_a_person():
        load(TERMINAL)(sys.stdout, forced=not sys.stdout.isatty()).ruled(lines, widths, whole=whole)
        return
    for line in lines:
        note = len(line) < len(widths)
        cells = line if note else [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        out(" ".join(cells).rstrip())


def _widths(header: Sequence[str], rows: Sequence[Row]) -> list[int]:
    table = [header, *([_cell(each) for each in row.cells] for row in rows)]
    return [max(len(line[n]) for line in table) for n in range(len(header))]


def _cell(text: str) -> str:
    return clean(text) or "-"
