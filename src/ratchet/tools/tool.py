"""What a write tool is: typed arguments, a preview, the way to tell afterwards whether it happened, and its undo."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import ValidationError

from ratchet.domain.errors import Mistake, invalid
from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, ToolSpec
from ratchet.domain.ports import Took

A = TypeVar("A", bound=Noun)
Row = dict[str, Any]


class Reader(Protocol):
    """Runs one reading statement on a target's diagnosis session; raises NoAnswer."""

    def __call__(self, sql: str, params: Mapping[str, Any], *, timeout: float = 5.0) -> list[Row]: ...


class Registered(Generic[A]):
    """A tool under its name, with typed arguments."""

    spec: ClassVar[ToolSpec]
    two_sided: ClassVar[bool] = False
    """Whether its `took` tells the state that the act brings ("yes") and exactly the one that it found ("no") from
    every other: then the same look, the other way round, tells whether the way back happened."""
    arguments: type[A]

    def turned_round(self, took: Took) -> Took:
        """What a look for the act says of its way back; a look that knows less than both states cannot tell."""
        if not self.two_sided or took.verdict == "cannot_tell":
            return took.model_copy(update={"verdict": "cannot_tell"})
        return took.model_copy(update={"verdict": "no" if took.verdict == "yes" else "yes"})

    def parse(self, args: Mapping[str, Any]) -> A:
        """The arguments as typed values; raises Refusal with every mistake."""
        try:
            return self.arguments.model_validate(dict(args))
        except ValidationError as error:
            mistakes = [
                Mistake(
                    where=f"{self.spec.name}.{'.'.join(str(part) for part in each['loc'])}",
                    message=each["msg"],
                    remedy="See the tool's arguments.",
                )
                for each in error.errors(include_url=False, include_input=False)
            ]
            said = "; ".join(f"{each.where}: {each.message}" for each in mistakes)
            raise invalid(f"The arguments of {self.spec.name} do not fit: {said}.", "Correct them.", mistakes) from None


class WriteTool(Registered[A], ABC):
    """One way to change a PostgreSQL target. Sending is not its business: its preview holds the statements whole."""

    patience: ClassVar[float] = 5.0
    """Seconds that one of its statements may work at the target."""
    lock_limit: ClassVar[float] = 2.0
    """Seconds that a statement may wait for one lock; 0 where waiting for older transactions is its way of working."""
    answers_rows: ClassVar[bool] = True
    """Whether its statement returns what it touched, so that no row means that nothing was."""

    @abstractmethod
    def preview(self, read: Reader, args: A) -> Preview:
        """What the act would touch now, the statements that would be sent, and the undo."""

    @abstractmethod
    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        """Whether an act of unknown outcome happened, judged by looking at the target."""

    def taken_back(self, read: Reader, act: Act, grant: Grant) -> Took:
        """Whether the act's way back, of unknown outcome, happened."""
        return self.turned_round(self.took(read, act, grant))

    def lacking(self, read: Reader, args: A, act_role: str) -> str:
        """The right that the act role lacks for exactly this act, in words; an empty text when it lacks none."""
        del read, args, act_role
        return ""

    def barred(self, read: Reader, primary: Reader | None) -> str:
        """Why the act must not be offered although there is something to do, empty when it may. `primary` is the one
        that a replica is registered with."""
        del read, primary
        return ""

    def touched(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        """The identities that the target says were touched, out of the rows that the act returned."""
        return tuple(rows)

    def nothing_done(self, act: Act, code: str) -> bool:
        """Whether an error answer (SQLSTATE) to the first statement proves that nothing happened."""
        del act, code
        return True


def declare(name: str, summary: str, arguments: type[Noun], **said: Any) -> ToolSpec:
    """A tool's declaration; `said` holds effect, klass, scope and capabilities."""
    return ToolSpec(
        name=name, summary=summary, kind=name.partition(".")[0], arguments=arguments.model_json_schema(), **said
    )


NOT_LATE = "clock_timestamp() < %(not_after)s::timestamptz"
"""The guard of every statement that can test the clock; `not_after` comes from the grant when it is sent."""


def utc_text(column: str) -> str:
    """SQL for a timestamp as ISO text in UTC with microseconds, as the probes write it."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""
