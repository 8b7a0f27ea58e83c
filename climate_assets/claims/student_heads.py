"""What a trained linear model finds in a text: the window where most is claimed, and whether it is contradicted near by.

A window's logits are sums over its words divided by the square root of their number, so one cumulative sum a stretch
serves windows of every length, and each word's share of a logit is known. That length rule stands in for the usual
L2 norm: cross-validated on the same statements, both rank
them alike (area under the curve .897 and .892).
Belongs here: weights and the search with them. How they are learnt is `student_training.py`; what a finding means as a
probability is `student_model.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.claims.records import Category
from climate_assets.claims.student_forms import Places
from climate_assets.claims.student_sums import Floats, Summed

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
BATCH_LETTERS: Final = 60_000
"""Texts that are read at once: what they weigh fits a processor's own memory, some 2 MB."""


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
    window: tuple[int, int]
    """First word of the short window that claims most, and the word after its last one."""
    cues: tuple[int, ...]
    """Words of the quote that weigh most for the category, strongest first."""


@dataclass(frozen=True, eq=False)
class Heads:
    """A linear model over n-grams. `weights`: one row a feature, one column a category plus `CHALLENGE`."""

    vocabulary: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: Floats

    @cached_property
    def _summed(self) -> Summed:
        """Running sums of these weights, with the memory of the words that recur in every text."""
        return Summed(self.vocabulary, self.weights)

    def find(self, text: str) -> Finding | None:
        """Where most is claimed in the text; None if no stretch of it has `MIN_WORDS` words."""
        return self.find_all([text])[0]

    def find_all(self, texts: Iterable[str]) -> list[Finding | None]:
        """The same of each text: `find`, with what a text costs beside its words paid once for many."""
        return [finding for batch in _batches(texts) for finding in self._found(batch)]

    def _found(self, texts: Sequence[str]) -> list[Finding | None]:
        said = self._summed.said(texts)
        known = said.lengths >= MIN_WORDS
        firsts, lengths, owners = said.firsts[known], said.lengths[known], said.texts[known]
        found: list[Finding | None] = [None] * len(texts)
        if not len(firsts):
            return found
        speaking, first_of_text = np.unique(owners, return_index=True)
        short = _windows(firsts, lengths, SHORT_WINDOW)
        claims = _claim(self._logits(said.sums, short, slice(0, CHALLENGE)))
        # Windows of a text lie one behind the other: the first of the highest is the best.
        begins = short.of.searchsorted(first_of_text)
        highest = np.maximum.reduceat(claims, begins)
        at = np.flatnonzero(claims == np.repeat(highest, np.diff(begins, append=len(claims))))
        at = at[at.searchsorted(begins)]
        start, length, stretch = short.starts[at], short.lengths[at], short.of[at]
        best = self._logits(said.sums, Windows(start, length, stretch), slice(None))
        long = _windows(firsts, lengths, LONG_WINDOW)
        long_claims = _claim(self._logits(said.sums, long, slice(0, CHALLENGE)))
        long_claims = np.maximum.reduceat(long_claims, long.of.searchsorted(first_of_text))
        replies = _windows(firsts[stretch], lengths[stretch], REPLY_WINDOW)
        against = self._logits(said.sums, replies, slice(CHALLENGE, None))[0]
        near = (replies.starts > start[replies.of] - CONTEXT - replies.lengths) & (
            replies.starts < (start + length)[replies.of] + CONTEXT
        )
        against = np.maximum.reduceat(np.where(near, against, -np.inf), replies.of.searchsorted(np.arange(len(speaking))))
        heard = np.log(np.maximum(FEWEST_WORDS, np.add.reduceat(lengths, first_of_text)))
        categories = 1 + best[1:CHALLENGE].argmax(axis=0)
        quotes, cues = _quotes(said.sums, start, length, categories)
        begins = said.begins[speaking]
        rows = zip(
            speaking.tolist(),
            highest.tolist(),
            long_claims.tolist(),
            heard.tolist(),
            best[CHALLENGE].tolist(),
            against.tolist(),
            categories.tolist(),
            (said.tokens[start] - begins).tolist(),
            (said.tokens[start + length - 1] + 1 - begins).tolist(),
            (said.tokens[quotes] - begins).T.tolist(),
            cues,
            begins.tolist(),
            strict=True,
        )
        for text, claim, long_claim, words, challenge, reply, category, first, end, quote, weighty, begin in rows:
            found[text] = Finding(
                claim=(claim, long_claim, words),
                challenge=(challenge, reply),
                category=CATEGORIES[category],
                quote=(quote[0], quote[1] + 1),
                window=(first, end),
                cues=tuple((said.tokens[weighty] - begin).tolist()),
            )
        return found

    def _logits(self, sums: Floats, windows: "Windows", columns: slice) -> Floats:
        """Logits of windows, one row a column of the weights."""
        of = sums[columns]
        found: Floats = of.take(windows.starts + windows.lengths, axis=1)
        found -= of.take(windows.starts, axis=1)
        found /= np.sqrt(windows.lengths)
        found += self.bias[columns, None]
        return found


