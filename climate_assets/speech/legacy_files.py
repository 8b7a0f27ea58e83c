"""The three files that older tools read: transcription.json, diarization.json and fusion.json, with their fields.

Belongs here: the legacy shapes, their two decimals, and how utterances become segments again. Nothing else is rounded so.
Does not belong here: who says a word (`fusion.py`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import orjson

from climate_assets.speech.fusion import Said, SpokenWord
from climate_assets.speech.records import UNKNOWN, Heard, Turn
from climate_assets.speech.spoken import bounds, written

LEGACY_UNKNOWN: Final = "Unknown"
"""What the legacy calls a segment that no turn overlaps."""
DECIMALS: Final = 2

Row = dict[str, Any]


def transcription(heard: Heard, said: Sequence[Said], seconds: float) -> list[Row]:
    """`[{start, end, text}]`, one a believed segment that has words."""
    spoken = _by_segment(said)
    return [_row(*bounds(heard.segments[n], seconds), heard.segments[n].text) for n in spoken]


def diarization(turns: Sequence[Turn]) -> list[Row]:
    """`[{start, end, speaker}]`: turns with labels, overlap kept where the diarizer keeps it."""
    kept = [t for t in turns if not t.exclusive] or turns
    ordered = sorted(kept, key=lambda t: (t.start, t.end, t.speaker))
    return [{"start": _rounded(t.start), "end": _rounded(t.end), "speaker": t.speaker} for t in ordered]


def fusion(heard: Heard, said: Sequence[Said], seconds: float) -> list[Row]:
    """`[{start, end, text, speaker}]`: segments with names, each split where the speaker changes.

    A segment of one speaker keeps its own times and text, as in the legacy; pieces of a split one have those of their words,
    but begin and end where the segment does.
    """
    names = {s.utterance.speaker: s.utterance.name for s in said}
    rows: list[Row] = []
    for number, words in _by_segment(said).items():
        first, last = bounds(heard.segments[number], seconds)
        pieces = [list(piece) for _, piece in groupby(words, lambda w: w.speaker)]
        for place, piece in enumerate(pieces):
            start = first if place == 0 else piece[0].start
            end = last if place == len(pieces) - 1 else piece[-1].end
            text = heard.segments[number].text if len(pieces) == 1 else " ".join(word.text for word in piece)
            rows.append(_row(start, max(start, end), text) | {"speaker": _name(piece[0].speaker, names)})
    return rows


def as_json(rows: Sequence[Row]) -> bytes:
    """The rows as UTF-8 JSON, one field a line, the same bytes for the same rows."""
    return orjson.dumps(list(rows), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _by_segment(said: Sequence[Said]) -> dict[int, list[SpokenWord]]:
    """Words by segment, both in order."""
    found: defaultdict[int, list[SpokenWord]] = defaultdict(list)
    for one in said:
        for word in one.words:
            found[word.segment].append(word)
    return dict(found)


def _name(speaker: str, names: Mapping[str, str]) -> str:
    return LEGACY_UNKNOWN if speaker == UNKNOWN else names[speaker]


def _row(start: float, end: float, text: str) -> Row:
    return {"start": _rounded(start), "end": _rounded(end), "text": written(text)}


def _rounded(seconds: float) -> float:
    return round(seconds, DECIMALS)
