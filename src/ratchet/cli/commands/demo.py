"""`ratchet demo`: break a PostgreSQL of our own and watch it being mended; nothing is left behind."""

import signal
import sys
import threading
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from shutil import which
from types import FrameType
from typing import Annotated, Literal
from urllib.parse import urlsplit

import typer

from ratchet.cli.commands.noun import single
from ratchet.cli.demo.next_steps import PROGRAM, to_type, way_to_program, with_server
from ratchet.cli.demo.outcome import exit_code
from ratchet.cli.demo.stage import KEPT_PORT, Wanted, stage
from ratchet.cli.demo.story import Story
from ratchet.cli.demo.teller import Teller
from ratchet.cli.exits import INTERRUPTED, LEFT_OVER, TERMINATED
from ratchet.cli.refused import Stopped
from ratchet.cli.show import Form, FormOption, document, for_a_person
from ratchet.domain.errors import Code
from ratchet.lab.catalog import load_catalog
from ratchet.lab.injectors.grip import UndoFailed

app = single()
FaultName = Literal["db-max-connections", "db-lock-contention", "db-idle-in-transaction", "db-replication-lag"]


class Terminated(BaseException):
    """SIGTERM or SIGHUP came; everything is taken down on the way out."""


@app.command("demo")
def demo(
    fault: Annotated[FaultName, typer.Option(help="What is broken.")] = "db-max-connections",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Approve as the demo operator without asking.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Let server and lab stay until Ctrl-C, and print a token.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Other names and sessions for another number.")] = 1,
    form: FormOption = Form.TABLE,
) -> None:
    """Break a PostgreSQL of our own and watch it being mended: exit 0 recovered, 5 not, 6 escalated, 3 declined."""
    as_object = form in (Form.JSON, Form.JSONL, Form.YAML)
    stream = sys.stderr if as_object else sys.stdout
    teller = Teller(stream, forced=not as_object and for_a_person())
    wanted = Wanted(load_catalog().find(fault), seed, keep)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    try:
        code = _play(wanted, teller, (form if as_object else None, yes))
    except KeyboardInterrupt:
        teller.line("Interrupted; everything was taken down.")
        code = INTERRUPTED
    except Terminated:
        code = TERMINATED
    except UndoFailed as left:
        raise Stopped(
            LEFT_OVER, f"The fault could not be taken back: {left}", "Look at what is named.", Code.FAILED
        ) from None
    raise typer.Exit(code)


def _play(wanted: Wanted, teller: Teller, said: tuple[Form | None, bool]) -> int:
    form, yes = said
    teller.line("Ratchet demo: from an alert to a proved recovery, on a PostgreSQL of its own.", "strong")
    with ExitStack() as last:
        with teller.busy("starting") as moving:
            here = last.enter_context(stage(wanted, moving))
        if wanted.keep and urlsplit(here.url).port != KEPT_PORT:
            teller.line(f"Port {KEPT_PORT} is taken; the server listens at {here.url}.", "warn")
        outcome, view = Story(here, wanted, teller, yes=yes).play()
        teller.part("Next")
        steps = with_server(here, view, outcome) if wanted.keep else to_type(view)
        for line in chain(way_to_program(which(PROGRAM), Path(sys.argv[0]).absolute()), steps):
            teller.whole(line)
        if form is not None:
            document(outcome.model_dump(mode="json"), form)
        if wanted.keep:
            _stay(teller)
    if not wanted.keep:
        teller.line(f"Nothing is left running or behind. {teller.elapsed():.0f} s.", "dim")
    return exit_code(outcome, view)


def _stay(teller: Teller) -> None:
    """Serve until a signal; the token above is for this demo alone and ends with it."""
    teller.line("Serving until Ctrl-C; then everything is taken down, the token with it.", "dim")
    with suppress(KeyboardInterrupt, Terminated):
        threading.Event().wait()


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
