"""What the recogniser makes of an hour: noise, segments with evenly spread words, overlaps, chunks of 120 seconds.

Belongs here: the quirks of the Mediatree answer (`start` on the 120-second grid, words up to a second early, times in
whole seconds x 1000 + centiseconds, interleaved seams). Does not: what is said (`rundown.py`).
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from random import Random
from zlib import crc32

from climate_assets.broadcast.records import CHUNK_SECONDS
from demo.rundown import CHUNK, HOUR, Rundown

_LONGEST_SEGMENT = 2200
_SEAM_CHANCE = 0.006
_SEAM_LENGTH = 12
_MISHEARD = (
    {"est": "et", "et": "est", "a": "à", "à": "a", "ces": "ses", "ses": "ces", "on": "ont", "sont": "son", "son": "sont"}
    | {"la": "là", "ou": "où", "leur": "leurs", "leurs": "leur", "tout": "tous", "tous": "tout", "plus": "plu", "se": "ce"}
    | {"ce": "se", "sans": "cent", "cent": "sans", "dans": "d' en", "peu": "peut", "peut": "peu", "fait": "fais", "mais": "mes"}
    | {"très": "trait", "pour": "pou", "qui": "qu' il", "fin": "faim", "cette": "sept", "sept": "cette", "deux": "de"}
)
_ANY = ("de", "et", "le", "la", "un", "il", "en", "que", "dans", "pas", "là", "ça", "on", "qu'", "par", "ne", "vous", "si")


@dataclass(frozen=True, slots=True)
class Aired:
    """Words of one hour in order of time; times and steps in centiseconds, times from the hour's start."""

    words: list[str]
    times: list[int]
    steps: list[int]


def lead(channel: str, chunk_start: int) -> int:
    """Centiseconds, 0 to 96, by which the first word of a chunk may come before its start."""
    return crc32(f"{channel}|{chunk_start}".encode()) % 97


def aired(order: Rundown, rng: Random) -> Aired:
    """The running order as recognised: near the script, never the same twice."""
    words: list[str] = []
    times: list[int] = []
    steps: list[int] = []
    tangled = False
    before: tuple[list[str], int, int] = ([], 0, 0)
    for piece in order.pieces:
        heard = noisy(piece.words, rng)
        parts = -(-piece.length // _LONGEST_SEGMENT)
        length = piece.length // parts
        for part in range(parts):
            segment = heard[len(heard) * part // parts : len(heard) * (part + 1) // parts]
            if not segment:
                continue
            start = piece.start + part * length
            step = length // len(segment)
            if rng.random() < _SEAM_CHANCE and min(len(segment), len(before[0])) >= _SEAM_LENGTH:
                segment, start, step = _overlapping(before, segment, start + length, rng)
                tangled = True
            words += segment
            times += range(start, start + step * len(segment), step)
            steps += [step] * len(segment)
            before = (segment, start, step)
    if tangled:
        in_time = sorted(range(len(words)), key=times.__getitem__)
        return Aired([words[i] for i in in_time], [times[i] for i in in_time], [steps[i] for i in in_time])
    return Aired(words, times, steps)


def noisy(words: list[str], rng: Random) -> list[str]:
    """The words with 1 to 3 % of them dropped, misheard, doubled or replaced."""
    heard = list(words)
    random = rng.random
    if len(words) < 2:
        return heard
    for _ in range(int(len(words) * (0.01 + 0.02 * random()) + random())):
        at, what = int(random() * len(heard)), random()
        if what < 0.35 and len(heard) > 2:
            del heard[at]
        elif what < 0.5:
            heard.insert(at, heard[at])
        else:
            heard[at : at + 1] = _MISHEARD.get(heard[at], _ANY[int(random() * len(_ANY))]).split()
    return heard


def _overlapping(before: tuple[list[str], int, int], segment: list[str], end: int, rng: Random) -> tuple[list[str], int, int]:
    """The segment, begun a few words early: its first words are the last ones of the segment before."""
    words, start, step = before
    again = rng.randint(2, 4)
    early = start + step * (len(words) - again) + rng.randint(3, 20)
    return words[-again:] + segment, early, (end - early) // (again + len(segment))


def items(hour: datetime, name: str, channel: dict[str, object], heard: Aired) -> list[dict[str, object]]:
    """The thirty items of an hour, as the API answers them."""
    epoch = int(hour.timestamp())
    found = []
    for offset in range(0, HOUR, CHUNK):
        start = epoch + offset // 100
        first = bisect_left(heard.times, offset - lead(name, start))
        last = bisect_left(heard.times, offset + CHUNK - lead(name, start + CHUNK_SECONDS))
        found.append(_item(channel, start, epoch, heard, first, last))
    return found


def _item(channel: dict[str, object], start: int, epoch: int, heard: Aired, first: int, last: int) -> dict[str, object]:
    said, base = heard.words[first:last], epoch * 1000
    srt = [
        {"text": word, "cts_in_ms": base + _source(time), "duration_ms": _source(step)}
        for word, time, step in zip(said, heard.times[first:last], heard.steps[first:last], strict=True)
    ]
    return {"channel": dict(channel), "start": start, "plaintext": " ".join(said), "srt": srt}


def _source(centiseconds: int) -> int:
    """A time as the API writes it: whole seconds x 1000 + centiseconds."""
    return centiseconds + 900 * (centiseconds // 100)
