"""Who speaks when, as rows: what a diarizer answers made into turns of one clip, and the speech a voice is measured on.

Belongs here: rounding and order, what counts as overlap, which stretches are one voice alone. Does not: dividing audio
(the diarizer), what a voice sounds like or whose it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, isfinite
from typing import Final

from climate_assets.speech.records import Clip, Turn

# Shorter stretches give an unsteady vector; longer ones are cut, so that one of them does not stand for the whole voice.
MIN_STRETCH: Final = 1.0
MAX_STRETCH: Final = 10.0
MEASURED_SECONDS: Final = 60.0
_DECIMALS: Final = 3

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Span:
    """One speaker from `start` to `end`, seconds from the clip's start, as the diarizer says it.

    There are two divisions of every clip: in the exclusive one a single speaker has each moment, the other keeps overlap.
    """

    start: float
    end: float
    speaker: str
    exclusive: bool


def turns(clip: Clip, spans: Iterable[Span], model: str) -> list[Turn]:
    """Turns of one clip, in order of division, start and speaker: to the millisecond, inside the clip, none of no length.

    `overlap` is read from the full division, for the turns of both: another speaker talks during a part of the turn.
    Raises `ValueError` for a time that is no number or a span that ends before it starts.
    """
    seconds = round(clip.seconds, _DECIMALS)
    parts: dict[tuple[bool, str], list[Interval]] = {}
    for span in spans:
        if not (isfinite(span.start) and isfinite(span.end) and span.start <= span.end):
            raise ValueError(f"no span of time: {span.start} to {span.end}")
        start, end = max(0.0, round(span.start, _DECIMALS)), min(seconds, round(span.end, _DECIMALS))
        if end > start:
            parts.setdefault((span.exclusive, span.speaker), []).append((start, end))
    found = {key: union(intervals) for key, intervals in parts.items()}
    full = {speaker: intervals for (exclusive, speaker), intervals in found.items() if not exclusive}
    rows = [
        Turn(
            clip_id=clip.clip_id,
            country=clip.country,
            day=clip.day,
            start=start,
            end=end,
            speaker=speaker,
            exclusive=exclusive,
            overlap=any(_meets((start, end), theirs) for other, theirs in full.items() if other != speaker),
            model=model,
            audio_sha256=clip.sha256,
        )
        for (exclusive, speaker), intervals in found.items()
        for start, end in intervals
    ]
    return sorted(rows, key=lambda turn: (turn.exclusive, turn.start, turn.end, turn.speaker))


def measurable(rows: Sequence[Turn], speaker: str, seconds: float = MEASURED_SECONDS) -> list[Interval]:
    """Stretches in which that speaker alone talks, longest first, each 1 to 10 s, together at most `seconds`.

    What is longer is cut into equal parts. Read from the full division: in the exclusive one overlap is hidden.
    """
    full = [turn for turn in rows if not turn.exclusive]
    own = union((turn.start, turn.end) for turn in full if turn.speaker == speaker)
    others = union((turn.start, turn.end) for turn in full if turn.speaker != speaker)
    clean = [part for stretch in without(own, others) for part in _cut(stretch)]
    clean = [part for part in clean if part[1] - part[0] >= MIN_STRETCH]
    chosen: list[Interval] = []
    left = seconds
    for start, end in sorted(clean, key=lambda part: (part[0] - part[1], part[0])):
        if end - start <= left:
            chosen.append((start, end))
            left -= end - start
    return chosen


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same seconds as intervals that neither overlap nor touch, in order."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def without(own: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """Seconds of `own` that are not in `others`; both as `union` gives them."""
    found: list[Interval] = []
    for begin, end in own:
        start = begin
        for first, last in others:
            if last <= start or first >= end:
                continue
            if first > start:
                found.append((start, first))
            start = max(start, last)
        if start < end:
            found.append((start, end))
    return found


def _meets(turn: Interval, others: Iterable[Interval]) -> bool:
    return any(start < turn[1] and end > turn[0] for start, end in others)


def _cut(stretch: Interval) -> list[Interval]:
    """The stretch in equal parts of at most the longest length."""
    start, end = stretch
    parts = max(1, ceil((end - start) / MAX_STRETCH))
    step = (end - start) / parts
    edges = [round(start + number * step, _DECIMALS) for number in range(parts)] + [end]
    return list(pairwise(edges))
