"""The database `barometre`: records in, records out, and loads that change nothing when nothing changed.

A load is COPY into a temporary table, then a merge that touches only rows that differ: a replay changes 0 rows.
Where nothing is yet, nothing can differ: the rows are copied straight in, at the speed of COPY.
Stages name tables and records; SQL that is more than a filter is passed in as text with parameters, never formatted.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from dagster import ConfigurableResource
from psycopg import sql
from psycopg.rows import dict_row
from pydantic import Field
from sqlalchemy import ARRAY, SmallInteger, Table

from climate_assets import schema
from climate_assets.failures import Permanent, Transient

R = TypeVar("R")


@dataclass(frozen=True)
class Change:
    """What a load did to its table, in rows."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0

    @property
    def changed(self) -> int:
        """Rows that are not as they were."""
        return self.inserted + self.updated + self.deleted

    def __add__(self, other: "Change") -> "Change":
        """Both changes together."""
        return Change(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.deleted + other.deleted,
            self.unchanged + other.unchanged,
        )


class Barometre(ConfigurableResource):  # type: ignore[type-arg]
    """The platform's PostgreSQL database."""

    url: str = Field(repr=False, description="postgresql://user:password@host/barometre")

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """A connection whose work is one transaction; raises `Transient` when the database cannot be reached."""
        with self._connected() as connection:
            yield connection

    def _connected(self) -> psycopg.Connection[dict[str, Any]]:
        try:
            return psycopg.connect(self.dsn, row_factory=dict_row, connect_timeout=10, application_name="climate-assets")
        except psycopg.OperationalError as error:
            # This message of the driver names host and user, never the password.
            trouble: Permanent | Transient = Transient(
                f"the database does not answer ({error}); start it with `climate up` or check DATABASE_URL"
            )
        except psycopg.ProgrammingError:
            # This one quotes the address, password included, so it is neither shown nor kept as a cause.
            trouble = Permanent("DATABASE_URL cannot be read; write postgresql://user:password@host/barometre")
        raise trouble

    @property
    def dsn(self) -> str:
        """The URL as libpq reads it."""
        return self.url.replace("postgresql+psycopg://", "postgresql://", 1)

    def read(self, record: type[R], *, order_by: Sequence[str] = (), **where: Any) -> list[R]:
        """All rows of a record's table whose columns equal `where` (a list means any of), ordered by key unless told."""
        table = table_of(record)
        columns = [f.name for f in schema.fields_of(record)]
        order = list(order_by) or [c.name for c in table.primary_key.columns]
        query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}").format(
            _names(columns), sql.Identifier(table.name), _matches(where), _names(order)
        )
        with self.connect() as connection:
            return [record(**row) for row in connection.execute(query, where)]

    def stream(self, record: type[R], **where: Any) -> Iterator[R]:
        """The same rows one by one, for more of them than memory should hold at once."""
        table = table_of(record)
        columns = [f.name for f in schema.fields_of(record)]
        query = sql.SQL("SELECT {} FROM {} WHERE {}").format(_names(columns), sql.Identifier(table.name), _matches(where))
        with self.connect() as connection, connection.cursor("stream") as cursor:
            cursor.itersize = 5_000
            for row in cursor.execute(query, where):
                yield record(**row)

    def rows(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a query; `%(name)s` parameters only."""
        with self.connect() as connection:
            return list(connection.execute(query.encode(), parameters))

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> int:
        """Run one statement; the number of rows it touched."""
        with self.connect() as connection:
            return connection.execute(statement.encode(), parameters).rowcount

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the one lock of that name, across processes, until the block ends; waits for it."""
        with self.connect() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))", {"name": name})
            yield

    def replace(self, rows: Sequence[Any], record: type, **scope: Any) -> Change:
        """Make the rows of `scope` exactly `rows`: insert what is new, update what differs, delete what is gone."""
        with self._loading() as connection:
            return merge(connection, rows, table_of(record), scope)

    def upsert(self, rows: Sequence[Any], record: type) -> Change:
        """Insert what is new and update what differs; nothing is deleted."""
        with self._loading() as connection:
            return merge(connection, rows, table_of(record), None)

    @contextmanager
    def _loading(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """A connection that has room for a day's rows in a temporary table: the default of 8 MB spills to disk."""
        with self.connect() as connection:
            connection.execute("SET temp_buffers = '64MB'")
            yield connection


def table_of(record: type) -> Table:
    """The table that a record type fills."""
    if record in schema.TABLE_OF:
        return schema.TABLE_OF[record]
    raise LookupError(f"{record.__name__} has no table; add it to schema.py")


def merge(connection: psycopg.Connection[Any], rows: Sequence[Any], table: Table, scope: Mapping[str, Any] | None) -> Change:
    """COPY `rows` aside, then touch only what differs; with a `scope`, rows of it that did not come are deleted."""
    if scope is not None and _is_empty(connection, table, scope) and _copied_straight(connection, rows, table):
        return Change(inserted=len(rows))
    columns = [c.name for c in table.columns]
    key = [c.name for c in table.primary_key.columns]
    aside = sql.Identifier(f"incoming_{table.name}")
    target = sql.Identifier(table.name)
    connection.execute(
        sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} LIMIT 0").format(aside, _names(columns), target)
    )
    copy_rows(connection, rows, table, f"incoming_{table.name}")
    others = [c for c in columns if c not in key]
    deleted = 0
    if scope is not None:
        gone = sql.SQL("DELETE FROM {t} WHERE {scope} AND NOT EXISTS (SELECT FROM {a} WHERE {same})").format(
            t=target, a=aside, scope=_matches(scope), same=_same(key, target, aside)
        )
        deleted = connection.execute(gone, dict(scope)).rowcount
    insert = sql.SQL("INSERT INTO {t} ({c}) SELECT {c} FROM {a} ON CONFLICT DO NOTHING").format(
        t=target, a=aside, c=_names(columns)
    )
    inserted = connection.execute(insert).rowcount
    updated = 0
    # What was inserted is as it came; only where a row was there already can one differ.
    if others and inserted < len(rows):
        update = sql.SQL("UPDATE {t} SET {sets} FROM {a} WHERE {same} AND ({old}) IS DISTINCT FROM ({new})").format(
            t=target,
            a=aside,
            sets=sql.SQL(", ").join(sql.SQL("{c} = {a}.{c}").format(c=sql.Identifier(c), a=aside) for c in others),
            same=_same(key, target, aside),
            old=_names(others, target),
            new=_names(others, aside),
        )
        updated = connection.execute(update).rowcount
    connection.execute(sql.SQL("DROP TABLE {}").format(aside))
    return Change(inserted, updated, deleted, len(rows) - inserted - updated)


