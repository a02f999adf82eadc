"""Turns a result into rows of JSON values, so that evidence can be kept, compared and judged."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, cast

MAX_ROWS = 200
LARGEST = 2**53 - 1
"""Beyond this a JSON number is no longer exact; such a number is an identifier and becomes text."""
WITHHELD = "(bytes withheld)"


def json_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[dict[str, Any], ...], bool]:
    """At most MAX_ROWS rows as JSON values, and whether there were more."""
    kept = tuple({name: json_value(value) for name, value in row.items()} for row in rows[:MAX_ROWS])
    return kept, len(rows) > MAX_ROWS


def json_value(value: Any) -> Any:
    """Times as ISO text, intervals as seconds, numerics as numbers; not-a-number as None; bytes are refused."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -LARGEST <= value <= LARGEST else str(value)
        case float():
            return value if isfinite(value) else None
        case Decimal():
            return _number(value)
        case datetime() | date() | time() | timedelta():
            return _moment(value)
        case bytes() | memoryview() | bytearray():
            return WITHHELD
        case list() | tuple():
            return [json_value(item) for item in cast("Sequence[Any]", value)]
        case dict():
            return {str(name): json_value(item) for name, item in cast("dict[Any, Any]", value).items()}
        case _:
            return str(value)


def _moment(value: datetime | date | time | timedelta) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value.isoformat()


def _number(value: Decimal) -> Any:
    if not value.is_finite():
        return None
    return json_value(int(value)) if value == value.to_integral_value() else float(value)
