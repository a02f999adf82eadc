"""Whether a text is a stranger to the library, or says what a series says already: by words of alerts and symptoms."""

import re
from collections.abc import Iterable, Sequence

from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Version

_WORD = re.compile(r"[a-z0-9]{3,}")
_COMMON = frozenset({
    "the", "and", "for", "with", "from", "that", "this", "are", "not", "has", "have", "was", "were", "all", "any",
    "can", "into", "over", "when", "then", "than", "too", "but", "its", "error", "errors", "failed", "server",
    "database", "postgres", "postgresql", "service", "alert",
})  # fmt: skip
NEAR = 0.5
"""Share of the smaller side's words from which two texts speak of the same thing."""
FEWEST = 3
"""Words that must be shared at least: two short lines are alike by chance."""


def words_of(lines: Iterable[str]) -> frozenset[str]:
    """The words that say something."""
    return frozenset(word for line in lines for word in _WORD.findall(line.casefold()) if word not in _COMMON)


def nearest(title: str, symptoms: Sequence[str], library: Iterable[tuple[Version, Playbook]]) -> Version | None:
    """The version that already speaks of this; None when nothing is near enough."""
    asked = [words_of([line]) for line in (title, *symptoms)]
    scored = [(max((_near(line, playbook) for line in asked), default=0.0), version) for version, playbook in library]
    best = max(scored, key=lambda one: one[0], default=None)
    return best[1] if best is not None and best[0] >= NEAR else None


def _near(asked: frozenset[str], playbook: Playbook) -> float:
    """How much of the smaller side one line of the playbook shares with these words, at best."""
    lines = (playbook.metadata.title, *playbook.spec.symptoms)
    return max((_shared(asked, words_of([line])) for line in lines), default=0.0)


def _shared(a: frozenset[str], b: frozenset[str]) -> float:
    common = len(a & b)
    return common / min(len(a), len(b)) if common >= FEWEST else 0.0
