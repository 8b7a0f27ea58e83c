"""The database ends at exactly the tables of the records, however often it is migrated, and keeps what others built on it."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import sql
from sqlalchemy import create_engine

from climate_assets import schema, views
from climate_assets.failures import Permanent
from climate_assets.migrate import current, migrate, newest
from embedded import postgres


@pytest.fixture
def empty_url(postgres_folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database without a table."""
    name, admin = f"empty_{abs(hash(request.node.name)) % 10**8}", postgres.url(postgres_folder, "postgres")
    postgres.ensure_database(postgres_folder, name)
    yield postgres.url(postgres_folder, name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_migrations_end_at_the_tables_of_the_records(empty_url: str) -> None:
    assert current(empty_url) is None
    assert migrate(empty_url) == newest() == current(empty_url)
    with create_engine(empty_url.replace("postgresql://", "postgresql+psycopg://")).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []


def test_every_column_has_its_comment_and_nullability(empty_url: str) -> None:
    migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        found = connection.execute(
            """SELECT table_name, column_name, is_nullable = 'YES',
                      col_description(format('%I.%I', table_schema, table_name)::regclass, ordinal_position)
               FROM information_schema.columns
               WHERE table_schema = 'public' AND table_name NOT IN ('alembic_version', 'keywords')"""
        ).fetchall()
    told = {
        (table.name, column.name, bool(column.nullable), column.comment)
        for table in schema.metadata.sorted_tables
        for column in table.columns
    }
    assert set(found) == told


def test_a_second_migration_changes_nothing(empty_url: str) -> None:
    migrate(empty_url)
    execute(empty_url, "INSERT INTO channels VALUES ('france', 'canal-un', 'Canal Un', false, 'Europe/Paris')")
    assert migrate(empty_url) == newest()
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT count(*) FROM channels").fetchone() == (1,)


def test_rights_and_dashboards_on_a_view_outlive_a_migration(empty_url: str) -> None:
    migrate(empty_url)
    execute(empty_url, "GRANT SELECT ON keywords TO PUBLIC")
    execute(empty_url, "CREATE VIEW dashboard AS SELECT channel_name, number_of_keywords FROM keywords")
    migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        granted = connection.execute(
            "SELECT count(*) FROM information_schema.role_table_grants WHERE table_name = 'keywords' AND grantee = 'PUBLIC'"
        ).fetchone()
        assert granted == (1,)
        assert connection.execute("SELECT count(*) FROM dashboard").fetchone() == (0,)


def test_a_view_whose_columns_changed_is_made_anew(empty_url: str) -> None:
    migrate(empty_url)
    execute(empty_url, "DROP VIEW keywords")
    execute(empty_url, "CREATE VIEW keywords AS SELECT 1 AS of_an_older_version")
    migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT count(number_of_keywords) FROM keywords").fetchone() == (0,)


def test_a_database_of_newer_code_is_refused_and_left_alone(empty_url: str) -> None:
    migrate(empty_url)
    execute(empty_url, "UPDATE alembic_version SET version_num = 'of the future'")
    assert current(empty_url) != newest()
    with pytest.raises(Permanent, match=r"of the future.*code"):
        migrate(empty_url)
    assert current(empty_url) == "of the future"


@pytest.mark.parametrize("scheme", ["postgresql://", "postgres://", "postgresql+psycopg://"])
def test_every_common_form_of_the_address_is_read(empty_url: str, scheme: str) -> None:
    assert migrate(empty_url.replace("postgresql://", scheme)) == newest()


def test_every_view_is_in_the_database(empty_url: str) -> None:
    migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        names = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in names} == set(views.ALL)
