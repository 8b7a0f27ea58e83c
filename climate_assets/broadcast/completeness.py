"""How much of a channel's monitored day arrived, and which stretches did not.

Belongs here: expected against received two-minute slots, gaps, captured seconds.
Does not belong here: decoding (`transcripts.py`), what to do about a gap (policies, sensors).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from climate_assets.broadcast.records import CHUNK_SECONDS, Chunk, Completeness
from climate_assets.broadcast.transcripts import Refused
from climate_assets.countries import Channel, Country

_SLOT = timedelta(seconds=CHUNK_SECONDS)


def completeness(
    country: Country, channel: Channel, day: date, chunks: Iterable[Chunk], refused: Sequence[Refused], missing: Iterable[str]
) -> Completeness:
    """Expected against received slots of the monitored hours; expected = received + slots in `gaps`.

    A slot is received when a chunk starts in it: chunks of imported subtitles start up to 39 s past the even minute.
    A chunk that came and could not be decoded is no received slot; it counts as `unreadable`, at any hour.
    """
    start, end = country.monitored(channel, day)
    expected = -(-(end - start) // _SLOT)
    starts = sorted(chunk.start for chunk in chunks)
    received = {(instant - start) // _SLOT for instant in starts if start <= instant < end}
    return Completeness(
        country=country.code,
        day=day,
        channel=channel.name,
        expected=expected,
        received=len(received),
        unreadable=len(refused),
        monitored_seconds=float(expected * CHUNK_SECONDS),
        captured_seconds=_captured(starts, start, end),
        gaps=_gaps(set(range(expected)) - received, start, end),
        missing="; ".join(missing),
    )


def _captured(starts: Sequence[datetime], start: datetime, end: datetime) -> float:
    """Seconds of `start`..`end` that two-minute chunks cover, each second once; `starts` ascending."""
    seconds, covered = 0.0, start
    for instant in starts:
        till = min(instant + _SLOT, end)
        seconds += max(0.0, (till - max(instant, covered)).total_seconds())
        covered = max(covered, till)
    return round(seconds, 3)


def _gaps(slots: Iterable[int], start: datetime, end: datetime) -> list[str]:
    """Missing slots as UTC stretches `start/end`, joined where they touch."""
    runs = [list(run) for _, run in groupby(enumerate(sorted(slots)), key=lambda pair: pair[1] - pair[0])]
    return [f"{_utc(start + run[0][1] * _SLOT)}/{_utc(min(start + (run[-1][1] + 1) * _SLOT, end))}" for run in runs]


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
