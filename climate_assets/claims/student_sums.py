"""Texts as running sums of weights: what each word weighs is added up once, however often it is said.

Weights are put on a grid on which sums come out exact, so a word's n-grams may be summed apart, words in any order and texts
one behind the other: the sums are the same to the last bit. Belongs here: words to sums. Does not belong here: which windows
of the sums are looked at (`student_heads.py`), and what a word's features are (`student_words.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.claims.student_forms import BARRIER_NUMBER, Forms, Places
from climate_assets.claims.student_words import bare, pair_feature, word_features

REMEMBERED_WORDS: Final = 20_000
"""Bounds memory at about 10 MB, whatever words hostile text invents."""
_GRID: Final = 2.0**36
"""Steps in one. Sums below 2**17 are exact in 53 bits, and a weight moves by less than 1e-11: 1e-9 in any logit."""
_NOTHING: Final = BARRIER_NUMBER + 1
"""Number of what folds to nothing."""
_HALF: Final = np.uint64(32)
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: Fibonacci hashing (Knuth, The Art of Computer Programming 3, section 6.4)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Said:
    """Texts one behind the other, a barrier after each."""

    sums: Floats
    """One row a column of the weights; entry n sums the first n words (a pair belongs to its second word)."""
    tokens: Places
    """Of each word: its index among the whitespace-separated words of all texts."""
    begins: Places
    """Such an index of each text's first word."""
    firsts: Places
    """First word of each stretch between barriers, empty ones too."""
    lengths: Places
    """Words of each stretch."""
    texts: Places
    """Which text each stretch is of."""


class Summed:
    """What the words of texts weigh, by the features of `vocabulary` and one row of `weights` for each."""

    def __init__(self, vocabulary: Sequence[str], weights: NDArray[np.float32], remembered: int = REMEMBERED_WORDS) -> None:
        self._remembered = remembered
        self._rows = {feature: row for row, feature in enumerate(vocabulary)}
        self._weights = np.round(weights.astype(np.float64) * _GRID) / _GRID
        pairs = [feature.split(" ")[1:] for feature in vocabulary if feature.startswith("b ")]
        self._partners = {word: n for n, word in enumerate(sorted({word for pair in pairs for word in pair}), 1)}
        keys = np.array([(self._partners[a] << 32) | self._partners[b] for a, b in pairs], np.uint64)
        order = np.argsort(keys, kind="stable")
        # Behind the last key stands one that no pair has.
        self._keys = np.append(keys[order], np.uint64(2**64 - 1))
        rows = np.array([self._rows[pair_feature(*pair)] for pair in pairs], np.int64)
        self._pair_weights = np.ascontiguousarray(self._weights[rows[order]].T)
        bits = max(8, (8 * len(keys)).bit_length())
        self._shift = np.uint64(64 - bits)
        hashes = ((self._keys[:-1] * _MIX) >> self._shift).astype(np.int64)
        # Where a hash leads: to its key, to none, or (-1) to several, which are searched.
        self._slots = np.full(1 << bits, len(keys), np.int32)
        self._slots[hashes] = np.arange(len(keys), dtype=np.int32)
        self._slots[np.bincount(hashes, minlength=1 << bits) > 1] = -1
        self._lock = Lock()
        self._forget()

    def __len__(self) -> int:
        """Forms of words that are remembered."""
        return len(self._forms)

    def said(self, texts: Sequence[str]) -> Said:
        """The texts as sums."""
        with self._lock:
            if len(self._forms) > self._remembered:
                self._forget()
            read = self._forms.tokens(texts)
            tokens = np.flatnonzero(read.numbers != _NOTHING)
            numbers = read.numbers[tokens]
            shares = self._shares.take(numbers, axis=1)
            partners = self._partner_of[numbers]
        self._add_pairs(shares, partners)
        sums = np.zeros((len(shares), len(tokens) + 1))
        np.cumsum(shares, axis=1, out=sums[:, 1:])
        barriers = np.flatnonzero(numbers == BARRIER_NUMBER)
        firsts = np.append(0, barriers[:-1] + 1)
        owners = np.searchsorted(read.begins, tokens[barriers], side="right") - 1
        return Said(sums, tokens, read.begins, firsts, barriers - firsts, owners)

    def _add_pairs(self, shares: Floats, partners: NDArray[np.uint64]) -> None:
        """Give each word that makes a pair with the one before it the pair's weights too."""
        keys = (partners[:-1] << _HALF) | partners[1:]
        at = self._slots[(keys * _MIX) >> self._shift]
        shared = np.flatnonzero(at < 0)
        at[shared] = self._keys.searchsorted(keys[shared])
        known = np.flatnonzero(self._keys[at] == keys)
        at = at[known]
        known += 1
        for column, weights in zip(shares, self._pair_weights, strict=True):
            column[known] += weights[at]

    def _forget(self) -> None:
        self._shares = np.zeros((self._weights.shape[1], 1024))
        self._partner_of = np.zeros(1024, np.uint64)
        self._forms = Forms(self._number_of)
        self._words: dict[str, int] = {"": _NOTHING}

    def _number_of(self, form: str) -> int:
        """Number under which the weights of a form's word are kept; they are added up if the word is new."""
        word = bare(form)
        number = self._words.get(word)
        if number is None:
            number = len(self._words) + 1
            if number >= len(self._partner_of):
                self._shares = np.concatenate([self._shares, np.zeros_like(self._shares)], axis=1)
                self._partner_of = np.concatenate([self._partner_of, np.zeros_like(self._partner_of)])
            rows = [row for feature in word_features(word) if (row := self._rows.get(feature)) is not None]
            self._shares[:, number] = self._weights[rows].sum(axis=0)
            self._partner_of[number] = self._partners.get(word, 0)
            self._words[word] = number
        return number
