"""Where each passage is aired: from its first word to its last, as columns.

Belongs here: gathering occurrences into airings, their edges, passages that always follow each other, passages inside
others. Does not: what a passage is (advert, bulletin ...: `breaks.py`).
"""

from dataclasses import dataclass

import numpy as np

from climate_assets.broadcast.passages import components
from climate_assets.broadcast.repeat_rules import Settings
from climate_assets.broadcast.shingles import Occurrences
from climate_assets.broadcast.word_columns import Longs, WordColumns

_BACKWARDS = 8  # words by which a place inside a passage may fall back before it is the passage's next airing
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Airings:
    """One airing a row, in order of place: words `first`..`last` (both included) of `passage`.

    `shingles` is how many sampled shingles of the passage were recognised in it.
    """

    passage: Longs
    first: Longs
    last: Longs
    shingles: Longs

    def __len__(self) -> int:
        """Number of airings."""
        return len(self.passage)

    def rows(self, chosen: np.ndarray) -> "Airings":
        """The chosen rows."""
        return Airings(self.passage[chosen], self.first[chosen], self.last[chosen], self.shingles[chosen])

    @property
    def times(self) -> Longs:
        """Airings of each passage."""
        return np.bincount(self.passage)


def airings_of(speech: WordColumns, found: Occurrences, passage_of_node: Longs, settings: Settings) -> Airings:
    """All airings of all passages; stock phrases and what lies inside a longer passage heard as often are left out."""
    airings = _gathered(speech, found, passage_of_node, settings)
    airings = _dense(airings, found, passage_of_node, settings)
    airings = _not_inside(_long_enough(speech, airings, settings))
    for _ in range(_ROUNDS):
        before = len(airings)
        airings = _joined(speech, airings, settings) if before else airings
        if len(airings) == before:
            break
    return _not_inside(airings)


def grouped_quantile(group: Longs, value: Longs, share: float, groups: int) -> Longs:
    """The value below which `share` of each group's values lie (nearest rank); 0 for an empty group."""
    order = np.lexsort((value, group))
    size = np.bincount(group, minlength=groups)
    begin = np.cumsum(size) - size
    result = np.zeros(groups, value.dtype)
    filled = np.flatnonzero(size)
    rank = begin[filled] + np.floor(share * (size[filled] - 1) + 0.5).astype(np.int64)
    result[filled] = value[order[rank]]
    return result


def _gathered(speech: WordColumns, found: Occurrences, passage_of_node: Longs, settings: Settings) -> Airings:
    passage = passage_of_node[found.node]
    inside = np.flatnonzero(passage >= 0)
    if not len(inside):
        return Airings(inside, inside, inside, inside)
    order = inside[np.lexsort((found.word[inside], passage[inside]))]
    passage, word, node = passage[order], found.word[order], found.node[order].astype(np.int64)
    piece = speech.piece(word)
    apart = np.ones(len(order), bool)
    apart[1:] = (passage[1:] != passage[:-1]) | (np.diff(word) > settings.reach_words) | (piece[1:] != piece[:-1])
    place = _place(node, word, apart)
    apart[1:] |= place[node[1:]] < place[node[:-1]] - _BACKWARDS
    starts = np.flatnonzero(apart)
    ends = np.append(starts[1:], len(order)) - 1
    before = np.clip(_place(node, word, apart)[node[starts]], 0, settings.edge_words)
    after = np.clip(_place(node[::-1], -word[::-1], _from_behind(apart))[node[ends]], 0, settings.edge_words)
    first, last = word[starts] - before, word[ends] + settings.shingle_words - 1 + after
    gathered = Airings(passage[starts], first, last, ends - starts + 1)
    return _by_place(_within_piece(speech, gathered, word[starts]))


def _from_behind(apart: np.ndarray) -> np.ndarray:
    """The same airings, read backwards: true where one ends."""
    return np.append(apart[1:], True)[::-1]


def _place(node: Longs, word: Longs, apart: np.ndarray) -> Longs:
    """Words from the passage's beginning to each node: the median over the airings it is heard in."""
    begin = word[np.flatnonzero(apart)][np.cumsum(apart) - 1]
    return grouped_quantile(node, word - begin, 0.5, int(node.max(initial=-1)) + 1)


