"""Real servers for the whole suite: PostgreSQL and S3, started once, and a fresh database and buckets for each test."""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from climate_assets.migrate import migrate
from embedded import object_store, postgres
from embedded.ports import free_port
from embedded.supervision import Supervisor
from resources.postgres import Barometre
from resources.s3 import Lake

pytest_plugins = ["tests.label_studio_server", "tests.speech_models", "tests.diarization_models"]
# A suite that is started in the background inherits an ignored interrupt; Dagster would then ignore a request to end as well,
# and so would every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Two busy cores are no reason for a property to fail.
settings.register_profile("climate", deadline=None)
settings.load_profile("climate")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
_ACCESS, _SECRET = "test-access-key", "test-secret-key-of-the-suite"


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    # A short path: a unix socket's may not be longer than 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="climate-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_folder(servers_folder: Path) -> Iterator[Path]:
    """Socket folder of the suite's PostgreSQL."""
    folder = servers_folder / "pg"
    yield postgres.start(folder)
    postgres.stop(folder)


@pytest.fixture(scope="session")
def template_database(postgres_folder: Path) -> str:
    """A `barometre` with all its tables, to be copied."""
    migrate(postgres.url(postgres_folder, "barometre"))
    return "barometre"


@pytest.fixture
def database_url(postgres_folder: Path, template_database: str) -> Iterator[str]:
    """URL of an empty `barometre` of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = postgres.url(postgres_folder, "postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template_database)))
    yield postgres.url(postgres_folder, name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def barometre(database_url: str) -> Barometre:
    """The database resource on the test's own database."""
    return Barometre(url=database_url)


@pytest.fixture(scope="session")
def object_store_url(servers_folder: Path) -> Iterator[str]:
    """Endpoint of the suite's S3."""
    supervisor = Supervisor(servers_folder)
    server = object_store.server(servers_folder / "s3", free_port(18333 + os.getpid() % 300), _ACCESS, _SECRET)
    supervisor.start(server)
    supervisor.wait(server)
    yield server.url
    supervisor.stop(server.name, patience_seconds=3)


@pytest.fixture
def lake(object_store_url: str) -> Lake:
    """The object store; tests share it, so each names keys or buckets of its own."""
    return Lake(endpoint_url=object_store_url, access_key=_ACCESS, secret_key=_SECRET)
