"""Alembic, and what it does to a database that is behind this release: read only where there is one (`migrate`)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

PLACE = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, to: str) -> None:
    """Run the migrations up to that revision on this connection, inside its transaction."""
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, to)


def revisions() -> frozenset[str]:
    """The revisions that this release knows."""
    return frozenset(script.revision for script in scripts().walk_revisions())


def scripts() -> ScriptDirectory:
    """The migrations in the package."""
    return ScriptDirectory.from_config(config())


def config() -> Config:
    """Alembic's settings; there is no ini file."""
    settings = Config()
    settings.set_main_option("script_location", str(PLACE).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings
