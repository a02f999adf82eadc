"""The terminal's way of showing pages and tables, with colour that says something and nothing that merely decorates."""

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ratchet.cli.page import LABEL_WIDTH, Block, Field, Heading, Line, Tone, Whole
from ratchet.cli.words import clean, clean_lines

STYLES: dict[Tone, str] = {
    "": "", "strong": "bold", "good": "green", "bad": "red", "warn": "yellow", "dim": "bright_black", "code": "cyan",
}  # fmt: skip
STATUS_TONES: dict[str, Tone] = {
    "resolved": "good", "approved": "good", "active": "good", "PASS": "good", "ok": "good", "confirmed": "good",
    "escalated": "bad", "denied": "bad", "FAIL": "bad", "not ok": "bad", "expired": "bad",
    "awaiting_approval": "warn", "pending": "warn", "held": "warn", "draft": "warn", "unknown": "warn",
    "superseded": "dim", "retired": "dim", "refuted": "dim", "-": "dim", "(never)": "dim",
}  # fmt: skip
WHOLE, FEWEST, WORD = 24, 6, 12
"""Characters that a narrow window leaves of a table's first column, and of every other."""
GAP = 2
"""Between two columns."""
WIDEST = 120
"""Lines longer than this are hard to read, however wide the window is."""


def text(words: str, tone: Tone = "") -> Text:
    """Words as they are: never read as markup."""
    return Text(clean(words), style=STYLES[tone])


def fitted(longest: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths of columns that fit into `room` characters: the widest is cut first, and the first column, an id that is
    typed again, after all others; none below its `least`."""
    widths = list(longest)
    while sum(widths) > room:
        spare = [n for n in range(len(widths)) if widths[n] > least[n]]
        if not spare:
            break
        widths[max(spare, key=lambda n: (n > 0, widths[n], n))] -= 1
    return widths


class Terminal:
    """Pages and tables on one stream."""

    def __init__(self, stream: TextIO | None = None, *, forced: bool = False) -> None:
        self.console = Console(
            file=stream or sys.stdout, highlight=False, markup=False, emoji=False, force_terminal=forced or None
        )

    @property
    def width(self) -> int:
        return min(self.console.width, WIDEST)

    def page(self, blocks: Iterable[Block]) -> None:
        """A page, wrapped under its labels."""
        first = True
        for block in blocks:
            if isinstance(block, Heading):
                self.heading(block, gap=not first)
            elif isinstance(block, Whole):
                for line in block.lines:
                    self.console.print(text(line.text, line.tone), width=self.width, overflow="fold")
            else:
                self.field(block)
            first = False

    def heading(self, heading: Heading, *, gap: bool) -> None:
        """A heading with its aside at the right edge, and a rule under the page's own title."""
        if gap:
            self.console.print()
        grid = Table.grid(expand=True)
        grid.add_column(ratio=1)
        grid.add_column(justify="right", no_wrap=True)
        aside = text(heading.aside, STATUS_TONES.get(heading.aside, "dim"))
        grid.add_row(Text(clean(heading.text), style="bold" if heading.level == 1 else "bold bright_black"), aside)
        self.console.print(grid, width=self.width)
        if heading.level == 1:
            self.console.print(Text("\u2500" * self.width, style="bright_black"))

    def field(self, block: Field) -> None:
        """A label and its lines."""
        lines = block.lines or (Line("-"),)
        label = clean(block.label)
        if len(label) >= LABEL_WIDTH:
            self.console.print(text(label, block.tone or "dim"))
            label = ""
        for line in lines:
            grid = Table.grid()
            grid.add_column(width=LABEL_WIDTH, no_wrap=True)
            grid.add_column(overflow="fold")
            grid.add_row(text(label, block.tone or "dim"), text(line.text, line.tone))
            self.console.print(grid, width=self.width)
            label = ""

    def table(
        self, header: Sequence[str], rows: Sequence[Sequence[str]], *, whole: bool, wraps: frozenset[int] = frozenset()
    ) -> None:
        """Rows under a header; unless `whole`, the longest cells are cut until the rows fit into the window, and the
        first, an id, last of all. Those of the columns in `wraps` are broken into lines instead."""
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bright_black")
        longest = [max(cell_len(clean(line[n])) for line in (header, *rows)) for n in range(len(header))]
        least = [min(long, FEWEST if n else WHOLE) for n, long in enumerate(longest)]
        for n in wraps:
            words = [cell_len(word) for row in rows for word in clean(row[n]).split()]
            least[n] = min(WORD, max(words, default=least[n]))
        widths = longest if whole else fitted(longest, least, self.console.width - GAP * len(header))
        for n, (name, width) in enumerate(zip(header, widths, strict=True)):
            broken = n in wraps and not whole
            table.add_column(name, no_wrap=not broken, overflow="fold" if broken else "ellipsis", width=width)
        for row in rows:
            table.add_row(*(text(cell, STATUS_TONES.get(cell, "")) for cell in row))
        self.console.print(table, soft_wrap=whole, width=500 if whole else None)

    def ruled(self, lines: Sequence[Sequence[str]], widths: Sequence[int], *, whole: bool) -> None:
        """Lines whose cells stand below each other, the first a header, the second its rule; a short line is a note.
        They are cut at the window's edge unless `whole`."""
        for n, line in enumerate(lines):
            note = len(line) < len(widths)
            padded = line if note else [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
            quiet: Tone = "dim" if note or n < 2 else ""
            cells = [text(cell, quiet or STATUS_TONES.get(cell.strip(), "")) for cell in padded]
            cut = "ignore" if whole else "ellipsis"
            self.console.print(Text(" ").join(cells), no_wrap=True, overflow=cut, crop=not whole)

    def markdown(self, words: str) -> None:
        """A Markdown text as a person reads it: headings, lists and code without their marks, links as text."""
        body = "\n".join(clean_lines(words))
        self.console.print(Markdown(body, hyperlinks=False, code_theme="default"), width=self.width)

    def note(self, words: str, indent: int = 0) -> None:
        """A quiet line."""
        self.console.print(Padding(text(words, "dim"), (0, 0, 0, indent)))
