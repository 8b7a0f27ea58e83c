"""Starting servers that outlive the command that started them, and stopping exactly these.

A server is a name, a command and a question that tells whether it answers. Its process id and start time are kept in
a file, so a stop never hits another process that got the same number. What the servers are is not known here.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from climate_assets.failures import Permanent


@dataclass(frozen=True)
class Server:
    """One process to run: `url` answers with a status below 500 once it is ready."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    url: str = ""
    health: str = ""
    patience_seconds: float = 60.0
    folder: Path | None = None


@dataclass(frozen=True)
class Supervisor:
    """Keeps the servers of one platform folder."""

    home: Path

    def _record(self, name: str) -> Path:
        return self.home / "run" / f"{name}.json"

    def log(self, name: str) -> Path:
        """Where a server's output goes."""
        return self.home / "logs" / f"{name}.log"

    def process(self, name: str) -> psutil.Process | None:
        """The running process of a server started here, if it is still the same one."""
        try:
            known = json.loads(self._record(name).read_text())
            process = psutil.Process(known["pid"])
            same = abs(process.create_time() - known["created"]) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
            return None
        return process if same else None

    def start(self, server: Server) -> bool:
        """Start a server unless it runs; whether it was started. It is not waited for."""
        if self.process(server.name):
            return False
        for path in (self._record(server.name), self.log(server.name)):
            path.parent.mkdir(parents=True, exist_ok=True)
        with self.log(server.name).open("ab") as log:
            started = subprocess.Popen(  # noqa: S603 - the command is ours
                server.command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **server.environment},
                cwd=server.folder,
                start_new_session=True,
            )
        created = psutil.Process(started.pid).create_time()
        self._record(server.name).write_text(json.dumps({"pid": started.pid, "created": created, "url": server.url}))
        return True

    def wait(self, server: Server, tick: Callable[[float], None] = lambda seconds: None) -> float:
        """Wait until a server answers; seconds it took. Raises `Permanent` with the end of its log."""
        begun = time.monotonic()
        while True:
            answered = answers(server.health or server.url)
            waited = time.monotonic() - begun
            # Looked at after the answer: it may be another program's that holds the port.
            if self.process(server.name) is None:
                raise self._trouble(server, "stopped")
            if answered:
                return waited
            if waited > server.patience_seconds:
                raise self._trouble(server, f"does not answer after {waited:.0f} s")
            tick(waited)
            time.sleep(0.3)

    def stop(self, name: str, patience_seconds: float = 15.0) -> bool:
        """Stop a server and its children; whether it ran."""
        process = self.process(name)
        if process is None:
            self._record(name).unlink(missing_ok=True)
            return False
        family = [process, *process.children(recursive=True)]
        process.terminate()
        _, alive = psutil.wait_procs(family, timeout=patience_seconds)
        for left in alive:
            left.terminate()
        _, alive = psutil.wait_procs(alive, timeout=3)
        for left in alive:
            left.kill()
        psutil.wait_procs(alive, timeout=5)
        self._record(name).unlink(missing_ok=True)
        return True

    def _trouble(self, server: Server, why: str) -> Permanent:
        return Permanent(f"{server.name} {why}. The end of {self.log(server.name)}:\n{self._tail(server.name)}")

    def _tail(self, name: str, lines: int = 15) -> str:
        try:
            return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"


def answers(url: str) -> bool:
    """Whether a server answers at `url` (http, or tcp://host:port) without a server error."""
    if url.startswith("tcp://"):
        host, port = url.removeprefix("tcp://").split(":")
        with socket.socket() as probe:
            probe.settimeout(2)
            return probe.connect_ex((host, int(port))) == 0
    try:
        return httpx.get(url, timeout=5, follow_redirects=True).status_code < 500
    except httpx.HTTPError:
        return False
