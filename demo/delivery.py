"""How questions and answers travel: bodies read within limits, answers sent as a line with faults delivers them.

Belongs here: what strikes between server and client. Does not: what an answer says (`broadcaster.py`, `exports.py`).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from demo.faults import STATUSES, Faults

PAGE: Final = "<html><body><h1>Service en maintenance</h1></body></html>"
"""What stands in for an answer while the service is down."""
_LONGEST_QUESTION: Final = 64 * 1024


def failed(kind: str, faults: Faults) -> Response:
    """An answer of `STATUSES`."""
    return JSONResponse({"error": kind}, STATUSES[kind], headers=faults.headers(kind))


def sent(reply: dict[str, Any], fault: str | None, slow_seconds: float) -> Response:
    """The reply as the line delivers it."""
    body = json.dumps(reply, ensure_ascii=False).encode()
    if fault == "html_200":
        return Response(PAGE, media_type="text/html")
    if fault == "truncated_json":
        return Response(body[: len(body) * 2 // 3], media_type="application/json")
    if fault == "reset":
        return StreamingResponse(broken(body), media_type="application/json", headers={"Content-Length": str(len(body))})
    if fault == "slow_body":
        return StreamingResponse(dripping(body, slow_seconds), media_type="application/json")
    return Response(body, media_type="application/json")


async def broken(body: bytes) -> AsyncIterator[bytes]:
    """Half a body that promised to be whole: the server then drops the connection."""
    yield body[: len(body) // 2]


async def dripping(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    """A body in fifty sips over `seconds`: each comes in time, the whole does not."""
    sip = len(body) // 50 + 1
    for at in range(0, len(body), sip):
        yield body[at : at + sip]
        await asyncio.sleep(seconds / 50)


async def read_body(request: Request) -> bytes:
    """The request's body; 413 past `_LONGEST_QUESTION`."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > _LONGEST_QUESTION:
            raise HTTPException(413, "the question is too long")
    return bytes(content)


def read_object(content: bytes) -> dict[str, Any]:
    """The JSON object of a body, empty for none; raises `ValueError` for anything else."""
    read = json.loads(content) if content.strip() else {}
    if not isinstance(read, dict):
        raise ValueError("the body is not a JSON object")
    return read
