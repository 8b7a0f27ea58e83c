"""Audio of a channel's span from the Mediatree export: the question, the download it leads to, and what came.

Belongs here: asking for the address, following it step by step, tries, what is accepted. Does not: which addresses may be
fetched (`speech/addresses.py`), the connection (`wire.py`), what bytes are audio (`speech/containers.py`), decoding.
The token is in the question's address, because the export is known as a GET alone: that address is never shown or logged,
and what is downloaded is asked for without it.
"""

import hashlib
import json
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from dagster import ConfigurableResource, ResourceDependency
from pydantic import Field

from climate_assets.countries import Channel
from climate_assets.failures import Permanent, Transient
from climate_assets.speech.addresses import Address, fetchable, parsed, redirected
from climate_assets.speech.containers import HEAD_BYTES, audio_container
from resources.mediatree import Mediatree, retry_after
from resources.wire import Reply, Wire

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5
# The answer names one address.
_LONGEST_ANSWER: Final = 64 * 1024


class NoAudio(Transient):
    """The archive has no audio of the span, or not yet."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Audio that lies in the file asked for."""

    address: str
    """Where it came from, without its query."""
    bytes: int
    sha256: str
    container: str


class AudioExport(ConfigurableResource):  # type: ignore[type-arg]
    """The archive of what was broadcast; safe to share between threads. Every time is in seconds."""

    mediatree: ResourceDependency[Mediatree]
    path: str = Field(default="/api/export/single/", description="Path of the question.")
    media_format: str = Field(default="mp3", description="What is asked for: mp3 or mp4.")
    allowed_hosts: list[str] = Field(
        default=[".mediatree.fr"],
        description="Hosts that audio may come from, beside the API's own: host, .suffix or host:port; http:// before it for "
        "one without TLS. A private address has to be listed by number and port.",
    )
    max_bytes: int = Field(default=64 * 1024 * 1024, gt=0, description="A longer file is refused.")
    connect_seconds: float = Field(default=10.0, gt=0)
    silence_seconds: float = Field(default=20.0, gt=0, description="Longest wait for the next bytes.")
    whole_seconds: float = Field(default=300.0, gt=0, description="For one span: question, download, tries and waits.")
    max_attempts: int = Field(default=3, ge=1, description="Times a span is asked for while the trouble may pass.")

    def export(self, channel: Channel, day: date, start: datetime, end: datetime, into: Path) -> Exported:
        """Audio of [start, end) as the file `into`; on an error there is none.

        Raises `NoAudio` when the archive has none, `Transient` for trouble that may pass, `Permanent` for all that is
        refused: an address, a size, a kind of file.
        """
        return self._exports.export(channel, day, start, end, into)

    @cached_property
    def _exports(self) -> "Exports":
        return Exports(self)


