"""Words of one item with their times: what `srt` and `plaintext` say together.

Belongs here: centisecond times, `<unk>`, several words in one entry, absent times, size limits, agreement of both fields.
Does not belong here: which chunk an item is (`transcripts.py`), overlapping segments (`segments.py`).
Times are centiseconds from the chunk's start.
"""

import math
import re
from array import array
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from climate_assets.broadcast.records import CHUNK_SECONDS
from climate_assets.broadcast.segments import Ints, is_interleaved, untangled

MAX_CHARACTERS: Final = 50_000
"""A chunk's text; the longest real one has some 3,000 characters."""
MAX_WORDS: Final = 5_000
"""Words of a chunk: forty a second, ten times what anybody says."""
MAX_WORD: Final = 500
"""Characters of one word."""
EARLIEST, LATEST = -200, 12_200
"""A word beyond these refuses its chunk: real ones run from about -100 to 11,900."""
KEPT_EARLIEST, KEPT_LATEST = -100, 12_100

_UNKNOWN: Final = "<unk>"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_FOLDED: Final = re.compile(r"[^\W_]+")


class NonsenseError(Exception):
    """An item that cannot be a chunk; the message says why, without quoting what was said on air."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What was said in a chunk and when."""

    text: str
    """Words joined by one space."""
    times: list[int]
    """One a word."""
    timing: str
    """`asr` or `even`."""
    unknown_seconds: float


def speech_of(srt: Any, plaintext: Any, start: int) -> Speech:
    """The words of an item with their times; `start` in centiseconds since the epoch; raises `NonsenseError`.

    The word entries win while they hold every word of `plaintext` (in any order; case and punctuation aside): then they
    are the same words, at worst interleaved. If `plaintext` has words that they lack, the entries are incomplete:
    `plaintext` is taken, evenly timed, because a lost word is worse than a coarse time.
    """
    plain = _plain(plaintext)
    entries = _entries(srt)
    if not entries:
        if srt is None and plaintext is None:
            raise NonsenseError("the item has neither `plaintext` nor `srt`")
        return _evenly(plain)
    try:
        texts = [entry["text"] for entry in entries]
        joined = " ".join(texts)
    except (KeyError, TypeError):
        raise NonsenseError("a word of `srt` has no text") from None
    if len(joined) > MAX_CHARACTERS:
        raise NonsenseError(f"`srt` has {len(joined)} characters; the limit is {MAX_CHARACTERS}")
    if joined != plain and not _holds(joined, plain):
        return _evenly(plain)
    if not _is_storable(joined):
        texts = [_storable(text) for text in texts]
        joined = " ".join(texts)
    times, steps = _centiseconds(entries, start)
    return _evenly(joined) if times is None else _timed(texts, times, steps)


def _timed(texts: list[str], times: Ints, steps: Ints) -> Speech:
    """Entries with times as words with times, in the order they were said."""
    if (times[1:] < times[:-1]).any():
        order = np.argsort(times, kind="stable")
        texts, times, steps = [texts[i] for i in order], times[order], steps[order]
    if is_interleaved(times, steps):
        texts, times, steps = untangled(texts, times, steps)
    unknown = 0
    if _UNKNOWN in texts:
        spoken = [i for i, text in enumerate(texts) if text != _UNKNOWN]
        unknown = int(steps.sum() - steps[spoken].sum())
        texts, times, steps = [texts[i] for i in spoken], times[spoken], steps[spoken]
    text = " ".join(texts)
    words = text.split()
    if words != texts or _UNKNOWN in text:
        words, times, glued = _single_words(texts, times.tolist(), steps.tolist())
        text, unknown = " ".join(words), unknown + glued
    _check_words(words)
    if len(times):
        earliest, latest = int(times.min()), int(times.max())
        if earliest < EARLIEST or latest > LATEST:
            beyond = earliest if earliest < EARLIEST else latest
            raise NonsenseError(f"a word is {beyond / 100:.2f} s from the chunk's start; the limits are -2 s and 122 s")
        # After a seam the next segment's first words may carry an earlier time than the last of the one before.
        times = np.maximum.accumulate(np.minimum(np.maximum(times, KEPT_EARLIEST), KEPT_LATEST))
    return Speech(text, times.tolist(), "asr", min(unknown, CHUNK_SECONDS * 100) / 100)


