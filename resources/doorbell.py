"""The doorbell: an address that Label Studio's webhooks call when somebody answered, changed or removed something.

A ring says that there is something to read, and nothing else: the body is not looked at, so nobody can put an answer into the
database by it, and a ring that comes twice, late, or never changes nothing but how soon the answers are read.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dagster import ConfigurableResource
from pydantic import Field

from climate_assets.failures import Permanent
from climate_assets.labelling.records import Ring
from resources.postgres import Barometre

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HEADER: Final = "X-Climate-Secret"
# Nothing needs to be sent along; what is larger is cut off, and nothing of it is kept.
_LARGEST: Final = 4 * 1024 * 1024
_DIGITS: Final = 9
_SHORTEST_SECRET: Final = 16


class Doorbell(ConfigurableResource):  # type: ignore[type-arg]
    """Where Label Studio rings, and the secret it shows; without an address answers are found by looking for them alone."""

    url: str = Field(default="", description="Address at which Label Studio reaches the doorbell; empty: none.")
    secret: str = Field(default="", repr=False, description="What a webhook shows in its header.")

    @property
    def configured(self) -> bool:
        """Whether webhooks are to be made; raises `Permanent` for a secret that can be guessed."""
        if self.url and len(self.secret) < _SHORTEST_SECRET:
            raise Permanent(
                f"DOORBELL_SECRET has fewer than {_SHORTEST_SECRET} characters; make one with `openssl rand -hex 20`"
            )
        return bool(self.url)

    def address(self, project_id: int) -> str:
        """Where the webhook of a project rings."""
        return f"{self.url.rstrip('/')}/rings/{project_id}"

    def mark(self, project_id: int) -> str:
        """Tells whether the webhook of a project is still the one that is configured; the secret is not in it."""
        return hashlib.sha256(f"{self.address(project_id)} {self.secret}".encode()).hexdigest()[:16] if self.url else ""

    def app(self, barometre: Barometre) -> "Starlette":
        """The doorbell as a web application."""
        from starlette.applications import Starlette
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse, Response
        from starlette.routing import Route

        if not self.configured:
            raise Permanent("DOORBELL_URL is not set; write the address at which Label Studio reaches the doorbell")

        async def ring(request: "Request") -> "Response":
            # First the secret: who does not know it learns nothing, not even which projects there are.
            if not hmac.compare_digest(request.headers.get(HEADER, "").encode(), self.secret.encode()):
                return Response(status_code=401)
            size = 0
            async for part in request.stream():
                size += len(part)
                if size > _LARGEST:
                    return Response(status_code=413)
            number = request.path_params["project_id"]
            if not number.isascii() or not number.isdigit() or not 0 < len(number) <= _DIGITS:
                return Response(status_code=404)
            rung = await run_in_threadpool(note_ring, barometre, int(number), datetime.now(UTC))
            return Response(status_code=204 if rung else 404)

        async def health(_: "Request") -> "Response":
            return JSONResponse({"ok": True})

        return Starlette(routes=[Route("/rings/{project_id}", ring, methods=["POST"]), Route("/health", health)])


def note_ring(barometre: Barometre, project_id: int, at: datetime) -> bool:
    """Note that a project rang; whether any task of ours is in it."""
    known = barometre.rows(
        "SELECT FROM labelling_tasks WHERE project_id = %(p)s UNION ALL SELECT FROM adjudications WHERE project_id = %(p)s"
        " LIMIT 1",
        {"p": project_id},
    )
    if known:
        barometre.upsert([Ring(project_id, at)], Ring)
    return bool(known)
