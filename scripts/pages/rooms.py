"""Every module under its room, with its opening sentence: the map for a newcomer."""

import ast
from pathlib import Path

from scripts.pages.marks import first_paragraph, head, table, text

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "ratchet"


def page() -> str:
    lines = head("Rooms and modules", "Written by `make docs` from the sentence each module opens with.")
    modules = {path: sentence(path) for path in sorted(PACKAGE.rglob("*.py")) if sentence(path)}
    for room in sorted({room_of(path) for path in modules}):
        lines += [f"## {room or 'ratchet'}", ""]
        rows = [(link(path), said) for path, said in sorted(modules.items()) if room_of(path) == room]
        lines += table(("module", "what it is for"), rows)
    return text(lines)


def sentence(path: Path) -> str:
    """The paragraph a module opens with, on one line."""
    return first_paragraph(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))


def room_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else ""


def link(path: Path) -> str:
    return f"[{path.relative_to(PACKAGE)}](../../{path.relative_to(ROOT)})"
