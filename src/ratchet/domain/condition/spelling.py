"""Cuts a condition into tokens and gives the spellings of CEL and of Python one meaning."""

import math
import re
from typing import Literal, NamedTuple

from ratchet.domain.condition.errors import ConditionError

MAX_LITERAL = 2**63

WORDS = {"True": "true", "False": "false", "None": "null"}
SIGNS = {"&&": "and", "||": "or"}
FUNCTION_SPELLINGS = {"size": "len"}

_PIECES = re.compile(
    r"""(?P<space>\s+)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.]))
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<refused>\*\*|:=|<>|===)
      | (?P<sign>==|!=|<=|>=|&&|\|\||//|[-+*/%<>!()\[\],.])""",
    re.VERBOSE,
)
_REMEDIES = {
    "**": "multiply the value by itself",
    "=": "compare with ==",
    "===": "compare with ==",
    "<>": "compare with !=",
    ":=": "repeat the expression; names cannot be set here",
    "{": "objects cannot be written; compare their keys one by one",
    "#": "put the comment in the YAML",
    "?": "write `a if condition else b`",
    "&": "write `and`",
    "|": "write `or`",
    '"': "close the text with the quote that opened it, on the same line",
    "'": "close the text with the quote that opened it, on the same line",
}
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'"}


class Token(NamedTuple):
    """`spelled` is the canonical spelling (or the text's content), `start` and `end` its place in the source."""

    kind: Literal["text", "number", "word", "sign", "end"]
    spelled: str
    start: int
    end: int


def tokens(source: str) -> list[Token]:
    if not source.isprintable():
        hidden = [place for place, letter in enumerate(source) if not (letter.isprintable() or letter in "\n\r\t")]
        if hidden:
            raise ConditionError("the condition holds a character that cannot be seen", hidden[0] + 1, "remove it")
    found: list[Token] = []
    place = 0
    while place < len(source):
        piece = _PIECES.match(source, place)
        if piece is None or piece.lastgroup == "refused":
            raise _refusal(source, place, piece.group() if piece else source[place])
        place = piece.end()
        match piece.lastgroup:
            case "text":
                _refuse_prefix(source, piece.start())
                found.append(Token("text", _unescape(piece.group()[1:-1]), piece.start(), place))
            case "number":
                found.append(Token("number", piece.group(), piece.start(), place))
            case "word":
                found.append(Token("word", WORDS.get(piece.group(), piece.group()), piece.start(), place))
            case "sign":
                found.append(Token("sign", SIGNS.get(piece.group(), piece.group()), piece.start(), place))
            case _:
                pass
    return [*found, Token("end", "", len(source), len(source))]


def number_of(token: Token) -> int | float:
    value = int(token.spelled) if token.spelled.isdigit() else float(token.spelled)
    if (isinstance(value, int) and value >= MAX_LITERAL) or not math.isfinite(value):
        raise ConditionError("the number is too large", token.start + 1, "keep it below 2 to the power of 63")
    return value


def _unescape(content: str) -> str:
    # A backslash before any other letter stays, so that a pattern such as "\d+" needs no doubling.
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found.group(1), found.group()), content)


def _refuse_prefix(source: str, start: int) -> None:
    if start and (source[start - 1].isalnum() or source[start - 1] == "_"):
        raise ConditionError("a text takes no prefix", start, "remove the letter before the quote")


def _refusal(source: str, place: int, piece: str) -> ConditionError:
    if piece.isdigit():
        number = re.match(r"[\w.]+", source[place:])
        written = number.group() if number else piece
        return ConditionError(f"{written[:30]!r} is not a number", place + 1, "write it like 30, 0.5 or 4e9")
    remedy = _REMEDIES.get(piece, "remove it; docs/reference/conditions.md lists what a condition may hold")
    return ConditionError(f"{piece!r} is not part of the condition language", place + 1, remedy)
