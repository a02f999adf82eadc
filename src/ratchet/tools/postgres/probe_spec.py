"""What is known of a registered read probe, frozen; and how its arguments are bound."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from ratchet.domain.duration import parse_duration
from ratchet.domain.errors import invalid
from ratchet.domain.noun import Noun

ArgType = Literal["int", "float", "bool", "text", "duration_s"]
ColumnType = Literal["int", "float", "bool", "text", "timestamp", "list"]
Where = Literal["any", "primary", "replica"]
Scalar = bool | int | float | str

_INT8 = 2**63
_LONGEST_TEXT = 1000


class ColumnSpec(Noun):
    """A column of an answer; timestamps are ISO 8601 text in UTC with microseconds, and any value may be null."""

    name: str
    type: ColumnType
    meaning: str


class ArgSpec(Noun):
    """An argument of a probe; without a default it must be given."""

    name: str
    type: ArgType
    required: bool
    default: Scalar | None = None


class VersionRange(Noun):
    """Major server versions, both ends included; no `high` means every later one."""

    low: int
    high: int | None = None

    def holds(self, major: int) -> bool:
        """Whether a server of this major version may be asked."""
        return self.low <= major and (self.high is None or major <= self.high)

    def overlaps(self, other: "VersionRange") -> bool:
        """Whether some version lies in both."""
        return self.holds(other.low) or other.holds(self.low)

    def __str__(self) -> str:
        return f"{self.low}+" if self.high is None else f"{self.low}-{self.high}"


class ProbeSpec(Noun):
    """One read probe for a range of server versions. `sql` is psycopg text: always send it with what `bind` gives."""

    name: str
    summary: str
    privileges: tuple[str, ...]
    versions: VersionRange
    extension: str | None
    where: Where
    args: tuple[ArgSpec, ...]
    columns: tuple[ColumnSpec, ...]
    sql: str
    file: str

    @property
    def column_names(self) -> tuple[str, ...]:
        """The answer's columns in order."""
        return tuple(column.name for column in self.columns)


def bind(spec: ProbeSpec, args: Mapping[str, Any]) -> dict[str, Scalar]:
    """The mapping to send with `spec.sql`. Raises Refusal for an unknown, missing or ill-typed argument."""
    known = {arg.name: arg for arg in spec.args}
    names = ", ".join(known) or "none"
    for name in args:
        if name not in known:
            raise invalid(f"{spec.name} has no argument {name!r}.", f"Its arguments are: {names}.")
    bound: dict[str, Scalar] = {}
    for arg in spec.args:
        given = args.get(arg.name, arg.default)
        if given is None:
            raise invalid(f"{spec.name} needs {arg.name!r}.", f"Give {arg.name} as {arg.type}.")
        try:
            bound[arg.name] = coerce(arg.type, given)
        except ValueError as error:
            raise invalid(f"{spec.name}: {arg.name} does not fit: {error}.", f"Give it as {arg.type}.") from error
    return bound


def coerce(kind: ArgType, given: object) -> Scalar:
    """`given` as the type of an argument, also from the text that a template leaves. Raises ValueError."""
    match kind:
        case "int":
            return _int(given)
        case "float":
            return _finite(given)
        case "bool":
            return _bool(given)
        case "duration_s":
            seconds = _finite(parse_duration(given))
            if seconds < 0:
                raise ValueError("a duration is not negative")
            return seconds
        case "text":
            return _text(given)


def _int(given: object) -> int:
    if isinstance(given, int | str) and not isinstance(given, bool):
        number = int(given) if isinstance(given, int) or len(given) <= 20 else _INT8
        if -_INT8 <= number < _INT8:
            return number
    raise ValueError("a whole number of at most 64 bits is needed")


def _finite(given: object) -> float:
    if isinstance(given, int | float | str) and not isinstance(given, bool):
        number = float(given)
        if math.isfinite(number):
            return number
    raise ValueError("a finite number is needed")


def _bool(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if given in ("true", "false"):
        return given == "true"
    raise ValueError("true or false is needed")


def _text(given: object) -> str:
    if isinstance(given, str) and len(given) <= _LONGEST_TEXT and "\x00" not in given:
        return given
    raise ValueError(f"a text of at most {_LONGEST_TEXT} characters without a zero byte is needed")
