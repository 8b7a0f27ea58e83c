"""Groups of airings whose texts are nearly equal, so that one is labelled and no other lies in another part of a split.

Texts in, groups out; which label goes from one to another is `gold.py`. Stretches within chunks that are heard again, adverts
mostly, are `broadcast/repeats.py`: here whole items are compared, so a re-run that is cut elsewhere is not found.

Nearly equal: Jaccard similarity of the sets of three-word shingles (Broder 1997) is at least 0.8, which holds while one word
in 27 differs, or one passage of a tenth. All such pairs are joined, and none is left to chance: two sets that are so similar
share one of their rarest shingles (prefix filter: Chaudhuri et al., ICDE 2006; Bayardo et al., WWW 2007).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.broadcast.folding import borders_as_spaces, folded
from climate_assets.failures import Permanent

SIMILAR: Final = 0.8
SHINGLE_WORDS: Final = 3
LEAST_SHINGLES: Final = 20
"""Below it a text is a jingle, a credit or silence: it is equal to many, and says nothing."""
MOST_WORDS: Final = 20_000
_WORD_BITS: Final = 21
Ranks = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Airing:
    """One item that may be a re-run of another."""

    item_id: str
    start: Annotated[datetime, "When it was aired, UTC."]
    text: str


@dataclass(frozen=True, slots=True)
class Grouped:
    """Which group one item belongs to."""

    item_id: str
    group_id: Annotated[str, "First item of the group by (start, id); the item's own id if it is alone."]
    similarity: Annotated[
        float, "Jaccard similarity to that first item; may be below the limit if others lie between; 1 if alone."
    ]


def near_duplicates(airings: Iterable[Airing], similar: float = SIMILAR) -> list[Grouped]:
    """The group of each item, in order of (start, id); the same for any order of the airings.

    Two items with similar texts are in one group, and so are those that a chain of such items joins. Time is near-linear in
    words, however often one text is aired. Raises `Permanent` for two items with one id or a text beyond 20,000 words.
    """
    if not 0.5 <= similar <= 1:
        raise Permanent(f"texts are nearly equal from 0.5 to 1 of their shingles on, not from {similar}")
    ordered = sorted(airings, key=lambda airing: (airing.start, airing.item_id))
    names = [airing.item_id for airing in ordered]
    if len(set(names)) < len(names):
        raise Permanent("two airings have one item id; pass each item once")
    sets = _ranked(_shingles([airing.text for airing in ordered]))
    root = _joined(sets, similar)
    groups = [_root(root, item) for item in range(len(ordered))]
    return [
        Grouped(name, names[group], 1.0 if item == group else _similarity(sets[item], sets[group]))
        for item, (name, group) in enumerate(zip(names, groups, strict=True))
    ]


def group_of(grouped: Iterable[Grouped]) -> dict[str, str]:
    """Group id by item id."""
    return {one.item_id: one.group_id for one in grouped}


def _shingles(texts: Sequence[str]) -> list[Ranks]:
    """The distinct shingles of each text, sorted; empty where there are too few to tell texts apart."""
    number: dict[bytes, int] = {}
    found = []
    for text in texts:
        words = borders_as_spaces(folded(text)).split()
        if len(words) > MOST_WORDS:
            raise Permanent(f"a text has {len(words)} words, beyond {MOST_WORDS}; cut it into items")
        ids = np.array([number.setdefault(word, len(number)) for word in words], np.int64)
        shingles = np.zeros(max(0, len(ids) - SHINGLE_WORDS + 1), np.int64)
        for step in range(SHINGLE_WORDS):
            shingles = (shingles << _WORD_BITS) | ids[step : step + len(shingles)]
        distinct = np.unique(shingles)
        found.append(distinct if len(distinct) >= LEAST_SHINGLES else distinct[:0])
    if len(number) >> _WORD_BITS:
        raise Permanent(f"the texts have {len(number)} different words, beyond {1 << _WORD_BITS}; compare fewer at once")
    return found


def _ranked(sets: Sequence[Ranks]) -> list[Ranks]:
    """The same sets with each shingle named by its rank, rarest first; those of one text only have ranks below 0."""
    if not sets:
        return []
    _, place, count = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)
    order = np.lexsort((np.arange(len(count)), count))
    rank = np.empty(len(count), np.int64)
    rank[order] = np.arange(len(count)) - int((count == 1).sum())
    edges = np.cumsum([len(one) for one in sets])[:-1]
    return [np.sort(part) for part in np.split(rank[place], edges)]


def _joined(sets: Sequence[Ranks], similar: float) -> list[int]:
    """Parent of each item in a forest whose trees are the groups; the root is the tree's first item.

    An index from shingle to groups, and to the group's items with it: a group that an item has joined is passed by, so that
    the thousandth airing of a text is compared once.
    """
    root = list(range(len(sets)))
    equal: dict[bytes, int] = {}
    index: dict[int, dict[int, list[int]]] = defaultdict(dict)
    for item, shingles in enumerate(sets):
        if not len(shingles):
            continue
        first = equal.setdefault(shingles.tobytes(), item)
        if first != item:
            _join(root, first, item)
            continue
        prefix = shingles[: len(shingles) - ceil(similar * len(shingles) - 1e-9) + 1]
        refused: set[int] = set()
        for shingle in prefix[prefix >= 0].tolist():
            holders = _merged(index[shingle], root)
            for group, members in list(holders.items()):
                if _root(root, group) == _root(root, item):
                    continue
                for member in members:
                    if member in refused:
                        continue
                    if _similarity(shingles, sets[member]) >= similar:
                        _join(root, member, item)
                        break
                    refused.add(member)
            index[shingle].setdefault(_root(root, item), []).append(item)
    return root


def _merged(holders: dict[int, list[int]], root: list[int]) -> dict[int, list[int]]:
    """The holders of a shingle under the roots that their groups have by now, in place."""
    for group in [group for group in holders if _root(root, group) != group]:
        holders.setdefault(_root(root, group), []).extend(holders.pop(group))
    return holders


def _similarity(one: Ranks, other: Ranks) -> float:
    """Jaccard similarity of two sets; 0 of empty ones."""
    small, large = sorted((one, other), key=len)
    if not len(small):
        return 0.0
    at = np.searchsorted(large, small)
    both = int((large[np.minimum(at, len(large) - 1)] == small).sum())
    return both / (len(one) + len(other) - both)


def _root(root: list[int], item: int) -> int:
    while root[item] != item:
        root[item] = root[root[item]]
        item = root[item]
    return item


def _join(root: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(root, one), _root(root, other)))
    root[second] = first
