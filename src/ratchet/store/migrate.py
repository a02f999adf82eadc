"""Brings the tables of a database to this release's form, in the process that opens it."""

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from ratchet.domain.errors import Code, Refusal
from ratchet.store.sqlite import WRITES, refusing

NEWEST = "0006"
"""The revision that this release reads and writes."""


def _put_off(name: str) -> ModuleType:
    """A module that is read when it is used first: Alembic is a tenth of what a start imports, and used once."""
    if name in sys.modules:
        return sys.modules[name]
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name)
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from ratchet.store import upgrade
else:
    upgrade = _put_off("ratchet.store.upgrade")
_ONE_READS = Lock()


def migrate(engine: Engine) -> None:
    """Run every missing migration in one transaction; raises Refusal(FAILED) for a newer database."""
    with refusing(), engine.connect() as connection:
        if _revision(connection) == NEWEST:
            return
    with _ONE_READS, refusing(), engine.connect() as pooled:
        connection = pooled.execution_options(**{WRITES: True})
        with connection.begin():
            _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    """Holding the write lock, so that of two processes that open a new database one does the work."""
    there = _revision(connection)
    if there is not None and there not in upgrade.revisions():
        raise Refusal(
            Code.FAILED,
            f"The state database has form {there}; this release knows forms up to {NEWEST}.",
            "Start the newer release again, or restore the backup made before it.",
        )
    upgrade.upgrade(connection, NEWEST)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
