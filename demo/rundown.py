"""The running order of one hour of one channel: what is said from when to when, before any recogniser hears it.

Belongs here: breaks, bulletins, programmes, talk and what is planted in it. Does not: recognition noise, word times and
chunks (`airing.py`). Times are centiseconds from the hour's start. Everything follows from channel and hour: no state.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from demo.bank import Bank, Profile, Rerun, Script
from demo.grammar import Node, hesitating, say
from demo.truth import Kind

HOUR = 360_000
CHUNK = 12_000
RATES = {"misinformation": 0.45, "rebutted": 0.36, "climate": 6.0}
"""Plantings an hour: 1.5 %, 1.2 % and, with bulletins and programmes, about 25 % of the 30 chunks of an hour."""
_UNKNOWN = ["<unk>"]
_UNKNOWN_TIME = 504
_UNKNOWN_CHANCE = 0.05
_HESITATIONS = 0.035
_STEPS = (27, 28, 29, 29, 30, 30, 31, 32)
"""Centiseconds a word: with pauses, about 380 words a chunk."""


@dataclass(slots=True)
class Piece:
    """Words said in one go, from `start` for `length` centiseconds."""

    words: list[str]
    start: int
    length: int


@dataclass(slots=True)
class Mark:
    """A stretch of the hour whose nature is known."""

    kind: Kind
    label: str
    passage: str
    start: int
    end: int
    words: list[str]


@dataclass(slots=True)
class Rundown:
    """Pieces in order, none overlapping, and what is planted in them."""

    pieces: list[Piece]
    marks: list[Mark]

    def moved(self, by: int) -> "Rundown":
        """The same, `by` centiseconds later."""
        pieces = [replace(piece, start=piece.start + by) for piece in self.pieces]
        return Rundown(pieces, [replace(mark, start=mark.start + by, end=mark.end + by) for mark in self.marks])

    def add(self, words: list[str], start: int, length: int) -> int:
        """Says `words` from `start`; returns when they are over."""
        self.pieces.append(Piece(words, start, length))
        return start + length

    def include(self, other: "Rundown") -> None:
        """Takes over all of `other`."""
        self.pieces += other.pieces
        self.marks += other.marks


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of one channel: everything its content follows from."""

    country: str
    channel: str
    start: datetime
    zone: ZoneInfo

    @property
    def local(self) -> datetime:
        """Start of the hour on the clock of the country."""
        return self.start.astimezone(self.zone)

    @property
    def number(self) -> int:
        """Hours since 1970."""
        return int(self.start.timestamp()) // 3600

    def rng(self, purpose: str) -> Random:
        """Chance that follows from channel, hour and purpose."""
        return Random(f"{self.channel}|{self.number}|{purpose}")

    def day_rng(self, purpose: str) -> Random:
        """Chance that follows from channel, local day and purpose."""
        return Random(f"{self.channel}|{self.local.date()}|{purpose}")


@dataclass(frozen=True, slots=True)
class _Due:
    """Something to be planted at or after `at`, inside one chunk if `whole`."""

    at: int
    kind: Kind
    script: Script
    whole: bool


def rundown(hour: Hour, bank: Bank, profile: Profile, lead: int) -> Rundown:
    """The running order of an hour that begins `lead` centiseconds before the clock."""
    rng = hour.rng("rundown")
    order = Rundown([], [])
    talk = _Talk(bank, profile.genres, rng)
    due = _due(hour, bank, rng)
    cursor = -lead
    for block in _blocks(hour, bank, profile, rng):
        start = max(cursor, block.pieces[0].start)
        cursor = talk.fill(order, due, cursor, start)
        order.include(block.moved(start - block.pieces[0].start))
        cursor = order.pieces[-1].start + order.pieces[-1].length + 30
    talk.fill(order, due, cursor, HOUR - 100)
    return order


