"""What a repeated passage is - advert, jingle, bulletin or rerun - told from when it is aired and what is next to it.

Belongs here: the features of a passage and the rules over them. Does not: their thresholds (`repeat_rules.py`).
The rules look for adverts and are strict, because an editorial second that is masked is the costly error:
an advert has an advert's length, at least three independent airings (a programme that is rerun carries its adverts along:
that is one airing), lasts longer than news does, and stands in breaks, beside adverts that differ from airing to airing.
A passage that always stands alone is never cut, however often it is heard: so are famous sound bites.
"""

from dataclasses import dataclass

import numpy as np

from climate_assets.broadcast.airings import Airings, grouped_quantile
from climate_assets.broadcast.passages import components
from climate_assets.broadcast.records import Repeat
from climate_assets.broadcast.repeat_rules import Settings
from climate_assets.broadcast.word_columns import Longs, WordColumns

_DAY = 8_640_000
_HALF_HOUR = 180_000
_HOUR = 360_000
_NONE = -1
_ROUNDS = 10
Mask = np.ndarray


@dataclass(frozen=True, slots=True)
class Heard:
    """When and where airings are heard, one row an airing (centiseconds since the base; local day as ordinal)."""

    passage: Longs
    start: Longs
    end: Longs
    channel: Longs
    day: Longs
    shingles: Longs

    @property
    def passages(self) -> int:
        """Number of passages."""
        return int(self.passage.max(initial=-1)) + 1

    def times(self, rows: Mask | slice = slice(None)) -> Longs:
        """Airings of each passage among `rows`."""
        return np.bincount(self.passage[rows], minlength=self.passages)

    def distinct(self, value: Longs, rows: Mask | slice = slice(None)) -> Longs:
        """Different values of each passage among `rows`."""
        pairs = np.unique(np.stack([self.passage[rows], value[rows]]), axis=1)
        return np.bincount(pairs[0], minlength=self.passages)


def heard(speech: WordColumns, airings: Airings) -> Heard:
    """When and where airings are heard."""
    chunk = speech.chunk(airings.first)
    return Heard(
        passage=airings.passage,
        start=speech.at[airings.first].astype(np.int64),
        end=speech.end_after(airings.last),
        channel=speech.chunk_channel[chunk],
        day=speech.chunk_day[chunk],
        shingles=airings.shingles,
    )


def kinds(rows: Heard, settings: Settings) -> list[Repeat | None]:
    """What each passage is; none for what is heard twice or too shortly to be told apart from chance."""
    seconds = grouped_quantile(rows.passage, rows.end - rows.start, 0.5, rows.passages) / 100
    advert = adverts(rows, seconds, settings)
    times, one_day = rows.times(), rows.distinct(rows.day) == 1
    bulletin = (times >= settings.airings) & (rows.distinct(rows.channel) == 1)
    bulletin &= one_day | regular(rows, settings) | (span(rows) < settings.lasting_hours * _HOUR)
    named: list[Repeat | None] = []
    for passage in range(rows.passages):
        if advert[passage]:
            named.append(Repeat.ADVERT)
        elif seconds[passage] < settings.advert_seconds:
            told = times[passage] >= settings.airings and seconds[passage] >= settings.shortest_seconds
            named.append(Repeat.JINGLE if told else None)
        else:
            named.append(Repeat.BULLETIN if bulletin[passage] else Repeat.RERUN)
    return named


def adverts(rows: Heard, seconds: np.ndarray, settings: Settings) -> Mask:
    """Whether each passage is an advert."""
    sized = (seconds >= settings.advert_seconds) & (seconds <= settings.longest_advert_seconds)
    apart = independent(rows, seconds > settings.longest_advert_seconds, settings)
    enough = sized & (rows.times(apart) >= settings.airings)
    lasting = _lasting(rows, apart, settings)
    steady = regular(rows, settings)
    left, right = neighbours(rows, sized, settings)
    sure = enough & lasting
    for _ in range(_ROUNDS):
        kept = sure & _in_breaks(rows, left, right, sure, steady, settings)
        kept &= _in_market(rows, left, right, kept, settings)
        if np.array_equal(kept, sure):
            break
        sure = kept
    young = enough & ~sure & ~steady & _wedged(rows, left, right, sure, settings)
    short = (seconds >= settings.shortest_seconds) & (seconds < settings.advert_seconds)
    short &= rows.times(apart) >= settings.airings
    return np.asarray(sure | young | (short & _wedged(rows, left, right, sure | young, settings)))


