"""Which shingles belong together as one passage: those that are heard in each other's company.

Belongs here: company of shingles, and connected components of it. Does not: where a passage is aired (`airings.py`).
Two shingles are of one passage if most occurrences of either have the other close after (or before) them. At the seam of
two adverts that happens rarely, since breaks are shuffled; inside an advert nearly always, whatever was misheard once.
No two airings are ever compared, so 1,000 airings cost 1,000 steps and not 1,000,000.
"""

import numpy as np

from climate_assets.broadcast.repeat_rules import Settings
from climate_assets.broadcast.shingles import Occurrences
from climate_assets.broadcast.word_columns import Longs, WordColumns

_FIRST_COMPANY = 3
_COMPANY = 4


def passage_of_node(speech: WordColumns, found: Occurrences, settings: Settings) -> Longs:
    """Number of the passage each node belongs to, from 0; -1 for turns of phrase that belong to none."""
    nodes = len(found.count)
    first, second = _company(speech, found, settings.near_words, _FIRST_COMPANY, settings)
    wanted = np.zeros(nodes, bool)
    wanted[first] = wanted[second] = True
    first, second = _company(speech, found.of(wanted), settings.reach_words, _COMPANY, settings)
    label = components(nodes, first, second)
    size = np.bincount(label, minlength=nodes)
    kept = size[label] >= settings.core_shingles
    passage = np.full(nodes, -1, np.int64)
    passage[kept] = np.unique(label[kept], return_inverse=True)[1]
    return passage


def _company(speech: WordColumns, found: Occurrences, reach: int, ranks: int, settings: Settings) -> tuple[Longs, Longs]:
    """Pairs of nodes of which most occurrences of either are followed (preceded) by the other within `reach` words."""
    nodes = np.int64(len(found.count))
    piece = speech.piece(found.word)
    pairs = []
    for rank in range(1, ranks + 1):
        one, other = found.node[:-rank].astype(np.int64), found.node[rank:].astype(np.int64)
        near = (found.word[rank:] - found.word[:-rank] <= reach) & (piece[rank:] == piece[:-rank]) & (one != other)
        one, other = one[near], other[near]
        less, more = found.count[one], found.count[other]
        alike = np.minimum(less, more) >= settings.agreement * np.maximum(less, more)
        pairs.append(one[alike] * nodes + other[alike])
    packed = np.concatenate(pairs) if pairs else np.empty(0, np.int64)
    packed.sort()
    starts = np.flatnonzero(np.concatenate([[True], packed[1:] != packed[:-1]])) if len(packed) else np.empty(0, np.int64)
    together = np.diff(np.append(starts, len(packed)))
    one, other = np.divmod(packed[starts], nodes)
    most = (together >= 2) & (together >= settings.agreement * np.maximum(found.count[one], found.count[other]))
    return one[most], other[most]


def components(nodes: int, one: Longs, other: Longs) -> Longs:
    """Smallest node of the connected component of each node, by hooking and pointer jumping (Shiloach & Vishkin 1982)."""
    label = np.arange(nodes)
    while len(one):
        one, other = label[one], label[other]
        apart = one != other
        one, other = one[apart], other[apart]
        np.minimum.at(label, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(label, jumped := label[label]):
            label = jumped
    return label