@dataclass(frozen=True, slots=True)
class Windows:
    """Runs of words in which logits are taken."""

    starts: Places
    lengths: Places
    of: Places
    """Index of the stretch each is cut from; they only grow."""


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    letters = 0
    for text in texts:
        batch.append(text)
        letters += len(text)
        if letters >= BATCH_LETTERS:
            yield batch
            batch, letters = [], 0
    if batch:
        yield batch


def _windows(firsts: Places, lengths: Places, size: int) -> Windows:
    """The windows of `size` words, one every `STRIDE` and one at the end; a shorter stretch is one window."""
    length = np.minimum(size, lengths)
    last = lengths - length
    count = -(-last // STRIDE) + 1
    of = np.repeat(np.arange(len(firsts)), count)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    return Windows(firsts[of] + np.minimum(nth * STRIDE, last[of]), length[of], of)


def _claim(logits: Floats) -> Floats:
    """Log-odds that any misinformation category holds against none; `logits` has one row a category."""
    highest: Floats = logits[1:].max(axis=0)
    # Added row by row, in one order: a text's figures are the same to the last bit in whatever company it is read.
    odds, *others = np.exp(logits[1:] - highest)
    for other in others:
        odds += other
    claims: Floats = np.log(odds) + highest - logits[0]
    return claims


def _quotes(sums: Floats, starts: Places, lengths: Places, categories: Places) -> tuple[Places, list[Places]]:
    """Of each window the run that says most of its category against none, and the words that weigh most in it.

    Runs, a row of first words and one of last words, are compared as windows are, by their sum over the square root of
    their length.
    """
    quotes = np.zeros((2, len(starts)), np.int64)
    cues = [starts] * len(starts)
    for length in np.unique(lengths).tolist():
        chosen = np.flatnonzero(lengths == length)
        begins = starts[chosen]
        words = begins[:, None] + np.arange(length + 1)
        margins = sums[categories[chosen, None], words] - sums[0, words]
        first, last, scale = _runs(length)
        best = ((margins.take(last, axis=1) - margins.take(first, axis=1)) / scale).argmax(axis=1)
        quotes[:, chosen] = begins + first[best], begins + last[best] - 1
        shares = np.diff(margins, axis=1)
        places = np.arange(length)
        outside = (places < first[best, None]) | (places >= last[best, None]) | (shares <= 0)
        order = np.argsort(np.where(outside, np.inf, -shares), axis=1, kind="stable")
        order += begins[:, None]
        for n, many, ranked in zip(chosen.tolist(), (~outside).sum(axis=1).tolist(), order, strict=True):
            cues[n] = ranked[:many]
    return quotes, cues


@lru_cache(SHORT_WINDOW)
def _runs(length: int) -> tuple[Places, Places, Floats]:
    """First words, ends and divisors of the runs of a window that may be quoted."""
    first, last = np.triu_indices(length + 1, k=min(SHORTEST_QUOTE, length))
    return first, last, np.sqrt(last - first)
