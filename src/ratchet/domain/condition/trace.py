"""The explanation of an answer: every part with the value it had, and one line that a person can read at night."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from ratchet.domain.condition import nodes
from ratchet.domain.condition.seen import Seen
from ratchet.domain.condition.values import SHOWN_ITEMS, Unknown, capped, is_number, printable, show

ARROW = "  →  "
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


class Trace(BaseModel):
    """One part of a condition: its source, its value (null with a reason in `unknown` when nobody knows), its parts.

    Values are shortened: three items of a list and the count of the rest, 80 characters of a text. `steps` are the
    lines between source and value; `skipped` counts operands that were not needed any more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    value: JsonValue = None
    unknown: str | None = None
    kind: Literal["and", "or", "not", "other"] = "other"
    steps: tuple[str, ...] = ()
    skipped: int = 0
    row: str = ""
    """What the row is called that decided an any() or all()."""
    children: "tuple[Trace, ...]" = ()

    @property
    def outcome(self) -> str:
        if self.unknown is not None:
            return f"unknown ({self.unknown})"
        return _show_json(self.value)

    def render(self) -> str:
        """One line: source, the same with values, the value."""
        if self.kind != "other":
            return f"{self._joined()}{ARROW}{self.outcome}"
        line = [self.text, *self.steps, self.outcome]
        return ARROW.join(piece for place, piece in enumerate(line) if not place or piece != line[place - 1])

    def brief(self) -> str:
        """The line as part of a longer one: source, last step, value."""
        if self.kind != "other":
            return f"{self._joined()} → {self._brief_outcome()}"
        line = [self.text, *self.steps[-1:], self._brief_outcome()]
        return " → ".join(piece for place, piece in enumerate(line) if not place or piece != line[place - 1])

    def _brief_outcome(self) -> str:
        return "unknown" if self.unknown is not None else self.outcome

    def _joined(self) -> str:
        parts = [f"({child.brief()})" for child in self.children]
        if self.kind == "not":
            return f"not {parts[0]}"
        return f" {self.kind} ".join(parts + (["…"] if self.skipped else []))


def _show_json(value: JsonValue) -> str:
    match value:
        case list():
            return "[" + ", ".join(_item(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{printable(key)}: {_item(item)}" for key, item in value.items()) + "}"
        case _:
            return show(value)


def _item(value: JsonValue) -> str:
    return printable(value) if isinstance(value, str) and value.startswith("…") else _show_json(value)


def explain(seen: Seen, source: str) -> Trace:
    inside = tuple(explain(one, source) for one in seen.inside if _worth_telling(one, seen))
    return Trace(
        text=nodes.fragment(source, seen.node),
        value=_JSON.validate_python(capped(seen.value)),
        unknown=printable(seen.value.reason) if isinstance(seen.value, Unknown) else None,
        kind=_kind(seen.node) if inside else "other",
        steps=tuple(_steps(seen, source)),
        skipped=seen.skipped,
        row=seen.tally.deciding if seen.tally is not None else "",
        children=inside,
    )


def _worth_telling(seen: Seen, above: Seen) -> bool:
    return isinstance(above.node, nodes.Join) or not isinstance(seen.node, nodes.Literal)


def _kind(node: nodes.Expression) -> Literal["and", "or", "not", "other"]:
    match node:
        case nodes.Join(word="and"):
            return "and"
        case nodes.Join():
            return "or"
        case nodes.Not(of=of) if not nodes.is_path(of) and not isinstance(of, nodes.Literal):
            return "not"
        case _:
            return "other"


def _steps(seen: Seen, source: str) -> Iterator[str]:
    node, text = seen.node, nodes.fragment(source, seen.node)
    steps: list[str] = []
    if not seen.inside:
        return
    if seen.tally is not None:
        steps.append(_tally_line(seen, source))
    elif isinstance(node, nodes.Compare):
        steps += [_filled(seen, source), _compared(seen, node)]
    elif isinstance(node, nodes.Choice):
        steps += [f"{one.text} is {one.outcome}" for one in [explain(seen.inside[0], source)]]
    elif isinstance(node, nodes.Arithmetic | nodes.Negative | nodes.Not) or _is_plain_call(node):
        steps.append(_filled(seen, source))
    for place, step in enumerate(steps):
        if step != (steps[place - 1] if place else text):
            yield step


def _is_plain_call(node: nodes.Expression) -> bool:
    if not isinstance(node, nodes.Call) or node.name == "exists":
        return False
    return not any(isinstance(argument, nodes.Each) for argument in node.arguments)


def _filled(seen: Seen, source: str) -> str:
    """The source with the values in the place of paths and calls."""
    pieces: list[str] = []
    place = seen.node.start
    for part in sorted(_fillings(seen), key=lambda one: one.node.start):
        pieces += [source[place : part.node.start], show(part.value)]
        place = part.node.end
    pieces.append(source[place : seen.node.end])
    return " ".join("".join(pieces).split())


def _fillings(seen: Seen) -> Iterator[Seen]:
    for one in seen.inside:
        if isinstance(one.node, nodes.Name | nodes.Key | nodes.Place | nodes.Call):
            yield one
        else:
            yield from _fillings(one)


def _compared(seen: Seen, node: nodes.Compare) -> str:
    """The operands' values; with all digits where six would make different numbers look the same."""
    values = [one.value for one in seen.inside]
    shown = [show(value) for value in values]
    if any(
        shown[place] == shown[place + 1] and values[place] != values[place + 1] and is_number(values[place])
        for place in range(len(values) - 1)
    ):
        shown = [show(value, exact=True) for value in values]
    rest = [f" {sign} {value}" for sign, value in zip(node.signs, shown[1:], strict=False)]
    return shown[0] + "".join(rest)


def _tally_line(seen: Seen, source: str) -> str:
    tally = seen.tally
    if tally is None or not isinstance(seen.node, nodes.Call):
        return ""
    is_any = seen.node.name == "any"
    line = f"{tally.held} of {tally.rows} rows {'match' if is_any else 'hold'}"
    if tally.unclear:
        line += f", {tally.unclear} unclear"
    values = _row_values(seen, source)
    return f"{line}, {'first' if is_any else 'first that does not'}: {values}" if values else line


def _row_values(seen: Seen, source: str) -> str:
    """What the condition read of the deciding row, in the order of reading."""
    node = seen.node
    each = node.arguments[0] if isinstance(node, nodes.Call) else node
    if not isinstance(each, nodes.Each):
        return ""
    told: dict[str, str] = {}
    for one in _read_below(seen.inside[1:], each.variable):
        told.setdefault(nodes.fragment(source, one.node), show(one.value))
    return ", ".join(f"{text} = {value}" for text, value in list(told.items())[:SHOWN_ITEMS])


def _read_below(inside: tuple[Seen, ...], variable: str) -> Iterator[Seen]:
    for one in inside:
        root = one.node
        while isinstance(root, nodes.Key | nodes.Place):
            root = root.of
        if isinstance(root, nodes.Name) and root.name == variable:
            yield one
        else:
            yield from _read_below(one.inside, variable)
