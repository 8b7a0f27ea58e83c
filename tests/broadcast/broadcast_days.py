"""Hand-marked days of a fictional country: chunks as a recogniser writes them, and the truth of every second.

Belongs here: the generator and the measures in seconds against its truth. Does not: any rule of the finder.
The vocabulary is made of syllables and drawn by Zipf's law, a fifth of the speech is stock phrases, word times are spread
evenly inside recogniser segments, and every airing of the same text is misheard anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np

from climate_assets.broadcast.records import AdInterval, Chunk

COUNTRY = "testland"
FIRST_DAY = date(2026, 11, 2)
_SYLLABLES = [c + v for c in ("ch", *"bdfgjlmnprstv") for v in ("ou", "on", "an", *"aeéio")]
_ENDINGS = ["", "", "s", "t", "r", "ment", "tion", "eur"]


@dataclass(frozen=True)
class Marked:
    """A stretch of one channel's time whose nature is known; seconds since the first day's midnight, UTC."""

    channel: str
    kind: str
    passage: str
    start: float
    end: float


@dataclass
class World:
    """What is made: chunks, and the marked stretches in them."""

    chunks: list[Chunk] = field(default_factory=list)
    marked: list[Marked] = field(default_factory=list)


class Language:
    """A fictional language: Zipf words and stock phrases."""

    def __init__(self, rng: np.random.Generator, words: int = 20_000) -> None:
        made: dict[str, None] = {}
        while len(made) < words:
            length = 1 + min(len(made) // 80, 1) + int(rng.integers(0, 3)) * (len(made) > 500)
            made["".join(rng.choice(_SYLLABLES, length)) + str(rng.choice(_ENDINGS)) * (len(made) > 80)] = None
        self.rng = rng
        self.words = np.array(list(made))
        share = 1 / (np.arange(words) + 2.7)
        self.cumulative = np.cumsum(share / share.sum())
        self.phrases = [self.plain(int(rng.integers(3, 10))) for _ in range(1500)]
        weight = 1 / (np.arange(1500) + 3.0)
        self.phrase_cumulative = np.cumsum(weight / weight.sum())

    def plain(self, count: int) -> list[str]:
        """Words drawn one by one."""
        return [str(w) for w in self.words[np.searchsorted(self.cumulative, self.rng.random(count))]]

    def speech(self, count: int) -> list[str]:
        """Words of which about a fifth stand in stock phrases."""
        out: list[str] = []
        while len(out) < count:
            out += self.plain(int(self.rng.integers(8, 40)))
            out += self.phrases[int(np.searchsorted(self.phrase_cumulative, self.rng.random()))]
        return out[:count]

    def misheard(self, words: Sequence[str], noise: float) -> list[str]:
        """The words with about `noise` of them changed, dropped or doubled by another."""
        out: list[str] = []
        for word, draw in zip(words, self.rng.random(len(words)), strict=True):
            if draw < noise * 0.6:
                out += self.plain(1)
            elif draw < noise * 0.8:
                continue
            elif draw < noise:
                out += [word, *self.plain(1)]
            else:
                out.append(word)
        return out


@dataclass(frozen=True)
class Plan:
    """How much of everything a world has."""

    channels: int = 3
    days: int = 4
    chunks_a_day: int = 120
    noise: float = 0.05
    adverts: int = 24
    breaks_an_hour: int = 2
    adverts_a_break: tuple[int, int] = (3, 6)
    bulletins: bool = True
    reruns: int = 2
    sound_bites: int = 4
    songs: int = 2
    first_hour: int = 6
    seed: int = 7


class Studio:
    """Makes the days of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = np.random.default_rng(plan.seed)
        self.language = Language(self.rng)
        lengths = self.rng.choice([28, 34, 50, 68, 68, 100, 100, 135, 200], plan.adverts)
        self.adverts = [self.language.speech(int(n)) for n in lengths]
        self.on = [self.rng.random(plan.channels) < 0.7 for _ in self.adverts]
        self.days_on = [
            (int(f), int(f + n))
            for f, n in zip(
                self.rng.integers(0, max(1, plan.days - 2), plan.adverts), self.rng.integers(3, 12, plan.adverts), strict=True
            )
        ]
        self.jingles = [self.language.plain(int(self.rng.integers(8, 16))) for _ in range(plan.channels)]
        self.titles = [self.language.plain(int(self.rng.integers(14, 24))) for _ in range(plan.channels)]
        self.weather = [self.language.plain(int(self.rng.integers(6, 12))) for _ in range(20)]
        self.songs = [self._song() for _ in range(plan.songs)]
        self.programmes = {i: self.language.speech(2000) for i in range(plan.reruns)}
        self.bites = [self.language.speech(int(self.rng.integers(30, 70))) for _ in range(plan.sound_bites)]
        self.world = World()

    def _song(self) -> list[str]:
        chorus, parts = self.language.plain(45), []
        for _ in range(3):
            parts += self.language.plain(60) + chorus
        return parts

    def make(self) -> World:
        """The world of the plan."""
        for channel in range(self.plan.channels):
            for day in range(self.plan.days):
                self._day(channel, day)
        self.world.chunks.sort(key=lambda c: (c.start, c.channel))
        return self.world

    def _day(self, channel: int, day: int) -> None:
        plan, rng, language = self.plan, self.rng, self.language
        begin = day * 86_400.0 + plan.first_hour * 3600
        end = begin + plan.chunks_a_day * 120
        name = f"canal-{channel}"
        spoken: list[tuple[float, str]] = []
        now = begin
        events = sorted(self._events(channel, day, begin, end), key=lambda e: e[0])
        for due, items in events:
            if due < now - 240 or due >= end - 60:
                continue
            now = self._say(spoken, now, language.speech(max(4, int((due - now) * 3.4))), end)
            for kind, passage, words, noise in items:
                start = now + float(rng.uniform(0.2, 0.9))
                heard = language.misheard(words, noise)
                now = self._say(spoken, start, heard, end)
                self.world.marked.append(Marked(name, kind, passage, start, min(now, end)))
            now += float(rng.uniform(0.2, 0.9))
        if now < end - 2:
            self._say(spoken, now, language.speech(int((end - now) * 3.6)), end)
        self._chunk(name, spoken, begin, end)

    def _say(self, spoken: list[tuple[float, str]], now: float, words: Sequence[str], end: float) -> float:
        """Appends words with times spread evenly inside recogniser segments; the time after the last one."""
        at = 0
        while at < len(words) and now < end:
            size = int(self.rng.integers(20, 80))
            part = words[at : at + size]
            pace = float(self.rng.uniform(0.26, 0.33))
            spoken += [(now + i * pace, w) for i, w in enumerate(part)]
            now += len(part) * pace
            at += size
        return now

    def _events(self, channel: int, day: int, begin: float, end: float) -> Iterable[tuple[float, list]]:
        plan, rng = self.plan, self.rng
        noise = plan.noise
        live = [i for i, (f, t) in enumerate(self.days_on) if f <= day < t and self.on[i][channel]]
        for slot in np.arange(begin, end, 3600 / plan.breaks_an_hour):
            count = min(int(rng.integers(*plan.adverts_a_break)), len(live))
            chosen = rng.permutation(live)[:count]
            items = [("jingle", f"jingle-{channel}", self.jingles[channel], noise)]
            items += [("advert", f"advert-{i}", self.adverts[i], noise) for i in chosen]
            yield slot + 1200 + float(rng.uniform(-240, 240)), items
            yield slot + float(rng.uniform(200, 1000)), [("weather", "w", self.weather[int(rng.integers(20))], noise)]
        if plan.bulletins and channel % 2 == 0:
            yield from self._bulletins(channel, day, begin, end)
        for i, words in self.programmes.items():
            home, first = i % plan.channels, i % max(1, plan.days - 1)
            if channel == home and day in (first, first + 1):
                half = begin + (3600 * (1.1 if day == first else 2.1))
                yield half, [("rerun", f"programme-{i}a", words[:900], noise)]
                inner = [("advert", f"advert-{k}", self.adverts[k], noise) for k in rng.permutation(live)[:3]]
                yield half + 250, [*inner, ("rerun", f"programme-{i}b", words[900:], noise)]
        for i, words in enumerate(self.bites):
            if day in (i % plan.days, (i % plan.days) + (i % 2)):
                for _ in range(int(rng.integers(1, 4))):
                    yield float(rng.uniform(begin, end)), [("bite", f"bite-{i}", words, noise)]
        for i, words in enumerate(self.songs):
            if rng.random() < 0.7:
                yield float(rng.uniform(begin, end)), [("song", f"song-{i}", words, noise * 3)]

    def _bulletins(self, channel: int, day: int, begin: float, end: float) -> Iterable[tuple[float, list]]:
        items = [self.language.speech(int(self.rng.integers(60, 110))) for _ in range(4)]
        promo = self.language.speech(70)
        for number, slot in enumerate(np.arange(begin, end, 1800)):
            if self.rng.random() < 0.5:
                items[int(self.rng.integers(4))] = self.language.speech(80)
            said = [("jingle", f"title-{channel}", self.titles[channel], self.plan.noise)]
            said += [("bulletin", f"news-{channel}-{day}", words, self.plan.noise) for words in items]
            yield slot, said
            if number % 2:
                yield slot + 900, [("bulletin", f"promo-{channel}-{day}", promo, self.plan.noise)]

    def _chunk(self, channel: str, spoken: list[tuple[float, str]], begin: float, end: float) -> None:
        times = np.array([t for t, _ in spoken])
        for start in np.arange(begin, end, 120.0):
            low, high = np.searchsorted(times, [start, start + 120])
            instant = instant_of(start)
            self.world.chunks.append(
                chunk_of(
                    channel, instant, [w for _, w in spoken[low:high]], [round((t - start) * 100) for t in times[low:high]]
                )
            )


