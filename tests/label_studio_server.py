"""A real Label Studio of the suite's own: started when a test asks for it, on its own PostgreSQL, stopped at the end."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from embedded import label_studio, postgres
from embedded.ports import free_port
from embedded.supervision import Supervisor

VENV = Path(__file__).parents[1] / ".platform" / "label-studio"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
PASSWORD = "a-password-of-the-suite"


@dataclass(frozen=True)
class Running:
    """A Label Studio that answers."""

    url: str
    token: str
    database_folder: Path
    prepared: str
    seconds_to_start: float


@contextmanager
def serving(venv: Path = VENV) -> Iterator[Running]:
    """A Label Studio on an empty database; its processes and files are gone afterwards."""
    # A short path: a unix socket's may not be longer than 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="ls-"))
    folder.chmod(0o755)
    supervisor = Supervisor(folder)
    socket_folder = postgres.start(folder / "pg")
    try:
        prepared = label_studio.prepare_database(venv, socket_folder, folder / "data")
        port = free_port(17080 + os.getpid() % 300)
        server = label_studio.server(venv, socket_folder, folder / "data", port, TOKEN, PASSWORD)
        supervisor.start(server)
        seconds = supervisor.wait(server)
        yield Running(server.url, TOKEN, socket_folder, prepared, seconds)
    finally:
        supervisor.stop("label_studio")
        postgres.stop(folder / "pg")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def label_studio_server() -> Iterator[Running]:
    """The suite's Label Studio."""
    if not (VENV / "bin" / "label-studio").exists():
        pytest.skip(f"{VENV} holds no Label Studio; `make test` makes it")
    with serving() as running:
        yield running
