"""What is wrong with a condition whatever the evidence: misplaced generators, argument counts, unreadable literals."""

from collections.abc import Iterator

from ratchet.domain.condition.errors import ConditionError
from ratchet.domain.condition.functions import FUNCTIONS, Function, seconds_of
from ratchet.domain.condition.nodes import Arithmetic, Call, Each, Expression, Items, Literal, is_path, parts
from ratchet.domain.condition.pattern import compiled


def refuse_bad_shape(node: Expression, in_each: bool = False, may_be_each: bool = False) -> None:
    """Raises the first ConditionError found in `node`."""
    place = node.start + 1
    match node:
        case Each():
            if not may_be_each:
                remedy = "put it alone into any(...), all(...), sum(...), min(...), max(...), len(...) or first(...)"
                raise ConditionError("a generator stands only inside a function over lists", place, remedy)
            if in_each:
                raise ConditionError("generators do not nest", place, "let the probe's SQL join or count the rows")
        case Call():
            _refuse_bad_call(node, FUNCTIONS[node.name], place)
        case Arithmetic():
            _refuse_bad_operand(node, place)
        case _:
            pass
    takes_each = isinstance(node, Call) and FUNCTIONS[node.name].over_lists and len(node.arguments) == 1
    for part in parts(node):
        refuse_bad_shape(part, in_each or isinstance(node, Each), takes_each)


def _refuse_bad_operand(node: Arithmetic, place: int) -> None:
    """`+` also joins texts and lists; every other sign is for numbers."""
    for side in (node.left, node.right):
        joins = isinstance(side, Items) or (isinstance(side, Literal) and isinstance(side.value, str))
        if joins and node.sign != "+":
            raise ConditionError(f"{node.sign} works on numbers only", place, "texts cannot be formatted or repeated")
        if isinstance(side, Literal) and (side.value is None or isinstance(side.value, bool)):
            raise ConditionError(f"{node.sign} works on numbers only", place, "remove true, false or null from the sum")


def _refuse_bad_call(node: Call, function: Function, place: int) -> None:
    count = len(node.arguments)
    if not function.least <= count <= function.most:
        wanted = str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
        plural = "argument" if wanted == "1" else "arguments"
        raise ConditionError(f"{node.name} takes {wanted} {plural}, not {count}", place, "see the function table")
    if node.name == "exists" and not is_path(node.arguments[0]):
        raise ConditionError("exists takes a path", place, "write exists(probe.first.column)")
    for argument in _literals(node):
        where = argument.start + 1
        if node.name == "duration" and isinstance(argument.value, str) and seconds_of(argument.value) is None:
            raise ConditionError(f"{argument.value[:30]!r} is not a duration", where, "write it like 90s, 5m, 2h or 7d")
    written = node.arguments[1] if node.name == "matches" else None
    if isinstance(written, Literal):
        _refuse_bad_pattern(written)


def _refuse_bad_pattern(written: Literal) -> None:
    if not isinstance(written.value, str):
        raise ConditionError("the pattern is not a text", written.start + 1, "write it in quotes")
    try:
        compiled(written.value)
    except ConditionError as refusal:
        raise ConditionError(refusal.message, written.start + 1, refusal.remedy) from None


def _literals(node: Call) -> Iterator[Literal]:
    return (argument for argument in node.arguments if isinstance(argument, Literal))
