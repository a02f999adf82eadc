"""All rules over one sheet, in the order of the file."""

from collections.abc import Iterator
from datetime import date

from ratchet.domain.errors import Mistake
from ratchet.domain.sheet import Sheet
from ratchet.vault.bindings import binding_mistakes
from ratchet.vault.expressions import expression_mistakes
from ratchet.vault.known import KnownTools
from ratchet.vault.review import review_mistakes
from ratchet.vault.wording import wording_mistakes

BLOCKING = frozenset({"PB001", "PB010", "PB014"})
"""Mistakes with which a file cannot be used at all; the others are for its author and reviewer."""


def lint(sheet: Sheet, known: KnownTools, causes: frozenset[str], today: date | None = None) -> list[Mistake]:
    """Every fault that the typed shape does not already show, by line. Never raises for a bad file."""
    read = (*_meaning(sheet, known, causes), *review_mistakes(sheet, known, today), *wording_mistakes(sheet))
    return in_order(list(read))


def blocking(sheet: Sheet, known: KnownTools, causes: frozenset[str]) -> bool:
    """Whether `lint` would find what keeps the file from being used: a start asks no more of what was reviewed."""
    return any(mistake.code in BLOCKING for mistake in _meaning(sheet, known, causes))


def _meaning(sheet: Sheet, known: KnownTools, causes: frozenset[str]) -> Iterator[Mistake]:
    """What is said of names, values and conditions; only here stand mistakes that block."""
    yield from binding_mistakes(sheet, known, causes)
    yield from expression_mistakes(sheet, known)


def in_order(mistakes: list[Mistake]) -> list[Mistake]:
    """By line, each told once."""
    once = {(m.line, m.code, m.message): m for m in mistakes}
    return sorted(once.values(), key=lambda m: (m.line or 0, m.code, m.message))