def _is_empty(connection: psycopg.Connection[Any], table: Table, scope: Mapping[str, Any]) -> bool:
    """Whether a scope has no row."""
    query = sql.SQL("SELECT FROM {} WHERE {} LIMIT 1").format(sql.Identifier(table.name), _matches(scope))
    return connection.execute(query, dict(scope)).rowcount == 0


def _copied_straight(connection: psycopg.Connection[Any], rows: Sequence[Any], table: Table) -> bool:
    """COPY `rows` into their table, all or none; not, if a key comes twice, is there outside the scope or just came."""
    try:
        with connection.transaction():
            copy_rows(connection, rows, table, table.name)
    except psycopg.errors.UniqueViolation:
        return False
    return True


def copy_rows(connection: psycopg.Connection[Any], rows: Sequence[Any], table: Table, into: str) -> None:
    """COPY records into the table named `into`, which has the columns of `table`."""
    columns = [c.name for c in table.columns]
    arrays = [isinstance(c.type, ARRAY) and isinstance(c.type.item_type, SmallInteger) for c in table.columns]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(into), _names(columns))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            values = [getattr(row, c) for c in columns]
            # Hundreds of word times a row: written as text here, an array dumper would look at each one.
            copy.write_row(
                ["{" + ",".join(map(str, v)) + "}" if a and v is not None else v for v, a in zip(values, arrays, strict=True)]
            )


def _names(columns: Sequence[str], table: sql.Identifier | None = None) -> sql.Composed:
    prefix = sql.SQL("{}.").format(table) if table else sql.SQL("")
    return sql.SQL(", ").join(sql.Composed([prefix, sql.Identifier(c)]) for c in columns)


def _same(key: Sequence[str], left: sql.Identifier, right: sql.Identifier) -> sql.Composed:
    return sql.SQL(" AND ").join(sql.SQL("{l}.{c} = {r}.{c}").format(l=left, r=right, c=sql.Identifier(c)) for c in key)


def _matches(where: Mapping[str, Any]) -> sql.Composable:
    if not where:
        return sql.SQL("TRUE")
    tests = [
        sql.SQL("{} = ANY({})" if isinstance(value, list) else "{} = {}").format(
            sql.Identifier(column), sql.Placeholder(column)
        )
        for column, value in where.items()
    ]
    return sql.SQL(" AND ").join(tests)
