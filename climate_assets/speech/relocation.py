"""The verdict's quote found again in what was heard: when it is said, and in which words.

Belongs here: the exact place, the best place that is like enough, and why none is.
Does not belong here: the quote in the source's own text (`claims/quotes.py`), both texts as a whole (`differences.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import Levenshtein

from climate_assets.speech.differences import units
from climate_assets.speech.fusion import SpokenWord

NEAR_SECONDS: Final = 20.0
"""Word times of the source are within a second or two; those of a chunk without any are spread over two minutes."""
ALIKE_NEAR: Final = 0.55
"""Share of letters alike from which a stretch near the expected second is the quote. Measured on 12 words heard 150 times
with 30 % of the words wrong: 0.59 and more in 99 % of the cases; where the quote was cut out: never above 0.45."""
ALIKE_FAR: Final = 0.7
"""The same, far from it or without an expected second: formulas return, so more is asked."""
FEW_UNITS: Final = 3
"""Shorter quotes stand everywhere: they are only taken near the expected second, word by word."""
MAX_UNITS: Final = 1_000
"""Units of a quote; a chunk has some 600."""
CANDIDATES: Final = 5
_PENALTY: Final = 0.002
"""Likeness that a second of distance costs when two stretches are compared; 20 s outweigh one letter in 25."""


@dataclass(frozen=True, slots=True)
class Relocated:
    """Where a quote is said in the clip; without times, `reason` says why it is not found."""

    start: float | None
    end: float | None
    heard: str
    """The words as heard."""
    speaker: str
    """Who says most of them, by words; empty if it is not found."""
    likeness: float
    """Share of letters alike, 0..1; 1 for the same words."""
    reason: str = ""


def relocated(quote: str, expected: float | None, words: Sequence[SpokenWord]) -> Relocated:
    """The quote in the heard words; `expected`: second of the clip at which the source says it, none if it does not.

    The same folded words win, of several places the nearest; else the stretch most alike, if it is like enough.
    """
    wanted = [unit for unit, _ in units(quote.split())]
    spoken = units([word.text for word in words])
    if not wanted:
        return _missing("the verdict has no quote" if not quote.strip() else "the quote holds no words")
    if len(wanted) > MAX_UNITS:
        return _missing(f"the quote has {len(wanted)} words; more than {MAX_UNITS} are not looked for")
    if not spoken:
        return _missing("nothing that is believed was heard")
    heard = [unit for unit, _ in spoken]
    starts = [words[owner].start for _, owner in spoken]
    distance = [0.0 if expected is None else abs(start - expected) for start in starts]
    exact = min(_places(wanted, heard), key=lambda n: (distance[n], n), default=None)
    near = expected is not None
    if exact is not None and (len(wanted) >= FEW_UNITS or (near and distance[exact] <= NEAR_SECONDS)):
        return _found(words, spoken[exact][1], spoken[exact + len(wanted) - 1][1], 1.0)
    if len(wanted) < FEW_UNITS:
        return _missing(f"a quote of {len(wanted)} words is only taken word by word, near its expected second")
    first, stop, likeness = _most_alike(wanted, heard, distance)
    needed = ALIKE_NEAR if near and distance[first] <= NEAR_SECONDS else ALIKE_FAR
    if likeness < needed:
        return _missing(
            f"the stretch most alike, at {starts[first]:.1f} s, is alike by {likeness:.0%}; {needed:.0%} are needed there",
            likeness,
        )
    return _found(words, spoken[first][1], spoken[stop - 1][1], likeness)


def _missing(reason: str, likeness: float = 0.0) -> Relocated:
    return Relocated(None, None, "", "", likeness, reason)


def _found(words: Sequence[SpokenWord], first: int, last: int, likeness: float) -> Relocated:
    said = words[first : last + 1]
    counted: dict[str, int] = {}
    for word in said:
        counted[word.speaker] = counted.get(word.speaker, 0) + 1
    speaker = max(counted, key=lambda label: counted[label])
    text = " ".join(word.text for word in said)
    return Relocated(round(said[0].start, 3), round(said[-1].end, 3), text, speaker, round(likeness, 3))


def _places(wanted: Sequence[bytes], heard: Sequence[bytes]) -> Iterator[int]:
    """Where the same units stand in a row."""
    line, sought = b" %b " % b" ".join(heard), b" %b " % b" ".join(wanted)
    at = line.find(sought)
    while at >= 0:
        yield line.count(b" ", 0, at)
        at = line.find(sought, at + 1)


def _most_alike(wanted: Sequence[bytes], heard: Sequence[bytes], distance: Sequence[float]) -> tuple[int, int, float]:
    """First unit, the one after the last, and likeness of the stretch most alike.

    Every stretch of the quote's length is compared; the best few are then moved and stretched by a quarter at each end.
    """
    quote, length = b" ".join(wanted), len(wanted)

    def likeness(first: int, stop: int) -> float:
        return Levenshtein.normalized_similarity(quote, b" ".join(heard[first:stop]))

    def rank(first: int, stop: int) -> tuple[float, int, int]:
        return likeness(first, stop) - _PENALTY * distance[first], -first, -stop

    starts = range(max(1, len(heard) - length + 1))
    best = sorted(starts, key=lambda n: rank(n, n + length), reverse=True)[:CANDIDATES]
    room = max(2, length // 4)
    found: list[tuple[int, int]] = []
    for start in best:
        first, stop = start, min(start + length, len(heard))
        for _ in range(2):
            ends = range(max(first + 1, stop - room), min(len(heard), stop + room) + 1)
            stop = max(ends, key=lambda n: rank(first, n))
            begins = range(max(0, first - room), min(stop - 1, first + room) + 1)
            first = max(begins, key=lambda n: rank(n, stop))
        found.append((first, stop))
    first, stop = max(found, key=lambda place: rank(*place))
    return first, stop, likeness(first, stop)
