"""The embedded Dagster: a code location, a webserver and a daemon, each a process of its own."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from embedded.supervision import Server


def prepare_home(home: Path, root: Path) -> Path:
    """The instance folder, with the shipped `dagster.yaml` in it."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / "dagster.yaml", home / "dagster.yaml")
    return home


def servers(root: Path, port: int, code_port: int, environment: Mapping[str, str]) -> list[Server]:
    """Code location, webserver and daemon, in the order they are to be started."""
    programs = Path(sys.executable).parent
    environment = {**environment, "CODE_LOCATION_HOST": "127.0.0.1", "CODE_LOCATION_PORT": str(code_port)}
    code = [str(programs / "dagster"), "code-server", "start", "-m", "climate_assets.definitions"]
    workspace = ["-w", str(root / "workspace.yaml")]
    url = f"http://127.0.0.1:{port}"
    return [
        Server(
            "code_location",
            [*code, "-h", "127.0.0.1", "-p", str(code_port)],
            dict(environment),
            health=f"tcp://127.0.0.1:{code_port}",
            folder=root,
        ),
        Server(
            "dagster",
            [str(programs / "dagster-webserver"), "-h", "127.0.0.1", "-p", str(port), *workspace],
            dict(environment),
            url=url,
            health=f"{url}/server_info",
            patience_seconds=120,
            folder=root,
        ),
        Server("dagster_daemon", [str(programs / "dagster-daemon"), "run", *workspace], dict(environment), folder=root),
    ]
