"""What would change if one dictionary took another's place: chunks, airtime and keywords, by channel, nothing written.

Belongs here: the comparison of the hits of two matchers over the same chunks. Does not belong here: matching (`keywords.py`),
reading chunks and printing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from climate_assets.broadcast.airtime import advert_spans, in_advert, window_seconds
from climate_assets.broadcast.keywords import Matcher
from climate_assets.broadcast.records import WINDOW_SECONDS, AdInterval, Chunk, KeywordHit, Subject


@dataclass(frozen=True, slots=True)
class ChunkChange:
    """One chunk whose counting windows of a subject differ."""

    country: Annotated[str, "Country code."]
    channel: Annotated[str, "Channel name."]
    chunk_id: Annotated[str, "Chunk."]
    subject: Annotated[str, "Subject."]
    change: Annotated[str, "`gained`: no counting hit before; `lost`: none after; `changed`: other windows count."]
    windows_before: Annotated[list[int], "Windows that count under the old dictionary."]
    windows_after: Annotated[list[int], "Windows that count under the new one."]


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """One channel and subject: chunks by kind of change, and airtime before and after."""

    country: Annotated[str, "Country code."]
    channel: Annotated[str, "Channel name."]
    subject: Annotated[str, "Subject."]
    chunks: Annotated[int, "Chunks compared."]
    gained: Annotated[int, "Chunks that would get their first counting hit of the subject."]
    lost: Annotated[int, "Chunks that would lose their last one."]
    changed: Annotated[int, "Chunks in which other windows would count."]
    seconds_before: Annotated[float, "Airtime under the old dictionary, adverts left out."]
    seconds_after: Annotated[float, "Airtime under the new one."]


@dataclass(frozen=True, slots=True)
class KeywordChange:
    """One keyword in one theme whose counting hits differ; zero hits on a side: not said, longer hit, or not an entry there."""

    keyword: Annotated[str, "Entry, as its dictionary spells it."]
    theme: Annotated[str, "Theme."]
    hits_before: Annotated[int, "Counting hits under the old dictionary."]
    hits_after: Annotated[int, "Counting hits under the new one."]
    seconds_before: Annotated[float, "Airtime of the windows it counts in, under the old one, whatever else counts there."]
    seconds_after: Annotated[float, "The same, under the new one."]
    sole_seconds_before: Annotated[float, "Of these, airtime in which nothing else of its subject counts."]
    sole_seconds_after: Annotated[float, "The same, under the new one."]


@dataclass(frozen=True, slots=True)
class Differences:
    """The whole comparison: one row for each channel and subject always, the others only where something differs."""

    old: Annotated[str, "Version of the old dictionary."]
    new: Annotated[str, "Version of the new one."]
    channels: list[ChannelChange]
    chunks: list[ChunkChange]
    keywords: list[KeywordChange]


_Place = tuple[str, str, datetime]
"""Country, channel, start of a window."""


class _Side:
    """The counting hits of one matcher over the chunks, grouped the three ways that are compared."""

    def __init__(
        self, matcher: Matcher, chunks: Sequence[Chunk], adverts: dict[tuple[str, str], list[tuple[datetime, datetime]]]
    ) -> None:
        starts = {chunk.chunk_id: chunk.start for chunk in chunks}
        self.windows: dict[tuple[str, str], set[int]] = {}
        self.airtime: dict[tuple[str, str, str], set[datetime]] = {}
        self.hits: dict[tuple[str, str], int] = {}
        self.places: dict[tuple[str, str], set[tuple[str, _Place]]] = {}
        self._speakers: dict[tuple[str, _Place], set[tuple[str, str]]] = {}
        for hit in matcher.hits_of(chunks):
            instant = starts[hit.chunk_id] + timedelta(seconds=hit.seconds)
            if hit.counts and not in_advert(instant, adverts.get((hit.country, hit.channel), [])):
                self._add(hit, starts[hit.chunk_id] + timedelta(seconds=WINDOW_SECONDS * hit.window))

    def _add(self, hit: KeywordHit, window: datetime) -> None:
        entry, place = (hit.keyword, hit.theme), (hit.subject, (hit.country, hit.channel, window))
        self.windows.setdefault((hit.chunk_id, hit.subject), set()).add(hit.window)
        self.airtime.setdefault((hit.country, hit.channel, hit.subject), set()).add(window)
        self.hits[entry] = self.hits.get(entry, 0) + 1
        self.places.setdefault(entry, set()).add(place)
        self._speakers.setdefault(place, set()).add(entry)

    def contribution(self, entry: tuple[str, str]) -> tuple[int, float, float]:
        """Hits, seconds, and seconds in which no other entry of the subject counts."""
        places = self.places.get(entry, set())
        return self.hits.get(entry, 0), _seconds(places), _seconds({p for p in places if len(self._speakers[p]) == 1})


def differences(old: Matcher, new: Matcher, chunks: Sequence[Chunk], intervals: Iterable[AdInterval] = ()) -> Differences:
    """What changes when `new` takes the place of `old`; hits inside adverts of `intervals` are left out on both sides."""
    by_channel: dict[tuple[str, str], list[AdInterval]] = {}
    for interval in intervals:
        by_channel.setdefault((interval.country, interval.channel), []).append(interval)
    adverts = {channel: advert_spans(found) for channel, found in by_channel.items()}
    before, after = _Side(old, chunks, adverts), _Side(new, chunks, adverts)
    changes = _chunk_changes(before, after, chunks)
    return Differences(
        old.dictionary.version,
        new.dictionary.version,
        _channel_changes(before, after, chunks, changes),
        changes,
        _keyword_changes(before, after),
    )


def _chunk_changes(before: _Side, after: _Side, chunks: Sequence[Chunk]) -> list[ChunkChange]:
    changes = []
    for chunk in sorted(chunks, key=lambda c: (c.country, c.channel, c.start)):
        for subject in Subject:
            key = (chunk.chunk_id, subject.value)
            was, becomes = sorted(before.windows.get(key, ())), sorted(after.windows.get(key, ()))
            if was != becomes:
                change = "changed" if was and becomes else "gained" if becomes else "lost"
                changes.append(ChunkChange(chunk.country, chunk.channel, chunk.chunk_id, subject.value, change, was, becomes))
    return changes


def _channel_changes(before: _Side, after: _Side, chunks: Sequence[Chunk], changes: list[ChunkChange]) -> list[ChannelChange]:
    compared = Counter((chunk.country, chunk.channel) for chunk in chunks)
    kinds = Counter((c.country, c.channel, c.subject, c.change) for c in changes)
    return [
        ChannelChange(
            *key,
            compared[key[:2]],
            kinds[*key, "gained"],
            kinds[*key, "lost"],
            kinds[*key, "changed"],
            window_seconds(before.airtime.get(key, ())),
            window_seconds(after.airtime.get(key, ())),
        )
        for country, channel in sorted(compared)
        for key in ((country, channel, subject.value) for subject in Subject)
    ]


def _keyword_changes(before: _Side, after: _Side) -> list[KeywordChange]:
    """The keywords whose hits or seconds differ, those with most seconds at stake first."""
    rows = []
    for entry in before.places.keys() | after.places.keys():
        was, becomes = before.contribution(entry), after.contribution(entry)
        if was != becomes:
            rows.append(KeywordChange(*entry, was[0], becomes[0], was[1], becomes[1], was[2], becomes[2]))
    return sorted(rows, key=lambda r: (-abs(r.seconds_after - r.seconds_before), r.keyword, r.theme))


def _seconds(places: Iterable[tuple[str, _Place]]) -> float:
    """Seconds of windows, channel by channel."""
    by_channel: dict[tuple[str, str], list[datetime]] = {}
    for _, (country, channel, start) in places:
        by_channel.setdefault((country, channel), []).append(start)
    return sum(map(window_seconds, by_channel.values()))
