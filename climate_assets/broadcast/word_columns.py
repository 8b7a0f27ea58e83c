"""All words of one country's look-back as columns: one number a word, one time a word, in order of channel and time.

Belongs here: turning chunks into columns, and columns back into instants and days. Does not: what is searched in them.
Each chunk is read once and let go, so a stream of more chunks than fit in memory as objects can be fed through.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count

import numpy as np
from numpy.typing import NDArray

from climate_assets.broadcast.records import Chunk
from climate_assets.failures import Permanent

CENTISECOND = timedelta(milliseconds=10)
_LONGEST_CENTISECONDS = 2**31 - 24 * 360_000  # what 32 bits hold, less a day
_OVERLAP_CENTISECONDS = 500  # words at chunk borders are out of order by a second or two; more is a chunk heard twice
_WORD_CENTISECONDS = 50

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class WordColumns:
    """Words of one country; word `i` is number `tokens[i]`, said `at[i]` centiseconds after `base`.

    `breaks` are the words with which an unbroken stretch begins; `chunk_word` the words with which a chunk begins.
    """

    country: str
    base: datetime
    channels: list[str]
    tokens: Ints
    at: Ints
    hash_of_token: Hashes
    breaks: Longs
    chunk_word: Longs
    chunk_at: Longs
    chunk_channel: Longs
    chunk_day: Longs

    def piece(self, word: Longs) -> Longs:
        """Number of the unbroken stretch that each word lies in."""
        return np.searchsorted(self.breaks, word, side="right")

    def chunk(self, word: Longs) -> Longs:
        """Chunk that each word lies in."""
        return np.searchsorted(self.chunk_word, word, side="right") - 1

    def instant(self, centiseconds: int) -> datetime:
        """The instant that long after `base`."""
        return self.base + int(centiseconds) * CENTISECOND

    def end_after(self, word: Longs) -> Longs:
        """Centisecond at which each word is over: when the next one begins, but at most a second later."""
        after = np.minimum(word + 1, len(self.at) - 1)
        pause = self.at[after].astype(np.int64) - self.at[word]
        pause[(self.piece(word) != self.piece(after)) | (pause <= 0)] = _WORD_CENTISECONDS
        return np.asarray(self.at[word] + np.minimum(pause, 100))


def word_columns(chunks: Iterable[Chunk], silence_seconds: float) -> WordColumns | None:
    """Columns of the chunks in whatever order they come; none if no word was said. A chunk that comes twice counts once.

    Raises `Permanent` for chunks of two countries, one chunk with two texts, words without a time, or over 240 days.
    """
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    read: dict[tuple[str, datetime], tuple[date, Ints, Ints]] = {}
    countries: set[str] = set()
    for chunk in chunks:
        countries.add(chunk.country)
        words = chunk.text.lower().split(" ") if chunk.text else []
        if len(words) != len(chunk.word_times):
            raise Permanent(f"chunk {chunk.chunk_id}: {len(words)} words, {len(chunk.word_times)} times; decode its dump again")
        tokens = np.fromiter(map(numbers.__getitem__, words), np.int32, len(words))
        known = read.setdefault((chunk.channel, chunk.start), (chunk.day, tokens, np.array(chunk.word_times, np.int32)))
        if known[1] is not tokens and not np.array_equal(known[1], tokens):
            raise Permanent(f"chunk {chunk.chunk_id} comes with two texts; keep the one of the newest dump")
    if len(countries) > 1:
        raise Permanent(f"chunks of {', '.join(sorted(countries))} in one search; find repeats country by country")
    keys = sorted(key for key, value in read.items() if len(value[1]))
    if not keys:
        return None
    return _in_order(countries.pop(), keys, read, numbers, silence_seconds)


def _in_order(
    country: str,
    keys: list[tuple[str, datetime]],
    read: dict[tuple[str, datetime], tuple[date, Ints, Ints]],
    numbers: dict[str, int],
    silence_seconds: float,
) -> WordColumns:
    base = min(start for _, start in keys)
    channels = sorted({channel for channel, _ in keys})
    place = {channel: i for i, channel in enumerate(channels)}
    chunk_at = np.array([(start - base) // CENTISECOND for _, start in keys], np.int64)
    if chunk_at.max() > _LONGEST_CENTISECONDS:
        raise Permanent(f"chunks from {base} to {max(start for _, start in keys)}: over 240 days; shorten the look-back")
    values = [read[key] for key in keys]
    sizes = np.array([len(tokens) for _, tokens, _ in values], np.int64)
    chunk_word = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    chunk_channel = np.array([place[channel] for channel, _ in keys], np.int64)
    tokens = np.concatenate([tokens for _, tokens, _ in values])
    at = np.concatenate([times for _, _, times in values])
    at += np.repeat(chunk_at.astype(np.int32), sizes)
    pause = np.diff(at)
    pauses = np.flatnonzero((pause > silence_seconds * 100) | (pause < -_OVERLAP_CENTISECONDS)) + 1
    first_of_channel = chunk_word[np.flatnonzero(np.diff(chunk_channel)) + 1]
    return WordColumns(
        country=country,
        base=base,
        channels=channels,
        tokens=tokens,
        at=at,
        hash_of_token=_hashes(numbers),
        breaks=np.union1d(pauses, first_of_channel).astype(np.int64),
        chunk_word=chunk_word,
        chunk_at=chunk_at,
        chunk_channel=chunk_channel,
        chunk_day=np.array([day.toordinal() for day, _, _ in values], np.int64),
    )


def _hashes(numbers: dict[str, int]) -> Hashes:
    """A hash for each word number that is the same in every process, whatever order the words came in."""
    digests = b"".join(hashlib.blake2b(word.encode(), digest_size=8).digest() for word in numbers)
    return np.frombuffer(digests, np.uint64)