def _blocks(hour: Hour, bank: Bank, profile: Profile, rng: Random) -> list[Rundown]:
    """What has its fixed place in the hour, in order: opening, bulletins, breaks, the programme with its rerun."""
    opening = Rundown([], [])
    _jingle(opening, "opening", profile.opening, hour, 0)
    blocks = [opening]
    blocks += [_bulletin(hour, bank, minute) for minute in profile.bulletins]
    blocks += [_break(hour, bank, profile, rng, minute * 6000 + rng.randrange(6000)) for minute in profile.breaks]
    if profile.rerun:
        for clock in (profile.rerun.first, profile.rerun.again):
            if int(clock[:2]) == hour.local.hour:
                blocks.append(_programme(hour, bank, profile.rerun).moved(int(clock[3:]) * 6000))
    return sorted(blocks, key=lambda block: block.pieces[0].start)


def _jingle(order: Rundown, name: str, words: tuple[str, ...], hour: Hour, start: int) -> int:
    end = order.add(list(words), start, 34 * len(words))
    order.marks.append(Mark("jingle", name, f"jingle/{hour.channel}/{name}", start, end, list(words)))
    return end + 60


def _break(hour: Hour, bank: Bank, profile: Profile, rng: Random, start: int) -> Rundown:
    """Three to six adverts between two jingles."""
    order = Rundown([], [])
    cursor = _jingle(order, "break", profile.jingle, hour, start)
    pool = [advert for advert in bank.adverts if hour.country in advert.countries]
    for advert in rng.sample(pool, min(len(pool), rng.randint(3, 6))):
        end = order.add(list(advert.words), cursor, advert.centiseconds)
        passage = f"advert/{advert.brand}"
        order.marks.append(Mark("advert", advert.brand, passage, cursor, end, list(advert.words)))
        cursor = end + rng.randint(20, 70)
    _jingle(order, "break", profile.jingle, hour, cursor)
    return order


def _bulletin(hour: Hour, bank: Bank, minute: int) -> Rundown:
    """The day's bulletin: every half hour the same, some of its items told anew as the day goes on."""
    airing = (hour.local.hour * 60 + minute) // 30
    order, words = Rundown([], []), []
    start = cursor = minute * 6000 + 800
    genres = ("actualite", "politique", "economie", "climat", "actualite", "sante", "sport", "meteo")
    for place, genre in enumerate(genres):
        lasts = (48, 5, 12, 48, 7, 48, 9, 4)[place]
        rng = hour.day_rng(f"bulletin|{place}|{airing // lasts}")
        script = bank.climate[rng.randrange(len(bank.climate))]
        item = say(script.node if genre == "climat" else rng.choice(bank.talk[genre]), rng.random)
        end = order.add(item, cursor, 28 * len(item))
        if genre == "climat":
            order.marks.append(Mark("climate", script.label, script.passage, cursor, end, item))
        words += item
        cursor = end + 40
    passage = f"bulletin/{hour.channel}/{hour.local.date()}"
    order.marks.append(Mark("bulletin", "bulletin", passage, start, cursor - 40, words))
    return order


