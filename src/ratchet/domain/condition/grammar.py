"""Reads a condition: tokens in, the closed node list out, everything else refused with a column and a remedy."""

import difflib
import keyword
from collections.abc import Iterable

from ratchet.domain.condition.errors import ConditionError
from ratchet.domain.condition.functions import FUNCTIONS
from ratchet.domain.condition.nodes import (
    Arithmetic,
    Call,
    Choice,
    Compare,
    Each,
    Expression,
    Items,
    Join,
    Key,
    Literal,
    Name,
    Negative,
    Not,
    Place,
)
from ratchet.domain.condition.spelling import FUNCTION_SPELLINGS, Token, number_of, tokens

MAX_SOURCE = 1000
MAX_HEIGHT = 40
MAX_NESTING = 30

OR, AND, NOT, COMPARE, ADD, MULTIPLY = range(1, 7)
_LEVELS = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("+", "-"), ADD),
    **dict.fromkeys(("*", "/", "//", "%"), MULTIPLY),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not in"), COMPARE),
}
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_STRUCTURE = {"and", "or", "not", "in", "if", "else", "for"}


def parse(source: str) -> Expression:
    if len(source) > MAX_SOURCE:
        raise ConditionError(f"the condition has {len(source)} characters", None, f"keep it within {MAX_SOURCE}")
    parser = _Parser(tokens(source))
    node = parser.expression()
    parser.finish()
    return node


