"""Running Alembic from code: the ``migrate`` command and the tests use the same few lines."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine


def alembic_config(script_location: Path, connection: Connection) -> Config:
    """Alembic's configuration for a given connection."""
    config = Config()
    config.set_main_option("script_location", str(script_location))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, script_location: Path, revision: str = "head") -> None:
    """Bring the schema up to the revision."""
    with engine.connect() as connection:
        command.upgrade(alembic_config(script_location, connection), revision)


def downgrade(engine: Engine, script_location: Path, revision: str) -> None:
    """Bring the schema down to the revision; ``base`` removes everything."""
    with engine.connect() as connection:
        command.downgrade(alembic_config(script_location, connection), revision)


def check(engine: Engine, script_location: Path) -> None:
    """Raise :class:`alembic.util.CommandError` if models and migrations disagree."""
    with engine.connect() as connection:
        command.check(alembic_config(script_location, connection))
