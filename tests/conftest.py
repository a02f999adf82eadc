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


def new_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "root"
