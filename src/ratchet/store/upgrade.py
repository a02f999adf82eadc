"""Runs the migrations that a database misses; loaded only where one is missed, for Alembic is slow to import."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

PLACE = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the tables to `revision` on this connection, inside its transaction."""
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, revision)


def revisions() -> list[str]:
    """Every form that this release knows, the newest first."""
    return [script.revision for script in scripts(config()).walk_revisions()]


def config() -> Config:
    """Alembic's settings; there is no ini file."""
    settings = Config()
    settings.set_main_option("script_location", str(PLACE).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings


def scripts(settings: Config) -> ScriptDirectory:
    """The migrations in the package."""
    return ScriptDirectory.from_config(settings)
