"""How the cost of advert finding grows: seconds a million chunks, from 10,000 to 300,000 chunks of one country.

Belongs here: a cheap synthetic country and the measure. Does not: how well adverts are found (tests/broadcast).
Chunks are made one by one while the finder reads them, as rows come from a database; the time of making them is taken off.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from climate_assets.broadcast.records import Chunk
from climate_assets.broadcast.repeats import find_repeats

SIZES = (10_000, 30_000, 100_000, 300_000)
GROWTH = 1.5
_CHANNELS = 18
_CHUNKS_A_DAY = 510  # 17 monitored hours
_FIRST_DAY = date(2026, 1, 5)
_WORDS, _PHRASES, _PHRASE, _ADVERTS = 60_000, 4_000, 6, 400


class Country:
    """Channels that speak by Zipf's law, a fifth of it stock phrases and a tenth of it adverts with 5 % of words misheard."""

    def __init__(self, seed: int) -> None:
        """Everything follows from `seed`."""
        self.rng = np.random.default_rng(seed)
        self.words = np.array([f"m{i:x}" for i in range(_WORDS)], dtype=object)
        self.zipf = np.cumsum(1 / (np.arange(_WORDS) + 2.7))
        self.phrases = self._drawn((_PHRASES, _PHRASE))
        self.phrase_zipf = np.cumsum(1 / (np.arange(_PHRASES) + 3.0))
        self.adverts = [self._drawn(int(n)) for n in self.rng.choice([35, 50, 67, 67, 100], _ADVERTS)]
        self.times = {size: np.linspace(0, 11_900, size).astype(int).tolist() for size in range(200, 361)}
        self.seconds = 0.0

    def chunks(self, wanted: int) -> Iterator[Chunk]:
        """So many chunks, day by day and channel by channel; `seconds` grows by the time it takes to make them."""
        endless, began = self._days(), process_time()
        for _ in range(wanted):
            chunk = next(endless)
            self.seconds += process_time() - began
            yield chunk
            began = process_time()

    def _days(self) -> Iterator[Chunk]:
        for number in count():
            day, channel = divmod(number, _CHANNELS)
            sizes = self.rng.integers(200, 361, _CHUNKS_A_DAY)
            tokens = self._spoken(int(sizes.sum()))
            start = datetime.combine(_FIRST_DAY + timedelta(days=day), datetime.min.time(), UTC) + timedelta(hours=6)
            for at, (low, size) in enumerate(zip(np.cumsum(sizes) - sizes, sizes, strict=True)):
                yield self._chunk(channel, start + at * timedelta(seconds=120), tokens[low : low + size])

    def _drawn(self, shape: int | tuple[int, ...]) -> np.ndarray:
        return np.asarray(np.searchsorted(self.zipf, self.rng.random(shape) * self.zipf[-1]), np.int32)

    def _spoken(self, size: int) -> np.ndarray:
        """One channel's day: stock phrases and breaks of five adverts written over drawn words."""
        rng, tokens = self.rng, self._drawn(size)
        places = rng.integers(0, size - _PHRASE, size // 5 // _PHRASE)
        chosen = np.searchsorted(self.phrase_zipf, rng.random(len(places)) * self.phrase_zipf[-1])
        tokens[places[:, None] + np.arange(_PHRASE)] = self.phrases[chosen]
        for begin in range(1_000, size - 1_000, 3_300):
            at = begin + int(rng.integers(0, 1_000))
            for advert in rng.integers(0, _ADVERTS, 5):
                heard = self.adverts[advert].copy()
                missed = rng.random(len(heard)) < 0.05
                heard[missed] = self._drawn(int(missed.sum()))
                tokens[at : at + len(heard)] = heard[: max(0, size - at)]
                at += len(heard)
        return tokens

    def _chunk(self, channel: int, start: datetime, tokens: np.ndarray) -> Chunk:
        return Chunk(
            chunk_id=f"bench/canal-{channel}/{start:%Y-%m-%dT%H:%M:%SZ}",
            country="bench",
            day=start.date(),
            channel=f"canal-{channel}",
            start=start,
            text=" ".join(self.words[tokens].tolist()),
            word_times=self.times[len(tokens)],
            timing="asr",
            unknown_seconds=0.0,
            captured_seconds=120.0,
            dump_version="bench",
        )


def seconds_a_chunk(chunks: int) -> float:
    """Processor seconds (one core) that finding repeats takes for each of so many chunks, reading them included."""
    country = Country(chunks)
    began = process_time()
    found = find_repeats(country.chunks(chunks))
    taken = process_time() - began - country.seconds
    if not any(interval.kind == "advert" for interval in found):
        raise RuntimeError(f"no advert was found in {chunks} chunks a tenth of which is adverts")
    return taken / chunks


def measure(sizes: tuple[int, ...] = SIZES) -> list[dict[str, Any]]:
    """Seconds a million chunks at each size, against the smallest; the first row, of the largest, is the benchmark's result.

    The smallest is measured three times and its median taken: it lasts about a second.
    """
    smallest = median(seconds_a_chunk(sizes[0]) for _ in range(3))
    cost = {sizes[0]: smallest} | {size: seconds_a_chunk(size) for size in sizes[1:]}
    rows = [_row(f"broadcast.adverts_per_million_at_{size}", each, smallest) for size, each in cost.items()]
    return [_row("broadcast.adverts_per_million", cost[sizes[-1]], smallest), *rows]


def _row(name: str, cost: float, smallest: float) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(cost * 1e6, 1),
        "unit": "s a million chunks, one core",
        "baseline": round(smallest * 1e6, 1),
        "target": round(GROWTH * smallest * 1e6, 1),
        "ok": cost <= GROWTH * smallest,
    }