def span(rows: Heard) -> Longs:
    """Centiseconds between the first and the last airing of each passage."""
    first, last = (grouped_quantile(rows.passage, rows.start, share, rows.passages) for share in (0.0, 1.0))
    return last - first


def regular(rows: Heard, settings: Settings) -> Mask:
    """Whether each passage is heard on one channel only, at the same minute of the half hour or of the day."""
    found = np.zeros(rows.passages, bool)
    for period in (_HALF_HOUR, _DAY):
        # The mean direction of the airings on a clock of that period; its length is 1 if all are at the same minute.
        angle = 2 * np.pi * (rows.start % period) / period
        times = np.maximum(rows.times(), 1)
        east = np.bincount(rows.passage, np.cos(angle), rows.passages) / times
        north = np.bincount(rows.passage, np.sin(angle), rows.passages) / times
        found |= np.hypot(east, north) >= np.cos(2 * np.pi * settings.same_minute_seconds * 100 / period)
    return np.asarray(found & (rows.distinct(rows.channel) == 1))


def independent(rows: Heard, long: Mask, settings: Settings) -> Mask:
    """Rows that count as an airing of their own.

    Not those at the same distance from the same long passage as another row (a rerun carries them along), nor those right
    after an airing of the same passage (the chorus of a song).
    """
    anchor = np.full(len(rows.passage), _NONE)
    offset = np.zeros(len(rows.passage), np.int64)
    holds = np.flatnonzero(long[rows.passage])
    order = holds[np.lexsort((rows.start[holds], rows.channel[holds]))]
    stride = int(rows.end.max(initial=0) + settings.rerun_gap_seconds * 100) * 2 + 1
    key = rows.channel[order] * stride + rows.start[order]
    for side in (0, 1):
        at = np.searchsorted(key, rows.channel * stride + rows.start, side="right") - 1 + side
        inside = (at >= 0) & (at < len(order))
        near = order[np.clip(at, 0, max(len(order) - 1, 0))] if len(order) else np.zeros(len(anchor), np.int64)
        gap = np.maximum(rows.start[near] - rows.end, rows.start - rows.end[near])
        carried = inside & (anchor == _NONE) & (rows.channel[near] == rows.channel) & (gap <= settings.rerun_gap_seconds * 100)
        carried &= ~long[rows.passage]
        anchor[carried] = rows.passage[near][carried]
        offset[carried] = (rows.start - rows.start[near])[carried]
    order = np.lexsort((offset, anchor, rows.passage))
    same = (np.diff(rows.passage[order]) == 0) & (np.diff(anchor[order]) == 0) & (anchor[order][1:] != _NONE)
    same &= np.diff(offset[order]) <= settings.follow_seconds * 100
    apart = np.ones(len(anchor), bool)
    apart[order[1:][same]] = False
    order = np.lexsort((rows.start, rows.channel, rows.passage))
    soon = (np.diff(rows.passage[order]) == 0) & (np.diff(rows.channel[order]) == 0)
    soon &= np.diff(rows.start[order]) < settings.again_seconds * 100
    apart[order[1:][soon]] = False
    return apart


def neighbours(rows: Heard, sized: Mask, settings: Settings) -> tuple[Longs, Longs]:
    """Nearest passage of an advert's size before and after each airing; none (-1) if it is not in the same break.

    Turns of phrase and notices between two adverts do not part them, since they are shorter than the pause allowed.
    """
    units = np.flatnonzero(sized[rows.passage])
    units = units[np.lexsort((rows.start[units], rows.channel[units]))]
    stride = int(rows.end.max(initial=0)) + 1
    key = rows.channel[units] * stride + rows.start[units]
    own = rows.channel * stride + rows.start
    before = np.searchsorted(key, own, side="left") - 1
    after = np.searchsorted(key, own, side="right")
    return _beside(rows, units, before, settings), _beside(rows, units, after, settings)


