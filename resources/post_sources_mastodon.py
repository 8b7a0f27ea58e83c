"""A server that speaks Mastodon's protocol: public posts under a hashtag, oldest first, page by page, as patiently as it asks.

The client library knows the protocol; what it sends goes over a wire that connects to public machines only (unless the
operator named this one), follows no redirect, and has limits of size and time. What came is handed on as bytes: nothing that
the library makes of it is used. No account is needed, and no secret is sent.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.exceptions import RequestException
from requests.structures import CaseInsensitiveDict

from climate_assets.countries import is_here
from climate_assets.failures import Permanent, Transient
from climate_assets.posts.batches import MASTODON
from climate_assets.posts.source_lines import Asked, tag_of
from climate_assets.posts.statuses import id_at, id_order, newest_id, statuses_of
from climate_assets.speech.addresses import Address, parsed
from resources.pacing import Clock, retry_after_seconds
from resources.post_sources import Piece
from resources.wire import Resolver, Wire, resolved

PAGE: Final = 40
"""Statuses of one page; the protocol gives no more."""
_TAGS: Final = "/api/v1/timelines/tag/"
_TRANSIENT: Final = frozenset({408, 425, 429, *range(500, 600)})
_TRIES: Final = 3


@dataclass(frozen=True)
class Limits:
    """What one object may ask for, all its streams together."""

    pages: int = 300
    page_bytes: int = 4 * 1024 * 1024
    bytes: int = 128 * 1024 * 1024
    seconds: float = 600.0
    page_seconds: float = 30.0
    pause_seconds: float = 90.0
    """The longest pause that is waited for; a longer one ends the reading, and a later run goes on."""


@dataclass
class MastodonSource:
    """A server at `url`; `clock` and `resolver` can be given."""

    url: str
    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=Clock)
    resolver: Resolver = resolved
    kind: str = MASTODON

    def __post_init__(self) -> None:
        """Nothing is asked yet."""
        self._line = _Line(self.url, self.limits, self.clock, self.resolver)
        self._client: Any = None
        self._deadline: float | None = None
        self._pages = 0
        self._not_before = 0.0

    def streams(self, keywords: Sequence[str]) -> list[str]:
        """The hashtags of the keywords: without an account a server is asked for nothing else."""
        return sorted({tag_of(keyword) for keyword in keywords} - {""})

    def posts(self, asked: Asked, stream: str, after: str) -> Iterator[Piece]:
        """Pages of a hashtag, oldest first; see `PostSource.posts`."""
        if not asked.since or not asked.until:
            raise Permanent("a server is asked for a period; give its first and last instant")
        newest, until = max(after, id_at(asked.since), key=id_order), id_at(asked.until)
        while True:
            content = self._page(stream, newest, until)
            statuses = statuses_of(content)
            if not statuses:
                return
            last = newest_id(statuses, newest)
            if last == newest:
                raise Transient(f"{self._line.host} gives posts under #{stream} that are not newer than asked for ({newest})")
            digest = hashlib.sha256(content).hexdigest()
            origin = f"{self._line.host}/tag/{stream}/{newest}-{last}/{digest[:16]}"
            yield Piece(origin, digest, len(content), last, lambda content=content: content)  # type: ignore[misc]
            newest = last

    def _page(self, stream: str, newest: str, until: str) -> bytes:
        """The bytes of the page after a number, asked a few times while the server is out of order."""
        attempt = 0
        while True:
            attempt += 1
            self._wait()
            self._pages += 1
            if self._pages > self.limits.pages or self._line.received > self.limits.bytes:
                asked = f"{self._pages - 1} pages ({self._line.received} bytes)"
                raise Transient(f"{self._line.host} was asked for {asked}; a later run goes on")
            trouble = self._asked(stream, newest, until)
            self._not_before = self.clock.monotonic() + pause_after(self._line.status, self._line.headers, self.clock.now())
            if trouble is None:
                return self._line.content
            if isinstance(trouble, Permanent) or attempt == _TRIES:
                raise trouble
            self._not_before = max(self._not_before, self.clock.monotonic() + 2.0**attempt)

    def _asked(self, stream: str, newest: str, until: str) -> Permanent | Transient | None:
        """Ask through the library; what is wrong with the answer, none if it is a page."""
        from mastodon import Mastodon
        from mastodon.errors import MastodonError

        if self._client is None:
            session = Session()
            # No proxies, no netrc: the wire connects by itself.
            session.trust_env = False
            session.mount("https://", self._line)
            session.mount("http://", self._line)
            self._client = Mastodon(api_base_url=self.url, session=session, ratelimit_method="throw", version_check_mode="none")
        self._line.forget()
        try:
            self._client.timeline_hashtag(quote(stream, safe=""), min_id=newest, max_id=until, limit=PAGE)
        except MastodonError:
            pass  # it quotes addresses and answers; what happened is known better by the line
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            pass  # what the library makes of hostile fields is not used
        if self._line.trouble is not None:
            return self._line.trouble
        host, status = self._line.host, self._line.status
        if status != 200:
            remedy = "asked again later" if status in _TRANSIENT else "does it show hashtags to people without an account?"
            return (Transient if status in _TRANSIENT else Permanent)(f"{host} answers HTTP {status}; {remedy}")
        try:
            statuses_of(self._line.content)
        except Permanent as error:
            return Transient(f"{host}: {error}")
        return None

    def _wait(self) -> None:
        """Wait as long as the server asked, if that is not too long."""
        now = self.clock.monotonic()
        self._deadline = self._deadline if self._deadline is not None else now + self.limits.seconds
        pause = self._not_before - now
        if pause > self.limits.pause_seconds or now + max(pause, 0.0) >= self._deadline:
            limit = f"asks for a pause of {pause:.0f} s" if pause > 0 else f"took longer than {self.limits.seconds:g} s"
            raise Transient(f"{self._line.host} {limit}; a later run goes on", max(pause, 0.0))
        if pause > 0:
            self.clock.sleep(pause)


def pause_after(status: int, headers: Mapping[str, str], now: datetime) -> float:
    """Seconds that a server wants to be left alone for after an answer, by `Retry-After` and `X-RateLimit-*`."""
    left, reset = headers.get("x-ratelimit-remaining", "").strip(), _instant(headers.get("x-ratelimit-reset", ""))
    spent = status == 429 or left == "0"
    waits = [(reset - now).total_seconds()] if spent and reset else []
    told = retry_after_seconds(headers.get("retry-after"), now) if status != 200 else None
    waits += [told] if told is not None else []
    return max([0.0, *waits]) if waits or not spent else 60.0


def _instant(text: str) -> datetime | None:
    """An ISO 8601 time of a header; none if it is none."""
    try:
        read = datetime.fromisoformat(text.strip())
        return read if read.tzinfo else read.replace(tzinfo=UTC)
    except ValueError:
        return None


class _Line(BaseAdapter):
    """What the library's session sends over: a wire instead of sockets of its own; it keeps the last answer."""

    def __init__(self, url: str, limits: Limits, clock: Clock, resolver: Resolver) -> None:
        super().__init__()
        self.host = urlsplit(url).hostname or ""
        self._limits, self._clock = limits, clock
        self._wire = Wire(resolver=resolver, clock=clock.monotonic)
        # The operator may have a server on this very machine.
        self._trusted = is_here(self.host)
        self.received = 0
        self.forget()

    def forget(self) -> None:
        """Begin a question."""
        self.status, self.headers, self.content = 0, dict[str, str](), b""
        self.trouble: Permanent | Transient | None = None

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """The answer to a request of the library; raises `Permanent` or `Transient`, which it keeps."""
        address = parsed(request.url)
        if request.method != "GET" or address.host != self.host or not address.target.startswith(_TAGS):
            # Before each page the library would like to know more of the server; it goes on without.
            raise RequestException("only posts are asked for")
        try:
            return self._sent(request, address)
        except (Permanent, Transient) as trouble:
            self.trouble = trouble
            raise

    def _sent(self, request: PreparedRequest, address: Address) -> Response:
        body = bytearray()
        deadline = self._clock.monotonic() + self._limits.page_seconds
        reply = self._wire.get(
            address, body.extend, deadline=deadline, max_bytes=self._limits.page_bytes, trusted=self._trusted
        )
        self.status, self.headers, self.content = reply.status, reply.headers, bytes(body)
        self.received += len(body)
        if 300 <= reply.status < 400:
            to = urlsplit(reply.headers.get("location", "")[:300]).hostname or "elsewhere"
            raise Permanent(f"{self.host} redirects to {to!a}, and redirects are not followed; write the address that answers")
        response = Response()
        response.status_code, response.url, response.request = reply.status, request.url or "", request
        # No headers but this: of the others the library makes waits and further questions.
        response.headers = CaseInsensitiveDict({"Content-Type": "application/json; charset=utf-8"})
        response.encoding, response._content = "utf-8", self.content
        return response

    def close(self) -> None:
        """Nothing stays open."""
