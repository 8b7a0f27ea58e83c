"""A long recording in windows: which stretches are heard together, and which speakers of two windows are one.

Belongs here: where windows begin and end, the way of a window's seconds back to the recording's, the rule by which voices
of different windows are joined. Does not: finding speech or dividing a window (the diarizer), what a turn is (`turns.py`).

A window holds at most so many seconds of stretches with speech, the silence between them left out, so that a long quiet
recording costs what its speech costs. A stretch that does not fit is cut; both sides of the cut are heard with an overlap,
and the seam lies in its middle.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.speech.turns import Span

# Silence kept on both sides of speech: what a segmentation model hears around a turn tells it where the turn ends.
MARGIN_SECONDS: Final = 2.0
_BLOCKED: Final = -np.inf


@dataclass(frozen=True, slots=True)
class Piece:
    """One stretch of the recording in a window: heard from `start` to `end`, believed from `keep_start` to `keep_end`."""

    start: float
    end: float
    keep_start: float
    keep_end: float


Window = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Divided:
    """What one window gave: spans in the window's own seconds, and how each of its speakers sounds."""

    window: Window
    spans: Sequence[Span]
    vectors: Mapping[str, Sequence[float]]


def whole(seconds: float) -> Window:
    """The window that is the whole recording."""
    return (Piece(0.0, seconds, 0.0, seconds),)


def stretches(active: NDArray[np.bool_], frame: float, seconds: float) -> list[tuple[float, float]]:
    """Stretches with speech and the margin on both sides, those that touch made one; `frame`: seconds of one value."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(np.int8), [0]))))
    found: list[tuple[float, float]] = []
    for first, last in edges.reshape(-1, 2):
        start = max(0.0, float(first) * frame - MARGIN_SECONDS)
        end = min(seconds, float(last) * frame + MARGIN_SECONDS)
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif end > start:
            found.append((start, end))
    return found


def windows(spoken: Iterable[tuple[float, float]], length: float, overlap: float) -> list[Window]:
    """Windows of at most `length` seconds that keep every second of the stretches once; `length` is over twice `overlap`."""
    if not 0 < 2 * overlap < length:
        raise ValueError("a window must be longer than two overlaps")
    made: list[Window] = []
    pieces: list[Piece] = []
    room = length
    for begin, end in spoken:
        start = keep = begin
        while end - start > room:
            if room > 2 * overlap:
                cut = start + room
                seam = cut - overlap / 2
                pieces.append(Piece(start, cut, keep, seam))
                start, keep = cut - overlap, seam
            made.append(tuple(pieces))
            pieces, room = [], length
        pieces.append(Piece(start, end, keep, end))
        room -= end - start
    return [*made, tuple(pieces)] if pieces else made


def placed(spans: Iterable[Span], window: Window) -> list[Span]:
    """Spans of a window in the recording's seconds; what lies beyond a seam is left to the next window."""
    found: list[Span] = []
    for span in spans:
        offset = 0.0
        for piece in window:
            start = max(piece.keep_start, piece.start + span.start - offset)
            end = min(piece.keep_end, piece.start + span.end - offset)
            if end > start:
                found.append(replace(span, start=start, end=end))
            offset += piece.end - piece.start
    return found


def joined(divisions: Sequence[Divided], similarity: float, at_most: int | None = None) -> list[Span]:
    """Spans of the whole recording, its speakers numbered in the order of windows; what a seam had cut is whole again."""
    parts = [placed(division.spans, division.window) for division in divisions]
    keys = [(number, label) for number, part in enumerate(parts) for label in sorted({span.speaker for span in part})]
    seconds = dict.fromkeys(keys, 0.0)
    for number, part in enumerate(parts):
        for span in part:
            seconds[number, span.speaker] += span.end - span.start
    vectors = [np.asarray(divisions[number].vectors.get(label, ()), dtype=np.float64) for number, label in keys]
    groups = linked([number for number, _ in keys], vectors, [seconds[key] for key in keys], similarity, at_most)
    name = {key: f"SPEAKER_{group:02d}" for key, group in zip(keys, groups, strict=True)}
    return _healed(replace(span, speaker=name[number, span.speaker]) for number, part in enumerate(parts) for span in part)


def linked(
    window: Sequence[int],
    vectors: Sequence[NDArray[Any]],
    weights: Sequence[float],
    similarity: float,
    at_most: int | None = None,
) -> list[int]:
    """For each voice the number of its speaker, counted from 0 in the order given.

    The most similar two groups are joined, again and again, while the cosine of their weighted mean vectors is `similarity`
    or more; groups that hold two voices of one window never are, since its division found them to be two. While there are
    more than `at_most` speakers the cosine may be anything. A voice without a usable vector stays alone unless that forces it.
    """
    count = len(vectors)
    sums = [_unit(vector) * weight for vector, weight in zip(vectors, weights, strict=True)]
    members = [[number] for number in range(count)]
    heard_in = [{number} for number in window]
    close = np.full((count, count), _BLOCKED)
    for one in range(count):
        for other in range(one):
            if not heard_in[one] & heard_in[other]:
                close[one, other] = close[other, one] = _cosine(sums[one], sums[other])
    left = count
    while left > 1:
        one, other = (int(place) for place in np.unravel_index(int(np.argmax(close)), close.shape))
        best = close[one, other]
        if best == _BLOCKED or (best < similarity and (at_most is None or left <= at_most)):
            break
        sums[one] = _sum(sums[one], sums[other])
        members[one] += members[other]
        heard_in[one] |= heard_in[other]
        close[other, :] = close[:, other] = _BLOCKED
        members[other] = []
        for third in range(count):
            if third != one and members[third]:
                allowed = not heard_in[one] & heard_in[third]
                close[one, third] = close[third, one] = _cosine(sums[one], sums[third]) if allowed else _BLOCKED
        left -= 1
    numbers = [0] * count
    for number, group in enumerate(sorted((group for group in members if group), key=min)):
        for member in group:
            numbers[member] = number
    return numbers


def _unit(vector: NDArray[Any]) -> NDArray[Any]:
    """The vector at length 1; empty if there is none, or one without a direction."""
    length = float(np.linalg.norm(vector)) if vector.size else 0.0
    found: NDArray[Any] = vector / length if np.isfinite(length) and length > 0 else np.empty(0)
    return found


def _sum(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    if not one.size or not other.size:
        return one if one.size else other
    both: NDArray[Any] = one + other
    return both


def _cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    lengths = float(np.linalg.norm(one)) * float(np.linalg.norm(other)) if one.size and other.size else 0.0
    return float(one @ other) / lengths if lengths else -1.0


def _healed(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those of one speaker that touch or overlap made one."""
    found: list[Span] = []
    last: dict[tuple[bool, str], int] = {}
    for span in sorted(spans, key=lambda s: (s.start, s.end, s.speaker, s.exclusive)):
        key = span.exclusive, span.speaker
        before = last.get(key)
        if before is not None and span.start <= found[before].end + 1e-6:
            found[before] = replace(found[before], end=max(found[before].end, span.end))
        else:
            last[key] = len(found)
            found.append(span)
    return found
