"""Pairs of texts that are nearly the same and stand on two sides of a split: what would flatter a model.

Texts are compared by the runs of words they share (shingles, Broder 1997), whatever their group ids say. Belongs here: the
search for such pairs. Does not belong here: sides (`splits.py`).

Near-linear in words: of each run, the first few texts of each side stand for all of that side, so a family of a thousand
copies gives a few thousand pairs, not a million; pairs that share enough of the runs are then compared exactly.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.failures import Permanent

Hashes = NDArray[np.uint64]
Longs = NDArray[np.int64]

RUN: Final = 4
"""Words of a run: with 8 % of words misheard on both sides half of the runs survive, and idioms seldom have four words."""
ALIKE: Final = 0.4
"""Share of the shorter text's runs that the longer one has, from which on they are near-duplicates. Of 60 real chunks, each
with 8 % of its words misheard twice over, every pair of hearings shares 0.41 or more; unrelated chunks share below 0.05."""
LEAST_RUNS: Final = 8
"""With fewer runs, being contained in a long text proves little, and the share is taken of the union (Jaccard)."""
LONGEST: Final = 200_000
"""Characters of a text: ten times the longest chunk that is judged."""
_STAND_INS: Final = 8
_LIKELY: Final = 0.3
"""Share of the runs needed at which a pair found through stand-ins is compared exactly."""
_WORD: Final = re.compile(r"\w+")
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Leak:
    """Two items on two sides that are nearly the same."""

    one: Annotated[str, "Item."]
    other: Annotated[str, "Item on another side."]
    one_side: Annotated[str, "Side of the first."]
    other_side: Annotated[str, "Side of the second."]
    alike: Annotated[float, "Share of words' runs in common, 0..1; 1 for items of one group."]
    why: Annotated[str, "`text`: nearly the same words; `group`: one group of near-duplicates."]


def leaks(
    texts: Mapping[str, str],
    sides: Mapping[str, str],
    groups: Mapping[str, str] | None = None,
    alike: float = ALIKE,
) -> list[Leak]:
    """Pairs across the sides that are near-duplicates, most alike first; empty if nothing leaks.

    Of a family of copies each one is named at least once, not with every other. Raises `Permanent` for a text beyond
    `LONGEST` characters and for an item with a side and no text, since what is not compared may leak.
    """
    return leaks_of_runs({name: runs_of(text, name) for name, text in texts.items() if name in sides}, sides, groups, alike)


def leaks_of_runs(
    runs: Mapping[str, Hashes],
    sides: Mapping[str, str],
    groups: Mapping[str, str] | None = None,
    alike: float = ALIKE,
) -> list[Leak]:
    """The same of texts whose runs are known, so that sides can be tried one after the other."""
    if missing := sorted(sides.keys() - runs.keys()):
        raise Permanent(
            f"{len(missing)} items have a side and no text, such as {missing[0]}; nobody can tell whether they leak"
        )
    names = sorted(sides)
    numbers = {side: n for n, side in enumerate(sorted({str(s) for s in sides.values()}))}
    places = np.array([numbers[str(sides[name])] for name in names], np.int64)
    found = {}
    for one, other in _likely([runs[name] for name in names], places, alike):
        share = likeness(runs[names[one]], runs[names[other]])
        if share >= alike:
            found[names[one], names[other]] = (share, "text")
    found.update((pair, (1.0, "group")) for pair in _torn(names, sides, groups or {}))
    made = [Leak(a, b, str(sides[a]), str(sides[b]), share, why) for (a, b), (share, why) in found.items()]
    return sorted(made, key=lambda leak: (-leak.alike, leak.one, leak.other))


def likeness(one: Hashes, other: Hashes) -> float:
    """Share of the shorter one's runs that both have, 0..1; of the union where the shorter has under `LEAST_RUNS`."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    shorter = min(len(one), len(other))
    whole = shorter if shorter >= LEAST_RUNS else len(one) + len(other) - common
    return common / whole if whole else 0.0


def runs_of(text: str, name: str = "text") -> Hashes:
    """Hashes of the runs of `RUN` words in a text, sorted, each once; a shorter text is one run, a text without words none.

    Case, accents and marks do not count. `name` is for the error: raises `Permanent` beyond `LONGEST` characters.
    """
    if len(text) > LONGEST:
        raise Permanent(
            f"{name} has {len(text)} characters, more than {LONGEST}; no chunk or post is that long, look at its source"
        )
    plain = text.casefold()
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    words = _WORD.findall(plain)
    if not words:
        return np.zeros(0, np.uint64)
    known: dict[str, int] = {}
    for word in words:
        if word not in known:
            known[word] = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
    hashes = np.array([known[word] for word in words], np.uint64)
    width = min(RUN, len(hashes))
    mixed = np.full(len(hashes) - width + 1, width, np.uint64)
    for place in range(width):
        mixed = (mixed ^ hashes[place : place + len(mixed)]) * _FACTOR
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


def _torn(names: Sequence[str], sides: Mapping[str, str], groups: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each item of a group with the first item of that group, if that is on another side."""
    first: dict[str, str] = {}
    pairs = []
    for name in names:
        if name in groups:
            other = first.setdefault(groups[name], name)
            if sides[other] != sides[name]:
                pairs.append((other, name))
    return pairs


def _likely(runs: Sequence[Hashes], side: Longs, alike: float) -> list[tuple[int, int]]:
    """Pairs of texts on two sides that share many runs with each other or with each other's stand-ins."""
    if not any(len(r) for r in runs):
        return []
    sizes = np.array([len(r) for r in runs], np.int64)
    run = np.concatenate(list(runs))
    text = np.repeat(np.arange(len(runs), dtype=np.int64), sizes)
    order = np.lexsort((text, side[text], run))
    run, text = run[order], text[order]
    at = side[text]
    new = np.append(True, run[1:] != run[:-1])
    number = np.cumsum(new) - 1
    mixed = (np.minimum.reduceat(at, np.flatnonzero(new)) != np.maximum.reduceat(at, np.flatnonzero(new)))[number]
    number, text, at = number[mixed], text[mixed], at[mixed]
    if not len(text):
        return []
    number = np.cumsum(np.append(True, number[1:] != number[:-1])) - 1
    begins = np.append(True, (number[1:] != number[:-1]) | (at[1:] != at[:-1]))
    rank = np.arange(len(text)) - np.maximum.accumulate(np.where(begins, np.arange(len(text)), 0))
    pairs = []
    for one in np.unique(at):
        for place in range(_STAND_INS):
            stand_in = np.full(int(number[-1]) + 1, -1, np.int64)
            here = (at == one) & (rank == place)
            stand_in[number[here]] = text[here]
            # Where both stand in for their sides the pair is met twice, and counted once.
            met = (at != one) & (stand_in[number] >= 0) & ((rank >= _STAND_INS) | (at > one))
            low, high = np.minimum(text[met], stand_in[number[met]]), np.maximum(text[met], stand_in[number[met]])
            pairs.append(low * len(runs) + high)
    pair, shared = np.unique(np.concatenate(pairs), return_counts=True)
    low, high = pair // len(runs), pair % len(runs)
    enough = shared >= np.maximum(1, _LIKELY * alike * np.minimum(sizes[low], sizes[high]))
    return list(zip(low[enough].tolist(), high[enough].tolist(), strict=True))
