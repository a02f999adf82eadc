"""Runs the measurements named (all by default); prints a table or, with -o json, one object; --write makes a page."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import cast

from bench.figure import Figure
from bench.page import page

Run = Callable[[], list[Figure]]
NOT_MEASUREMENTS = {"__init__", "__main__", "figure", "scene", "page"}


def names() -> list[str]:
    found = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return sorted(name for name in found if name not in NOT_MEASUREMENTS and not name.startswith("_"))


def load(name: str) -> tuple[str, Run]:
    """The module's opening sentence and its `run`."""
    module = import_module(f"bench.{name}")
    return (module.__doc__ or "").strip().partition("\n")[0], cast(Run, module.run)


def row(figure: Figure) -> str:
    goal = "" if figure.goal is None else f"{'<=' if figure.better == 'less' else '>='} {figure.goal:g}"
    mark = {True: "met", False: "MISSED", None: ""}[figure.met]
    return f"{figure.name:<48} {figure.value:>11.3f} {figure.unit:<9} {goal:<9} {mark:<7} {figure.note}".rstrip()


def machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.release()}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*", help="which measurements; see --list")
    parser.add_argument("--list", action="store_true", help="say what can be measured")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="also write the figures as a Markdown page")
    parser.add_argument("--date", default="", help="the day that stands on the page")
    parser.add_argument("--machine", default="", help="the machine line, in place of what is found")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.name) - set(names()):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}; there are: {', '.join(names()) or 'none'}")
    measurements = {name: load(name) for name in asked.name or names()}
    if asked.list:
        for name, (sentence, _) in measurements.items():
            print(f"{name:<20} {sentence}")
        return 0
    said = asked.machine or machine()
    shown = asked.output == "table"
    if shown:
        print(said)
    taken = {name: take(name, sentence, run, shown) for name, (sentence, run) in measurements.items()}
    if not shown:
        print(json.dumps({"machine": said, "figures": {name: [asdict(f) for f in taken[name]] for name in taken}}))
    if asked.write:
        sentences = {name: sentence for name, (sentence, _) in measurements.items()}
        asked.write.write_text(page(sentences, taken, said, asked.date), encoding="utf-8")
    return 0


def take(name: str, sentence: str, run: Run, shown: bool) -> list[Figure]:
    if shown:
        print(f"\n{name}: {sentence}", flush=True)
    figures = run()
    if shown:
        print("\n".join(row(figure) for figure in figures), flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
