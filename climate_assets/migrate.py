"""Bringing a database to the tables of this version: Alembic's migrations, then the views.

Run by `climate up` and by whoever deploys; the assets expect it done and `climate doctor` says when it is not.
"""

import re
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from climate_assets import views
from climate_assets.failures import Permanent


def migrate(database_url: str) -> str:
    """Upgrade the database to the newest version and replace its views; the version it has then."""
    engine = _engine(database_url)
    config = _config()
    # One transaction, held by one lock: two starts at once upgrade once.
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(724001)"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise Permanent(
                f"the database cannot be brought to {newest()} ({error}); run the code that it was made by"
            ) from error
        for name, definition in views.ALL.items():
            _replace_view(connection, name, definition)
    return newest()


def newest() -> str:
    """The newest version this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(database_url: str) -> str | None:
    """The version a database has; none if it was never migrated."""
    with _engine(database_url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _replace_view(connection: Connection, name: str, definition: str) -> None:
    """Replace a view in place, so that rights granted on it and what is built on it stay; anew if its columns changed."""
    statement = definition.replace("%", "%%")
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement)
    except ProgrammingError:
        connection.execute(text(f"DROP VIEW {name}"))
        connection.exec_driver_sql(statement)


def _engine(database_url: str) -> Engine:
    return create_engine(re.sub("^postgres(ql)?://", "postgresql+psycopg://", database_url), poolclass=NullPool)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
