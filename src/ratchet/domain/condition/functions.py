"""The closed table of functions a condition may call."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ratchet.domain.condition import operations, pattern
from ratchet.domain.condition.budget import Budget
from ratchet.domain.condition.errors import ConditionError
from ratchet.domain.condition.values import Datum, Unknown, admit, is_number, kind_of
from ratchet.domain.duration import parse_duration

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
MAX_ROUND_DIGITS = 12
MAX_DURATION_TEXT = 30

Apply = Callable[[Sequence[Datum], Budget], Datum]


@dataclass(frozen=True, slots=True)
class Function:
    """What may be called, and how.

    `values`: called with its arguments, all of them known and not null. `rows`: called with the elements of one list
    or generator, all of them known (`min` and `max` also take two or more plain arguments). `own`: the evaluator has
    a rule of its own for unknowns.
    """

    name: str
    least: int
    most: int
    takes: Literal["values", "rows", "own"]
    apply: Apply
    over_lists: bool = False


def seconds_of(text: str) -> float | None:
    """`90s 5m 2h 7d` in seconds; None when it is written otherwise."""
    if len(text) > MAX_DURATION_TEXT:
        return None
    try:
        return parse_duration(text)
    except ValueError:
        return None


def _length(arguments: Sequence[Datum], budget: Budget) -> Datum:
    subject = arguments[0]
    if isinstance(subject, str | Mapping):
        return len(subject)
    if isinstance(subject, list | tuple):
        # A list whose tail was not kept carries an Unknown, and then its length is not known either.
        budget.spend(1 + len(subject) // 10)
        doubt = next((item for item in subject if isinstance(item, Unknown)), None)
        return len(subject) if doubt is None else Unknown(f"an element of the list: {doubt.reason}")
    return _unfit("len", subject)


def _extreme(name: str, sign: str) -> Apply:
    def apply(arguments: Sequence[Datum], budget: Budget) -> Datum:
        if not arguments:
            return Unknown(f"{name} of nothing")
        best = arguments[0]
        if not (is_number(best) or isinstance(best, str)):
            return _unfit(name, best)
        for item in arguments[1:]:
            beats = operations.compare(sign, item, best, budget)
            if isinstance(beats, Unknown):
                return beats
            best = item if beats else best
        return best

    return apply


def _sum(arguments: Sequence[Datum], budget: Budget) -> Datum:
    total: Datum = 0
    for item in arguments:
        if not is_number(item):
            return _unfit("sum", item)
        total = operations.arithmetic("+", total, item, budget)
    return total


def _abs(arguments: Sequence[Datum], _budget: Budget) -> Datum:
    subject = arguments[0]
    if isinstance(subject, bool) or not isinstance(subject, int | float):
        return _unfit("abs", subject)
    return abs(subject)


def _round(arguments: Sequence[Datum], _budget: Budget) -> Datum:
    subject = arguments[0]
    digits = arguments[1] if len(arguments) > 1 else 0
    if isinstance(subject, bool) or not isinstance(subject, int | float):
        return _unfit("round", subject)
    if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= MAX_ROUND_DIGITS:
        return Unknown(f"round takes 0 to {MAX_ROUND_DIGITS} digits")
    return operations.bounded(round(subject) if digits == 0 else round(subject, digits))


def _lower(arguments: Sequence[Datum], budget: Budget) -> Datum:
    subject = arguments[0]
    if not isinstance(subject, str):
        return _unfit("lower", subject)
    budget.spend_reading(subject)
    return subject.lower()


def _contains(arguments: Sequence[Datum], budget: Budget) -> Datum:
    return operations.member(arguments[1], arguments[0], budget)


def _startswith(arguments: Sequence[Datum], budget: Budget) -> Datum:
    subject, beginning = arguments
    if not isinstance(subject, str) or not isinstance(beginning, str):
        return _unfit("startswith", subject if not isinstance(subject, str) else beginning)
    budget.spend_reading(beginning)
    return subject.startswith(beginning)


def _duration(arguments: Sequence[Datum], _budget: Budget) -> Datum:
    subject = arguments[0]
    if is_number(subject):
        return subject
    if not isinstance(subject, str):
        return _unfit("duration", subject)
    amount = seconds_of(subject)
    return Unknown("duration takes a text such as 90s, 5m, 2h or 7d") if amount is None else amount


def _number(arguments: Sequence[Datum], budget: Budget) -> Datum:
    subject = arguments[0]
    if is_number(subject):
        return subject
    if not isinstance(subject, str):
        return _unfit("number", subject)
    budget.spend_reading(subject)
    written = subject.strip()
    found = _NUMBER.fullmatch(written)
    if found is None:
        return Unknown("number was given a text that is not a number")
    return admit(float(written) if found[1] or found[2] else int(written), "the number")


def _matches(arguments: Sequence[Datum], budget: Budget) -> Datum:
    subject, written = arguments
    if not isinstance(subject, str) or not isinstance(written, str):
        return _unfit("matches", subject if not isinstance(subject, str) else written)
    if len(subject) > pattern.MAX_SUBJECT:
        return Unknown(f"matches reads at most {pattern.MAX_SUBJECT} characters, the text has {len(subject)}")
    budget.spend_reading(written)
    try:
        program = pattern.compiled(written)
    except ConditionError as refusal:
        return Unknown(refusal.message)
    return pattern.found(program, subject, budget)


def _first(arguments: Sequence[Datum], _budget: Budget) -> Datum:
    return arguments[0] if arguments else None


def _by_the_evaluator(_arguments: Sequence[Datum], _budget: Budget) -> Datum:
    raise NotImplementedError("the evaluator has a rule of its own for this function")


def _unfit(name: str, value: Datum) -> Unknown:
    return value if isinstance(value, Unknown) else Unknown(f"{name} does not take {kind_of(value)}")


_TABLE = (
    Function("len", 1, 1, "values", _length, over_lists=True),
    Function("min", 1, 20, "rows", _extreme("min", "<"), over_lists=True),
    Function("max", 1, 20, "rows", _extreme("max", ">"), over_lists=True),
    Function("sum", 1, 1, "rows", _sum, over_lists=True),
    Function("first", 1, 1, "own", _first, over_lists=True),
    Function("any", 1, 1, "own", _by_the_evaluator, over_lists=True),
    Function("all", 1, 1, "own", _by_the_evaluator, over_lists=True),
    Function("abs", 1, 1, "values", _abs),
    Function("round", 1, 2, "values", _round),
    Function("lower", 1, 1, "values", _lower),
    Function("contains", 2, 2, "values", _contains),
    Function("startswith", 2, 2, "values", _startswith),
    Function("duration", 1, 1, "values", _duration),
    Function("number", 1, 1, "values", _number),
    Function("matches", 2, 2, "values", _matches),
    Function("coalesce", 2, 20, "own", _by_the_evaluator),
    Function("exists", 1, 1, "own", _by_the_evaluator),
)
FUNCTIONS: Mapping[str, Function] = MappingProxyType({function.name: function for function in _TABLE})
