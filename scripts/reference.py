"""Writes docs/reference/ from the code, so that those pages cannot say what the program does not."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "ratchet"
REFERENCE = ROOT / "docs" / "reference"


def sentence(path: Path) -> str:
    """The paragraph a module opens with, on one line."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(said.split("\n\n")[0].split())


def room_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else ""


def rooms() -> str:
    """Every module under its room, with its opening sentence: the map for a newcomer."""
    lines = ["# Rooms and modules", "", "Written by `make docs` from the sentence each module opens with.", ""]
    modules = [path for path in sorted(PACKAGE.rglob("*.py")) if sentence(path)]
    modules.sort(key=lambda path: (room_of(path), path.as_posix()))
    current: str | None = None
    for path in modules:
        if room_of(path) != current:
            current = room_of(path)
            lines += ["", f"## {current or 'ratchet'}", "", "| module | what it is for |", "|---|---|"]
        said = sentence(path).replace("|", "\\|")
        lines.append(f"| [{path.relative_to(PACKAGE)}](../../{path.relative_to(ROOT)}) | {said} |")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def pages() -> dict[str, str]:
    """File name below docs/reference/ -> its text."""
    return {"rooms.md": rooms()}


def main() -> int:
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