class _Parser:
    """Precedence climbing; `nesting` bounds the recursion, `height` of the nodes bounds that of every later walk."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.place = 0
        self.nesting = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    @property
    def last_end(self) -> int:
        return self.tokens[self.place - 1].end

    def at(self, *spelled: str) -> bool:
        token = self.tokens[self.place]
        return token.spelled in spelled and token.kind in ("word", "sign")

    def accept(self, spelled: str) -> bool:
        if not self.at(spelled):
            return False
        self.place += 1
        return True

    def expect(self, spelled: str, remedy: str) -> None:
        if not self.accept(spelled):
            raise self.refusal(f"expected {spelled!r}, found {self.found()}", remedy)

    def found(self) -> str:
        return "the end" if self.token.kind == "end" else repr(self.token.spelled[:30])

    def refusal(self, message: str, remedy: str) -> ConditionError:
        return ConditionError(message, self.token.start + 1, remedy)

    def span(self, start: int, inside: Iterable[Expression] = ()) -> tuple[int, int, int]:
        height = 1 + max((node.height for node in inside), default=0)
        if height > MAX_HEIGHT:
            raise ConditionError("the condition is nested too deeply", start + 1, "split it into simpler clauses")
        return start, self.last_end, height

    def finish(self) -> None:
        if self.token.kind == "end":
            return
        if self.at("for"):
            raise self.refusal("a generator stands only inside a function over lists", "put it into any(...)")
        raise self.refusal(f"{self.found()} was not expected here", "join two conditions with `and` or `or`")

    def deeper(self) -> None:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.refusal("the condition is nested too deeply", "split it into simpler clauses")

    def expression(self) -> Expression:
        self.deeper()
        start = self.token.start
        node = self.operators(OR)
        if self.accept("if"):
            when = self.operators(OR)
            self.expect("else", "a choice needs both sides: `a if condition else b`")
            otherwise = self.expression()
            node = Choice(*self.span(start, (node, when, otherwise)), when, node, otherwise)
        self.nesting -= 1
        return node

    def operator(self) -> str:
        token = self.tokens[self.place]
        if token.kind not in ("word", "sign"):
            return ""
        if token.spelled == "not":
            following = self.tokens[min(self.place + 1, len(self.tokens) - 1)]
            return "not in" if (following.kind, following.spelled) == ("word", "in") else "not"
        return token.spelled

    def operators(self, floor: int) -> Expression:
        start = self.token.start
        left = self.prefix(floor)
        while (level := _LEVELS.get(self.operator(), 0)) >= floor:
            left = self.infix(start, left, level)
        return left

    def infix(self, start: int, left: Expression, level: int) -> Expression:
        sign = self.operator()
        if level in (ADD, MULTIPLY):
            self.place += 1
            right = self.operators(level + 1)
            return Arithmetic(*self.span(start, (left, right)), sign, left, right)
        items, signs = [left], list[str]()
        while (sign := self.operator()) and _LEVELS.get(sign) == level:
            self.place += 2 if sign == "not in" else 1
            signs.append(sign)
            items.append(self.operators(level + 1))
        place = self.span(start, items)
        return Compare(*place, tuple(items), tuple(signs)) if level == COMPARE else Join(*place, signs[0], tuple(items))

    def prefix(self, floor: int) -> Expression:
        if not self.at("not"):
            return self.unary()
        if floor > NOT:
            raise self.refusal("`not` cannot stand here", "put it and what it denies in brackets")
        start = self.token.start
        self.place += 1
        self.deeper()
        inside = self.operators(NOT)
        self.nesting -= 1
        return Not(*self.span(start, (inside,)), inside)

    def unary(self) -> Expression:
        sign, start = self.token.spelled, self.token.start
        if not self.at("-", "!"):
            return self.postfix()
        self.place += 1
        self.deeper()
        inside = self.unary()
        self.nesting -= 1
        if sign == "!":
            return Not(*self.span(start, (inside,)), inside)
        if isinstance(inside, Literal) and isinstance(inside.value, int | float) and not isinstance(inside.value, bool):
            return Literal(*self.span(start), -inside.value)
        return Negative(*self.span(start, (inside,)), inside)

    def postfix(self) -> Expression:
        start = self.token.start
        node = self.atom()
        while self.at(".", "[", "("):
            if self.accept("."):
                key = self.key()
                node = Key(*self.span(start, (node,)), node, key)
            elif self.accept("["):
                node = self.subscript(start, node)
            else:
                raise self.refusal("only the listed functions can be called", "write lower(x), not x.lower()")
        return node

    def key(self) -> str:
        if self.token.kind != "word":
            raise self.refusal(f"expected a key after the dot, found {self.found()}", 'write x.key or x["key"]')
        key = self.token.spelled
        self.refuse_hidden(key)
        self.place += 1
        return key

    def refuse_hidden(self, key: str) -> None:
        if key.startswith("_"):
            raise self.refusal(f"{key[:30]!r} begins with an underscore", "give the column another name")

    def subscript(self, start: int, node: Expression) -> Expression:
        inside = self.operators(ADD)
        if not isinstance(inside, Literal) or isinstance(inside.value, bool) or not isinstance(inside.value, int | str):
            raise self.refusal("between [ and ] stands a whole number or a text", 'write x[0] or x["key"]')
        if isinstance(inside.value, str):
            self.refuse_hidden(inside.value)
        self.expect("]", "close the bracket")
        if isinstance(inside.value, str):
            return Key(*self.span(start, (node,)), node, inside.value)
        return Place(*self.span(start, (node,)), node, inside.value)

    def atom(self) -> Expression:
        token = self.token
        if self.accept("("):
            return self.bracketed(token.start)
        if self.accept("["):
            return self.listed(token.start)
        if token.kind not in ("text", "number", "word"):
            raise self.refusal(f"expected a value, found {self.found()}", "complete the expression")
        self.place += 1
        if token.kind == "text":
            return Literal(*self.span(token.start), token.spelled)
        if token.kind == "number":
            return Literal(*self.span(token.start), number_of(token))
        return self.word(token)

    def word(self, token: Token) -> Expression:
        name = token.spelled
        if name in _CONSTANTS:
            return Literal(*self.span(token.start), _CONSTANTS[name])
        if keyword.iskeyword(name):
            self.place -= 1
            remedy = "complete the expression" if name in _STRUCTURE else "remove it; conditions have no such thing"
            raise self.refusal(f"{name!r} cannot stand here", remedy)
        if self.at("("):
            return self.call(token)
        if name.startswith("_"):
            self.place -= 1
            self.refuse_hidden(name)
        return Name(*self.span(token.start), name)

    def bracketed(self, start: int) -> Expression:
        if self.accept(")"):
            return Items(*self.span(start), ())
        first = self.expression()
        if self.at("for"):
            self.finish()
        if self.accept(")"):
            return first
        items = self.rest_of_list(first, ")")
        return Items(*self.span(start, items), items)

    def listed(self, start: int) -> Expression:
        if self.accept("]"):
            return Items(*self.span(start), ())
        first = self.expression()
        if self.at("for"):
            each = self.each(start, first)
            self.expect("]", "close the bracket")
            return each
        items = self.rest_of_list(first, "]")
        return Items(*self.span(start, items), items)

    def rest_of_list(self, first: Expression, closing: str) -> tuple[Expression, ...]:
        items = [first]
        while not self.accept(closing):
            self.expect(",", f"separate with a comma or close with {closing}")
            if not self.at(closing):
                items.append(self.expression())
        return tuple(items)

    def each(self, start: int, element: Expression) -> Each:
        self.expect("for", "write `x.column > 1 for x in probe.rows_data`")
        variable = self.token.spelled
        if self.token.kind != "word" or keyword.iskeyword(variable) or variable in {*_CONSTANTS, *FUNCTIONS}:
            raise self.refusal(f"{self.found()} cannot name the row", "use one plain name, such as r")
        self.refuse_hidden(variable)
        self.place += 1
        self.expect("in", "a generator has one variable: `for r in probe.rows_data`")
        source = self.operators(OR)
        filters: list[Expression] = []
        while self.accept("if"):
            filters.append(self.operators(OR))
        if self.at("for"):
            raise self.refusal("a generator goes one level deep", "let the probe's SQL join the rows")
        return Each(*self.span(start, (element, source, *filters)), element, variable, source, tuple(filters))

    def call(self, token: Token) -> Call:
        name = FUNCTION_SPELLINGS.get(token.spelled, token.spelled)
        if name not in FUNCTIONS:
            near = difflib.get_close_matches(name, FUNCTIONS, 1)
            remedy = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(FUNCTIONS))}"
            raise ConditionError(f"there is no function {name[:30]!r}", token.start + 1, remedy)
        self.expect("(", "open the bracket")
        if self.accept(")"):
            return Call(*self.span(token.start), name, ())
        start = self.token.start
        first = self.expression()
        if self.at("for"):
            first = self.each(start, first)
        arguments = self.rest_of_list(first, ")")
        return Call(*self.span(token.start, arguments), name, arguments)
