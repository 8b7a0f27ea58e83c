"""The Mediatree API: asks for a channel's day and hands back its answers untouched, with what could not be had.

Belongs here: token, questions, retries, limits, redaction. The one level of retries of this stage is here.
Does not belong here: what an answer means (`broadcast/answers.py`, `transcripts.py`), storing it, when to ask.
The token travels in the body of a POST, lives in memory only, and is taken out of everything that leaves this module;
only the export (`resources/media.py`) is lent it, because its question is known as a GET alone.
"""

import hashlib
import json
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import httpx
from dagster import ConfigurableResource
from pydantic import Field

from climate_assets.broadcast.answers import Fetched, Items, Unreadable, read_answer
from climate_assets.broadcast.records import Answer
from climate_assets.countries import Channel, Country
from climate_assets.failures import Permanent, Transient

_TOKEN_PATH: Final = "/api/auth/token/"  # noqa: S105 - a path, not a secret
_TRANSIENT: Final = frozenset({408, 425, 429, *range(500, 600)})
_TOKEN_IN_URL: Final = re.compile(r"(token=)[^&\s\"']+")
_LONGEST_WAIT: Final = 120.0
# What is shorter is no token, and taking it out of an answer could take a word out.
_SHORTEST_TOKEN: Final = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at the API found: for `climate doctor` and `climate status`."""

    ok: bool
    found: str
    remedy: str


class Mediatree(ConfigurableResource):  # type: ignore[type-arg]
    """The source of broadcasts; safe to share between threads. Every time is in seconds."""

    url: str = Field(description="Address of the API, such as https://keywords.mediatree.fr.")
    user: str = Field(repr=False, description="Name of the account.")
    password: str = Field(repr=False, description="Its password; give it by environment.")
    subtitle_path: str = Field(default="/api/subtitle/", description="Path of the question; /api/v2/subtitle/ also exists.")
    page_size: int = Field(default=1000, ge=1, le=1000, description="Most rows of one answer; the API gives no more than 1000.")
    margin_seconds: int = Field(
        default=300, ge=0, description="Asked before and after the day, so that no border cuts a chunk."
    )
    slice_seconds: int = Field(default=21_600, ge=600, description="Time range of one question: what is lost when it fails.")
    floor_seconds: int = Field(default=900, ge=120, description="A cut range shorter than this is not split again.")
    connect_timeout: float = Field(default=10.0, gt=0)
    answer_timeout: float = Field(default=120.0, gt=0, description="From question to last byte, however slowly bytes drip.")
    max_bytes: int = Field(default=64 * 1024 * 1024, gt=0, description="A longer body is refused.")
    max_attempts: int = Field(default=6, ge=1, description="Times one question is asked, token renewals included.")
    empty_confirmations: int = Field(
        default=2, ge=0, description="More empty answers in monitored hours before one is believed."
    )

    def fetch_day(self, country: Country, channel: Channel, day: date) -> Fetched:
        """All answers about a channel's local day; raises `Permanent` when the account is refused."""
        return self._conversation.fetch_day(country, channel, day)

    def check(self) -> Checked:
        """Whether a token can be had; the token itself is not shown."""
        return self._conversation.check()

    def token(self, stale: str = "") -> str:
        """A token that is not `stale`, for a question that must carry it in its address; raises as `fetch_day` does."""
        return self._conversation._renewed(stale)

    def cleaned(self, text: str) -> str:
        """A text without this account's secrets."""
        return self._conversation._clean(text)

    @cached_property
    def _conversation(self) -> "Conversation":
        return Conversation(self)


