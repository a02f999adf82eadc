"""Runs the line that was typed and turns its end into an exit code."""

import gc
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ratchet.cli.exits import FAILED, INTERRUPTED, OK
from ratchet.cli.given import Given, hoist, wants_json
from ratchet.cli.table import PROBLEM, SHELLS, Nouns, load
from ratchet.cli.words import inert, unseen_escaped

app = typer.Typer(
    cls=Nouns,
    name="ratchet",
    help="From an alert to a proved recovery, and from what worked to a playbook that does not slip back.",
    epilog="Every noun has --help. Exit codes: 0 done, 1 failed, 2 usage, 3 declined, 4 not allowed, "
    "5 ran and the answer is bad, 6 escalated, 8 pending, 70 left over, 124 timeout, 130 interrupted.",
    add_completion=False,
    no_args_is_help=False,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback()
def root(
    context: typer.Context,
    url: Annotated[str | None, typer.Option(help="The gateway to ask; else RATCHET_URL, else a local one.")] = None,
    token_file: Annotated[str | None, typer.Option(help="File with the token; else RATCHET_TOKEN_FILE.")] = None,
    home: Annotated[str | None, typer.Option(help="Where Ratchet keeps its state; else RATCHET_HOME.")] = None,
    api_key: Annotated[str | None, typer.Option(hidden=True)] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show each request as a curl line, token masked.")] = False,
) -> None:
    context.obj = Given(url, token_file, home, api_key, debug, json_errors=context.obj is True)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one line (the process's own without `argv`) and give its exit code."""
    if argv is None:
        # What a line imports stays to its end; looking through it for garbage makes a start a fifth longer.
        gc.disable()
    words = hoist(sys.argv[1:] if argv is None else argv)
    _write_anything()
    if "_RATCHET_COMPLETE" in os.environ:
        load(SHELLS)()
    try:
        code = app(words or ["--help"], prog_name="ratchet", standalone_mode=False, obj=wants_json(words))
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as wrong:
        return _misused(wrong, as_problem=wants_json(words))
    return code if isinstance(code, int) else OK


def _write_anything() -> None:
    """A terminal that cannot show a character gets a stand-in for it, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _misused(wrong: typer.TyperException, *, as_problem: bool) -> int:
    """A line that cannot be understood: what is wrong with it, and where the help is."""
    context = getattr(wrong, "ctx", None)
    where = getattr(context, "command_path", "ratchet")
    remedy = f"See `{where} --help`."
    if as_problem:
        refusal = load("ratchet.domain.errors:invalid")(wrong.format_message(), remedy)
        sys.stderr.write(unseen_escaped(bytes(load(PROBLEM)(refusal).body).decode()) + "\n")
    else:
        sys.stderr.write(inert(f"error: {wrong.format_message()}\n  -> {remedy}\n"))
    return getattr(wrong, "exit_code", FAILED)
