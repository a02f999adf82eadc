"""The values a condition works on: JSON, and Unknown for what could not be seen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

MAX_INTEGER_BITS = 128
MAX_DEPTH = 40
SHOWN_ITEMS = 3
SHOWN_KEYS = 8
SHOWN_CHARACTERS = 80
SHOWN_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands, at any depth of the evidence, for a value nobody could read; touching it makes the answer unknown."""

    reason: str


class Missing(Unknown):
    """Unknown because the evidence was read and the path leads nowhere in it: `exists` answers false to it."""

    __slots__ = ()


Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
Datum: TypeAlias = bool | int | float | str | Unknown | Sequence["Datum"] | Mapping[str, "Datum"] | None
Scope: TypeAlias = Mapping[str, Datum]


def admit(value: Datum, label: str) -> Datum:
    """The value itself, or Unknown where it is no finite JSON value; `label` is how a person would name it."""
    match value:
        case Unknown():
            return Unknown(f"{label}: {value.reason}")
        case None | bool() | str() | list() | tuple() | Mapping():
            return value
        case int():
            return value if value.bit_length() <= MAX_INTEGER_BITS else Unknown(f"{label} is too large a number")
        case float():
            return value if math.isfinite(value) else Unknown(f"{label} is not a finite number")
        case _:
            return Unknown(f"{label} is a {type(value).__name__}, not a JSON value")


def is_number(value: Datum) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def called(row: Datum) -> str:
    """What a person calls a row: its first column that says who or what it is; a number stands after its name."""
    if not isinstance(row, Mapping):
        return ""
    for key, value in row.items():
        if isinstance(value, str) and value:
            return value if value.replace("-", "").replace("_", "").isalnum() and value.isascii() else show(value)
        if is_number(value):
            return f"{_word(key)} {show(value)}"
    return ""


def kind_of(value: Datum) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case Mapping():
            return "an object"
        case Unknown():
            return "unknown"
        case _:
            return "a list"


def as_json(value: Datum, label: str, depth: int = 0) -> Json | Unknown:
    """The same value in plain lists and dicts; an Unknown anywhere inside makes the whole unknown."""
    seen = admit(value, label)
    if isinstance(seen, None | bool | int | float | str | Unknown):
        return seen
    if depth > MAX_DEPTH:
        return Unknown(f"{label} is nested too deeply")
    if isinstance(seen, Mapping):
        pairs = {key: as_json(item, f"{label}.{key}", depth + 1) for key, item in seen.items()}
        doubt = next((item for item in pairs.values() if isinstance(item, Unknown)), None)
        return doubt or {key: item for key, item in pairs.items() if not isinstance(item, Unknown)}
    items = [as_json(item, f"{label}[{place}]", depth + 1) for place, item in enumerate(seen)]
    doubt = next((item for item in items if isinstance(item, Unknown)), None)
    return doubt or [item for item in items if not isinstance(item, Unknown)]


def weight(value: Datum, most: int, depth: int = 0) -> int:
    """How many values are inside, counted no further than `most`."""
    if isinstance(value, str | Unknown) or not isinstance(value, Mapping | Sequence) or depth > MAX_DEPTH:
        return 1
    total = 1
    for item in value.values() if isinstance(value, Mapping) else value:
        total += weight(item, most - total, depth + 1)
        if total > most:
            break
    return total


def capped(value: Datum, depth: int = 0) -> Json:
    """A short JSON likeness for people: three items of a list and the count of the rest, 80 characters of a text."""
    match admit(value, ""):
        case Unknown():
            return None
        case str() as text:
            # Half of a surrogate pair is legal in JSON and in no encoding.
            short = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
            return short.encode(errors="replace").decode()
        case (None | bool() | int() | float()) as plain:
            return plain
        case _ if depth >= SHOWN_DEPTH:
            return "…"
        case Mapping() as pairs:
            shown = {str(capped(key)): capped(pairs[key], depth + 1) for key in [*pairs][:SHOWN_KEYS]}
            return shown if len(pairs) <= SHOWN_KEYS else {**shown, "…": f"{len(pairs) - SHOWN_KEYS} more"}
        case several:
            items = [capped(item, depth + 1) for item in several[:SHOWN_ITEMS]]
            return items if len(several) <= SHOWN_ITEMS else [*items, f"… {len(several) - SHOWN_ITEMS} more"]


def show(value: Datum, exact: bool = False, depth: int = 0) -> str:
    """The value as one short printable piece of a line; numbers with six digits unless `exact`."""
    match admit(value, ""):
        case Unknown():
            return "unknown"
        case None:
            return "null"
        case bool() as truth:
            return "true" if truth else "false"
        case float() as number if not exact:
            return _short_number(number)
        case (int() | float()) as number:
            return str(number)
        case str() as text:
            return repr(capped(text))
        case _ if depth >= SHOWN_DEPTH:
            return "…"
        case Mapping() as pairs:
            shown = ", ".join(f"{_word(key)}: {show(pairs[key], depth=depth + 1)}" for key in [*pairs][:SHOWN_ITEMS])
            return "{" + shown + _rest(len(pairs)) + "}"
        case several:
            return (
                "[" + ", ".join(show(one, depth=depth + 1) for one in several[:SHOWN_ITEMS]) + _rest(len(several)) + "]"
            )


def printable(text: str, most: int = 240) -> str:
    """Text from outside made safe for a terminal line: no control or direction marks, bounded length."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text[: most + 1])
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def _word(key: str) -> str:
    return printable(str(key), SHOWN_CHARACTERS)


def _rest(count: int) -> str:
    return "" if count <= SHOWN_ITEMS else f", … {count - SHOWN_ITEMS} more"


def _short_number(value: float) -> str:
    if 100_000 <= abs(value) < 1e15:
        return f"{value:.1f}".removesuffix(".0")
    return f"{value:.6g}"
