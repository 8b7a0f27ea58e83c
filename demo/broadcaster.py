"""A server that speaks the Mediatree protocol on loopback, with faults that can be dialled.

    python -m demo.broadcaster --world demo.world:World --port 8091 --until now
    curl -X POST 127.0.0.1:8091/faults -d '{"probabilities": {"all": 0.3}, "seed": 7}'

Belongs here: sign-in, the subtitle question, its limits. Does not: what is on the air (a `Source`), sound (`exports.py`),
faults (`faults.py`), how an answer travels (`delivery.py`).
`POST /faults` and `GET /stats` answer only callers on the same machine. User and password are for trying out.
"""

import argparse
import importlib
import math
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from climate_assets.broadcast.records import CHUNK_SECONDS
from climate_assets.failures import Permanent
from demo.delivery import failed, read_body, read_object, sent
from demo.exports import Exports
from demo.faults import BENT, STATUSES, TOKEN, TRANSPORT, Faults
from demo.fixed_items import FixedItems
from demo.sound.archive import Archive

DEMO_USER: Final = "demo"
DEMO_PASSWORD: Final = "demo-password"
_MOST_ROWS: Final = 1000


class Source(Protocol):
    """What is on the air."""

    def items(self, channel: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Items whose `start` lies in [start, end), in order."""
        ...


@dataclass
class Broadcaster:
    """The state of one server: who is signed in, what strikes, what was asked."""

    source: Source
    user: str = DEMO_USER
    password: str = DEMO_PASSWORD
    token_seconds: float = 3600.0
    zone: str = "Europe/Paris"
    """Zone of local ISO times in questions."""
    until: Callable[[], datetime] | None = None
    """Nothing that ends later is on the air yet; None: everything is."""
    faults: Faults = field(default_factory=Faults)
    clock: Callable[[], float] = time.monotonic
    archive: Archive = field(default_factory=Archive)
    asked: Counter[str] = field(default_factory=Counter)
    _tokens: dict[str, float] = field(default_factory=dict)

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/health", self._health),
            Route("/api/auth/token/", self._sign_in, methods=["POST"]),
            *(Route(path, self._subtitles, methods=["GET", "POST"]) for path in ("/api/subtitle/", "/api/v2/subtitle/")),
            *Exports(self.archive, self.admits, self.faults, self.asked, self.until).routes(),
            Route("/faults", self._dial, methods=["GET", "POST"]),
            Route("/stats", self._stats),
        ]
        return Starlette(routes=routes)

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"healthy": True})

    async def _sign_in(self, request: Request) -> Response:
        self.asked["token"] += 1
        form = dict(parse_qsl((await read_body(request)).decode("utf-8", "replace")))
        fault = self.faults.drawn((*STATUSES, *TRANSPORT, "no_data"))
        if fault in STATUSES:
            return failed(fault, self.faults)
        given = (form.get("username", ""), form.get("password", ""))
        if form.get("grant_type") != "password" or not secrets.compare_digest(repr(given), repr((self.user, self.password))):
            return JSONResponse({"error": "invalid_grant"}, 401)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = self.clock() + self.token_seconds
        body = {"data": {} if fault == "no_data" else {"access_token": token, "token_type": "Bearer"}}
        return sent(body, fault, self.faults.slow_seconds)

    def admits(self, token: Any, withdrawn: bool = False) -> bool:
        """Whether the token is good; `withdrawn`: all of them are taken back first."""
        if withdrawn:
            self._tokens.clear()
        return self._tokens.get(str(token), -math.inf) >= self.clock()

    async def _subtitles(self, request: Request) -> Response:
        self.asked[request.method] += 1
        fault = self.faults.drawn()
        if fault in STATUSES:
            return failed(fault, self.faults)
        try:
            question = {**request.query_params, **read_object(await read_body(request))}
            if not self.admits(question.get("token"), withdrawn=fault == TOKEN):
                status = self.faults.choice((401, 403, 200)) if fault == TOKEN else 401
                return JSONResponse({"error": "the access token has expired"}, status)
            reply, neighbours = await run_in_threadpool(self._reply, question)
        except (ValueError, Permanent) as error:
            return JSONResponse({"error": str(error)}, 404 if isinstance(error, Permanent) else 400)
        if fault in BENT:
            reply = self.faults.bent(fault, reply, neighbours)
        return sent(reply, fault, self.faults.slow_seconds)

    def _reply(self, question: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """The answer to a question, and the items just outside its time range."""
        channel, kind, size = question.get("channel"), question.get("type", "s2t"), str(question.get("size", _MOST_ROWS))
        if not isinstance(channel, str) or not channel:
            raise ValueError("channel is required")
        if kind != "s2t":
            raise ValueError(f"type {kind!r} is unknown; use s2t")
        if not size.isdigit() or not 1 <= int(size) <= _MOST_ROWS:
            raise ValueError(f"size {size!r} is not in 1..{_MOST_ROWS}")
        since, until = self._instant(question.get("start_gte")), self._instant(question.get("start_lte"))
        around = timedelta(minutes=10)
        rows = self.source.items(channel, _utc(since) - around, _utc(until) + around)
        latest = math.inf if self.until is None else self.until().timestamp() - CHUNK_SECONDS
        rows = [row for row in rows if row["start"] <= latest]
        found = [row for row in rows if since <= row["start"] <= until]
        outside = [row for row in rows if not since <= row["start"] <= until]
        pages = -(-len(found) // int(size))
        return {"total_results": len(found), "number_pages": pages, "data": found[: int(size)]}, outside

    def _instant(self, value: Any) -> float:
        """Epoch seconds of a number or a local ISO time."""
        text = str(value)
        try:
            return float(int(text))
        except ValueError:
            pass
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is neither epoch seconds nor a local ISO time") from None
        return (local if local.tzinfo else local.replace(tzinfo=ZoneInfo(self.zone))).timestamp()

    async def _dial(self, request: Request) -> Response:
        if not _is_local(request):
            return JSONResponse({"error": "only from this machine"}, 403)
        if request.method == "POST":
            try:
                wanted = read_object(await read_body(request))
                self.faults.dial(wanted.pop("probabilities", {}), wanted.pop("seed", self.faults.seed), **wanted)
            except (ValueError, TypeError, AttributeError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(self.faults.settings())

    async def _stats(self, request: Request) -> Response:
        if not _is_local(request):
            return JSONResponse({"error": "only from this machine"}, 403)
        return JSONResponse({"asked": dict(self.asked), "struck": dict(self.faults.struck)})


def _is_local(request: Request) -> bool:
    return request.client is not None and request.client.host in ("127.0.0.1", "::1")


def _utc(epoch: float) -> datetime:
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (OverflowError, OSError):
        raise ValueError(f"{epoch:g} is no time") from None


def source_named(name: str) -> Source:
    """The source `MODULE:NAME`, called if it is a class or function; raises `Permanent`."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise Permanent(f"no world {name!r} ({error}); write MODULE:NAME, such as demo.world:World") from error
    source = found() if callable(found) else found
    if not callable(getattr(source, "items", None)):
        raise Permanent(f"{name} has no method items(channel, start, end)")
    return source  # type: ignore[no-any-return]


def _until(text: str) -> Callable[[], datetime]:
    if text == "now":
        return lambda: datetime.now(UTC)
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError("give an offset, such as 2026-11-20T18:00:00+01:00")
    return lambda: instant


def main(arguments: list[str] | None = None) -> None:
    """Serve until stopped; prints the address once it listens (port 0 takes a free one)."""
    parser = argparse.ArgumentParser(prog="python -m demo.broadcaster", description="A broadcast API to try things on.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8091)
    on_air = parser.add_mutually_exclusive_group()
    on_air.add_argument("--world", default="demo.world:World", help="MODULE:NAME of what is on the air")
    on_air.add_argument("--items", type=Path, help="JSON list of {channel_name, start, plaintext} instead of a world")
    parser.add_argument("--until", type=_until, help="`now` or an instant: what ends later is not on the air yet")
    parser.add_argument("--zone", default="Europe/Paris", help="zone of local times in questions")
    parser.add_argument("--user", default=DEMO_USER)
    # The environment keeps the password out of the command line, which everyone on the machine can read.
    password = os.environ.get("BROADCASTER_PASSWORD", DEMO_PASSWORD)
    parser.add_argument("--password", default=password, help=f"else BROADCASTER_PASSWORD, else {DEMO_PASSWORD}")
    parser.add_argument("--token-seconds", type=float, default=3600.0)
    given = parser.parse_args(arguments)
    source: Source = FixedItems.of_file(given.items) if given.items else source_named(given.world)
    broadcaster = Broadcaster(source, given.user, given.password, given.token_seconds, given.zone, given.until)
    listening = socket.create_server((given.host, given.port))
    print(f"http://{given.host}:{listening.getsockname()[1]}", flush=True)
    # No access log: a GET question carries its token in the address.
    server = uvicorn.Server(uvicorn.Config(broadcaster.app(), log_level="critical", access_log=False, proxy_headers=False))
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