def _single_words(texts: list[str], times: list[int], steps: list[int]) -> tuple[list[str], Ints, int]:
    """Entries split into words that share the entry's time and duration; `<unk>` taken out, its centiseconds summed."""
    words: list[str] = []
    at: list[int] = []
    unknown = 0
    for text, time, step in zip(texts, times, steps, strict=True):
        pieces = text.replace(_UNKNOWN, f" {_UNKNOWN} ").split()
        for number, piece in enumerate(pieces):
            if piece == _UNKNOWN:
                unknown += step // len(pieces)
            else:
                words.append(piece)
                at.append(time + number * step // len(pieces))
    return words, np.array(at, dtype=np.int64), unknown


def _centiseconds(entries: list[Any], start: int) -> tuple[Ints | None, Ints]:
    """Times from the chunk's start and durations of the entries; None for the times when no entry has one.

    The API writes `whole seconds * 1000 + centiseconds`: the last three digits stay under 100 and wrap there.
    A chunk where they do not is written in true milliseconds. A time of 0, or none, is absent: it goes between its neighbours.
    """
    raw = _whole(entries, "cts_in_ms")
    durations = np.minimum(np.maximum(_whole(entries, "duration_ms"), 0), CHUNK_SECONDS * 1000)
    fractions = raw % 1000
    if fractions.max() < 100:
        times, steps = raw // 1000 * 100 + fractions, durations // 1000 * 100 + durations % 1000
    else:
        times, steps = raw // 10, durations // 10
    times = times - start
    known = np.flatnonzero(raw > 0)
    if not len(known):
        return None, steps
    if len(known) < len(raw):
        times = np.interp(np.arange(len(raw)), known, times[known]).astype(np.int64)
    return times, steps


def _whole(entries: list[Any], name: str) -> Ints:
    """A field of all entries as whole numbers, 0 where it is absent."""
    try:
        return np.frombuffer(array("q", [entry[name] for entry in entries]), dtype=np.int64)
    except (KeyError, TypeError, OverflowError):
        values = [entry.get(name) or 0 for entry in entries]
    if not all(isinstance(value, int | float) and math.isfinite(value) and abs(value) < 2**53 for value in values):
        raise NonsenseError(f"`{name}` of a word is not a number")
    return np.array(values).astype(np.int64)


def _evenly(text: str) -> Speech:
    """Words of a text spread evenly over the chunk."""
    words = _storable(text).replace(_UNKNOWN, " ").split()
    _check_words(words)
    return Speech(" ".join(words), [i * CHUNK_SECONDS * 100 // len(words) for i in range(len(words))], "even", 0.0)


def _plain(plaintext: Any) -> str:
    if plaintext is None:
        return ""
    if not isinstance(plaintext, str):
        raise NonsenseError(f"`plaintext` is {type(plaintext).__name__}, not text")
    if len(plaintext) > MAX_CHARACTERS:
        raise NonsenseError(f"`plaintext` has {len(plaintext)} characters; the limit is {MAX_CHARACTERS}")
    return plaintext


def _entries(srt: Any) -> list[Any]:
    """The word entries; some sources give the list as JSON text."""
    if isinstance(srt, str) and srt.strip():
        try:
            srt = orjson.loads(srt)
        except ValueError:
            raise NonsenseError("`srt` is text that is not JSON") from None
    if srt is None or srt == "":
        return []
    if not isinstance(srt, list):
        raise NonsenseError(f"`srt` is {type(srt).__name__}, not a list of words")
    if len(srt) > MAX_WORDS:
        raise NonsenseError(f"`srt` has {len(srt)} words; the limit is {MAX_WORDS}")
    return srt


def _check_words(words: list[str]) -> None:
    if len(words) > MAX_WORDS:
        raise NonsenseError(f"the item has {len(words)} words; the limit is {MAX_WORDS}")
    longest = max(map(len, words), default=0)
    if longest > MAX_WORD:
        raise NonsenseError(f"a word has {longest} characters; the limit is {MAX_WORD}")


def _holds(joined: str, plain: str) -> bool:
    """Whether the word entries have every word of the plain text, in any order."""
    if not plain or joined.split() == plain.split():
        return True
    return Counter(_folded(plain)) <= Counter(_folded(joined))


def _folded(text: str) -> list[str]:
    return _FOLDED.findall(text.replace(_UNKNOWN, " ").casefold())


def _is_storable(text: str) -> bool:
    """Whether a database text can hold it: no NUL, no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def _storable(text: str) -> str:
    """The text without NUL, each lone surrogate replaced by the replacement character."""
    return _SURROGATE.sub("\ufffd", text.replace("\x00", ""))
