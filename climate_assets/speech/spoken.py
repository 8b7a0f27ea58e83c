"""Words that are believed, each with a time in the clip: what was heard, made fit to be joined with turns.

Belongs here: absent and impossible times, order, characters that nobody sees.
Does not belong here: who says a word (`fusion.py`), which segments are believed (the guards that set `gate`).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from climate_assets.claims.plaintext import plain
from climate_assets.speech.records import Heard, Segment, Word

SLACK_SECONDS: Final = 1.0
"""How far outside its segment a word may lie: attention is off by tenths; farther away a time is no measurement."""
_SENTENCE_END: Final = re.compile(r"[.!?…][\"'»”’)\]]*$")


@dataclass(frozen=True, slots=True)
class TimedWord:
    """One written word: no spaces around it, a time within the clip, never before the word before it."""

    start: float
    end: float
    text: str
    segment: int
    """Place of its segment in what was heard."""


def timed_words(heard: Heard, seconds: float) -> list[TimedWord]:
    """The words of all segments that are believed, in order, within `seconds`; none ends after the next one starts.

    A word without a time that can be (not finite, more than a second outside its segment, ending before it starts) gets
    one between its neighbours: figures, which matter here, are what aligners leave without.
    """
    words: list[TimedWord] = []
    floor = 0.0
    for number in _in_order(heard.segments):
        segment = heard.segments[number]
        first, last = bounds(segment, seconds, floor)
        for word in _timed(_words(segment), first, last):
            floor = min(max(word.start, floor), seconds)
            words.append(TimedWord(floor, min(max(word.end, floor), seconds), written(word.text), number))
    ended = (TimedWord(word.start, min(word.end, after.start), word.text, word.segment) for word, after in pairwise(words))
    return [*ended, *words[-1:]]


def bounds(segment: Segment, seconds: float, floor: float = 0.0) -> tuple[float, float]:
    """First and last second of a segment within the clip; what is no number becomes `floor`."""
    first = min(max(segment.start, 0.0), seconds) if math.isfinite(segment.start) else floor
    return first, max(first, min(segment.end, seconds) if math.isfinite(segment.end) else first)


def ends_a_sentence(text: str) -> bool:
    """Whether a word carries the mark that closes a sentence."""
    return _SENTENCE_END.search(text) is not None


def written(text: str) -> str:
    """The text as it is shown: single spaces, nothing that cannot be seen."""
    return " ".join(plain(text).split())


def _in_order(segments: Sequence[Segment]) -> list[int]:
    """Places of the believed segments by start; one whose start is no number follows the one before it."""
    starts: list[float] = []
    for segment in segments:
        starts.append(segment.start if math.isfinite(segment.start) else (starts[-1] if starts else 0.0))
    return sorted((n for n, segment in enumerate(segments) if not segment.gate), key=lambda n: starts[n])


def _words(segment: Segment) -> list[Word]:
    """Words that show something; a segment that has only its text gives it word by word, without times."""
    words = segment.words or tuple(Word(math.nan, math.nan, text, 0.0) for text in segment.text.split())
    return [word for word in words if written(word.text)]


def _timed(words: Sequence[Word], first: float, last: float) -> list[Word]:
    """The words with every time known: what has none lies evenly between the end before it and the start after it."""
    timed: list[Word] = []
    waiting: list[Word] = []
    for word in words:
        if first - SLACK_SECONDS <= word.start <= word.end <= last + SLACK_SECONDS:
            timed += _spread(waiting, timed[-1].end if timed else first, word.start)
            timed.append(word)
            waiting = []
        else:
            waiting.append(word)
    return timed + _spread(waiting, timed[-1].end if timed else first, last)


def _spread(waiting: Sequence[Word], start: float, end: float) -> list[Word]:
    step = max(end - start, 0.0) / len(waiting) if waiting else 0.0
    return [Word(start + n * step, start + (n + 1) * step, word.text, word.probability) for n, word in enumerate(waiting)]
