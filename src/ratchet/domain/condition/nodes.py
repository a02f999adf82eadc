"""The closed list of what a condition is made of."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Node:
    """`start` and `end` are the place in the source, `height` the longest way down to a leaf."""

    start: int
    end: int
    height: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    value: bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Items(Node):
    items: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Name(Node):
    name: str


@dataclass(frozen=True, slots=True)
class Key(Node):
    """`of.key` or `of["key"]`: the same thing."""

    of: "Expression"
    key: str


@dataclass(frozen=True, slots=True)
class Place(Node):
    """`of[0]`; counted from the end when negative."""

    of: "Expression"
    place: int


@dataclass(frozen=True, slots=True)
class Not(Node):
    of: "Expression"


@dataclass(frozen=True, slots=True)
class Negative(Node):
    of: "Expression"


@dataclass(frozen=True, slots=True)
class Join(Node):
    word: str
    items: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`items[i] signs[i] items[i + 1]` for every sign."""

    items: "tuple[Expression, ...]"
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    sign: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Choice(Node):
    when: "Expression"
    then: "Expression"
    otherwise: "Expression"


@dataclass(frozen=True, slots=True)
class Each(Node):
    """`element for variable in source if filters`: only as the single argument of a function over lists."""

    element: "Expression"
    variable: str
    source: "Expression"
    filters: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Call(Node):
    name: str
    arguments: "tuple[Expression, ...]"


Expression: TypeAlias = (
    Literal | Items | Name | Key | Place | Not | Negative | Join | Compare | Arithmetic | Choice | Each | Call
)


def parts(node: Expression) -> tuple[Expression, ...]:
    """What stands directly inside, in source order as far as it matters to a reader."""
    match node:
        case Literal() | Name():
            return ()
        case Items() | Join() | Compare():
            return node.items
        case Key() | Place() | Not() | Negative():
            return (node.of,)
        case Arithmetic():
            return (node.left, node.right)
        case Choice():
            return (node.when, node.then, node.otherwise)
        case Each():
            return (node.source, *node.filters, node.element)
        case Call():
            return node.arguments


def is_path(node: Expression) -> bool:
    """Whether the node is a name followed by nothing but keys and places."""
    while isinstance(node, Key | Place):
        node = node.of
    return isinstance(node, Name)


def fragment(source: str, node: Node) -> str:
    return " ".join(source[node.start : node.end].split())
