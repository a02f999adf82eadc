"""`ratchet completion SHELL`: the script that teaches a shell our nouns."""

from typing import Annotated, Literal

import typer

from ratchet.cli.commands.noun import single
from ratchet.cli.show import out
from ratchet.cli.table import SHELL_SCRIPT, load

app = single()


@app.command("completion")
def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"], typer.Argument(help='bash: eval "$(ratchet completion bash)"')
    ],
) -> None:
    """Print a completion script for your shell."""
    out(load(SHELL_SCRIPT)(prog_name="ratchet", complete_var="_RATCHET_COMPLETE", shell=shell))
