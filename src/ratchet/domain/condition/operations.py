"""Comparison, arithmetic and membership over JSON values, with Unknown wherever the question has no answer."""

import math
from collections.abc import Iterable, Mapping

from ratchet.domain.condition.budget import Budget
from ratchet.domain.condition.values import MAX_DEPTH, MAX_INTEGER_BITS, Datum, Unknown, admit, is_number, kind_of, show

MAX_TEXT = 10_000
MAX_LIST = 1_000

Truth = bool | Unknown


def truth(value: Datum, label: str) -> Truth:
    if isinstance(value, bool | Unknown):
        return value
    said = "null" if value is None else f"{kind_of(value)} ({show(value)})"
    return Unknown(f"{label} is {said}, not a truth value")


def negation(value: Truth) -> Truth:
    return value if isinstance(value, Unknown) else not value


def every(values: Iterable[Truth]) -> Truth:
    """Kleene's and: one false settles it, else one unknown leaves it open."""
    doubt: Unknown | None = None
    for value in values:
        if isinstance(value, Unknown):
            doubt = doubt or value
        elif not value:
            return False
    return True if doubt is None else doubt


def some(values: Iterable[Truth]) -> Truth:
    """Kleene's or: one true settles it, else one unknown leaves it open."""
    return negation(every(negation(value) for value in values))


def equal(left: Datum, right: Datum, budget: Budget, depth: int = 0) -> Truth:
    budget.spend()
    left, right = admit(left, "a value inside"), admit(right, "a value inside")
    if isinstance(left, Unknown):
        return left
    if isinstance(right, Unknown):
        return right
    if left is None or right is None:
        return left is None and right is None
    if isinstance(left, bool) != isinstance(right, bool) and {kind_of(left), kind_of(right)} >= {"a number"}:
        return Unknown(f"{show(left)} and {show(right)}: a truth value cannot be compared with a number")
    if isinstance(left, bool | int | float) and isinstance(right, bool | int | float):
        return left == right
    if isinstance(left, str) or isinstance(right, str):
        budget.spend_reading(*(text for text in (left, right) if isinstance(text, str)))
        return left == right
    return _equal_inside(left, right, budget, depth)


def _equal_inside(left: Datum, right: Datum, budget: Budget, depth: int) -> Truth:
    if depth > MAX_DEPTH:
        return Unknown("the values are nested too deeply to compare")
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        if left.keys() != right.keys():
            return False
        return every(equal(item, right[key], budget, depth + 1) for key, item in left.items())
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if len(left) != len(right):
            return False
        return every(equal(one, other, budget, depth + 1) for one, other in zip(left, right, strict=True))
    return False


def compare(sign: str, left: Datum, right: Datum, budget: Budget) -> Truth:
    """`left sign right` for == != < <= > >= in, not in; the operands are admitted values."""
    for side in (left, right):
        if isinstance(side, Unknown):
            return side
    match sign:
        case "==":
            return equal(left, right, budget)
        case "!=":
            return negation(equal(left, right, budget))
        case "in":
            return member(left, right, budget)
        case "not in":
            return negation(member(left, right, budget))
        case _:
            return _ordered(sign, left, right, budget)


def _ordered(sign: str, left: Datum, right: Datum, budget: Budget) -> Truth:
    if isinstance(left, str) and isinstance(right, str):
        budget.spend_reading(left, right)
        less, same = left < right, left == right
    elif isinstance(left, int | float) and isinstance(right, int | float) and is_number(left) and is_number(right):
        less, same = left < right, left == right
    else:
        return Unknown(f"{_said(left)} cannot be compared by {sign} with {_said(right)}")
    match sign:
        case "<":
            return less
        case "<=":
            return less or same
        case ">":
            return not less and not same
        case _:
            return not less


def member(left: Datum, right: Datum, budget: Budget) -> Truth:
    if isinstance(left, Unknown):
        return left
    if left is None or right is None or isinstance(right, Unknown):
        return right if isinstance(right, Unknown) else Unknown(f"{_said(left)} in {_said(right)} has no answer")
    if isinstance(right, str) and isinstance(left, str):
        budget.spend_reading(left, right)
        return left in right
    if isinstance(right, Mapping) and isinstance(left, str):
        return left in right
    if isinstance(right, list | tuple):
        return some(equal(left, item, budget) for item in right)
    return Unknown(f"{_said(left)} cannot be looked for in {_said(right)}")


def arithmetic(sign: str, left: Datum, right: Datum, budget: Budget) -> Datum:
    """`left sign right` for + - * / // %; the operands are admitted values."""
    for side in (left, right):
        if isinstance(side, Unknown):
            return side
    if sign == "+" and isinstance(left, str) and isinstance(right, str):
        budget.spend_reading(left, right)
        return left + right if len(left) + len(right) <= MAX_TEXT else Unknown("the joined text is too long")
    if sign == "+" and isinstance(left, list | tuple) and isinstance(right, list | tuple):
        budget.spend(1 + len(left) + len(right))
        return [*left, *right] if len(left) + len(right) <= MAX_LIST else Unknown("the joined list is too long")
    if isinstance(left, bool) or isinstance(right, bool) or not isinstance(left, int | float):
        return Unknown(f"{_said(left)} {sign} {_said(right)} is not arithmetic")
    if not isinstance(right, int | float):
        return Unknown(f"{_said(left)} {sign} {_said(right)} is not arithmetic")
    if sign in ("/", "//", "%") and right == 0:
        return Unknown(f"division by zero: {show(left)} {sign} {show(right)}")
    try:
        return bounded(_calculated(sign, left, right))
    except OverflowError:
        return Unknown(f"{show(left)} {sign} {show(right)} is too large a number")


def _calculated(sign: str, left: int | float, right: int | float) -> int | float:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case "//":
            return left // right
        case _:
            return left % right


def bounded(number: int | float) -> Datum:
    if isinstance(number, float) and not math.isfinite(number):
        return Unknown("the result is not a finite number")
    if isinstance(number, int) and number.bit_length() > MAX_INTEGER_BITS:
        return Unknown("the result is too large a number")
    return number


def _said(value: Datum) -> str:
    return show(value) if value is None or isinstance(value, bool | int | float | str) else kind_of(value)
