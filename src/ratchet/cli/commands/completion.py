"""`ratchet completion SHELL`: the script that teaches a shell our nouns."""

from typing import Annotated, Literal

import typer
from typer.completion import get_completion_script

from ratchet.cli.commands.noun import single
from ratchet.cli.show import out

app = single()


@app.command("completion")
def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"], typer.Argument(help='bash: eval "$(ratchet completion bash)"')
    ],
) -> None:
    """Print a completion script for your shell."""
    out(get_completion_script(prog_name="ratchet", complete_var="_RATCHET_COMPLETE", shell=shell))
