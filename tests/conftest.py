"""Servers that any test may read: `pg`, one running primary, and `pg_pair`, a primary with its streaming replica.

Both live for the whole session and are shared; a test that stops, kills or reconfigures one makes its own.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ratchet.lab.binaries import Binaries, find_binaries
from ratchet.lab.embedded import Cluster


@pytest.fixture(scope="session")
def pg_binaries() -> Binaries:
    return find_binaries(os.environ)


@pytest.fixture(scope="session")
def pg(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running primary with 40 connections; `pg.dsn()` is its superuser's, `pg.add_login(name)` makes another role."""
    with Cluster.create(new_root(tmp_path_factory), pg_binaries, settings={"max_connections": 40}) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def pg_pair(pg_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Cluster]]:
    """(primary, replica), streaming through the physical slot `replica_one`."""
    with Cluster.create(new_root(tmp_path_factory), pg_binaries, settings={"max_connections": 40}) as primary:
        yield primary, primary.replica(new_root(tmp_path_factory))


LONGEST = (
    "tests/cli/test_fault_elsewhere.py",
    "tests/cli/test_fault.py",
    "tests/cli/test_certify.py",
    "tests/nights/",
    "tests/cli/test_audit.py",
    "tests/cli/test_vault.py",
    "tests/cli/test_pipes.py",
    "tests/cli/test_lab.py",
    "tests/cli/test_roads.py",
    "tests/vault/test_look_alikes",
    "tests/lab/",
    "tests/vault/test_differential_examples.py",
    "tests/vault/test_draft.py",
    "tests/vault/test_life.py",
    "tests/cli/",
    "tests/tools/test_look.py",
    "tests/tools/",
)
"""Where the time goes, the longest first: one worker has the whole of a module, so what takes minutes begins first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules that take long come first (`--no-loadscope-reorder` keeps xdist from counting tests instead of time)."""
    items.sort(
        key=lambda item: next((n for n, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))
    )


def new_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "root"
