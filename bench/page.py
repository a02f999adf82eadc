"""The figures as a page of the documents."""

from collections.abc import Mapping, Sequence

from bench.figure import Figure

WORDS = {True: "met", False: "**missed**", None: ""}


def page(sentences: Mapping[str, str], taken: Mapping[str, Sequence[Figure]], machine: str, date: str) -> str:
    """Markdown: one table per measurement, under the machine and the day."""
    when = f", {date}" if date else ""
    lines = [
        "# Figures", "",
        f"Measured on: {machine}{when}. Written by `python -m bench --write`; measure again with `make bench`.",
    ]  # fmt: skip
    for name, figures in taken.items():
        lines += ["", f"## {name}", "", sentences[name], ""]
        lines += ["| figure | value | goal | | samples |", "|---|---:|---:|---|---|"]
        lines += [row(figure) for figure in figures]
    return "\n".join(lines) + "\n"


def row(figure: Figure) -> str:
    sign = "<=" if figure.better == "less" else ">="
    goal = "" if figure.goal is None else f"{sign} {figure.goal:g} {figure.unit}"
    return f"| {figure.name} | {figure.value:.3f} {figure.unit} | {goal} | {WORDS[figure.met]} | {figure.note} |"
