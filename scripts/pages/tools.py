"""The write tools, from what each declares of itself."""

import ast
import inspect
import textwrap
from datetime import UTC, datetime
from typing import Any

from ratchet.domain.plan import ToolSpec
from ratchet.tools.host.tools import host_tools
from ratchet.tools.postgres.rights import ACT_RIGHTS
from ratchet.tools.postgres.writes import POSTGRES_TOOLS
from scripts.pages.marks import first_paragraph, head, table, text

NOTHING_TO_DO = "there is nothing to do"


def page() -> str:
    tools: list[Any] = [*POSTGRES_TOOLS, *host_tools(lambda: datetime.now(UTC))]
    tools.sort(key=lambda tool: tool.spec.name)
    lines = head(
        "Write tools",
        "Written by `make docs` from the code. Nothing else can change a target, and none of these runs without a "
        "grant, which comes from a person's approval of one exact act.",
        "**Effect** is `reversible`, `disruptive` or `destructive`; a session with uncommitted writes among those "
        "shown raises it by one. **Class** says what may be done when the answer is lost: A may be proved absent and "
        "repeated, B is guarded by a deadline at the target and looked up, C is left to a person. **Scope** `exact`: "
        "any change to what was shown voids the packet; `bounded`: a predicate and a cap.",
    )
    lines += table(
        ("tool", "what it does", "effect", "class", "scope", "undo"),
        [(f"`{t.spec.name}`", t.spec.summary, t.spec.effect, t.spec.klass, t.spec.scope, undo(t)) for t in tools],
    )
    for tool in tools:
        lines += details(tool.spec, first_paragraph(type(tool).__doc__))
    return text([*lines, *rights()])


def details(spec: ToolSpec, said: str) -> list[str]:
    can = ", ".join(f"`{name}`" for name in spec.capabilities) or "none"
    lines = [f"## {spec.name}", "", said, "", f"Capabilities: {can}.", ""]
    needed = set(spec.arguments.get("required", ()))
    rows = [
        (f"`{name}`", kind_of(shape), "yes" if name in needed else "", default_of(shape))
        for name, shape in spec.arguments.get("properties", {}).items()
    ]
    return lines + table(("argument", "type", "required", "default"), rows)


def kind_of(shape: dict[str, Any]) -> str:
    if "anyOf" in shape:
        return " or ".join(kind_of(each) for each in shape["anyOf"] if each.get("type") != "null")
    if "enum" in shape:
        return ", ".join(f"`{each}`" for each in shape["enum"])
    if "$ref" in shape:
        return shape["$ref"].rpartition("/")[2]
    if shape.get("type") == "array":
        return f"list of {kind_of(shape.get('items', {}))}"
    return str(shape.get("type", shape.get("const", "any")))


def default_of(shape: dict[str, Any]) -> str:
    default = shape.get("default")
    return "" if default in (None, "") else f"`{default}`"


def undo(tool: Any) -> str:
    """What the preview says of taking it back, read from its source, since a preview needs a server."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(type(tool))))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        note = next((each.value for each in call.keywords if each.arg == "note"), None)
        if name == "Undo.none" and (said := spoken(call.args[0])) != NOTHING_TO_DO:
            return f"none, because {said}"
        if name == "offered":
            return f"none, because {spoken(call.args[-1])}"
        if name == "Undo" and note is not None:
            return spoken(note)
    return ""


def spoken(node: ast.expr) -> str:
    """A text of the source; values that are put in are shown as dots."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values)
    return ast.unparse(node)


def rights() -> list[str]:
    lines = ["## Rights of the act login", "", "`ratchet target check` says which of them are missing.", ""]
    rows = [
        (right.name, versions(right.low, right.high), "; ".join(f"`{g}`" for g in right.grants) or "by hand",
         f"only with `--allow {right.unless}`" if right.unless else "", ", ".join(f"`{tool}`" for tool in right.tools))
        for right in ACT_RIGHTS
    ]  # fmt: skip
    return lines + table(("right", "PostgreSQL", "granted by", "provisioned", "for"), rows)


def versions(low: int, high: int) -> str:
    if high < 10_000_000:
        return f"before {high // 10_000}"
    return f"{low // 10_000}+" if low else "all"