def _programme(hour: Hour, bank: Bank, rerun: Rerun) -> Rundown:
    """The day's edition of the programme that is aired twice, from 0."""
    rng = hour.day_rng("programme")
    order = Rundown([], [])
    length = rerun.minutes * 6000
    due = deque(
        _Due(at, "climate", rng.choice(bank.climate), whole=False) for at in sorted(rng.sample(range(6000, length - 6000), 4))
    )
    day = hour.local.toordinal()
    if day % 3 == 0:  # one claim with two airings, as a rerun makes them
        due.append(_Due(CHUNK * 8, "misinformation", bank.misinformation[day // 3 % len(bank.misinformation)], whole=True))
    _Talk(bank, (rerun.genre,), rng).fill(order, due, 0, length)
    words = [word for piece in order.pieces for word in piece.words]
    passage = f"rerun/{hour.channel}/{hour.local.date()}"
    end = order.pieces[-1].start + order.pieces[-1].length
    order.marks.append(Mark("rerun", rerun.name, passage, 0, end, words))
    return order


def _due(hour: Hour, bank: Bank, rng: Random) -> deque[_Due]:
    """What is planted in the hour's talk, in order. Over the hours each script of a kind comes once before any comes again."""
    scripts: dict[Kind, tuple[Script, ...]] = {
        "misinformation": bank.misinformation,
        "rebutted": bank.rebutted,
        "climate": bank.climate,
    }
    due = []
    for kind, pool in scripts.items():
        turns = list(_turns(hour, kind, pool))
        starts = sorted(rng.sample(range(1, 28), len(turns)))
        for place, script in zip(starts, turns, strict=True):
            due.append(_Due(place * CHUNK + rng.randrange(500, 5000), kind, script, whole=kind != "climate"))
    return deque(sorted(due, key=lambda item: item.at))


def _turns(hour: Hour, kind: Kind, pool: tuple[Script, ...]) -> Iterator[Script]:
    phase = Random(f"{hour.channel}|{kind}").random()
    first, last = (int(n * RATES[kind] + phase) for n in (hour.number, hour.number + 1))
    for turn in range(first, last):
        cycle, place = divmod(turn, len(pool))
        yield Random(f"{hour.channel}|{kind}|{cycle}").sample(pool, len(pool))[place]


class _Talk:
    """Talk about the genres of a programme, one subject at a time."""

    def __init__(self, bank: Bank, genres: tuple[str, ...], rng: Random) -> None:
        self._bank, self._genres, self._rng = bank, genres, rng
        self._left: list[Node] = []
        self._until = -CHUNK

    def fill(self, order: Rundown, due: deque[_Due], cursor: int, until: int) -> int:
        """Talks from `cursor` to `until`, planting what is due; returns when the last word is over."""
        while until - cursor > 150:
            if due and cursor >= due[0].at:
                end = self._plant(order, due, cursor, until)
                if end > cursor:
                    cursor = end + self._rng.randint(10, 70)
                    continue
            if self._rng.random() < _UNKNOWN_CHANCE and until - cursor > 2 * _UNKNOWN_TIME:
                cursor = order.add(list(_UNKNOWN), cursor, _UNKNOWN_TIME)
                continue
            step = _STEPS[int(self._rng.random() * len(_STEPS))]
            words = self._words(cursor)[: (until - cursor) // step]
            cursor = order.add(words, cursor, step * len(words)) + self._rng.randint(0, 60)
        return cursor

    def _plant(self, order: Rundown, due: deque[_Due], cursor: int, until: int) -> int:
        """Says the first of `due` if it fits; returns when it is over, or `cursor`."""
        item = due[0]
        words = hesitating(say(item.script.node, self._rng.random), self._bank.hesitation, 0.01, self._rng.random)
        length = 31 * len(words)
        room = min(until, (cursor // CHUNK + 1) * CHUNK - 110) if item.whole else until
        if cursor + length > room or (item.whole and cursor % CHUNK < 100):
            return cursor
        due.popleft()
        order.marks.append(Mark(item.kind, item.script.label, item.script.passage, cursor, cursor + length, words))
        return order.add(words, cursor, length)

    def _words(self, cursor: int) -> list[str]:
        """One to three sentences on the subject of the moment; a subject lasts one to three minutes."""
        random = self._rng.random
        if cursor > self._until or not self._left:
            self._until = cursor + 6000 + int(random() * 12_000)
            sentences = self._bank.talk[self._genres[int(random() * len(self._genres))]]
            self._left = self._rng.sample(sentences, len(sentences))
        words: list[str] = []
        while self._left and len(words) < 16:
            words += say(self._left.pop(), random)
        return hesitating(words, self._bank.hesitation, _HESITATIONS, random)


def hours_between(start: datetime, end: datetime) -> Iterator[datetime]:
    """Starts of the UTC hours that `start` to `end` touches."""
    at = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while at < end:
        yield at
        at += timedelta(hours=1)
