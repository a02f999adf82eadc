"""Statements that never change: their text is made once, and they run on the driver's own cursor.

The layers between would cost more than the statement does, several times in every transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

from sqlalchemy import ClauseElement, Connection
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.compiler import SQLCompiler

Value = str | int | bytes | None


class _Made(NamedTuple):
    """The text for one kind of database, what picks the values in its order, and the values that it brings along."""

    text: str
    pick: Callable[[Mapping[str, Value]], Sequence[Value]]
    fixed: Mapping[str, Value]


class Prepared:
    """One Core statement; every value it takes is a bound name. Rows come back as plain tuples of the driver's types.

    It runs in the transaction that its connection has begun, and raises what the driver raises.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._made: dict[str, _Made] = {}

    def run(self, connection: Connection, values: Mapping[str, Value]) -> DBAPICursor:
        """Execute it once; raises KeyError for a bound name without a value."""
        text, pick, fixed = self._made.get(connection.dialect.name) or self._make(connection)
        cursor = connection.connection.cursor()
        cursor.execute(text, pick({**fixed, **values} if fixed else values))
        return cursor

    def first(self, connection: Connection, values: Mapping[str, Value]) -> Any:
        """The first row, or None."""
        return self.run(connection, values).fetchone()

    def scalars(self, connection: Connection, values: Mapping[str, Value]) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.run(connection, values).fetchall()]

    def _make(self, connection: Connection) -> _Made:
        compiled = cast(SQLCompiler, self._statement.compile(dialect=connection.dialect))
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        made = _Made(str(compiled), _picker(compiled.positiontup or ()), fixed)
        self._made[connection.dialect.name] = made
        return made


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Value]], Sequence[Value]]:
    """What takes these values out of a mapping, in this order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: [values[name] for name in names]
