"""All rules over one sheet, in the order of the file."""

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
    found = [
        *binding_mistakes(sheet, known, causes),
        *expression_mistakes(sheet, known),
        *review_mistakes(sheet, known, today),
        *wording_mistakes(sheet),
    ]
    return in_order(found)


def in_order(mistakes: list[Mistake]) -> list[Mistake]:
    """By line, each told once."""
    once = {(m.line, m.code, m.message): m for m in mistakes}
    return sorted(once.values(), key=lambda m: (m.line or 0, m.code, m.message))
