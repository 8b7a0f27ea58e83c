"""What a trained linear model finds in a text: the window where most is claimed, and whether it is contradicted near by.

A window's logits are sums over its words divided by the square root of their number, so one cumulative sum a stretch
serves windows of every length, and each word's share of a logit is known. That length rule stands in for the usual
L2 norm: cross-validated on the same statements, both rank
them alike (area under the curve .897 and .892).
Belongs here: weights and the search with them. How they are learnt is `student_training.py`; what a finding means as a
probability is `student_model.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.claims.records import Category
from climate_assets.claims.student_words import pair_feature, stretches, word_features

CATEGORIES: Final = tuple(Category)
CHALLENGE: Final = len(CATEGORIES)
"""Column of the weights after the categories' own: whether a claim is contradicted."""

SHORT_WINDOW, LONG_WINDOW = 32, 64
"""Words: one statement, and a speaker who goes on. Cross-validated, 12 to 24 words raise more false alarms and 96
find less of a single statement."""
STRIDE: Final = 4
CONTEXT: Final = 32
"""Words on either side of the best window in which a contradiction counts."""
SHORTEST_QUOTE: Final = 10
FEWEST_WORDS: Final = 12
"""Shortest text that probabilities are fitted on; a shorter one is read as if it were that long."""
REPLY_WINDOW: Final = 16
"""Words of a contradiction: shorter than a claim, `je vous arrête les mesures disent le contraire`."""
MIN_WORDS: Final = 3
"""A stretch of fewer words claims nothing: a quote of it could not be told from chance (`quotes.MIN_TOKENS`)."""
REMEMBERED_WORDS: Final = 20_000
"""Bounds memory at about 10 MB, whatever words hostile text invents."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Finding:
    """The place of a text where most is claimed."""

    claim: tuple[float, float, float]
    """Best log-odds of any claim in a short and in a long window of the text, and the log of its number of words."""
    challenge: tuple[float, float]
    """Log-odds of a contradiction in the best short window, and the highest around it."""
    category: Category
    quote: tuple[int, int]
    """First word and word after the last one, among the text's whitespace-separated words."""
    cues: tuple[int, ...]
    """Words of the quote that weigh most for the category, strongest first."""


@dataclass(frozen=True, eq=False)
class Heads:
    """A linear model over n-grams. `weights`: one row a feature, one column a category plus `CHALLENGE`."""

    vocabulary: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: Floats

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {feature: row for row, feature in enumerate(self.vocabulary)}

    @cached_property
    def _rows_of(self) -> Callable[[str], list[int]]:
        """Rows of a word's own features; remembered for the words that recur in every chunk."""
        rows = self._rows
        return lru_cache(REMEMBERED_WORDS)(lambda word: [rows[feature] for feature in word_features(word) if feature in rows])

    def find(self, text: str) -> Finding | None:
        """Where most is claimed in the text; None if no stretch of it has `MIN_WORDS` words."""
        known = [stretch for stretch in stretches(text) if len(stretch.words) >= MIN_WORDS]
        if not known:
            return None
        sums = [self._sums(stretch.words) for stretch in known]
        short = [self._windows(total, SHORT_WINDOW) for total in sums]
        claims = [_claim(logits) for _, _, logits in short]
        best = max(range(len(known)), key=lambda i: float(claims[i].max()))
        at = int(claims[best].argmax())
        long_claim = max(float(_claim(self._windows(total, LONG_WINDOW)[2]).max()) for total in sums)
        starts, length, logits = short[best]
        replies, reply, logits_of_replies = self._windows(sums[best], REPLY_WINDOW)
        near = (replies > starts[at] - CONTEXT - reply) & (replies < starts[at] + length + CONTEXT)
        heard = sum(len(stretch.words) for stretch in known)
        category = 1 + int(logits[at, 1:CHALLENGE].argmax())
        first, last, cues = self._quote(sums[best], int(starts[at]), length, category)
        places = known[best].places
        return Finding(
            claim=(float(claims[best][at]), long_claim, float(np.log(max(FEWEST_WORDS, heard)))),
            challenge=(float(logits[at, CHALLENGE]), float(logits_of_replies[near, CHALLENGE].max())),
            category=CATEGORIES[category],
            quote=(places[first], places[last - 1] + 1),
            cues=tuple(places[cue] for cue in cues),
        )

    def _sums(self, words: Sequence[str]) -> Floats:
        """Cumulative weights: row n sums the first n words (a pair belongs to its second word)."""
        rows, of_word = self._rows, self._rows_of
        found: list[int] = []
        ends = []
        for before, word in zip(("", *words), words, strict=False):
            found += of_word(word)
            pair = rows.get(pair_feature(before, word))
            if pair is not None:
                found.append(pair)
            ends.append(len(found))
        running = np.zeros((len(found) + 1, self.weights.shape[1]))
        np.cumsum(self.weights[found], axis=0, dtype=np.float64, out=running[1:])
        return running[[0, *ends]]

    def _windows(self, sums: Floats, size: int) -> tuple[NDArray[np.int64], int, Floats]:
        """Starts, common length and logits of the windows of `size` words; a shorter stretch is one window."""
        words = len(sums) - 1
        length = min(size, words)
        starts = np.unique(np.append(np.arange(0, words - length + 1, STRIDE), words - length))
        return starts, length, (sums[starts + length] - sums[starts]) / np.sqrt(length) + self.bias

    def _quote(self, sums: Floats, start: int, length: int, category: int) -> tuple[int, int, list[int]]:
        """The run in a window that says most of its category against none, and the words that weigh most in it.

        Runs are compared as windows are, by their sum over the square root of their length.
        """
        margin = (sums[:, category] - sums[:, 0])[start : start + length + 1]
        first, last = np.triu_indices(length + 1, k=min(SHORTEST_QUOTE, length))
        best = int(np.argmax((margin[last] - margin[first]) / np.sqrt(last - first)))
        run = slice(int(first[best]), int(last[best]))
        shares = np.diff(margin)[run]
        cues = [start + run.start + int(i) for i in np.argsort(-shares, kind="stable") if shares[i] > 0]
        return start + run.start, start + run.stop, cues


def _claim(logits: Floats) -> Floats:
    """Log-odds that any misinformation category holds against none."""
    claims: Floats = np.logaddexp.reduce(logits[:, 1:CHALLENGE], axis=1) - logits[:, 0]
    return claims