def _beside(rows: Heard, units: Longs, at: Longs, settings: Settings) -> Longs:
    beside = np.full(len(rows.passage), _NONE)
    there = np.flatnonzero((at >= 0) & (at < len(units)))
    unit = units[at[there]]
    pause = np.maximum(rows.start[unit] - rows.end[there], rows.start[there] - rows.end[unit])
    close = (rows.channel[unit] == rows.channel[there]) & (pause <= settings.break_seconds * 100)
    close &= rows.passage[unit] != rows.passage[there]
    beside[there[close]] = rows.passage[unit[close]]
    return beside


def _lasting(rows: Heard, apart: Mask, settings: Settings) -> Mask:
    """Passages that outlive news: heard on enough days, or on many channels."""
    days, channels = rows.distinct(rows.day, apart), rows.distinct(rows.channel, apart)
    look_back = int(np.ptp(rows.day)) + 1 if len(rows.day) else 0
    own = settings.days + (look_back >= settings.long_look_back_days)
    lasts = (days >= np.where(channels == 1, own, settings.days)) & (span(rows) >= settings.lasting_hours * _HOUR)
    return np.asarray(lasts | (channels >= settings.channels))


def _in_breaks(rows: Heard, left: Longs, right: Longs, sure: Mask, steady: Mask, settings: Settings) -> Mask:
    """Passages that mostly stand beside a sure advert, not always the same one, and not always on one side if regular."""
    known = np.append(sure, False)
    before, after = known[left], known[right]
    times = np.maximum(rows.times(), 1)
    company = rows.times(before | after) >= settings.company * times
    usual = _usual_neighbour(rows, left, right, known)
    other = (before & (left != usual[rows.passage])) | (after & (right != usual[rows.passage]))
    mixed = rows.times(other) >= np.maximum(1, settings.mixed * times)
    both_sides = (rows.times(before) >= 0.1 * times) & (rows.times(after) >= 0.1 * times)
    return np.asarray(company & mixed & (both_sides | ~steady))


def _in_market(rows: Heard, left: Longs, right: Longs, sure: Mask, settings: Settings) -> Mask:
    """Passages that are joined, neighbour by neighbour, with enough others: not the few parts of one script or song."""
    known = np.append(sure, False)
    beside = np.concatenate([left, right])
    own = np.tile(rows.passage, 2)
    both = known[own] & known[beside]
    label = components(rows.passages, own[both], beside[both])
    return np.asarray(np.bincount(label, sure, rows.passages)[label] >= settings.market)


def _usual_neighbour(rows: Heard, left: Longs, right: Longs, known: Mask) -> Longs:
    passage = np.concatenate([rows.passage[known[left]], rows.passage[known[right]]])
    beside = np.concatenate([left[known[left]], right[known[right]]])
    usual = np.full(rows.passages, _NONE)
    if len(passage):
        pairs, count = np.unique(np.stack([passage, beside]), axis=1, return_counts=True)
        order = np.argsort(count, kind="stable")
        usual[pairs[0][order]] = pairs[1][order]
    return usual


def _wedged(rows: Heard, left: Longs, right: Longs, sure: Mask, settings: Settings) -> Mask:
    """Passages that stand beside sure adverts nearly always, often between two of them, and not always beside the same."""
    known = np.append(sure, False)
    before, after = known[left], known[right]
    times = np.maximum(rows.times(), 1)
    usual = _usual_neighbour(rows, left, right, known)
    other = (before & (left != usual[rows.passage])) | (after & (right != usual[rows.passage]))
    wedged = rows.times(before | after) >= settings.always * times
    wedged &= rows.times(before & after) >= settings.wedged * times
    return np.asarray(wedged & (rows.times(other) >= np.maximum(1, settings.mixed * times)))
