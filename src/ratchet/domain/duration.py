"""Durations as people write them in playbooks: `500ms 90s 5m 2h 7d`, kept as seconds."""

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SHAPE = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def parse_duration(text: object) -> float:
    """Seconds meant by `text`; a number is taken as seconds. Raises ValueError for anything else."""
    if isinstance(text, bool) or text is None:
        raise ValueError("a duration is a number with a unit, such as 90s, 5m, 2h or 7d")
    if isinstance(text, int | float):
        return float(text)
    found = _SHAPE.fullmatch(str(text).strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration; write a number with a unit, such as 90s, 5m, 2h or 7d")
    return float(found[1]) * _UNITS[found[2]]


def show_duration(seconds: float) -> str:
    """The shortest exact way to write a duration: 90.0 -> `90s`, 300.0 -> `5m`."""
    for unit in ("d", "h", "m", "s"):
        size = _UNITS[unit]
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s" if seconds * 1000 % 1 else f"{round(seconds * 1000)}ms"


Duration = Annotated[float, BeforeValidator(parse_duration), PlainSerializer(show_duration, return_type=str)]
"""Seconds, read and written in the form of `show_duration`."""
