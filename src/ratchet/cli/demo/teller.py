"""Tells the demo's story: with a little colour on a terminal, as plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.rule import Rule
from rich.text import Text

from ratchet.cli.page import LABEL_WIDTH, Block, Line, Tone, field, plain
from ratchet.cli.terminal import STYLES, Terminal, text
from ratchet.cli.words import clean, inert

Say = Callable[[str], None]
MARKS: dict[str, tuple[str, Tone]] = {
    "served": ("\u2588", "good"),
    "failed": ("\u2592", "bad"),
    "silent": ("\u00b7", "dim"),
}
PLAIN_MARKS = {"served": "+", "failed": "x", "silent": "."}


class Teller:
    """One stream; every line of the story goes through here."""

    def __init__(self, stream: TextIO, *, forced: bool = False) -> None:
        self._stream = stream
        self.live = stream.isatty() or forced
        self._terminal = Terminal(stream, forced=forced and not stream.isatty()) if self.live else None
        self._begun = time.monotonic()

    def part(self, title: str) -> None:
        """A part of the story begins."""
        if self._terminal is None:
            self.line(f"\n== {title} ({self.elapsed():.1f} s)")
            return
        console = self._terminal.console
        console.print()
        rule = Rule(Text(f"{title} ", style="bold"), align="left", style="bright_black", characters="\u2500")
        console.print(rule, width=self._terminal.width)

    def elapsed(self) -> float:
        """Seconds since the story began."""
        return time.monotonic() - self._begun

    def line(self, words: str, tone: Tone = "") -> None:
        """One sentence."""
        if self._terminal is None:
            self._stream.write(inert(words) + "\n")
            self._stream.flush()
        else:
            self._terminal.console.print(text(words, tone), width=self._terminal.width)

    def whole(self, words: str) -> None:
        """A line to be copied: never wrapped, never cut."""
        if self._terminal is None:
            self.line(words)
        else:
            self._terminal.console.print(text(words, "code"), soft_wrap=True)

    def fact(self, label: str, *words: Line | str) -> None:
        """A label and what belongs to it."""
        self.page([field(label, *words)])

    def page(self, blocks: Iterable[Block]) -> None:
        """Blocks of a page."""
        if self._terminal is None:
            for line in plain(blocks):
                self.line(line)
        else:
            self._terminal.page(blocks)

    @contextmanager
    def busy(self, words: str) -> Generator[Say]:
        """Something takes a moment: on a terminal a line that moves, elsewhere nothing."""
        if self._terminal is None:
            yield _unsaid
            return
        with self._terminal.console.status(text(words, "dim"), spinner="dots", spinner_style="bright_black") as status:
            yield lambda more: status.update(text(more, "dim"))

    def strip(self, label: str, seconds: Sequence[str]) -> None:
        """How the shop fared, a mark for every half second."""
        if self._terminal is None:
            self.line(f"{label:<{LABEL_WIDTH}}{''.join(PLAIN_MARKS[each] for each in seconds)}")
            return
        marks = Text(f"{label:<{LABEL_WIDTH}}", style=STYLES["dim"])
        for each in seconds:
            glyph, tone = MARKS[each]
            marks.append(glyph, style=STYLES[tone])
        self._terminal.console.print(marks, width=self._terminal.width)

    def ask(self, question: str) -> bool:
        """A yes or no from the person at the terminal."""
        prompt = f"\n{clean(question)} [y/N] "
        if self._terminal is None:
            self._stream.write(prompt)
            self._stream.flush()
        else:
            self._terminal.console.print(Text(prompt, style="bold yellow"), end="")
        return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _unsaid(_words: str) -> None:
    """Nobody watches a line move in a pipe."""
