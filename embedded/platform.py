"""The whole embedded platform: which servers it has, in which order they start, and the environment they share.

A part whose address is given by the environment is somebody else's: it is used and neither started nor stopped.
"""

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from embedded import dagster, diarization_weights, label_studio, object_store, postgres, weights
from embedded.credentials import MEDIATREE_USER, Credentials, credentials
from embedded.ports import assign
from embedded.supervision import Server, Supervisor, answers

Report = Callable[[str, str], None]
_SERVERS = ("dagster_daemon", "dagster", "code_location", "doorbell", "label_studio", "mediatree", "s3")


@dataclass(frozen=True)
class Platform:
    """The platform of one checkout: code in `root`, data in `home`, `given` the variables a person has set."""

    root: Path
    home: Path
    given: Mapping[str, str]

    @cached_property
    def supervisor(self) -> Supervisor:
        """Starts and stops its servers."""
        return Supervisor(self.home)

    @cached_property
    def secrets(self) -> Credentials:
        """What its servers are opened with."""
        return credentials(self.home / "credentials.json")

    @property
    def postgres_folder(self) -> Path:
        """Data and socket of its PostgreSQL."""
        return self.home / "postgres"

    def running(self) -> frozenset[str]:
        """Names of its servers that run."""
        return frozenset(name for name in _SERVERS if self.supervisor.process(name))

    def ports(self, wanted: Mapping[str, int] | None = None) -> dict[str, int]:
        """Port of every server."""
        return assign(self.home / "ports.json", wanted or {}, self.running())

    def environment(self, ports: Mapping[str, int]) -> dict[str, str]:
        """Variables that every process of the platform gets; what a person has set wins."""
        socket = postgres.socket_folder(self.postgres_folder)
        embedded = {
            "DATABASE_URL": postgres.url(socket, "barometre"),
            "S3_ENDPOINT_URL": f"http://127.0.0.1:{ports['s3']}",
            "AWS_ACCESS_KEY_ID": self.secrets.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": self.secrets.s3_secret_key,
            "MEDIATREE_URL": f"http://127.0.0.1:{ports['mediatree']}",
            "MEDIATREE_USER": MEDIATREE_USER,
            "MEDIATREE_PASSWORD": self.secrets.mediatree_password,
            "LABEL_STUDIO_URL": f"http://127.0.0.1:{ports['label_studio']}",
            "LABEL_STUDIO_API_KEY": self.secrets.label_studio_token,
            "WHISPER_MODEL": str(weights.folder_in(self.home)),
            "DIARIZATION_MODEL": "" if diarization_weights.missing() else str(diarization_weights.folder_in(self.home)),
            # Somebody else's Label Studio does not reach a loopback address.
            "DOORBELL_URL": "" if "LABEL_STUDIO_URL" in self.given else f"http://127.0.0.1:{ports['doorbell']}",
            "DOORBELL_SECRET": self.secrets.doorbell_secret,
            "POSTS_KEY": self.secrets.posts_key,
            "CLIMATE_COUNTRIES": str(self.root / "demo" / "countries.yaml"),
            "CLIMATE_GRIDS": str(self.root / "demo" / "grids"),
        }
        instance = {
            "DAGSTER_HOME": str(self.home / "dagster"),
            "DAGSTER_POSTGRES_URL": postgres.url(socket, "dagster", "postgresql+psycopg2"),
            # botocore wants a region; the embedded store has none.
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        return {**embedded, **instance, **self.given}

    def servers(self, ports: Mapping[str, int]) -> list[Server]:
        """Servers to start, those that take longest to answer first."""
        environment = self.environment(ports)
        made: list[Server] = []
        if "S3_ENDPOINT_URL" not in self.given:
            keys = self.secrets.s3_access_key, self.secrets.s3_secret_key
            made.append(object_store.server(self.home / "s3", ports["s3"], *keys))
        if "LABEL_STUDIO_URL" not in self.given:
            made.append(self._label_studio(ports["label_studio"]))
        if "MEDIATREE_URL" not in self.given:
            made.append(self._broadcaster(ports["mediatree"]))
        if environment["DOORBELL_URL"] and "DOORBELL_URL" not in self.given:
            made.append(self._doorbell(ports["doorbell"], environment))
        dagster.prepare_home(Path(environment["DAGSTER_HOME"]), self.root)
        return [*made, *dagster.servers(self.root, ports["dagster"], ports["code_location"], environment)]

    def _label_studio(self, port: int) -> Server:
        data = self.home / "label-studio-data"
        data.mkdir(parents=True, exist_ok=True)
        secret = self.secrets.label_studio_token, self.secrets.label_studio_password
        socket = postgres.socket_folder(self.postgres_folder)
        return label_studio.server(self.label_studio_folder, socket, data, port, *secret)

    @property
    def label_studio_folder(self) -> Path:
        """Environment that Label Studio is installed in; its pins clash with ours."""
        return self.home / "label-studio"

    def _broadcaster(self, port: int) -> Server:
        command = [sys.executable, "-m", "demo.broadcaster", "--port", str(port), "--user", MEDIATREE_USER]
        return Server(
            "mediatree",
            [*command, "--world", "demo.world:Mornings", "--until", "now"],
            # The password travels in the environment: a command line is readable by everyone on the machine.
            {"BROADCASTER_PASSWORD": self.secrets.mediatree_password},
            url=f"http://127.0.0.1:{port}",
            health=f"http://127.0.0.1:{port}/health",
            folder=self.root,
        )

    def _doorbell(self, port: int, environment: Mapping[str, str]) -> Server:
        url = f"http://127.0.0.1:{port}"
        command = [str(Path(sys.executable).parent / "climate"), "doorbell", "--port", str(port)]
        # It is the one part that others reach: it is handed no key of another part.
        known = {name: environment[name] for name in ("DATABASE_URL", "DOORBELL_URL", "DOORBELL_SECRET")}
        return Server("doorbell", command, known, url=url, health=f"{url}/health", folder=self.root)

    def stop(self, report: Report = lambda name, said: None) -> None:
        """Stop every server; data stays."""
        # All at once, as each takes seconds to leave; the database last, so that none loses it on the way out.
        with ThreadPoolExecutor(len(_SERVERS)) as pool:
            for name, stopped in zip(_SERVERS, pool.map(self.supervisor.stop, _SERVERS), strict=True):
                report(name, "stopped" if stopped else "did not run")
        report("postgres", "stopped" if postgres.stop(self.postgres_folder) else "did not run")

    def health(self) -> dict[str, dict[str, str | bool]]:
        """Address and health of each part, as `climate status` prints it."""
        ports = self.ports()
        environment = self.environment(ports)
        dagster_url = f"http://127.0.0.1:{ports['dagster']}"
        checks = {
            "dagster": (dagster_url, f"{dagster_url}/server_info"),
            "s3": (environment["S3_ENDPOINT_URL"], environment["S3_ENDPOINT_URL"]),
            "label_studio": (environment["LABEL_STUDIO_URL"], f"{environment['LABEL_STUDIO_URL']}/health"),
            "mediatree": (environment["MEDIATREE_URL"], f"{environment['MEDIATREE_URL']}/health"),
        }
        found: dict[str, dict[str, str | bool]] = {
            name: {"url": url, "healthy": answers(health)} for name, (url, health) in checks.items()
        }
        found["postgres"] = {
            "url": postgres.without_password(environment["DATABASE_URL"]),
            "healthy": postgres.is_healthy(environment["DATABASE_URL"]),
        }
        return {name: found[name] for name in ("dagster", "postgres", "s3", "label_studio", "mediatree")}
