"""Stretches of a country's airtime that are heard again, and what each is taken for.

Belongs here: the one search over all chunks of a look-back, and the rows it makes. Does not: its steps (`word_columns.py`,
`shingles.py`, `passages.py`, `airings.py`, `breaks.py`), decisions of people (`adverts.py`), cutting (`cleaning.py`).
Keywords play no part: a passage is found by being said again, whatever it speaks of.
"""

from collections.abc import Iterable
from datetime import date
from itertools import pairwise

import numpy as np

from climate_assets.broadcast.airings import Airings, airings_of, grouped_quantile
from climate_assets.broadcast.breaks import Heard, heard, kinds
from climate_assets.broadcast.passages import passage_of_node
from climate_assets.broadcast.records import AdInterval, Chunk, Repeat
from climate_assets.broadcast.repeat_rules import Settings, method_of
from climate_assets.broadcast.shingles import Occurrences, repeated_shingles, shingle_hashes
from climate_assets.broadcast.word_columns import Longs, WordColumns, word_columns

SOURCE = "text-repeat"
EVIDENCE = 20
_LARGEST = np.iinfo(np.uint64).max


def find_repeats(chunks: Iterable[Chunk], settings: Settings | None = None) -> list[AdInterval]:
    """Repeated stretches in the chunks of one country, by channel and start; no two adverts of a channel overlap.

    The order of the chunks plays no part and each is let go once read. A stretch over local midnight comes as two rows.
    Raises `Permanent` for chunks of two countries, a chunk with two texts, or words without times.
    """
    settings = settings or Settings()
    speech = word_columns(chunks, settings.silence_seconds)
    if speech is None:
        return []
    found = repeated_shingles(speech, settings.shingle_words, settings.sampling)
    passages = passage_of_node(speech, found, settings)
    airings = airings_of(speech, found, passages, settings)
    if not len(airings):
        return []
    rows = heard(speech, airings)
    kind = kinds(rows, settings)
    told = _stretches(rows, kind, settings)
    return _intervals(speech, airings, rows, told, kind, identities(speech, found, airings, settings), settings)


def identities(speech: WordColumns, found: Occurrences, airings: Airings, settings: Settings) -> list[str]:
    """Identity of each passage: the smallest hash (min-hash, Broder 1997) of the shingles that most of its airings share.

    A shingle counts for the passage it is heard most in, so two passages never have one identity.
    It depends on the words alone, so the same advert has the same identity whichever days are searched, as long as the
    shingle with the smallest hash is recognised in most airings.
    """
    passages = int(airings.passage.max(initial=-1)) + 1
    at = np.searchsorted(airings.first, found.word, side="right") - 1
    inside = np.flatnonzero((at >= 0) & (found.word + settings.shingle_words - 1 <= airings.last[np.maximum(at, 0)]))
    pair = airings.passage[at[inside]] * len(found.count) + found.node[inside]
    pairs, one, heard_in = np.unique(pair, return_index=True, return_counts=True)
    passage = pairs // max(len(found.count), 1)
    hashes = shingle_hashes(speech, found.word[inside[one]], settings.shingle_words)
    own = np.zeros(len(pairs), bool)
    order = np.lexsort((heard_in, found.node[inside[one]]))
    own[order[np.append(np.diff(found.node[inside[one]][order]) != 0, True)]] = True
    chosen = np.full(passages, _LARGEST, np.uint64)
    for rows in (own & (heard_in >= 0.5 * airings.times[passage]), own, ~own):
        smallest = np.full(passages, _LARGEST, np.uint64)
        np.minimum.at(smallest, passage[rows], hashes[rows])
        chosen = np.where(chosen == _LARGEST, smallest, chosen)
    return [f"{value:016x}" for value in chosen.tolist()]