def _within_piece(speech: WordColumns, airings: Airings, inside: Longs) -> Airings:
    """The same airings, not reaching beyond the unbroken stretch that word `inside` of each lies in."""
    bounds = np.concatenate([[0], speech.breaks, [len(speech.tokens)]])
    piece = speech.piece(inside)
    first = np.maximum(airings.first, bounds[piece])
    last = np.minimum(airings.last, bounds[piece + 1] - 1)
    return Airings(airings.passage, first, last, airings.shingles)


def _by_place(airings: Airings) -> Airings:
    return airings.rows(np.lexsort((-airings.last, airings.first)))


def _renumbered(airings: Airings) -> Airings:
    return Airings(np.unique(airings.passage, return_inverse=True)[1], airings.first, airings.last, airings.shingles)


def _dense(airings: Airings, found: Occurrences, passage_of_node: Longs, settings: Settings) -> Airings:
    """Airings of passages that are one text: most of their shingles are common to most airings."""
    enough = airings.rows(airings.shingles >= settings.core_shingles)
    if not len(enough):
        return enough
    passages = int(passage_of_node.max()) + 1
    times = np.bincount(enough.passage, minlength=passages)
    length = grouped_quantile(enough.passage, enough.last - enough.first + 1, 0.75, passages)
    inside = passage_of_node >= 0
    common = inside & (found.count >= 0.5 * times[np.maximum(passage_of_node, 0)])
    shingles = np.bincount(passage_of_node[common], minlength=passages)
    expected = np.maximum(length - settings.shingle_words + 1, 1) / settings.sampling
    dense = (times >= 2) & (shingles >= settings.density * expected)
    return _renumbered(enough.rows(dense[enough.passage]))


def _long_enough(speech: WordColumns, airings: Airings, settings: Settings) -> Airings:
    """Without passages that are turns of phrase, and without airings that are too small a part of a passage to tell."""
    if not len(airings):
        return airings
    passages = int(airings.passage.max()) + 1
    length = speech.end_after(airings.last) - speech.at[airings.first]
    usual = grouped_quantile(airings.passage, length, 0.5, passages)[airings.passage]
    best = grouped_quantile(airings.passage, airings.shingles, 0.5, passages)[airings.passage]
    told = (usual >= settings.shortest_seconds * 100) & (length >= settings.partial * usual)
    return _renumbered(airings.rows(told & (airings.shingles >= settings.partial * best)))


def _not_inside(airings: Airings) -> Airings:
    """Without passages of which most airings lie inside longer ones that are heard as often: variants of a part."""
    if not len(airings):
        return airings
    times = airings.times
    farthest = np.maximum.accumulate(airings.last)
    holder = np.maximum.accumulate(np.where(airings.last == farthest, np.arange(len(airings)), 0))
    held = (holder != np.arange(len(airings))) & (times[airings.passage[holder]] >= times[airings.passage])
    inside = np.bincount(airings.passage[held], minlength=len(times))
    return _renumbered(airings.rows((inside < 0.5 * times)[airings.passage]))


def _joined(speech: WordColumns, airings: Airings, settings: Settings) -> Airings:
    """The airings with passages that always follow each other made one, be it across a phrase that others have too."""
    times = airings.times
    rows = np.arange(len(airings))
    one, other = np.concatenate([rows[:-1], rows[:-2]]), np.concatenate([rows[1:], rows[2:]])
    pause = speech.at[airings.first[other]] - speech.end_after(airings.last[one])
    close = (pause <= settings.follow_seconds * 100) & (speech.piece(airings.first[other]) == speech.piece(airings.last[one]))
    close &= airings.passage[one] != airings.passage[other]
    one, other = one[close], other[close]
    pairs, which = np.unique(airings.passage[one] * len(times) + airings.passage[other], return_inverse=True)
    left, right = np.divmod(pairs, max(len(times), 1))
    always = np.bincount(which, minlength=len(pairs)) >= settings.always * np.maximum(times[left], times[right])
    passage = components(len(times), left[always], right[always])[airings.passage]
    glued = components(len(rows), one[always[which]], other[always[which]])
    order = np.argsort(glued, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(glued[order]) != 0))
    first = np.minimum.reduceat(airings.first[order], starts)
    last = np.maximum.reduceat(airings.last[order], starts)
    shingles = np.add.reduceat(airings.shingles[order], starts)
    return _by_place(_renumbered(Airings(passage[order[starts]], first, last, shingles)))
