"""A picture as boxes and words, in pixels from the upper left corner; and the two pictures that there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ratchet.cli.words import clean
from ratchet.domain.drift import Drift
from ratchet.vault.report import BatchLine

INK, QUIET, PALE, GOOD, BAD = "#1f2933", "#66717d", "#e6e9ec", "#1f7a5a", "#d0563f"
NAMES, CELLS, CELL, ROW, HEAD = 220, 480, 12, 26, 66
"""Widths of the names and of the strip, of one cell, the height of a row, and of the title above."""
SPARKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str


@dataclass(frozen=True)
class Word:
    """A line of text; `y` is its baseline."""

    x: float
    y: float
    text: str
    size: int = 13
    fill: str = INK


@dataclass(frozen=True)
class Picture:
    """All of it on white."""

    width: int
    height: int
    title: str
    shapes: tuple[Box | Word, ...]


def buckets(outcomes: Sequence[bool], most: int) -> list[float]:
    """The share that passed, 0 to 1, of at most that many neighbouring groups of samples, oldest first."""
    count = min(len(outcomes), most)
    ends = [len(outcomes) * n // count for n in range(count + 1)] if count else []
    groups = [outcomes[a:b] for a, b in pairwise(ends)]
    return [sum(group) / len(group) for group in groups]


def sparkline(shares: Sequence[float]) -> str:
    """Shares from 0 to 1 as a line of blocks."""
    return "".join(SPARKS[round(share * (len(SPARKS) - 1))] for share in shares)


def drift_picture(title: str, faults: Sequence[Drift]) -> Picture:
    """A strip per fault and half: a cell per sample, oldest first; many samples share a cell."""
    ends = [Word(NAMES + n * CELLS // 2, 52, name, 11, QUIET) for n, name in enumerate(("first half", "second half"))]
    shapes: list[Box | Word] = [Word(16, 26, title, 16), *ends]
    for n, each in enumerate(faults):
        y = HEAD + n * ROW
        shapes.append(Word(16, y + 15, each.fault))
        older, newer = each.outcomes[: each.first.samples], each.outcomes[each.first.samples :]
        half = CELLS // 2
        shapes += _strip(NAMES, y, buckets(older, half // CELL - 1))
        shapes += _strip(NAMES + half, y, buckets(newer, half // CELL - 1))
        shapes.append(Word(NAMES + CELLS, y + 15, _moved(each), fill=BAD if each.significant else QUIET))
    return Picture(960, HEAD + len(faults) * ROW + 16, title, tuple(shapes))


def status_picture(title: str, batches: Sequence[BatchLine]) -> Picture:
    """A bar per batch, oldest first."""
    shapes: list[Box | Word] = [Word(16, 26, title, 16)]
    for n, each in enumerate(batches):
        y = HEAD + n * ROW
        shapes.append(Word(16, y + 15, f"{each.ended_at.date().isoformat()}  {each.run_id}"))
        whole = each.passed / each.samples if each.samples else 0.0
        shapes.append(Box(NAMES, y + 2, CELLS, 16, PALE))
        shapes += [Box(NAMES, y + 2, CELLS * whole, 16, GOOD)] if whole else []
        shapes.append(Word(NAMES + CELLS + 12, y + 15, f"{each.passed}/{each.samples}", fill=QUIET))
    return Picture(960, HEAD + len(batches) * ROW + 16, title, tuple(shapes))


def _strip(x: float, y: float, shares: Sequence[float]) -> list[Box | Word]:
    """What passed stands on the line, what failed hangs below it, so that it shows without colours too."""
    found: list[Box | Word] = []
    for n, share in enumerate(shares):
        place = x + n * CELL
        found += [Box(place, y + 12 - 10 * share, CELL - 2, 10 * share, GOOD)] if share else []
        found += [Box(place, y + 12, CELL - 2, 8 * (1 - share), BAD)] if share < 1 else []
    return found


def _moved(each: Drift) -> str:
    first, second = each.first, each.second
    points = "n/a" if each.points is None else f"{each.points:+.1f}".removesuffix(".0") if each.points else "0"
    told = f"{first.passed}/{first.samples} then {second.passed}/{second.samples}, {points}"
    return clean(f"{told}, significant" if each.significant else told)
