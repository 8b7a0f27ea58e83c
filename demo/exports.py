"""Sound of what was on the air: the export question, and the signed address that its answer names.

Belongs here: the protocol, signatures, ranges, faults of sound. Does not: what is recorded (`sound/archive.py`).
"""

import asyncio
import hashlib
import hmac
import math
import re
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from demo.delivery import PAGE, broken, dripping, failed, read_body, read_object, sent
from demo.faults import EXPORT, MEDIA, STATUSES, TOKEN, TRANSPORT, Faults
from demo.sound.archive import FORMATS, LONGEST_SECONDS, Archive

OTHER_HOST: Final = "http://media.example.invalid"
"""Where fault `other_host` says the sound is: no such name exists."""
REDIRECTED_TO: Final = "http://127.0.0.1:9/latest/meta-data/"
"""Where fault `media_redirect` sends a client: a port of its own machine that no sound comes from."""
_LINK_SECONDS: Final = 600.0
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass
class Exports:
    """The routes of exports and their media; addresses are signed with a key of this server's life."""

    archive: Archive
    admits: Callable[..., bool]
    """Whether a token is good; `withdrawn`: all are taken back first."""
    faults: Faults
    asked: Counter[str]
    until: Callable[[], datetime] | None = None
    """Nothing that ends later is recorded yet; None: everything is."""
    clock: Callable[[], float] = time.time
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def routes(self) -> list[Route]:
        """The routes."""
        paths = ("/api/export/single", "/api/export/single/")
        return [
            *(Route(path, self._export, methods=["GET", "POST"]) for path in paths),
            Route("/media/{name}", self._media),
        ]

    async def _export(self, request: Request) -> Response:
        self.asked["export"] += 1
        fault = self.faults.drawn((*STATUSES, *TRANSPORT, TOKEN, *EXPORT))
        if fault in STATUSES:
            return failed(fault, self.faults)
        try:
            question = {**request.query_params, **read_object(await read_body(request))}
            if not self.admits(question.get("token"), withdrawn=fault == TOKEN):
                return JSONResponse({"error": "the access token has expired"}, 401)
            path = self._path(question)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        host = OTHER_HOST if fault == "other_host" else str(request.base_url).rstrip("/")
        src = f"{host}{path}" if path and fault != "empty_src" else ""
        return sent({"src": src}, fault, self.faults.slow_seconds)

    def _path(self, question: dict[str, Any]) -> str:
        """Signed path of the stretch asked for; empty if it is not recorded. Raises `ValueError`."""
        channel, kind = question.get("channel"), str(question.get("media_format") or question.get("format") or "mp3")
        if not isinstance(channel, str) or not channel:
            raise ValueError("channel is required")
        if kind not in FORMATS:
            raise ValueError(f"media_format {kind!r} is unknown; there are {', '.join(FORMATS)}")
        start, end = (_epoch(question.get(name), name) for name in ("cts_in", "cts_out"))
        if not 0 < end - start <= LONGEST_SECONDS:
            raise ValueError(f"cts_out has to come up to {LONGEST_SECONDS:g} seconds after cts_in, not {end - start:g}")
        late = self.until is not None and end > self.until().timestamp()
        if late or not self.archive.has(channel, start, end):
            return ""
        stretch = urlsafe_b64encode(f"{channel}|{start!r}|{end!r}".encode()).decode().rstrip("=")
        name, expires = f"{stretch}.{kind}", str(int(self.clock() + _LINK_SECONDS))
        return f"/media/{name}?{urlencode({'expires': expires, 'signature': self._signature(name, expires)})}"

    def _signature(self, name: str, expires: str) -> str:
        return hmac.new(self._key, f"{name}?{expires}".encode(), hashlib.sha256).hexdigest()

    async def _media(self, request: Request) -> Response:
        self.asked["media"] += 1
        name, expires = request.path_params["name"], request.query_params.get("expires", "")
        signed = hmac.compare_digest(
            self._signature(name, expires).encode(), request.query_params.get("signature", "").encode("utf-8", "replace")
        )
        # The signature comes first: only what this server wrote is parsed.
        if not signed or int(expires) < self.clock():
            return JSONResponse({"error": "the address is not signed, or has expired"}, 403)
        stretch, _, kind = name.rpartition(".")
        channel, start, end = urlsafe_b64decode(stretch + "=" * (-len(stretch) % 4)).decode().split("|")
        content = await run_in_threadpool(self.archive.audio, channel, float(start), float(end), kind)
        return _delivered(content, FORMATS[kind][2], request.headers.get("range", ""), self.faults)


def _delivered(content: bytes, media_type: str, wanted: str, faults: Faults) -> Response:
    """The bytes, or the range of them that is wanted, as the line delivers them."""
    whole = {"Content-Length": str(len(content))}
    match faults.drawn(MEDIA):
        case "media_500":
            return JSONResponse({"error": "500"}, 500)
        case "media_redirect":
            return RedirectResponse(REDIRECTED_TO, 302)
        case "media_html":
            return Response(PAGE, media_type="text/html")
        case "media_cut":
            return Response(content[: len(content) // 2], media_type=media_type)
        case "media_length":
            return StreamingResponse(broken(content), media_type=media_type, headers=whole)
        case "media_slow":
            return StreamingResponse(dripping(content, faults.slow_seconds), media_type=media_type, headers=whole)
        case "media_endless":
            return StreamingResponse(_endless(content), media_type=media_type)
        case "media_empty":
            return Response(b"", media_type=media_type)
    first, last = 0, len(content) - 1
    if asked := _RANGE.fullmatch(wanted):
        low, high = asked.groups()
        first, last = (int(low), min(last, int(high or last))) if low else (max(0, len(content) - int(high or 0)), last)
        if first > last:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{len(content)}"})
    headers = {"Accept-Ranges": "bytes"}
    if asked:
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206 if asked else 200, headers, media_type)


async def _endless(content: bytes) -> AsyncIterator[bytes]:
    """The same sound over and over, until the client hangs up."""
    while True:
        for at in range(0, len(content), 65_536):
            yield content[at : at + 65_536]
            # Lets the server notice that nobody reads any more.
            await asyncio.sleep(0)


def _epoch(value: Any, name: str) -> float:
    """Epoch seconds of a number or its text."""
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ValueError(f"{name} {value!r} is not epoch seconds")
    return seconds
