"""Chunks of a channel's day, decoded at the border from what the API said in one version or several.

Belongs here: which chunk an item is, what is refused and why, which copy of a chunk stands, seconds captured once.
Does not belong here: words and times of one item (`word_times.py`), stored answers (`dumps.py`), gaps (`completeness.py`).
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from climate_assets.broadcast.answers import Item
from climate_assets.broadcast.dumps import item_digest
from climate_assets.broadcast.records import CHUNK_SECONDS, Chunk
from climate_assets.broadcast.word_times import NonsenseError, Speech, speech_of
from climate_assets.countries import Channel, Country

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CHUNK_MS: Final = CHUNK_SECONDS * 1000
_DAY_MS: Final = 86_400_000
_NUMBER: Final = re.compile(r"\d{1,12}(\.\d{1,6})?")


@dataclass(frozen=True, slots=True)
class Refused:
    """An item, or one copy of it, that is not used, and why; `item_id` is the chunk's id when its start could be read."""

    item_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a channel's day holds."""

    chunks: list[Chunk]
    """By start; each start once."""
    refused: list[Refused]
    """What came and could not be read in any version; one entry an id."""
    set_aside: list[Refused]
    """For information: copies that lost against another copy of the same chunk. Nothing is missing because of them."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """One reading of a chunk and the version it is from."""

    speech: Speech
    version: str


def decode(items: Iterable[Item], country: Country, channel: Channel, day: date, version: str) -> Decoded:
    """The chunks that start on `day` (local), from the items of one version, margins included."""
    return decode_versions([(version, items)], country, channel, day)


def decode_versions(versions: Iterable[tuple[str, Iterable[Item]]], country: Country, channel: Channel, day: date) -> Decoded:
    """The union of several versions, oldest first: the newest readable copy of a chunk stands, and none is ever dropped.

    A chunk whose newest copy says the same as the one before keeps the older version, so a new dump changes no row of it.
    Inside one version the longer text stands, then word times over even ones, then the order of hashes.
    """
    border = _Border(country, channel, day)
    standing: dict[int, _Copy] = {}
    refused: dict[str, str] = {}
    aside: list[Refused] = []
    previous: dict[int, list[Item]] = {}
    for version, items in versions:
        by_start = border.sorted_in(items, refused)
        for start, copies in by_start.items():
            if previous.get(start) == copies:
                continue
            owned = border.owns(start)
            speech = _best(copies, border.chunk_id(start), start, refused if owned else {}, aside if owned else [])
            old = standing.get(start)
            if speech is None or (old and old.speech == speech):
                continue
            if old and owned:
                aside.append(
                    Refused(border.chunk_id(start), f"version {old.version[:16]} said otherwise; {version[:16]} stands")
                )
            standing[start] = _Copy(speech, version)
        previous = by_start
    readable = {border.chunk_id(start) for start in standing}
    aside.extend(Refused(item, reason) for item, reason in refused.items() if item in readable)
    lost = [Refused(item, reason) for item, reason in sorted(refused.items()) if item not in readable]
    return Decoded(list(border.chunks(standing)), lost, sorted(set(aside), key=lambda r: (r.item_id, r.reason)))


def _best(copies: Sequence[Item], chunk_id: str, start: int, refused: dict[str, str], aside: list[Refused]) -> Speech | None:
    """The reading that stands among the copies of one chunk in one version; none if no copy can be read."""
    readings: list[tuple[Speech, Item]] = []
    for copy in copies:
        try:
            speech = speech_of(copy.get("srt"), copy.get("plaintext"), round(start / 10))
        except NonsenseError as nonsense:
            refused[chunk_id] = min(str(nonsense), refused.get(chunk_id, str(nonsense)))
            continue
        if all(speech != other for other, _ in readings):
            readings.append((speech, copy))
    if len(readings) < 2:
        return readings[0][0] if readings else None
    aside.append(Refused(chunk_id, f"one version gives {len(readings)} readings; the longest stands"))
    return max(readings, key=lambda r: (len(r[0].text), r[0].timing == "asr", item_digest(r[1])))[0]


class _Border:
    """What belongs to one channel's day, in milliseconds since the epoch."""

    def __init__(self, country: Country, channel: Channel, day: date) -> None:
        self._country, self._channel, self._day = country.code, channel.name, day
        self._start, self._end = (round(instant.timestamp() * 1000) for instant in country.day_bounds(day))
        aliases = (alias.name for alias in channel.aliases if alias.service == "subtitle")
        self._names = {name.casefold() for name in (channel.name, *aliases)}

    def sorted_in(self, items: Iterable[Item], refused: dict[str, str]) -> dict[int, list[Item]]:
        """Distinct copies by start, for the day and the chunk's length before it; nonsense goes to `refused`."""
        by_start: dict[int, list[Item]] = {}
        for item in items:
            try:
                start = self._start_of(item)
            except NonsenseError as nonsense:
                refused[f"{self._country}/{self._channel}/item-{item_digest(item).hex()[:16]}"] = str(nonsense)
                continue
            # Chunks of the neighbouring days come with the margin and belong to them.
            if self._start - _CHUNK_MS < start < self._end:
                copies = by_start.setdefault(start, [])
                if item not in copies:
                    copies.append(item)
        return by_start

    def owns(self, start: int) -> bool:
        """Whether a start lies in the day itself, not in the chunk's length before it."""
        return self._start <= start < self._end

    def chunk_id(self, start: int) -> str:
        """`country/channel/start` in UTC; milliseconds only where the start has some."""
        seconds, fraction = divmod(start, 1000)
        written = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._country}/{self._channel}/{written}{f'.{fraction:03}' if fraction else ''}Z"

    def chunks(self, standing: dict[int, _Copy]) -> Iterator[Chunk]:
        """Chunks of the day by start; a second that an earlier chunk covers, the day before included, is not counted again."""
        covered = 0
        for start, copy in sorted(standing.items(), key=lambda pair: pair[0]):
            captured = min(_CHUNK_MS, start + _CHUNK_MS - covered) / 1000
            covered = start + _CHUNK_MS
            if self.owns(start):
                yield Chunk(
                    chunk_id=self.chunk_id(start),
                    country=self._country,
                    day=self._day,
                    channel=self._channel,
                    start=_EPOCH + timedelta(milliseconds=start),
                    text=copy.speech.text,
                    word_times=copy.speech.times,
                    timing=copy.speech.timing,
                    unknown_seconds=copy.speech.unknown_seconds,
                    captured_seconds=captured,
                    dump_version=copy.version,
                )

    def _start_of(self, item: Any) -> int:
        if not isinstance(item, dict):
            raise NonsenseError(f"an item is {type(item).__name__}, not an object")
        owner = item.get("channel")
        name = owner.get("name") if isinstance(owner, dict) else owner
        if name is not None and str(name).casefold() not in self._names:
            raise NonsenseError(
                f"the item is of channel {str(name)[:40]!a}, asked was {self._channel!r}; add an alias if it was renamed"
            )
        start = _milliseconds(item.get("start"))
        if not self._start - _DAY_MS <= start < self._end + _DAY_MS:
            raise NonsenseError(f"`start` is {start / 1000:.3f}, more than a day away from the day that was asked")
        return start


def _milliseconds(value: Any) -> int:
    """`start` (epoch seconds, maybe with a fraction, maybe as text) in whole milliseconds."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e12:
        raise NonsenseError("`start` is no number of seconds")
    return round(value * 1000)
