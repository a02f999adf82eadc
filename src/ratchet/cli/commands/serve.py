"""`ratchet serve`: the gateway, and the worker unless that is a process of its own, until a signal ends it."""

import gc
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from types import FrameType
from typing import Annotated

import typer

from ratchet.cli import server_file
from ratchet.cli.commands.noun import single
from ratchet.cli.road import TOKEN, given_by, settings_of
from ratchet.cli.show import say
from ratchet.config import Settings
from ratchet.gateway.app import create_app
from ratchet.gateway.server import listener_of, serve
from ratchet.wiring import House, open_house

app = single()


@app.command("serve")
def serve_until_stopped(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Where to listen; else RATCHET_HOST, else 127.0.0.1.")] = None,
    port: Annotated[
        int | None, typer.Option(help="The port; else RATCHET_PORT, else 8080; 0 takes a free one.")
    ] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Only answer; a `ratchet worker` of the same home works.")
    ] = False,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Listen beyond this machine; put TLS in front of it.")
    ] = False,
    name: Annotated[list[str] | None, typer.Option(help="A host name under which a proxy may call.")] = None,
) -> None:
    """Serve the API, with the worker, until SIGTERM or Ctrl-C."""
    settings = settings_of(given_by(context))
    where = (host or settings.host, settings.port if port is None else port)
    with ExitStack() as last:
        last.enter_context(server_file.the_server(settings.home))
        if not no_worker:
            last.enter_context(server_file.the_worker(settings.home))
        house = open_house(settings, say)
        last.callback(house.close)
        house.remind(say)
        house.prove()
        if not no_worker:
            house.start()
        begin = _nothing if no_worker else house.work
        _serve(house, settings, where, (allow_remote, tuple(name or ())), begin)
    say("Stopped.")


def _nothing() -> None:
    """Another process works."""


def _serve(
    house: House,
    settings: Settings,
    where: tuple[str, int],
    reach: tuple[bool, tuple[str, ...]],
    begin: Callable[[], None],
) -> None:
    """Answer until a signal; uvicorn ends well on it and then repeats it to us, where it is only a word.

    `begin` is called once requests are answered: what waits for the worker must not keep an alert waiting at the door.
    """
    signal.signal(signal.SIGTERM, _interrupt)

    def ready(url: str) -> None:
        server_file.write(settings.home, url)
        begin()
        say(f"Ratchet listens at {url}; the admin token is in {settings.home / TOKEN}")

    gateway = create_app(house, listener_of(where[0], reach[1]))
    # What was made so far stays until the end; looking through it for garbage again and again would cost every alert.
    gc.freeze()
    with suppress(KeyboardInterrupt):
        serve(gateway, where, ready, leaving=partial(server_file.remove, settings.home), allow_remote=reach[0])


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
