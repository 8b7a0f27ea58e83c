"""A real HTTP server that speaks the part of Mastodon's protocol that posts are read by, with faults that a test dials."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def number(at: datetime, place: int = 0) -> str:
    """The number Mastodon gives a status that was written at an instant."""
    return str((int(at.timestamp() * 1000) << 16) + place)


def status(at: datetime, text: str, place: int = 0, **changes: Any) -> dict[str, Any]:
    """A status as the protocol has it; `text` is HTML."""
    made = {
        "id": number(at, place),
        "created_at": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "language": "fr",
        "visibility": "public",
        "url": f"https://pouet.example/@fanch29/{number(at, place)}",
        "content": text,
        "account": {"id": "7", "username": "fanch29", "acct": "fanch29", "url": "https://pouet.example/@fanch29"},
        "favourites_count": 0,
        "tags": [],
    }
    return {**made, **changes}


@dataclass
class Served:
    """What the server has and does; `faults` are answers given once each, before any other."""

    statuses: dict[str, list[Any]] = field(default_factory=dict)
    faults: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    fails_after: int | None = None
    """Good answers before every further question is answered with `failing`."""
    failing: tuple[int, dict[str, str], bytes] = (503, {}, b"")
    ignores_min_id: bool = False
    url: str = ""

    def page(self, tag: str, question: dict[str, str]) -> list[Any]:
        """Statuses just newer than `min_id`, newest first, as Mastodon gives them."""
        low, high = int(question.get("min_id", "0")), int(question.get("max_id", str(2**70)))
        low = 0 if self.ignores_min_id else low
        found = [one for one in self.statuses.get(tag, []) if not isinstance(one, dict) or low < int(one["id"]) < high]
        found.sort(key=lambda one: int(one["id"]) if isinstance(one, dict) else low)
        return found[: int(question.get("limit", "20"))][::-1]


@contextmanager
def serving(served: Served) -> Iterator[Served]:
    """The server, on a port of its own, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            question = {name: values[0] for name, values in parse_qs(parts.query).items()}
            tag = unquote(parts.path.removeprefix("/api/v1/timelines/tag/"))
            served.asked.append({"tag": tag, "path": parts.path, **question})
            if served.faults:
                self._answer(*served.faults.pop(0))
            elif served.fails_after is not None and len(served.asked) > served.fails_after:
                self._answer(*served.failing)
            else:
                self._answer(200, served.headers, json.dumps(served.page(tag, question)).encode())

        def _answer(self, code: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(code)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
