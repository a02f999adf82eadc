"""Finds the secrets that we hold, in every spelling, fast enough for every text that is kept."""

import re
from collections.abc import Callable, Iterable

from ratchet.security.secrets import Secret
from ratchet.security.spellings import SHORTEST, parts, spellings


class Known:
    """The spellings of all secrets that we hold, each with the mark that takes its place."""

    def __init__(self, secrets: Iterable[Secret], mark: Callable[[str], str]) -> None:
        self.marks: dict[str, str] = {}
        for secret in secrets:
            for part in parts(secret.reveal()):
                if len(part) >= SHORTEST:
                    self.marks.update(dict.fromkeys(spellings(part), mark(part)))
        longest_first = sorted(self.marks, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        self._shortest = len(longest_first[-1]) if longest_first else 0

    def stands_in(self, text: str) -> bool:
        """Whether any spelling is there; many plain searches are far faster than one pattern of many branches."""
        return len(text) >= self._shortest and any(spelling in text for spelling in self.marks)

    def scrub(self, text: str) -> str:
        """The text with every spelling replaced by its mark."""
        return self._pattern.sub(lambda found: self.marks[found[0]], text) if self.stands_in(text) else text
