"""The table of commands: what `--help` shows without importing anything, and where each thing is loaded from."""

import gc
import importlib
from typing import Any, Final, NamedTuple

from typer.core import TyperGroup
from typer.main import get_command


class Entry(NamedTuple):
    """A noun: the module whose `app` serves it, its line in the help, the section it stands in, its other names."""

    module: str
    says: str
    section: str
    also: tuple[str, ...] = ()


_HERE = "ratchet.cli.commands."
SECTIONS: Final = ("Start here", "Incidents", "Vault", "Set up")
NOUNS: Final[dict[str, Entry]] = {
    "demo": Entry(_HERE + "demo", "Break a PostgreSQL of our own and watch it being mended.", "Start here"),
    "lab": Entry(_HERE + "lab", "A PostgreSQL of our own to break and mend: up, status, down.", "Start here"),
    "serve": Entry(_HERE + "serve", "Serve the API, with the worker, until stopped.", "Start here"),
    "worker": Entry(_HERE + "worker", "Work without serving, beside `serve --no-worker`.", "Start here"),
    "doctor": Entry(_HERE + "doctor", "Check everything that Ratchet stands on.", "Start here"),
    "incident": Entry(
        _HERE + "incident", "Look at incidents, take them over, end them.", "Incidents", ("incidents", "inc")
    ),
    "decision": Entry(
        _HERE + "decision", "Answer what waits for a person: list, show, approve, deny.", "Incidents", ("decisions",)
    ),
    "pause": Entry(_HERE + "pause", "Begin no act on any target until resumed.", "Incidents"),
    "resume": Entry(_HERE + "resume", "Let acts begin again.", "Incidents"),
    "grant": Entry(_HERE + "grant", "Approve in advance: list, create, revoke.", "Incidents", ("grants",)),
    "quality": Entry(
        _HERE + "quality", "How good Ratchet was: report; and what that should change: suggest.", "Incidents"
    ),
    "followup": Entry(
        _HERE + "followup", "What keeps incidents from coming again: list, done, wont.", "Incidents", ("followups",)
    ),
    "alert": Entry(_HERE + "alert", "Hand in alerts: ingest.", "Incidents", ("alerts",)),
    "playbook": Entry(
        _HERE + "playbook",
        "Read and keep playbooks: list, show, render, lint, edit, activate, discard.",
        "Vault",
        ("playbooks",),
    ),
    "vault": Entry(_HERE + "vault", "What is covered; drafts, diff, backtest, review; export, import.", "Vault"),
    "fault": Entry(
        _HERE + "fault", "Break a server on purpose and grade what happens: list, run, status.", "Vault", ("faults",)
    ),
    "target": Entry(_HERE + "target", "Register what Ratchet looks after: add, list, check.", "Set up", ("targets",)),
    "token": Entry(_HERE + "token", "Let people and programs in: create, list, revoke.", "Set up", ("tokens",)),
    "completion": Entry(_HERE + "completion", "Print a completion script for your shell.", "Set up"),
    "audit": Entry(_HERE + "audit", "Prove and export the record: verify, tail, export, key.", "Set up"),
    "version": Entry(_HERE + "version", "Say which version this is.", "Set up"),
}
_NAMES: Final = {also: name for name, entry in NOUNS.items() for also in entry.also}

OVER_HTTP: Final = "ratchet.cli.over_http:open_desk"
IN_HOUSE: Final = "ratchet.cli.in_house:open_desk"
AT_WORK: Final = "ratchet.cli.in_house:open_working_desk"
PROBLEM: Final = "ratchet.gateway.problem:problem"
REFUSING: Final = "ratchet.cli.refused:run"
TERMINAL: Final = "ratchet.cli.terminal:Terminal"
SHELL_SCRIPT: Final = "typer.completion:get_completion_script"
SHELLS: Final = "typer.completion:completion_init"
PNG: Final = "ratchet.cli.plots.png:paint"
YAML: Final = "ratchet.cli.as_yaml:as_yaml"


def load(place: str) -> Any:
    """What stands at `module:name`; the one place where this program imports anything late."""
    module, _, name = place.partition(":")
    found: Any = getattr(importlib.import_module(module), name)
    return found


class Nouns(TyperGroup):
    """The root of the program; a noun's module is imported when the noun is used."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is typer's
        return list(NOUNS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - as above
        name = _NAMES.get(cmd_name, cmd_name)
        entry = NOUNS.get(name)
        if entry is None:
            return None
        command = get_command(load(f"{entry.module}:app"))
        command.name = name
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - as above
        for section in SECTIONS:
            with formatter.section(section):
                formatter.write_dl([(name, entry.says) for name, entry in NOUNS.items() if entry.section == section])

    def invoke(self, ctx: Any) -> Any:
        return load(REFUSING)(lambda: super(Nouns, self).invoke(ctx), ctx)
