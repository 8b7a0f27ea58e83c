"""Captions of a clip: WebVTT with a voice for each speaker, so that any player shows who says what.

Belongs here: where a cue is cut, how its lines break, cue times that the format allows, escapes.
Does not belong here: who says a word (`fusion.py`). The format is https://www.w3.org/TR/webvtt1/.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from climate_assets.speech.fusion import Said, SpokenWord
from climate_assets.speech.spoken import ends_a_sentence, written

LINE_CHARACTERS: Final = 42
LINES: Final = 2
"""Two lines of 42 characters: the usual limit of subtitling guides for the Latin alphabet."""
LONGEST_CUE: Final = 7.0
"""Seconds after which the same two lines bore: the usual limit again."""
SHORTEST_CUE: Final = 1.0
"""Seconds that a short cue stays, if the next one leaves them."""
PAUSE_SECONDS: Final = 1.0
"""Silence that ends a cue."""
NAME_CHARACTERS: Final = 60

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from when to when; `end` is after `start`."""

    start: float
    end: float
    name: str
    lines: tuple[str, ...]


def webvtt(cues: Sequence[Cue]) -> str:
    """The cues as a WebVTT file."""
    blocks = [
        f"{number}\n{_time(cue.start)} --> {_time(cue.end)}\n<v {_escaped(cue.name)}>{_escaped(chr(10).join(cue.lines))}\n"
        for number, cue in enumerate(cues, start=1)
    ]
    return "WEBVTT\n\n" + "\n".join(blocks)


def cues(said: Sequence[Said]) -> list[Cue]:
    """Cues in order, each of one utterance, at most two lines of 42 characters and seven seconds."""
    found = [cue for one in said for cue in _cues(one)]
    ceilings = chain((after.start for after in found[1:]), [math.inf])
    return [Cue(cue.start, _end(cue, ceiling), cue.name, cue.lines) for cue, ceiling in zip(found, ceilings, strict=False)]


def _cues(said: Said) -> Iterator[Cue]:
    name = written(said.utterance.name)[:NAME_CHARACTERS]
    lines: list[str] = []
    shown: list[SpokenWord] = []
    for word in said.words:
        for piece in _pieces(word.text):
            longer = _with(lines, piece)
            if shown and (longer is None or _ends_before(word, shown, lines)):
                yield _cue(shown, name, lines)
                lines, shown, longer = [], [], [piece]
            lines = longer or [piece]
            shown.append(word)
    if shown:
        yield _cue(shown, name, lines)


def _cue(shown: Sequence[SpokenWord], name: str, lines: Sequence[str]) -> Cue:
    return Cue(round(shown[0].start, 3), round(shown[-1].end, 3), name, tuple(lines))


def _ends_before(word: SpokenWord, shown: Sequence[SpokenWord], lines: Sequence[str]) -> bool:
    """Whether the cue is over before this word: it would last too long, a pause follows, or a sentence ended in line two."""
    last = shown[-1]
    return (
        word.end - shown[0].start > LONGEST_CUE
        or word.start - last.end > PAUSE_SECONDS
        or (len(lines) == LINES and word is not last and ends_a_sentence(last.text))
    )


def _with(lines: Sequence[str], piece: str) -> list[str] | None:
    """The lines with one more piece; None if they do not hold it."""
    if lines and len(lines[-1]) + 1 + len(piece) <= LINE_CHARACTERS:
        return [*lines[:-1], f"{lines[-1]} {piece}"]
    return [*lines, piece] if len(lines) < LINES else None


def _pieces(word: str) -> list[str]:
    """The word, cut where it is longer than a line."""
    return [word[n : n + LINE_CHARACTERS] for n in range(0, len(word), LINE_CHARACTERS)]


def _end(cue: Cue, ceiling: float) -> float:
    """End of a cue: long enough to be read, not past the next cue's start, never at or before its own start."""
    end = min(max(cue.end, cue.start + SHORTEST_CUE), cue.start + LONGEST_CUE, ceiling)
    return max(end, cue.start + 0.001)


def _time(seconds: float) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