class Exports:
    """Questions and downloads; `wire`, `sleep`, `now` and `jitter` (0..1) can be given."""

    def __init__(
        self,
        settings: AudioExport,
        *,
        wire: Wire | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._settings, self._sleep, self._now, self._jitter = settings, sleep, now, jitter
        self._mediatree: Mediatree = settings.mediatree
        self._wire = wire or Wire(settings.connect_seconds, settings.silence_seconds)
        try:
            self._api = parsed(self._mediatree.url)
        except Permanent as error:
            raise Permanent(f"the Mediatree address cannot be used: {error}; set MEDIATREE_URL") from None
        self._allowed = (self._api.origin, *settings.allowed_hosts)

    def export(self, channel: Channel, day: date, start: datetime, end: datetime, into: Path) -> Exported:
        """See `AudioExport.export`."""
        question = {
            "channel": channel.name_at("export", day),
            "cts_in": str(math.floor(start.timestamp())),
            "cts_out": str(math.ceil(end.timestamp())),
            "media_format": self._settings.media_format,
        }
        clock = self._wire.clock
        deadline = clock() + self._settings.whole_seconds
        trouble: Transient | None = None
        for attempt in range(self._settings.max_attempts):
            if trouble is not None:
                pause = max(float(2 ** (attempt - 1)), trouble.retry_after or 0.0) * (1 + self._jitter() / 2)
                if clock() + pause >= deadline:
                    raise Transient(f"{trouble} (no time for another of {self._settings.max_attempts} attempts)")
                self._sleep(pause)
            try:
                return self._downloaded(self._source(question, deadline), into, deadline)
            except NoAudio:
                raise
            except Transient as error:
                trouble = Transient(self._mediatree.cleaned(str(error)), error.retry_after)
        raise Transient(f"{trouble} ({self._settings.max_attempts} attempts)")

    def _source(self, question: dict[str, str], deadline: float) -> Address:
        """The address that the export names for a span."""
        token, body = self._mediatree.token(), bytearray()
        query = urlencode({"token": token, **question})
        asked = Address(self._api.scheme, self._api.host, self._api.port, f"{self._settings.path}?{query}")
        reply = self._wire.get(asked, body.extend, deadline=deadline, max_bytes=_LONGEST_ANSWER, trusted=True)
        if reply.status in (401, 403):
            self._mediatree.token(stale=token)
            raise Transient(f"the export refused the token (HTTP {reply.status})")
        if reply.status == 404:
            raise NoAudio(f"the export knows no audio of {question['channel']} at that time (HTTP 404); check its alias")
        if reply.status != 200:
            raise self._refusal("the export", reply, "check MEDIATREE_URL, the path and the channel's alias")
        try:
            answer = json.loads(bytes(body))
        except (ValueError, RecursionError):
            raise Transient(f"the export's answer is not whole JSON ({len(body)} bytes)") from None
        if not isinstance(answer, dict) or "src" not in answer:
            # Some refusals of a token have status 200.
            self._mediatree.token(stale=token)
            raise Transient("the export's answer has no `src`")
        if answer["src"] in ("", None):
            raise NoAudio(f"the export has no audio of {question['channel']} at that time (its `src` is empty)")
        try:
            return fetchable(answer["src"], self._allowed)
        except Permanent as error:
            raise Permanent(self._mediatree.cleaned(f"the export names an address that is refused: {error}")) from None

    def _downloaded(self, address: Address, into: Path, deadline: float) -> Exported:
        """The file behind an address, once it is known to be audio."""
        part = into.with_name(f"{into.name}.part")
        try:
            with part.open("wb") as file:
                for _ in range(_MOST_REDIRECTS + 1):
                    reply = self._wire.get(address, file.write, deadline=deadline, max_bytes=self._settings.max_bytes)
                    if reply.status not in _REDIRECTS:
                        break
                    address = self._followed(address, reply)
                else:
                    raise Permanent(f"{address.host} redirects more than {_MOST_REDIRECTS} times")
            if reply.status == 404:
                raise NoAudio(f"{address.host} does not have the file that the export names (HTTP 404)")
            if reply.status != 200:
                raise self._refusal(address.host, reply, "ask the archive's operator what became of the file")
            exported = _looked_at(part, self._mediatree.cleaned(address.shown))
            part.replace(into)
            return exported
        finally:
            part.unlink(missing_ok=True)

    def _followed(self, address: Address, reply: Reply) -> Address:
        """Where a redirect leads, looked at like the first address."""
        try:
            return redirected(address, reply.headers.get("location", ""), self._allowed)
        except Permanent as error:
            said = f"{address.host} redirects to an address that is refused: {error}"
            raise Permanent(self._mediatree.cleaned(said)) from None

    def _refusal(self, who: str, reply: Reply, remedy: str) -> Transient | Permanent:
        if reply.status in (408, 425, 429) or reply.status >= 500:
            wait = retry_after(reply.headers.get("retry-after"), self._now())
            return Transient(f"{who} answers HTTP {reply.status}", wait)
        return Permanent(f"{who} answers HTTP {reply.status}; {remedy}")


def _looked_at(file: Path, address: str) -> Exported:
    """What a downloaded file is; raises `Permanent` if it is no audio."""
    with file.open("rb") as content:
        head = content.read(HEAD_BYTES)
        content.seek(0)
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    size = file.stat().st_size
    try:
        container = audio_container(head, size)
    except Permanent as error:
        raise Permanent(f"what {address} sends cannot be used: {error}") from None
    return Exported(address, size, digest, container)
