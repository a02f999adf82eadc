"""The commands, from the same declarations that `--help` is written from."""

from collections.abc import Iterable
from enum import Enum
from typing import Any, get_args

from typer.main import get_command

from ratchet.cli import exits
from ratchet.cli.program import app
from ratchet.cli.table import NOUNS, SECTIONS, load
from scripts.pages.marks import first_paragraph, head, table, text


def page() -> str:
    lines = head(
        "Command line",
        "Written by `make docs` from the program. `ratchet NOUN --help` and `ratchet NOUN VERB --help` say the same. "
        "In a terminal tables are shown; in a pipe the columns are separated by tabs, and `-o json` gives the API's "
        "own objects.",
    )
    lines += ["## For all commands", "", *options(get_command(app)), *codes()]
    for section in SECTIONS:
        for name, entry in NOUNS.items():
            if entry.section == section:
                lines += noun(name, entry)
    return text(lines)


def noun(name: str, entry: Any) -> list[str]:
    command = get_command(load(f"{entry.module}:app"))
    also = f" Also: {', '.join(f'`{each}`' for each in entry.also)}." if entry.also else ""
    lines = [f"## ratchet {name}", "", f"{entry.says}{also}", ""]
    verbs = getattr(command, "commands", None)
    if verbs is None:
        return lines + usage(f"ratchet {name}", command)
    for verb, each in verbs.items():
        lines += [f"### ratchet {name} {verb}", "", *usage(f"ratchet {name} {verb}", each)]
    return lines


def usage(line: str, command: Any) -> list[str]:
    words = [word(each) for each in command.params if each.param_type_name == "argument"]
    lines = [f"`{' '.join([line, *words])}`", "", first_paragraph(command.help), ""]
    return lines + options(command)


def word(argument: Any) -> str:
    name = str(argument.metavar or argument.name).upper()
    return name if argument.required else f"[{name}]"


def options(command: Any) -> list[str]:
    shown = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    rows = [
        (", ".join(f"`{name}`" for name in each.opts), kind(each), "yes" if each.required else "", each.help or "")
        for each in shown
        if "--help" not in each.opts
    ]
    return table(("option", "takes", "required", "meaning"), rows)


def kind(option: Any) -> str:
    """What stands behind an option: nothing for a flag, the words to choose from, or `text`, `number`."""
    if option.is_flag:
        return ""
    annotation = option.type_descriptor.annotation
    words = [str(getattr(each, "value", each)) for each in get_args(annotation) or list(members(annotation))]
    found = " ".join(words) or {"int": "number", "float": "number"}.get(annotation.__name__, "text")
    return f"{found}, repeatable" if option.multiple else found


def members(annotation: Any) -> Iterable[Any]:
    return annotation if isinstance(annotation, type) and issubclass(annotation, Enum) else ()


def codes() -> list[str]:
    known = {value: name.lower().replace("_", " ") for name, value in vars(exits).items() if isinstance(value, int)}
    return ["Exit codes:", "", *table(("code", "meaning"), [(str(code), known[code]) for code in sorted(known)])]
