"""The demo's stage: a lab, a house and a gateway of its own, up together and gone together."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ratchet.cli import lab_life
from ratchet.config import Settings
from ratchet.desk.contract import Desk
from ratchet.desk.views import TargetReport
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.fault import Fault
from ratchet.gateway.app import create_app
from ratchet.gateway.client import HttpDesk
from ratchet.gateway.house import Listener
from ratchet.gateway.server import Server
from ratchet.lab.binaries import Binaries, BinariesNotFound, find_binaries
from ratchet.lab.catalog import load_catalog
from ratchet.lab.keeper import Asked, LabState, ask, kept
from ratchet.lab.lab import Lab
from ratchet.wiring import House, open_house

OPERATOR = "demo-operator"
OWNER = f"user:default/{OPERATOR}"
SOURCE = "demo-alertmanager"
KEPT_PORT = 8080
"""Where the server stands when it is to stay, so that printed lines look as they do in the documents."""


@dataclass(frozen=True)
class Wanted:
    """What the stage is for."""

    fault: Fault
    seed: int
    keep: bool


@dataclass(frozen=True)
class Stage:
    """Everything that the story is played on."""

    home: Path
    fault: str
    lab: Lab
    house: House
    url: str
    desk: Desk
    reports: tuple[TargetReport, ...]
    source_token: str = field(repr=False)
    approver_token: str = field(repr=False)


@contextmanager
def stage(wanted: Wanted, say: Callable[[str], None]) -> Generator[Stage]:
    """Up, and gone at the end whatever happens; `say` hears what takes its time."""
    with ExitStack() as last:
        root = Path(tempfile.mkdtemp(prefix="ratchet-demo-"))
        last.callback(shutil.rmtree, root, ignore_errors=True)
        say("starting PostgreSQL and opening the shop")
        replica = "replica" in wanted.fault.spec.needs
        lab = last.enter_context(Lab.up(root / "lab", replica=replica, seed=wanted.seed, binaries=_binaries()))
        say("starting Ratchet")
        home = root / "home"
        state, serve = last.enter_context(kept(lab, lab_life.state_path(home), load_catalog()))
        last.enter_context(_answering(state, serve))
        house = open_house(Settings(home=home, operator=OPERATOR), _unsaid)
        last.callback(house.close)
        desk = house.desk(house.operator())
        reports = tuple(lab_life.register(desk, home, state, OWNER))
        source = desk.make_token(SOURCE, person=False, role="source").text
        approver = desk.make_token(OPERATOR, person=True, role="approver").text
        house.start()
        house.work()
        server, url = _listening(house, keep=wanted.keep)
        last.callback(server.stop)
        near = HttpDesk(url, approver)
        last.callback(near.close)
        last.callback(_deafen)
        yield Stage(home, wanted.fault.id, lab, house, url, near, reports, source, approver)


def _binaries() -> Binaries:
    try:
        return find_binaries(os.environ)
    except BinariesNotFound as missing:
        raise Refusal(Code.UNAVAILABLE, "The demo needs PostgreSQL's server programs.", str(missing)) from None


@contextmanager
def _answering(state: LabState, serve: Callable[[], None]) -> Generator[None]:
    """The keeper answers beside the story, so that `ratchet fault` finds this lab."""
    answers = threading.Thread(target=serve, name="demo-keeper", daemon=True)
    answers.start()
    try:
        yield
    finally:
        ask(state, Asked(verb="down"))
        answers.join()


def _listening(house: House, *, keep: bool) -> tuple[Server, str]:
    """The gateway on a free port; on its usual one when it is to stay and nobody else has it."""
    app = create_app(house, Listener())
    if keep:
        server = Server(app, port=KEPT_PORT)
        with suppress(Refusal):
            return server, server.start()
    server = Server(app)
    return server, server.start()


def _unsaid(_line: str) -> None:
    """Seeding is no part of this story."""


def _deafen() -> None:
    """From here on a second Ctrl-C must not stop the taking down half-way."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
