"""Real servers of a benchmark's own, on empty data: PostgreSQL with all tables, and S3.

Belongs here: starting and stopping them, and what they and their callers use of memory and processor.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Final

import psutil

from climate_assets.migrate import migrate
from embedded import object_store as weed
from embedded import postgres
from embedded.ports import free_port
from embedded.supervision import Supervisor
from resources.postgres import Barometre

_ACCESS, _SECRET = "bench-access-key", "bench-secret-key-of-one-run"
_SAMPLE_SECONDS: Final = 0.5


@contextmanager
def database() -> Iterator[tuple[Barometre, int]]:
    """An empty `barometre` and the process id of its server; gone afterwards."""
    with _folder() as folder:
        url = postgres.url(postgres.start(folder / "pg"), "barometre")
        try:
            migrate(url)
            yield Barometre(url=url), int((folder / "pg" / "postmaster.pid").read_text().splitlines()[0])
        finally:
            postgres.stop(folder / "pg")


@contextmanager
def object_store() -> Iterator[tuple[dict[str, str], int]]:
    """What `Lake` needs to reach an empty object store, and the process id of its server; gone afterwards."""
    with _folder() as folder:
        supervisor = Supervisor(folder)
        server = weed.server(folder / "s3", free_port(18433), _ACCESS, _SECRET)
        supervisor.start(server)
        try:
            supervisor.wait(server)
            process = supervisor.process(server.name)
            if process is None:
                raise RuntimeError(f"the object store stopped; see {supervisor.log(server.name)}")
            yield {"endpoint_url": server.url, "access_key": _ACCESS, "secret_key": _SECRET}, process.pid
        finally:
            supervisor.stop(server.name, patience_seconds=3)


@contextmanager
def _folder() -> Iterator[Path]:
    # A short path: a unix socket's may not be longer than 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    folder.chmod(0o755)  # the database server may run as another user
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def processor_seconds(pid: int) -> float:
    """Processor seconds of a server and of all its children, those that have ended included."""
    server = psutil.Process(pid)
    times = [server.cpu_times(), *(child.cpu_times() for child in server.children(recursive=True))]
    ended = server.cpu_times()
    return float(sum(t.user + t.system for t in times) + ended.children_user + ended.children_system)


@dataclass
class Memory:
    """Highest memory of a set of processes together, in bytes, pages that several share counted once."""

    roots: dict[str, int]
    """Name and process id; all descendants belong to it, but one that is a root itself."""
    peak: int = 0
    parts: dict[str, int] | None = None

    def sample(self) -> None:
        """Look once."""
        parts = {name: sum(map(_proportional, self._family(pid))) for name, pid in self.roots.items()}
        if sum(parts.values()) > self.peak:
            self.peak, self.parts = sum(parts.values()), parts

    def _family(self, pid: int) -> list[psutil.Process]:
        try:
            process = psutil.Process(pid)
            others = set(self.roots.values()) - {pid}
            return [process, *(child for child in process.children(recursive=True) if child.pid not in others)]
        except psutil.NoSuchProcess:
            return []


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:  # it has ended since
        return 0


@contextmanager
def watched(**servers: int) -> Iterator[Memory]:
    """Watch this process, its workers and these servers until the block ends."""
    memory, done = Memory({"workers": os.getpid(), **servers}), Event()

    def watch() -> None:
        while not done.wait(_SAMPLE_SECONDS):
            memory.sample()

    thread = Thread(target=watch, daemon=True)
    memory.sample()
    thread.start()
    try:
        yield memory
    finally:
        done.set()
        thread.join()
