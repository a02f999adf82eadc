"""The desk in this process: the house is opened for one line and closed again; nothing works in the background."""

from collections.abc import Generator
from contextlib import contextmanager

from ratchet.cli import server_file
from ratchet.config import Settings
from ratchet.desk.contract import Desk
from ratchet.wiring import open_house


@contextmanager
def open_desk(settings: Settings) -> Generator[Desk]:
    """The desk as the person at this terminal meets it."""
    house = open_house(settings, _unsaid)
    try:
        yield house.desk(house.operator())
    finally:
        house.close()


@contextmanager
def open_working_desk(settings: Settings) -> Generator[Desk]:
    """The same with a worker, for a line that waits for what comes of its words; a `ratchet worker` does for one."""
    house = open_house(settings, _unsaid)
    try:
        if not server_file.works(settings.home):
            house.start()
            house.work()
        yield house.desk(house.operator())
    finally:
        house.close()


def _unsaid(_line: str) -> None:
    """Seeding is told by `serve`; a line that only asks says only its answer."""
