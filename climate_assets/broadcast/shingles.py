"""Shingles (runs of k words) that are said more than once, as columns of occurrences.

Belongs here: hashing, sampling and grouping of shingles. Does not: which of them make a passage (`passages.py`).
Sampling is by hash ("mod p" fingerprints of Manber 1994; Schleimer et al., Winnowing, SIGMOD 2003), so that every airing
of a text keeps the same shingles. Everything is sorting, so the time is near-linear in words, however often one recurs.
"""

from dataclasses import dataclass

import numpy as np

from climate_assets.broadcast.word_columns import Hashes, Ints, Longs, WordColumns

_BLOCK = 1 << 21
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Occurrences, in order of place, of shingles said at least twice: shingle `node[i]` begins at word `word[i]`."""

    node: Ints
    word: Longs
    count: Longs

    def of(self, wanted: np.ndarray) -> "Occurrences":
        """Occurrences of the nodes that the boolean column `wanted` names."""
        keep = wanted[self.node]
        return Occurrences(self.node[keep], self.word[keep], self.count)


def shingle_hashes(speech: WordColumns, words: Longs, k: int) -> Hashes:
    """Hash of the shingle of `k` words that begins at each of `words`; the same in every process."""
    mixed = np.zeros(len(words), np.uint64)
    for step in range(k):
        mixed *= _FACTOR
        mixed += speech.hash_of_token[speech.tokens[words + step]]
        mixed ^= mixed >> np.uint64(31)
    mixed *= _MIX
    return np.asarray(mixed ^ (mixed >> np.uint64(29)))


def repeated_shingles(speech: WordColumns, k: int, sampling: int) -> Occurrences:
    """Occurrences of all sampled shingles that are said at least twice.

    None crosses a break, and none is one word, or two in turn, over and over: silence is often transcribed so.
    """
    bits = np.uint64(max(1, int(len(speech.tokens) - 1).bit_length()))
    blocks = [_sampled(speech, first, k, sampling, bits) for first in range(0, len(speech.tokens), _BLOCK)]
    packed = np.concatenate(blocks)
    packed.sort()
    same = np.zeros(len(packed) + 1, bool)
    same[1:-1] = (packed[1:] >> bits) == (packed[:-1] >> bits)
    repeated = same[1:] | same[:-1]
    starts = (repeated & ~same[:-1])[repeated]
    words = packed[repeated] & ((np.uint64(1) << bits) - np.uint64(1))
    del packed
    return _by_place(words.astype(np.int64), np.cumsum(starts) - 1)


def _sampled(speech: WordColumns, first: int, k: int, sampling: int, bits: np.uint64) -> Hashes:
    """Sampled shingles of one block as hash (high bits) and place (low bits)."""
    last = min(first + _BLOCK + k - 1, len(speech.tokens))
    tokens = speech.tokens[first:last]
    size = len(tokens) - k + 1
    if size <= 0:
        return np.empty(0, np.uint64)
    words = np.arange(first, first + size)
    hashes = shingle_hashes(speech, words, k)
    keep = (hashes & np.uint64(sampling - 1)) == 0
    begins = np.zeros(len(tokens) + 1, np.int32)
    inside = speech.breaks[(speech.breaks >= first) & (speech.breaks < last)] - first
    begins[inside + 1] = 1
    before = np.cumsum(begins)
    keep &= before[k : k + size] == before[1 : size + 1]
    varied = np.zeros(size, bool)
    for step in range(k - 2):
        varied |= tokens[step : step + size] != tokens[step + 2 : step + 2 + size]
    keep &= varied
    return np.asarray((hashes[keep] >> bits << bits) | words[keep].astype(np.uint64))


def _by_place(words: Longs, nodes: Longs) -> Occurrences:
    count = np.bincount(nodes)
    bits = np.uint64(max(1, len(count).bit_length()))
    packed = (words.astype(np.uint64) << bits) | nodes.astype(np.uint64)
    packed.sort()
    node = (packed & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int32)
    return Occurrences(node, (packed >> bits).astype(np.int64), count)
