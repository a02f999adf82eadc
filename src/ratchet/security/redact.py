"""Takes secrets out of everything that is kept or shown; what cannot be searched is withheld, never let through."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, cast

from ratchet.domain.noun import Json
from ratchet.security.known import Known
from ratchet.security.rules import LINE, SECRET_KEY, WHOLE
from ratchet.security.secrets import Secret

LONGEST_LINE = 16_384
"""Characters of one line that are searched; the rest is withheld, so that no input makes the search slow."""
DEEPEST = 64
WITHHELD = "[withheld]"
_TOKEN = re.compile(r"\[secret:[0-9a-f]{4}\][\])>.]{0,4}")


class _Hunt(NamedTuple):
    """What may stand in a value at all: the secrets that we hold, and shapes by which others are recognised."""

    known: Known
    shapes: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]


class Redacts(Protocol):
    """Whatever takes secrets out, with the secrets known now."""

    def redact(self, value: Json) -> Json:
        """The value without secrets."""
        ...

    def text(self, text: str) -> str:
        """The text without secrets."""
        ...

    def identity(self, text: str) -> str:
        """The text itself, or what stands for it where it holds a secret."""
        ...


class Redactor:
    """Replaces secrets by `[secret:3f2a]`, the same four digits for the same secret under the same key.

    Secrets that we hold go first, in every spelling; then the shapes of secrets in general. E-mail addresses stay.
    """

    def __init__(self, known: Iterable[Secret], key: bytes) -> None:
        self._key = key
        self._known = Known(known, self._mark)
        self._none = Known((), self._mark)

    def redact(self, value: Json) -> Json:
        """The value without secrets: same shape, same keys, texts scrubbed; numbers, booleans and null untouched."""
        return self._any(value, DEEPEST, self._hunt("\n".join(_texts(value, DEEPEST))))

    def text(self, text: str) -> str:
        """One text without secrets, or `[withheld]` when it could not be searched."""
        return self._text(text, self._hunt(text))

    def identity(self, text: str) -> str:
        """The text itself when it holds no secret; else its print under the key: equal for equal texts alone, as far as
        anything is compared by it."""
        if self.text(text) == text:
            return text
        whole = hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"[secret:{whole.hexdigest()[:32]}]"

    def _hunt(self, whole: str) -> _Hunt:
        """What has to be looked for in any part of this text: most texts have nothing of it."""
        lowered = whole.lower()
        shapes = tuple(pair for pair in LINE if any(word in lowered for word in pair[0]))
        return _Hunt(self._known if self._known.stands_in(whole) else self._none, shapes)

    def _text(self, text: str, hunt: _Hunt) -> str:
        try:
            return self._search(hunt.known.scrub(text), hunt)
        except (ValueError, TypeError, LookupError, RecursionError, OverflowError, re.error):
            return WITHHELD

    def _mark(self, secret: str) -> str:
        digest = hmac.new(self._key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"[secret:{digest.hexdigest()[:4]}]"

    def _any(self, value: object, depth: int, hunt: _Hunt) -> Json:
        if depth == 0:
            return WITHHELD
        match value:
            case str():
                return self._text(value, hunt)
            case None | bool() | int() | float():
                return value
            case dict():
                rows = cast("dict[object, object]", value)
                return {hunt.known.scrub(str(key)): self._entry(str(key), rows[key], depth - 1, hunt) for key in rows}
            case list() | tuple():
                return [self._any(item, depth - 1, hunt) for item in cast("list[object]", value)]
            case _:
                return WITHHELD

    def _entry(self, key: str, item: object, depth: int, hunt: _Hunt) -> Json:
        if isinstance(item, str) and item and SECRET_KEY.fullmatch(key) and not _TOKEN.fullmatch(item):
            return hunt.known.marks.get(item) or self._mark(item)
        return self._any(item, depth, hunt)

    def _search(self, text: str, hunt: _Hunt) -> str:
        if "-----BEGIN" in text:
            for pattern in WHOLE:
                text = pattern.sub(self._hide, text)
        if len(text) <= 256 and "\n" not in text:
            return self._line(text, hunt)
        return "\n".join(self._line(line, hunt) for line in text.split("\n"))

    def _line(self, line: str, hunt: _Hunt) -> str:
        over = len(line) - LONGEST_LINE
        line = line if over <= 0 else line[:LONGEST_LINE]
        lowered = line.lower()
        for words, pattern in hunt.shapes:
            if any(word in lowered for word in words):
                line = pattern.sub(self._hide, line)
        return line if over <= 0 else f"{line}[withheld: {over} characters]"

    def _hide(self, found: re.Match[str]) -> str:
        name = next(name for name, part in found.groupdict().items() if part is not None)
        secret, start, end = found[name], found.start(name) - found.start(), found.end(name) - found.start()
        if _TOKEN.fullmatch(secret.strip()):
            return found[0]
        return found[0][:start] + self._mark(secret.strip()) + found[0][end:]


def _texts(value: object, depth: int) -> Iterator[str]:
    """Every text inside a value, keys included, as deep as it is searched at all."""
    match value:
        case str():
            yield value
        case dict() if depth:
            for key, item in cast("dict[object, object]", value).items():
                yield str(key)
                yield from _texts(item, depth - 1)
        case list() | tuple() if depth:
            for item in cast("list[object]", value):
                yield from _texts(item, depth - 1)
        case _:
            pass
