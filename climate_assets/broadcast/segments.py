"""Words of overlapping recogniser segments, put back into the order they were said.

The recogniser hears the programme in segments of 5-25 s, spreads the words of each evenly (constant step = duration),
and where two segments overlap the source merges their words by time: the text is interleaved, words of the seam come
twice, or one of two equal neighbours is dropped and leaves a hole in its segment's step.
Belongs here: noticing that, rebuilding the segments, joining them. Times and steps are centiseconds.
Does not belong here: reading items, text cleaning (`word_times.py`).
"""

from array import array
from bisect import bisect_right
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

SEAM: Final = 150
"""Centiseconds by which two segments may disagree about one word: twice the 0.74 s seen at seams of real answers."""
_MAX_HOLES: Final = 20
# Limits against hostile input: real seams have some twenty words and a handful of pairs.
_MAX_WORDS: Final = 600
_MAX_PAIRS: Final = 400
_JITTER: Final = 1


class Said(NamedTuple):
    """One entry of a segment; an echo stands in a hole: it guides the joining and is never put out."""

    text: str
    time: int
    step: int
    echo: bool


def is_interleaved(times: Ints, steps: Ints) -> bool:
    """Whether a word starts before the one in front of it is over: two segments overlap. `times` ascending."""
    return bool((times[1:] < times[:-1] + steps[:-1] - _JITTER).any())


def untangled(texts: list[str], times: Ints, steps: Ints) -> tuple[list[str], Ints, Ints]:
    """Texts, times and steps, segment after segment; a word that both neighbours of a seam heard comes once.

    Every word survives unless its twin (same text, at most `SEAM` apart, in the other segment) does. `times` ascending.
    Only the surroundings of seams are looked at, which keeps the cost to a few dozen words a seam.
    """
    at, step = times.tolist(), steps.tolist()
    said: tuple[list[str], list[int], list[int]] = ([], [], [])
    done = 0
    for lo, hi in _seams(times, steps):
        seam = _rebuilt(texts[lo:hi], at[lo:hi], step[lo:hi])
        for out, before, rebuilt in zip(said, (texts, at, step), zip(*seam, strict=True), strict=False):
            out += before[done:lo]
            out += rebuilt
        done = hi
    return said[0] + texts[done:], _ints(said[1] + at[done:]), _ints(said[2] + step[done:])


def _ints(values: list[int]) -> Ints:
    # Five times as fast as numpy's own conversion of a list.
    return np.frombuffer(array("q", values), dtype=np.int64)


def _seams(times: Ints, steps: Ints) -> list[tuple[int, int]]:
    """Index ranges around overlaps, wide enough to hold every twin; ranges that touch are one."""
    overlaps = np.flatnonzero(times[1:] < times[:-1] + steps[:-1] - _JITTER)
    starts = np.searchsorted(times, np.minimum(times[overlaps], times[overlaps + 1] - SEAM), side="left").tolist()
    ends = np.searchsorted(times, times[overlaps + 1] + SEAM, side="right").tolist()
    seams = [(starts[0], ends[0])]
    for start, end in zip(starts[1:], ends[1:], strict=True):
        if start <= seams[-1][1]:
            seams[-1] = (seams[-1][0], max(end, seams[-1][1]))
        else:
            seams.append((start, end))
    return seams


def _rebuilt(texts: list[str], at: list[int], step: list[int]) -> list[Said]:
    """The words around one seam, its segments joined; no speech has a seam of `_MAX_WORDS`: its order stays as it came."""
    if len(texts) > _MAX_WORDS:
        return [Said(*word, False) for word in zip(texts, at, step, strict=True)]
    joined: list[Said] = []
    for segment in _segments(texts, at, step):
        joined = _joined(joined, segment) if joined else segment
    return [word for word in joined if not word.echo]


