"""Time a channel gives to themes and subjects in a day, with adverts counted and masked, beside its denominators.

Belongs here: seconds of windows, instants inside adverts, the airtime rows of a channel's day.
Does not belong here: which hits count (`promotion.py`), what an advert is, how much was captured (`completeness.py`).

A window counts if a counting hit lies in it; for `seconds` that hit has to lie outside every advert. Windows are stretches of
the channel's time, so chunks that overlap count no second twice, as in the captured seconds they are divided by.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from climate_assets.broadcast.records import (
    CHUNK_SECONDS,
    WINDOW_SECONDS,
    AdInterval,
    Airtime,
    Chunk,
    Completeness,
    KeywordHit,
    Repeat,
    Subject,
    Theme,
)
from climate_assets.failures import Permanent

Span = tuple[datetime, datetime]
"""First instant, and first instant after."""

WHOLE_SUBJECT = "*"


def airtime_rows(
    country: str,
    day: date,
    channel: str,
    chunks: Sequence[Chunk],
    hits: Iterable[KeywordHit],
    intervals: Iterable[AdInterval],
    completeness: Completeness,
    dictionary: str,
    method: str,
) -> list[Airtime]:
    """Fourteen rows, zeros included: one for each theme, and one `*` for each subject in which no window counts twice.

    `chunks`, `hits` and `intervals` may hold other channels' rows. Raises `Permanent` if a hit's chunk is missing, and
    if `completeness` is of another channel or day.
    """
    if (completeness.country, completeness.day, completeness.channel) != (country, day, channel):
        raise Permanent(
            f"completeness of {completeness.country}/{completeness.channel}/{completeness.day} was given for "
            f"{country}/{channel}/{day}; pass the row of that channel and day"
        )
    starts = {chunk.chunk_id: chunk.start for chunk in chunks if (chunk.country, chunk.channel) == (country, channel)}
    adverts = advert_spans(i for i in intervals if (i.country, i.channel) == (country, channel))
    captured = merged((start, start + timedelta(seconds=CHUNK_SECONDS)) for start in starts.values())
    heard: dict[str, set[datetime]] = {}
    editorial: dict[str, set[datetime]] = {}
    for hit in hits:
        if not hit.counts or (hit.country, hit.channel) != (country, channel):
            continue
        if hit.chunk_id not in starts:
            raise Permanent(
                f"hit of {hit.keyword!r} in {hit.chunk_id}, which is not among the chunks; pass the chunks of the same day"
            )
        start = starts[hit.chunk_id]
        window = start + timedelta(seconds=WINDOW_SECONDS * hit.window)
        masked = in_advert(start + timedelta(seconds=hit.seconds), adverts)
        for key in (hit.theme, hit.subject):
            heard.setdefault(key, set()).add(window)
            if not masked:
                editorial.setdefault(key, set()).add(window)
    advert_seconds = seconds_of(overlap(adverts, captured))
    return [
        Airtime(
            country,
            day,
            channel,
            subject.value,
            theme,
            window_seconds(editorial.get(key, ())),
            window_seconds(heard.get(key, ())),
            completeness.captured_seconds,
            advert_seconds,
            completeness.monitored_seconds,
            dictionary,
            method,
        )
        for subject, theme, key in _lines()
    ]


def _lines() -> Iterator[tuple[Subject, str, str]]:
    """Subject, theme column and key of each row."""
    for subject in Subject:
        yield subject, WHOLE_SUBJECT, subject.value
    for theme in Theme:
        yield theme.subject, theme.value, theme.value


def window_seconds(starts: Iterable[datetime]) -> float:
    """Seconds covered by the windows that start at these instants, each second once."""
    return seconds_of(merged((start, start + timedelta(seconds=WINDOW_SECONDS)) for start in starts))


def advert_spans(intervals: Iterable[AdInterval]) -> list[Span]:
    """The stretches taken for adverts and not vetoed, merged; one channel's intervals go in."""
    return merged((i.start, i.end) for i in intervals if i.kind == Repeat.ADVERT and not i.vetoed)


def in_advert(instant: datetime, adverts: Sequence[Span]) -> bool:
    """Whether an instant lies in one of the merged spans; a span's end lies outside. Logarithmic in their number."""
    place = bisect_right(adverts, instant, key=lambda span: span[0])
    return place > 0 and instant < adverts[place - 1][1]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same stretches in order, joined where they touch or overlap; empty ones vanish."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def overlap(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    """What two lists of merged spans have in common, in order."""
    shared: list[Span] = []
    place = 0
    for start, end in left:
        while place < len(right) and right[place][1] <= start:
            place += 1
        following = place
        while following < len(right) and right[following][0] < end:
            shared.append((max(start, right[following][0]), min(end, right[following][1])))
            following += 1
    return shared


def seconds_of(spans: Iterable[Span]) -> float:
    """Length of merged spans, in seconds."""
    return sum((end - start).total_seconds() for start, end in spans)
