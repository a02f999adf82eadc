"""How the program says no: one line and a remedy for people, a problem document for programs."""

import sys
from collections.abc import Callable
from typing import Any

import typer

from ratchet.cli.exits import BY_CODE
from ratchet.cli.given import Given
from ratchet.cli.table import PROBLEM, load
from ratchet.cli.words import clean, unseen_escaped
from ratchet.domain.errors import Code, Refusal


class Stopped(Refusal):
    """A refusal of the program itself that has an exit code of its own: declined, pending, timeout."""

    def __init__(self, exit_code: int, message: str, remedy: str, code: Code = Code.CONFLICT) -> None:
        super().__init__(code, message, remedy)
        self.exit_code = exit_code


def run(call: Callable[[], Any], context: typer.Context) -> Any:
    """Make the call; a refusal is told on stderr and becomes the exit code."""
    try:
        return call()
    except Refusal as refusal:
        given = context.obj if isinstance(context.obj, Given) else Given()
        tell(refusal, as_problem=given.json_errors)
        raise typer.Exit(exit_code(refusal)) from None


def exit_code(refusal: Refusal) -> int:
    """The code that a program sees."""
    return refusal.exit_code if isinstance(refusal, Stopped) else BY_CODE[refusal.code.value]


def tell(refusal: Refusal, *, as_problem: bool) -> None:
    """Write a refusal to stderr."""
    if as_problem:
        sys.stderr.write(unseen_escaped(bytes(load(PROBLEM)(refusal).body).decode()) + "\n")
        return
    sys.stderr.write(f"error: {clean(refusal.message)}\n")
    for mistake in refusal.mistakes:
        sys.stderr.write(f"  {clean(str(mistake))}\n")
    if refusal.remedy:
        sys.stderr.write(f"  -> {clean(refusal.remedy)}\n")