def _stretches(rows: Heard, kind: list[Repeat | None], settings: Settings) -> tuple[Longs, Longs, Longs]:
    """Rows that are told, with start and end: adverts do not overlap, short pauses between them belong to the break."""
    passages = rows.passages
    told = np.array([k is not None for k in kind], bool)[rows.passage]
    advert = np.array([k is Repeat.ADVERT for k in kind], bool)[rows.passage]
    usual = grouped_quantile(rows.passage, rows.end - rows.start, 0.5, passages)
    told &= ~advert | (rows.end - rows.start >= settings.partial * usual[rows.passage])
    start, end = rows.start.copy(), rows.end.copy()
    order = np.flatnonzero(advert & told)
    order = order[np.lexsort((start[order], rows.channel[order]))]
    one, other = order[:-1], order[1:]
    same = rows.channel[one] == rows.channel[other]
    pause = start[other] - end[one]
    meet = same & (pause <= settings.bridge_seconds * 100)
    end[one[meet]] = start[other[meet]]
    chosen = np.flatnonzero(told & (end > start))
    chosen = chosen[np.lexsort((rows.passage[chosen], start[chosen], rows.channel[chosen]))]
    return chosen, start, end


def _intervals(
    speech: WordColumns,
    airings: Airings,
    rows: Heard,
    told: tuple[Longs, Longs, Longs],
    kind: list[Repeat | None],
    names: list[str],
    settings: Settings,
) -> list[AdInterval]:
    method = method_of(settings)
    chosen, start, end = told
    times, channels, days = rows.times(), rows.distinct(rows.channel), rows.distinct(rows.day)
    first = grouped_quantile(rows.passage, rows.start, 0.0, rows.passages)
    best = grouped_quantile(rows.passage, rows.shingles, 1.0, rows.passages)
    evidence = _evidence(speech, rows)
    made = []
    for row in chosen.tolist():
        passage = int(rows.passage[row])
        what = kind[passage]
        if what is None:
            continue
        seen = evidence[passage]
        own = seen.get(row)
        for day, begins, ends in _days(speech, int(airings.first[row]), int(airings.last[row]), int(start[row]), int(end[row])):
            made.append(
                AdInterval(
                    country=speech.country,
                    day=day,
                    channel=speech.channels[rows.channel[row]],
                    start=speech.instant(begins),
                    end=speech.instant(ends),
                    kind=what.value,
                    source=SOURCE,
                    passage=names[passage],
                    score=round(float(rows.shingles[row] / best[passage]), 3),
                    times_seen=int(times[passage]),
                    channels_seen=int(channels[passage]),
                    days_seen=int(days[passage]),
                    first_seen=speech.instant(int(first[passage])),
                    other_airings=[text for text in seen.values() if text is not own][:EVIDENCE],
                    vetoed=False,
                    method=method,
                )
            )
    return made


def _evidence(speech: WordColumns, rows: Heard) -> list[dict[int, str]]:
    """For each passage a few of its airings, spread evenly over all: row -> `channel@instant`."""
    order = np.lexsort((rows.channel, rows.start, rows.passage))
    bounds = np.cumsum(np.concatenate([[0], rows.times()]))
    chosen = []
    for begin, end in pairwise(bounds.tolist()):
        picked = order[np.unique(np.linspace(begin, end - 1, min(EVIDENCE + 1, end - begin)).astype(np.int64))].tolist()
        chosen.append({row: _named(speech, int(rows.channel[row]), int(rows.start[row])) for row in picked})
    return chosen


def _named(speech: WordColumns, channel: int, start: int) -> str:
    return f"{speech.channels[channel]}@{speech.instant(start):%Y-%m-%dT%H:%M:%SZ}"


def _days(speech: WordColumns, first: int, last: int, start: int, end: int) -> list[tuple[date, int, int]]:
    """Local days a stretch lies in, with the part in each: an interval belongs to one day, so that a day can be made alone."""
    begin, stop = speech.chunk(np.array([first, last])).tolist()
    turns = [c for c in range(begin + 1, stop + 1) if speech.chunk_day[c] != speech.chunk_day[c - 1]]
    edges = [start, *(int(speech.chunk_at[c]) for c in turns), end]
    days = [date.fromordinal(int(speech.chunk_day[c])) for c in (begin, *turns)]
    return [(day, a, b) for day, (a, b) in zip(days, pairwise(edges), strict=True) if a < b]
