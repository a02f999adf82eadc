"""Small wordings: times, shares, and texts made safe for a terminal."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

from ratchet.domain.unseen import STEERS, UNSEEN

ELLIPSIS = "..."
ITEMS_SHOWN = 3
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


def clean(text: object) -> str:
    """One line without control characters: what a monitor or a database says must not steer a terminal."""
    return "".join(_safe(character) for character in str(text))


def clean_lines(text: str) -> list[str]:
    """The lines of a text, each without control characters."""
    return [clean(line) for line in text.replace("\r\n", "\n").split("\n")]


def _safe(character: str) -> str:
    if character in "\t\n\r":
        return " "
    number = ord(character)
    # C0 and C1 controls, and the marks that turn the direction of writing around.
    hidden = number < 32 or 127 <= number < 160 or 0x202A <= number <= 0x202E or 0x2066 <= number <= 0x2069
    if hidden:
        return "\ufffd"
    return f"<U+{number:04X}>" if UNSEEN.fullmatch(character) else character


def unseen_escaped(text: str) -> str:
    """A JSON text in which every character that nobody sees, or that steers a terminal, is written as an escape."""
    return STEERS.sub(lambda found: json.dumps(found[0])[1:-1], text)


def yaml_escaped(text: str) -> str:
    """The same for a YAML text, whose escapes are its own; a line feed in a quoted text is escaped by its writer."""
    return STEERS.sub(lambda found: f"\\U{ord(found[0]):08X}", text)


def hides(text: str) -> bool:
    """Whether a text holds a character that nobody sees, or that steers a terminal."""
    return STEERS.search(text) is not None


def inert(text: str) -> str:
    """Finished output, made sure of: whoever forgot to clean a value does not pass it on to a terminal."""
    return STEERS.sub(lambda found: _safe(found[0]), text)


def share(number: float) -> str:
    """A confidence as a percentage."""
    return f"{number:.0%}"


def counted(number: int, noun: str) -> str:
    """`1 row`, `3 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def clock(moment: datetime | None) -> str:
    """`02:19:04`, in UTC."""
    return "-" if moment is None else moment.astimezone(UTC).strftime("%H:%M:%S")


def day(moment: datetime | None) -> str:
    """`2026-11-20 02:19:04 UTC`."""
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(seconds: float) -> str:
    """`41s`, `12m`, `3h 10m`, `4d`: how long, in the unit a person would use."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole}s"
    if whole < 7200:
        return f"{whole // 60}m"
    if whole < 172_800:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86_400}d"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago a moment was."""
    return "-" if moment is None else f"{span((now - moment).total_seconds())} ago"


def until(moment: datetime, now: datetime) -> str:
    """`in 8m`, or `expired`."""
    left = (moment - now).total_seconds()
    return f"in {span(left)}" if left > 0 else "expired"


def short_digest(digest: str) -> str:
    """`sha256:` and twelve characters: enough to name a packet by."""
    scheme, _, number = digest.partition(":")
    return f"{scheme}:{number[:12]}"


def grounds(text: str) -> list[str]:
    """A judged condition as lines: the parts of its outermost `and` or `or` one below the other, its verdict last."""
    body, arrow, verdict = text.rpartition("  \u2192  ")
    parts = _parts(body) if arrow else []
    if len(parts) < 2:
        return [text]
    return [*(_bare(part) for part in parts[:-1]), f"{_bare(parts[-1])}  \u2192  {verdict}"]


def _parts(body: str) -> list[str]:
    """`(a) and (b)` as `(a)` and `and (b)`; the whole as one where brackets do not match."""
    parts, depth, begun = list[str](), 0, 0
    for n, character in enumerate(body):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if depth == 0 and body.startswith((" and ", " or "), n):
            parts.append(body[begun:n])
            begun = n + 1
    return [*parts, body[begun:]] if depth == 0 else [body]


def _bare(part: str) -> str:
    """A part without the brackets that held it together."""
    word = next((word for word in ("and ", "or ") if part.startswith(word)), "")
    rest = part.removeprefix(word)
    return word + (rest[1:-1] if rest.startswith("(") and rest.endswith(")") and _one_pair(rest) else rest)


def _one_pair(text: str) -> bool:
    depth = 0
    for n, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and n < len(text) - 1:
            return False
    return depth == 0


def cell(value: object) -> str:
    """A value as it stands in a column: a moment as its time of day, nothing as a dash."""
    text = "-" if value is None else str(value)
    found = _MOMENT.fullmatch(text)
    return found[1] if found else text


def columns(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Rows one below the other under their names."""
    if not rows:
        return []
    table = [list(rows[0]), *([cell(row.get(name)) for name in rows[0]] for row in rows)]
    widths = [max(len(line[n]) for line in table) for n in range(len(rows[0]))]
    return ["  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in table]


def values(row: dict[str, object], most: int = 12) -> str:
    """A row as `name=value` pairs."""
    shown = [f"{name}={'-' if value is None else value}" for name, value in list(row.items())[:most]]
    return "  ".join(shown) + (f"  {ELLIPSIS}" if len(row) > most else "")


def bound(value: object) -> str:
    """A parameter that was bound; of a long list its beginning and its length."""
    if not isinstance(value, list | tuple):
        return str(value)
    items = [str(item) for item in cast("Sequence[object]", value)]
    if len(items) <= ITEMS_SHOWN:
        return f"[{', '.join(items)}]"
    return f"[{', '.join(items[:ITEMS_SHOWN])}, ...] ({len(items)} values)"


def bound_whole(value: object) -> str:
    """A parameter that will be bound, to its last value and its last digit."""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | tuple) else str(value)


def is_long(value: object) -> bool:
    """Whether a parameter is a list of which a short form shows the length alone."""
    return isinstance(value, list | tuple) and len(cast("Sequence[object]", value)) > ITEMS_SHOWN
