"""Pages of lists: the bounds of a page and the opaque text that says where the next one begins."""

import base64
import json
from typing import Any, cast

from ratchet.domain.errors import Refusal, invalid

LONGEST = 200


def check_limit(limit: int) -> int:
    """The limit itself; raises Refusal(INVALID) outside 1..200."""
    if not 1 <= limit <= LONGEST:
        raise invalid(
            f"A page has 1 to {LONGEST} entries, not {limit}.", f"Ask for at most {LONGEST} and follow next_cursor."
        )
    return limit


def cursor_of(*place: str | int) -> str:
    """The text for a place in a list."""
    return base64.urlsafe_b64encode(json.dumps(place).encode("utf-8")).decode("ascii").rstrip("=")


def place_of(cursor: str, shape: tuple[type[str] | type[int], ...]) -> list[str | int]:
    """The place that a cursor means; raises Refusal(INVALID) for a text that no list of this shape gave out."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place: Any = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise _strange() from None
    parts: list[str | int] = cast("list[str | int]", place) if isinstance(place, list) else []
    if [type(part) for part in parts] != list(shape):
        raise _strange()
    return parts


def _strange() -> Refusal:
    return invalid("This cursor was not given out by this list.", "Leave the cursor out to begin at the first page.")
