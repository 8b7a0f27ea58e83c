"""Bringing a database to the tables of this version: Alembic's migrations, then the views.

Run by `climate up` and by whoever deploys; the assets expect it done and `climate doctor` says when it is not.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from climate_assets import views


def migrate(database_url: str) -> str:
    """Upgrade the database to the newest version and replace its views; the version it has then."""
    engine = _engine(database_url)
    config = _config()
    # One transaction, held by one lock: two starts at once upgrade once.
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(724001)"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        for name, definition in views.ALL.items():
            connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
            connection.exec_driver_sql(definition.replace("%", "%%"))
    return newest()


def newest() -> str:
    """The newest version this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(database_url: str) -> str | None:
    """The version a database has; none if it was never migrated."""
    with _engine(database_url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _engine(database_url: str) -> Engine:
    return create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
