"""Brings the tables of a database to this release's form, in the process that opens it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from ratchet.domain.errors import Code, Refusal
from ratchet.store.sqlite import WRITES, refusing

PLACE = Path(__file__).parent / "migrations"
NEWEST = "0006"
"""The revision that this release reads and writes."""


def migrate(engine: Engine) -> None:
    """Run every missing migration in one transaction; raises Refusal(FAILED) for a newer database."""
    with refusing(), engine.connect() as connection:
        if _revision(connection) == NEWEST:
            return
    with refusing(), engine.connect() as pooled:
        connection = pooled.execution_options(**{WRITES: True})
        with connection.begin():
            _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    """Holding the write lock, so that of two processes that open a new database one does the work."""
    settings = config()
    there = _revision(connection)
    if there is not None and there not in {script.revision for script in scripts(settings).walk_revisions()}:
        raise Refusal(
            Code.FAILED,
            f"The state database has form {there}; this release knows forms up to {NEWEST}.",
            "Start the newer release again, or restore the backup made before it.",
        )
    settings.attributes["connection"] = connection
    command.upgrade(settings, NEWEST)


def config() -> Config:
    """Alembic's settings; there is no ini file."""
    settings = Config()
    settings.set_main_option("script_location", str(PLACE).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings


def scripts(settings: Config) -> ScriptDirectory:
    """The migrations in the package."""
    return ScriptDirectory.from_config(settings)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
