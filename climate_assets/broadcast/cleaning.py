"""Chunks without their adverts: words cut by time, a barrier where a hole is, hits told apart by where they lie.

Belongs here: cutting one chunk, and finding the intervals that touch it. Does not: which intervals are adverts.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from climate_assets.broadcast.records import CHUNK_SECONDS, AdInterval, Chunk, CleanChunk, KeywordHit, Repeat, Subject
from climate_assets.failures import Permanent

BARRIER = "¶"
"""Stands in the text where words were cut, so that the words beside it never read as one sentence."""
_CENTISECOND = timedelta(milliseconds=10)
_EARLIEST, _LATEST = timedelta(seconds=-1), timedelta(seconds=CHUNK_SECONDS + 1)  # bounds of a chunk's word times


def clean_chunk(
    chunk: Chunk, hits: Sequence[KeywordHit], intervals: Iterable[AdInterval], dictionary: str, method: str
) -> CleanChunk:
    """The chunk with the words of its unvetoed adverts cut.

    `hits` are the chunk's own, `intervals` any of its country. A word (a hit) is cut (masked) if its time lies inside an
    advert: at or after the start, before the end. Each run of cut words is one barrier; a chunk of adverts only is empty.
    Raises `Permanent` if words and times do not match in number, or a hit is of another chunk.
    """
    words = chunk.text.split(" ") if chunk.text else []
    if len(words) != len(chunk.word_times):
        raise Permanent(f"chunk {chunk.chunk_id}: {len(words)} words but {len(chunk.word_times)} times; decode its dump again")
    stray = next((hit for hit in hits if hit.chunk_id != chunk.chunk_id), None)
    if stray:
        raise Permanent(f"chunk {chunk.chunk_id}: a hit at {stray.seconds} s is of {stray.chunk_id}; pass each chunk its own")
    cuts = advert_spans(chunk, intervals)
    kept: list[int] = []
    for word, centiseconds in enumerate(chunk.word_times):
        if not _inside(centiseconds, cuts):
            kept.append(word)
        elif not kept or kept[-1] != -1:
            kept.append(-1)
    if all(word == -1 for word in kept):
        kept = []
    text = " ".join(BARRIER if word == -1 else words[word] for word in kept)
    outside = [hit for hit in hits if not _inside(round(hit.seconds * 100), cuts)]
    counting = sum(hit.counts for hit in outside)
    return CleanChunk(
        chunk_id=chunk.chunk_id,
        country=chunk.country,
        day=chunk.day,
        channel=chunk.channel,
        text=text,
        kept_words=kept,
        advert_seconds=advert_seconds(cuts),
        hits=counting,
        climate_hits=sum(hit.subject == Subject.CLIMATE for hit in outside),
        masked_hits=sum(hit.counts for hit in hits) - counting,
        text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        dictionary=dictionary,
        method=method,
    )


def advert_spans(chunk: Chunk, intervals: Iterable[AdInterval]) -> list[tuple[int, int]]:
    """Stretches of the chunk that are cut, as centiseconds from its start, in order, none touching another.

    They may begin before the chunk and end after it: words at its borders have times a little outside of it.
    """
    own = [
        (-((chunk.start - i.start) // _CENTISECOND), -((chunk.start - i.end) // _CENTISECOND))
        for i in intervals
        if i.kind == Repeat.ADVERT and not i.vetoed and (i.country, i.channel) == (chunk.country, chunk.channel)
    ]
    spans: list[tuple[int, int]] = []
    for begin, end in sorted(own):
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        elif end > _EARLIEST // _CENTISECOND and begin < _LATEST // _CENTISECOND:
            spans.append((begin, end))
    return spans


def advert_seconds(spans: Iterable[tuple[int, int]]) -> float:
    """Seconds of a chunk's two minutes that lie in its advert spans."""
    return sum(max(0, min(end, CHUNK_SECONDS * 100) - max(begin, 0)) for begin, end in spans) / 100


def intervals_by_chunk(chunks: Iterable[Chunk], intervals: Iterable[AdInterval]) -> dict[str, list[AdInterval]]:
    """For each chunk's id the intervals that touch it, found in time that grows with their number and not with its square."""
    by_channel: dict[tuple[str, str], list[AdInterval]] = defaultdict(list)
    for interval in intervals:
        by_channel[interval.country, interval.channel].append(interval)
    sorted_rows = {key: sorted(rows, key=lambda i: i.start) for key, rows in by_channel.items()}
    starts = {key: [i.start for i in rows] for key, rows in sorted_rows.items()}
    ends = {key: _latest_ends(rows) for key, rows in sorted_rows.items()}
    touching = {}
    for chunk in chunks:
        key = (chunk.country, chunk.channel)
        first = bisect_right(ends.get(key, []), chunk.start + _EARLIEST)
        last = bisect_left(starts.get(key, []), chunk.start + _LATEST)
        touching[chunk.chunk_id] = [i for i in sorted_rows.get(key, [])[first:last] if i.end > chunk.start + _EARLIEST]
    return touching


def _latest_ends(rows: Iterable[AdInterval]) -> list[datetime]:
    """Latest end of each interval and all before it: it only grows, so it can be searched by halves."""
    ends: list[datetime] = []
    for row in rows:
        ends.append(max(row.end, ends[-1]) if ends else row.end)
    return ends


def _inside(centiseconds: int, spans: list[tuple[int, int]]) -> bool:
    at = bisect_right(spans, (centiseconds, 1 << 62)) - 1
    return at >= 0 and centiseconds < spans[at][1]
