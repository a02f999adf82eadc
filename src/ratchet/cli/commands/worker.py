"""`ratchet worker`: the worker without a gateway, beside a `ratchet serve --no-worker` of the same home."""

import signal
import threading
from contextlib import ExitStack, suppress

import typer

from ratchet.cli import server_file
from ratchet.cli.commands.noun import single
from ratchet.cli.road import given_by, settings_of
from ratchet.cli.show import say
from ratchet.wiring import open_house

app = single()


@app.command("worker")
def work_until_stopped(context: typer.Context) -> None:
    """Work on the incidents of this home, until SIGTERM or Ctrl-C; beside it `ratchet serve --no-worker` answers."""
    settings = settings_of(given_by(context))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as last:
        last.enter_context(server_file.the_worker(settings.home))
        house = open_house(settings, say)
        last.callback(house.close)
        house.start()
        house.work()
        say(f"Ratchet works on the incidents of {settings.home} and listens nowhere.")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
    say("Stopped.")
