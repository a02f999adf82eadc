"""The little Markdown that the pages need."""

from collections.abc import Iterable, Sequence


def head(title: str, *said: str) -> list[str]:
    """A page's beginning; every paragraph is one argument."""
    lines = [f"# {title}", ""]
    for paragraph in said:
        lines += [paragraph, ""]
    return lines


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table and the empty line after it; nothing for no rows."""
    cells = ["| " + " | ".join(safe(cell) for cell in row) + " |" for row in rows]
    if not cells:
        return []
    return ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns), *cells, ""]


def safe(text: str) -> str:
    """A text that stays inside its cell."""
    return " ".join(text.split()).replace("|", "\\|")


def text(lines: Sequence[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


def first_paragraph(said: str | None) -> str:
    return " ".join((said or "").split("\n\n")[0].split())
