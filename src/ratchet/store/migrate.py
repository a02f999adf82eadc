"""Sees that the tables of a database have this release's form, in the process that opens it."""

from importlib import import_module

from sqlalchemy import Connection, Engine, inspect, text

from ratchet.domain.errors import Code, Refusal
from ratchet.store.sqlite import refusing

NEWEST = "0005"
"""The revision that this release reads and writes."""
UPGRADE = "ratchet.store.upgrade"
"""The module that changes tables: imported when a database has an older form, not at each start."""


def migrate(engine: Engine) -> None:
    """Run every missing migration in one transaction; raises Refusal(FAILED) for a newer database."""
    with refusing(), engine.connect() as connection:
        if _revision(connection) == NEWEST:
            return
    with refusing(), engine.connect() as pooled:
        connection = pooled.execution_options(ratchet_writes=True)
        with connection.begin():
            _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    """Holding the write lock, so that of two processes that open a new database one does the work."""
    migrations = import_module(UPGRADE)
    there = _revision(connection)
    if there is not None and there not in migrations.revisions():
        raise Refusal(
            Code.FAILED,
            f"The state database has form {there}; this release knows forms up to {NEWEST}.",
            "Start the newer release again, or restore the backup made before it.",
        )
    migrations.upgrade(connection, NEWEST)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
