"""Takes secrets out of everything that is kept or shown; what cannot be searched is withheld, never let through."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any, cast

from ratchet.domain.noun import Json
from ratchet.security.rules import LINE, SECRET_KEY, WHOLE
from ratchet.security.secrets import Secret
from ratchet.security.spellings import SHORTEST, parts, spellings

LONGEST_LINE = 16_384
"""Characters of one line that are searched; the rest is withheld, so that no input makes the search slow."""
DEEPEST = 64
WITHHELD = "[withheld]"
_TOKEN = re.compile(r"\[secret:[0-9a-f]{4}\][\])>.]{0,4}")


class Redactor:
    """Replaces secrets by `[secret:3f2a]`, the same four digits for the same secret under the same key.

    Secrets that we hold go first, in every spelling; then the shapes of secrets in general. E-mail addresses stay.
    """

    def __init__(self, known: Iterable[Secret], key: bytes) -> None:
        self._key = key
        self._marks = self._spell(known)
        longest_first = sorted(self._marks, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def redact(self, value: Json) -> Json:
        """The value without secrets: same shape, same keys, texts scrubbed; numbers, booleans and null untouched."""
        return self._any(value, DEEPEST)

    def text(self, text: str) -> str:
        """One text without secrets, or `[withheld]` when it could not be searched."""
        try:
            return self._search(text)
        except (ValueError, TypeError, LookupError, RecursionError, OverflowError, re.error):
            return WITHHELD

    def _spell(self, known: Iterable[Secret]) -> dict[str, str]:
        marks: dict[str, str] = {}
        for secret in known:
            for part in parts(secret.reveal()):
                if len(part) >= SHORTEST:
                    marks.update(dict.fromkeys(spellings(part), self._mark(part)))
        return marks

    def _mark(self, secret: str) -> str:
        digest = hmac.new(self._key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"[secret:{digest.hexdigest()[:4]}]"

    def _any(self, value: object, depth: int) -> Json:
        if depth == 0:
            return WITHHELD
        match value:
            case str():
                return self.text(value)
            case None | bool() | int() | float():
                return value
            case dict():
                return self._mapping(cast("dict[object, object]", value), depth)
            case list() | tuple():
                return [self._any(item, depth - 1) for item in cast("list[object]", value)]
            case _:
                return WITHHELD

    def _mapping(self, rows: dict[object, object], depth: int) -> dict[str, Any]:
        return {self._scrub(str(key)): self._entry(str(key), item, depth - 1) for key, item in rows.items()}

    def _entry(self, key: str, item: object, depth: int) -> Json:
        if isinstance(item, str) and item and SECRET_KEY.fullmatch(key) and not _TOKEN.fullmatch(item):
            return self._marks.get(item) or self._mark(item)
        return self._any(item, depth)

    def _search(self, text: str) -> str:
        text = self._scrub(text)
        lowered = text.casefold()
        if "-----begin" in lowered:
            for pattern in WHOLE:
                text = pattern.sub(self._hide, text)
        if len(text) <= 256 and "\n" not in text:
            return self._line(text)
        return "\n".join(self._line(line) for line in text.split("\n"))

    def _line(self, line: str) -> str:
        over = len(line) - LONGEST_LINE
        line = line if over <= 0 else line[:LONGEST_LINE]
        lowered = line.lower()
        for words, pattern in LINE:
            if any(word in lowered for word in words):
                line = pattern.sub(self._hide, line)
        return line if over <= 0 else f"{line}[withheld: {over} characters]"

    def _scrub(self, text: str) -> str:
        if self._known is None:
            return text
        return self._known.sub(lambda found: self._marks[found[0]], text)

    def _hide(self, found: re.Match[str]) -> str:
        name = next(name for name, part in found.groupdict().items() if part is not None)
        secret, start, end = found[name], found.start(name) - found.start(), found.end(name) - found.start()
        if _TOKEN.fullmatch(secret.strip()):
            return found[0]
        return found[0][:start] + self._mark(secret.strip()) + found[0][end:]