def instant_of(seconds: float) -> datetime:
    """The instant so many seconds after the first day's midnight."""
    return datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(seconds=float(seconds))


def chunk_of(channel: str, start: datetime, words: Sequence[str], times: Sequence[int], country: str = COUNTRY) -> Chunk:
    """A chunk with these words at these centiseconds."""
    return Chunk(
        chunk_id=f"{country}/{channel}/{start:%Y-%m-%dT%H:%M:%SZ}",
        country=country,
        day=start.date(),
        channel=channel,
        start=start,
        text=" ".join(words),
        word_times=list(times),
        timing="asr",
        unknown_seconds=0.0,
        captured_seconds=120.0,
        dump_version="test",
    )


def world(plan: Plan) -> World:
    """Chunks and truth of a plan; the same plan gives the same world."""
    return Studio(plan).make()


@dataclass(frozen=True)
class Measured:
    """How well adverts were found, in seconds."""

    recall: float
    precision: float
    editorial_masked: float
    edge_median: float
    edge_p95: float
    wrong: dict[str, float]


def measured(
    made: World, found: Sequence[AdInterval], forgive: frozenset[str] = frozenset({"jingle"}), at_least: int = 3
) -> Measured:
    """Seconds of adverts aired at least `at_least` times that are covered, and what else is covered.

    `forgive`: kinds that are neither advert nor editorial (a break's own jingle).
    """
    airings: dict[str, int] = {}
    for m in made.marked:
        airings[m.passage] = airings.get(m.passage, 0) + 1
    base = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
    seconds = {c: _grid(made, c) for c in {x.channel for x in made.chunks}}
    want, fine, got = ({c: np.zeros(s, bool) for c, s in seconds.items()} for _ in range(3))
    kind: dict[str, np.ndarray] = {c: np.full(s, "editorial", dtype="U10") for c, s in seconds.items()}
    for m in made.marked:
        low, high = round(m.start * 10), round(m.end * 10)
        kind[m.channel][low:high] = m.kind
        if m.kind == "advert":
            (want if airings[m.passage] >= at_least else fine)[m.channel][low:high] = True
        elif m.kind in forgive:
            fine[m.channel][low:high] = True
    aired = {c: np.zeros(s, bool) for c, s in seconds.items()}
    for chunk in made.chunks:
        low = round((chunk.start - base).total_seconds() * 10)
        aired[chunk.channel][low : low + 1200] = True
    for before, after in pairwise(sorted(made.marked, key=lambda m: (m.channel, m.start))):
        if before.channel == after.channel and after.start - before.end < 1:
            fine[before.channel][round(before.end * 10) : round(after.start * 10)] = True
    edges = []
    for i in found:
        if i.kind != "advert" or i.vetoed:
            continue
        low, high = ((t - base).total_seconds() for t in (i.start, i.end))
        got[i.channel][round(low * 10) : round(high * 10)] = True
        near = [m for m in made.marked if m.channel == i.channel and m.kind == "advert" and m.start < high and m.end > low]
        if near:
            edges += [min(abs(m.start - low) for m in near), min(abs(m.end - high) for m in near)]
    hit = sum(int((want[c] & got[c]).sum()) for c in seconds)
    wanted = sum(int(want[c].sum()) for c in seconds)
    claimed = sum(int((got[c] & ~fine[c]).sum()) for c in seconds)
    bad = {c: got[c] & ~want[c] & ~fine[c] for c in seconds}
    editorial = sum(int((aired[c] & ~want[c] & ~fine[c]).sum()) for c in seconds)
    wrong: dict[str, float] = {}
    for c in seconds:
        for k, n in zip(*np.unique(kind[c][bad[c]], return_counts=True), strict=True):
            wrong[str(k)] = wrong.get(str(k), 0.0) + n / 10
    return Measured(
        recall=hit / max(wanted, 1),
        precision=hit / max(claimed, 1),
        editorial_masked=sum(int(b.sum()) for b in bad.values()) / max(editorial, 1),
        edge_median=float(np.median(edges)) if edges else 0.0,
        edge_p95=float(np.quantile(edges, 0.95)) if edges else 0.0,
        wrong=wrong,
    )


def _grid(made: World, channel: str) -> int:
    last = max(c.start for c in made.chunks if c.channel == channel)
    return int((last - datetime.combine(FIRST_DAY, datetime.min.time(), UTC)).total_seconds() + 300) * 10