def _segments(texts: list[str], at: list[int], step: list[int]) -> list[list[Said]]:
    """Segments in order of their first word: words of one step, continued across the words of another segment."""
    segments: list[list[Said]] = []
    owner: list[int] = []
    current: list[Said] = []
    number, due, lasting = -1, -1, -1
    for text, time, duration in zip(texts, at, step, strict=True):
        if duration != lasting or not -_JITTER <= time - due <= _JITTER:
            number = _continued(segments, time, duration)
            if number == len(segments):
                segments.append([])
            current = segments[number]
            if current:
                current += _echoes(current[-1], time, texts, at, owner, number)
        current.append(Said(text, time, duration, False))
        owner.append(number)
        due, lasting = time + duration, duration
    return segments


def _continued(segments: list[list[Said]], time: int, step: int) -> int:
    """Number of the segment that a word of that time and step continues; one past the last if it begins a new one."""
    if step > 2 * _JITTER:
        for number in range(len(segments) - 1, -1, -1):
            _, before, its_step, _ = segments[number][-1]
            gap = time - before
            if its_step == step and 0 < gap <= step * (_MAX_HOLES + 1) + _JITTER and (gap + _JITTER) % step <= 2 * _JITTER:
                return number
    return len(segments)


def _echoes(last: Said, time: int, texts: list[str], at: list[int], owner: list[int], number: int) -> list[Said]:
    """What stood in the holes between `last` and `time`: the source dropped a word equal to the one in front of it."""
    echoes = []
    for slot in range(last.time + last.step, time - _JITTER, last.step):
        front = bisect_right(at, slot, 0, len(owner)) - 1
        if front >= 0 and owner[front] != number:
            echoes.append(Said(texts[front], slot, last.step, True))
    return echoes


def _joined(left: list[Said], right: list[Said]) -> list[Said]:
    """Two segments as one text: the shortest that holds the words of both in their order."""
    if right[0].time >= left[-1].time + left[-1].step - _JITTER:
        return left + right
    start, end, till = len(left), len(left), len(right)
    while start and left[start - 1].time >= right[0].time - SEAM:
        start -= 1
    while end > start and left[end - 1].time > right[-1].time + SEAM:
        end -= 1
    while till and right[till - 1].time > left[-1].time + SEAM:
        till -= 1
    return left[:start] + _shortest_common(left[start:end], right[:till]) + left[end:] + right[till:]


def _shortest_common(a: list[Said], b: list[Said]) -> list[Said]:
    """Shortest common supersequence of two seams; between twins, the words of `a` come before those of `b`."""
    out: list[Said] = []
    i = j = 0
    for row, column in _twins(a, b):
        out += a[i:row]
        out += b[j:column]
        out.append(b[column] if a[row].echo else a[row])
        i, j = row + 1, column + 1
    return out + a[i:] + b[j:]


def _twins(a: list[Said], b: list[Said]) -> list[tuple[int, int]]:
    """The longest chain of index pairs, ascending on both sides, whose words are the same word heard twice."""
    where: dict[str, list[int]] = {}
    for j, word in enumerate(b):
        where.setdefault(word.text, []).append(j)
    pairs = [(i, j) for i, (text, time, _, _) in enumerate(a) for j in where.get(text, ()) if -SEAM <= time - b[j].time <= SEAM]
    if len(pairs) > _MAX_PAIRS:  # no speech repeats itself so: nothing is taken for a twin, so nothing is lost
        return []
    chains: list[tuple[int, int]] = []
    for k in range(len(pairs) - 1, -1, -1):
        i, j = pairs[k]
        length, following = 1, -1
        for other in range(k + 1, len(pairs)):
            if pairs[other][0] > i and pairs[other][1] > j and chains[len(pairs) - 1 - other][0] >= length:
                length, following = chains[len(pairs) - 1 - other][0] + 1, other
        chains.append((length, following))
    chains.reverse()
    k = max(range(len(pairs)), key=lambda n: chains[n][0], default=-1)
    longest = []
    while k >= 0:
        longest.append(pairs[k])
        k = chains[k][1]
    return longest
