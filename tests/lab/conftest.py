"""One lab with a replica for every test here; a test leaves it healthy."""

import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from ratchet.lab.binaries import Binaries
from ratchet.lab.catalog import Catalog, load_catalog
from ratchet.lab.lab import Lab
from ratchet.lab.pooler import find_pooler


@pytest.fixture(scope="session")
def lab(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    root = tmp_path_factory.mktemp("lab") / "root"
    with Lab.up(root, replica=True, seed=7, binaries=pg_binaries, pgbouncer=find_pooler() is not None) as lab:
        yield lab


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="session")
def becomes() -> Callable[[Callable[[], bool]], bool]:
    """Waits up to 15 s until a condition holds; says whether it did."""

    def wait(wanted: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 15
        while not wanted():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    return wait


@pytest.fixture(scope="session")
def ended() -> Callable[[psutil.Process], bool]:
    """Whether a process has ended, collected by its parent or not."""

    def look(process: psutil.Process) -> bool:
        try:
            return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return look
