"""Which port each embedded server listens on: the wanted one, the one it had last time, or the next free one."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

WANTED: Final[dict[str, int]] = {
    "dagster": 3000,
    "label_studio": 8080,
    "mediatree": 8085,
    "s3": 8333,
    "code_location": 4000,
    "doorbell": 8090,
}


def is_free(port: int) -> bool:
    """Whether loopback's `port` can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(wanted: int, taken: frozenset[int] = frozenset()) -> int:
    """The first free port from `wanted` on."""
    for port in range(wanted, min(wanted + 400, 65_000)):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {wanted} and {wanted + 400}")


def assign(file: Path, wanted: Mapping[str, int], running: frozenset[str]) -> dict[str, int]:
    """A port for every server; one that runs keeps its own. The answer is remembered in `file`."""
    known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    chosen: dict[str, int] = {name: known[name] for name in running if name in known}
    for name, port in {**WANTED, **known, **wanted}.items():
        if name not in chosen:
            chosen[name] = free_port(port, frozenset(chosen.values()))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(chosen, indent=1))
    return chosen