class Conversation:
    """Questions and answers under one token; `sleep`, `clock` (monotonic), `now` and `jitter` (0..1) can be given."""

    def __init__(
        self,
        settings: Mediatree,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if httpx.URL(settings.url).scheme not in ("http", "https"):
            raise Permanent(f"Mediatree address {settings.url!r} is no http(s) URL; set MEDIATREE_URL")
        self._settings = settings
        self._sleep, self._clock, self._now, self._jitter = sleep, clock, now, jitter
        timeout = httpx.Timeout(settings.answer_timeout, connect=settings.connect_timeout)
        self._http = httpx.Client(base_url=settings.url, timeout=timeout, limits=httpx.Limits(max_connections=20))
        self._lock = threading.Lock()
        self._token = ""
        self._secrets = {settings.password} - {""}

    def fetch_day(self, country: Country, channel: Channel, day: date) -> Fetched:
        """See `Mediatree.fetch_day`."""
        start, end = (int(instant.timestamp()) for instant in country.day_bounds(day))
        heard = tuple(instant.timestamp() for instant in country.monitored(channel, day))
        name = channel.name_at("subtitle", day)
        start, end = start - self._settings.margin_seconds, end + self._settings.margin_seconds
        cuts = [*range(start, end, self._settings.slice_seconds), end]
        # Both ends of a range are inclusive; neighbours share one so that a start with a fraction cannot fall between.
        return Fetched.joined(self._range(name, since, until, (heard[0], heard[1])) for since, until in pairwise(cuts))

    def check(self) -> Checked:
        """See `Mediatree.check`."""
        try:
            self._renewed(self._token)
        except (Permanent, Transient) as trouble:
            return Checked(False, f"no token from {self._settings.url}: {trouble}", "set MEDIATREE_URL, _USER and _PASSWORD")
        return Checked(True, f"{self._settings.url} gives a token", "")

    def _range(self, name: str, since: int, until: int, heard: tuple[float, float]) -> Fetched:
        """The answers about a time range, split in two as long as one says that it is cut."""
        question = {
            "channel": name,
            "start_gte": since,
            "start_lte": until,
            "type": "s2t",
            "size": str(self._settings.page_size),  # as text: the form that is known to be accepted
        }
        speaks = since < min(heard[1], self._now().timestamp()) and until > heard[0]
        try:
            answer, items = self._asked(question, speaks)
        except (Transient, Permanent) as trouble:
            if isinstance(trouble, _AccountRefused):
                raise
            return Fetched((), (f"{_utc(since)}/{_utc(until)}: {trouble}",))
        if not items.is_cut(self._settings.page_size):
            return Fetched((answer,), ())
        if until - since < self._settings.floor_seconds:
            said = f"cut: {len(items.items)} rows of {items.total_results}, {items.number_pages} pages"
            return Fetched((answer,), (f"{_utc(since)}/{_utc(until)}: {said}",))
        middle = (since + until) // 2
        halves = (self._range(name, since, middle, heard), self._range(name, middle, until, heard))
        return Fetched.joined((Fetched((answer,), ()), *halves))

    def _asked(self, question: dict[str, Any], speaks: bool) -> tuple[Answer, Items]:
        """The answer to one question, asked until it is good or the attempts are spent."""
        trouble, wait, empties = "", None, 0
        for attempt in range(self._settings.max_attempts):
            if attempt:
                self._sleep(self._pause(attempt, wait))
            try:
                answer, items = self._once(question)
            except Transient as error:
                trouble, wait = str(error), error.retry_after
                continue
            # An outage can look like an empty day: where speech is expected, nothing is believed only when repeated.
            empties += not items.items
            if items.items or not speaks or empties > self._settings.empty_confirmations:
                return answer, items
            trouble, wait = "an empty answer that could not be confirmed", None
        raise Transient(f"{trouble} ({self._settings.max_attempts} attempts)")

    def _once(self, question: dict[str, Any]) -> tuple[Answer, Items]:
        token = self._token or self._renewed("")
        status, headers, body = self._posted(self._settings.subtitle_path, json={**question, "token": token})
        read = read_answer(body) if status == 200 else None
        if status in (401, 403) or (isinstance(read, Unreadable) and read.token_refused):
            self._renewed(token)
            raise Transient(f"the token was refused (HTTP {status})")
        if read is None:
            raise self._refusal(status, headers, body)
        if isinstance(read, Unreadable):
            raise Transient(self._clean(read.reason))
        body = body.replace(token.encode(), b"[redacted]")  # an answer that echoes the token would put it into a file
        asked = json.dumps({"path": self._settings.subtitle_path, **question}, sort_keys=True)
        return Answer(asked, self._now(), hashlib.sha256(body).hexdigest(), body), read

    def _renewed(self, stale: str) -> str:
        """A token that is not `stale`: threads that were refused together renew it once."""
        with self._lock:
            if self._token == stale:
                self._token = ""
                self._token = self._new_token()
                self._secrets.add(self._token)
            return self._token

    def _new_token(self) -> str:
        form = {"grant_type": "password", "username": self._settings.user, "password": self._settings.password}
        status, headers, body = self._posted(_TOKEN_PATH, data=form)
        if status in (400, 401, 403):
            raise _AccountRefused(f"Mediatree refused the account (HTTP {status}); set MEDIATREE_USER and MEDIATREE_PASSWORD")
        if status not in (200, 201):
            raise self._refusal(status, headers, body)
        try:
            token = json.loads(body)["data"]["access_token"]
        except (ValueError, KeyError, TypeError, RecursionError):
            token = None
        if not isinstance(token, str) or len(token) < _SHORTEST_TOKEN:
            raise Transient("the reply to the sign-in has no `data.access_token`")
        return token

    def _posted(self, path: str, **content: Any) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and body of a POST; one deadline over all of it, one limit on its length."""
        deadline, body, trouble = self._clock() + self._settings.answer_timeout, bytearray(), ""
        try:
            with self._http.stream("POST", path, **content) as response:
                for part in response.iter_bytes():
                    body += part
                    if len(body) > self._settings.max_bytes:
                        limit = self._settings.max_bytes
                        raise Permanent(f"the body is longer than {limit} bytes; lower slice_seconds or raise max_bytes")
                    if self._clock() > deadline:
                        raise Transient(f"the body was not whole after {self._settings.answer_timeout:g} s")
            return response.status_code, response.headers, bytes(body)
        except httpx.HTTPError as error:
            trouble = self._clean(f"{type(error).__name__}: {error}")
        # Raised here, not above: the HTTP error holds the request, and with it the token.
        raise Transient(trouble)

    def _refusal(self, status: int, headers: httpx.Headers, body: bytes) -> Transient | Permanent:
        if status in _TRANSIENT:
            return Transient(f"HTTP {status}", retry_after(headers.get("Retry-After"), self._now()))
        said = self._clean(body[:200].decode("utf-8", "replace"))
        remedy = (
            "check MEDIATREE_URL and the path" if status in (301, 302, 307, 308, 404) else "check the channel's name and alias"
        )
        return Permanent(f"HTTP {status} ({said!a}); {remedy}")

    def _pause(self, attempt: int, wait: float | None) -> float:
        """Seconds before an attempt: 1, 2, 4 ... or what the API asked for; jitter keeps channels from marching in step."""
        return max(float(2 ** (attempt - 1)), wait or 0.0) * (1 + self._jitter() / 2)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        return _TOKEN_IN_URL.sub(r"\1[redacted]", text)


class _AccountRefused(Permanent):
    """No question of any day can be answered until somebody mends the account."""


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or as a date; none if it says nothing that can be read."""
    if value is None:
        return None
    if value.strip().isdigit():
        return min(float(value), _LONGEST_WAIT)
    try:
        asked = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
    return min(max(0.0, (aware - now).total_seconds()), _LONGEST_WAIT)


def _utc(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
