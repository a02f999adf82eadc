"""Parts of a condition in few words: the name of a column instead of a path, a unit instead of a suffix."""

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
    parts,
)
from ratchet.domain.condition.values import Json, is_number, printable, show

UNITS = {"_s": "s", "_ms": "ms", "_bytes": "bytes"}
_SCALES = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
_BORING = ("first", "rows_data")


def worded(node: Expression) -> str:
    """The part as a person would say it: `used * 0.85`, `oldest idle`, `is root and blocks total >= 2`."""
    match node:
        case Literal():
            return worded_value(node.value, "")
        case Name() | Key() | Place():
            return _path(node)
        case Call(name="coalesce"):
            return worded(node.arguments[0])
        case Call():
            return f"{node.name}({', '.join(worded(each) for each in node.arguments)})"
        case Each():
            wheres = "".join(f" where {worded(each)}" for each in node.filters)
            return f"{worded(node.element)}{wheres}"
        case Items():
            return ", ".join(worded(each) for each in node.items)
        case Choice():
            return f"{worded(node.then)} when {worded(node.when)}, else {worded(node.otherwise)}"
        case _:
            return _operation(node)


def _operation(node: Not | Negative | Join | Compare | Arithmetic) -> str:
    match node:
        case Not():
            return f"not {_held(node.of)}"
        case Negative():
            return f"-{_held(node.of)}"
        case Join():
            return f" {node.word} ".join(_held(each) for each in node.items)
        case Compare():
            unit = unit_of(node.items[0])
            rest = [f" {sign} {_limit(each, unit)}" for sign, each in zip(node.signs, node.items[1:], strict=True)]
            return worded(node.items[0]) + "".join(rest)
        case Arithmetic():
            return f"{_held(node.left)} {node.sign} {_held(node.right)}"


def _limit(node: Expression, unit: str) -> str:
    return worded_value(node.value, unit) if isinstance(node, Literal) else worded(node)


def _held(node: Expression) -> str:
    """In brackets where reading it without them would mean something else."""
    return f"({worded(node)})" if isinstance(node, Join | Arithmetic | Choice) else worded(node)


def _path(node: Expression) -> str:
    """The last keys of a path; a list or a row that is meant whole is called by its name."""
    keys: list[str] = []
    below = node
    while isinstance(below, Key | Place):
        keys = [below.key, *keys] if isinstance(below, Key) and below.key not in _BORING else keys
        below = below.of
    root = below.name if isinstance(below, Name) else ""
    said = ".".join(keys) or ("rows" if node is not below else root)
    suffix = next((suffix for suffix in UNITS if said.endswith(suffix)), "")
    return said.removesuffix(suffix).replace("_", " ")


def root_of(node: Expression) -> str:
    """The first name that is read inside a part; empty when nothing is."""
    match node:
        case Name():
            return node.name
        case _:
            return next((root for root in (root_of(each) for each in parts(node)) if root), "")


def unit_of(node: Expression) -> str:
    """The unit that the last key of a path tells, looked for inside `coalesce` and on the left of a sum too."""
    match node:
        case Key():
            return next((unit for suffix, unit in UNITS.items() if node.key.endswith(suffix)), "")
        case Call(name="coalesce" | "min" | "max" | "sum" | "first"):
            return unit_of(node.arguments[0])
        case Each():
            return unit_of(node.element)
        case Arithmetic(sign="+" | "-"):
            return unit_of(node.left)
        case _:
            return ""


def worded_value(value: Json, unit: str) -> str:
    """A value with its unit; a text stands in quotes unless it is one plain word."""
    if isinstance(value, str):
        plain = value.replace("_", "").replace("-", "").replace(".", "").isalnum() and value.isascii()
        return value if plain else printable(repr(value))
    if is_number(value) and unit == "bytes":
        return _bytes(float(str(value)))
    if isinstance(value, float) and unit and abs(value) >= 1:
        return f"{value:.1f} {unit}".replace(".0 ", " ")
    return f"{show(value)} {unit}".rstrip() if is_number(value) else show(value)


def _bytes(number: float) -> str:
    scale = next(((name, size) for name, size in _SCALES if abs(number) >= size), None)
    return f"{number:g} bytes" if scale is None else f"{number / scale[1]:.4g} {scale[0]}"
